package console

import (
	"regexp"
	"strconv"
	"strings"

	wrap "github.com/jedib0t/go-pretty/v6/text"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/texts"
)

// Style is what the terminal can show: escape sequences for Markdown's emphasis,
// and its width in columns, 0 for a pipe, whose lines stay as they are.
type Style struct {
	Bold, Dim, Reset string
	Width            int
}

// Plain shows no emphasis: a pipe or a file.
func Plain() Style { return Style{} }

// ANSI shows emphasis by escape sequences, and breaks lines between words at width.
func ANSI(width int) Style {
	return Style{Bold: "\x1b[1m", Dim: "\x1b[2m", Reset: "\x1b[0m", Width: width}
}

var (
	bold   = regexp.MustCompile(`\*\*([^*\n]+)\*\*`)
	italic = regexp.MustCompile(`(?m)^_([^\n]+)_$`)
	// padding is what the wrapping leaves at the ends of lines.
	padding = regexp.MustCompile(` +\n`)
	link    = regexp.MustCompile(`\[([^\]\n]+)\]\((https?://[^)\s]+)\)`)
)

// unsafeRunes are dropped from what people wrote: a terminal would obey them.
func safe(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || 0x80 <= r && r < 0xa0 {
			return -1
		}
		return r
	}, s)
}

// Render lays out a message for a terminal. Buttons are numbered from 1 through
// the message.
func Render(m bot.Message, say *texts.Catalogue, style Style) string {
	if m.Chosen != "" {
		return style.Dim + "✓ " + say.Say("chosen", texts.Data{"Label": safe(m.Chosen)}) + style.Reset + "\n"
	}
	text := safe(m.Text)
	text = link.ReplaceAllString(text, "$1 ($2)")
	text = bold.ReplaceAllString(text, style.Bold+"$1"+style.Reset)
	text = italic.ReplaceAllString(text, style.Dim+"$1"+style.Reset)
	var b strings.Builder
	if m.Replaces != "" {
		b.WriteString(style.Dim + say.Say("edited", nil) + style.Reset + "\n")
	}
	text = strings.TrimRight(text, "\n")
	for line := range strings.SplitSeq(text, "\n") {
		if style.Width > 0 && line != "" {
			line = padding.ReplaceAllString(wrap.WrapSoft(line, style.Width), "\n")
		}
		b.WriteString(line + "\n")
	}
	n := 0
	for _, s := range m.Sections {
		renderSection(&b, s, &n)
	}
	return b.String()
}

// lineRunes is how much fits into one line of short buttons.
const lineRunes = 78

func renderSection(b *strings.Builder, s bot.Section, n *int) {
	if s.Title != "" {
		b.WriteString(safe(s.Title) + "\n")
	}
	var labels []string
	width := 0
	for _, button := range s.Buttons {
		*n++
		label := "[" + strconv.Itoa(*n) + "] " + safe(button.Label)
		width += len([]rune(label)) + 2
		labels = append(labels, label)
	}
	if s.Title == "" && width <= lineRunes {
		b.WriteString("  " + strings.Join(labels, "  ") + "\n")
		return
	}
	for _, l := range labels {
		b.WriteString("  " + l + "\n")
	}
}
