package console

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/texts"
)

// Style turns Markdown's emphasis into what the terminal can show.
type Style struct{ Bold, Dim, Reset string }

// Plain shows no emphasis: a pipe or a file.
func Plain() Style { return Style{} }

// ANSI shows emphasis by escape sequences.
func ANSI() Style { return Style{Bold: "\x1b[1m", Dim: "\x1b[2m", Reset: "\x1b[0m"} }

var (
	bold   = regexp.MustCompile(`\*\*([^*\n]+)\*\*`)
	italic = regexp.MustCompile(`(?m)^_([^\n]+)_$`)
	link   = regexp.MustCompile(`\[([^\]\n]+)\]\((https?://[^)\s]+)\)`)
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
	b.WriteString(strings.TrimRight(text, "\n") + "\n")
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
