package blocks_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/slack-go/slack"
	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/markup"
	"github.com/nastavnik-bot/nastavnik/bot/slack/blocks"
)

type failer interface {
	Helper()
	Errorf(format string, args ...any)
}

// What Slack would read in a text that is not escaped.
var unescaped = regexp.MustCompile(`[<>]|&(?:[^alg]|a[^m]|l[^t]|g[^t]|$)`)

// checkPart holds Slack's limits of a message.
func checkPart(tb failer, p blocks.Part) {
	tb.Helper()
	if n := len(p.Blocks); n == 0 || n > 50 {
		tb.Errorf("%d blocks", n)
	}
	if unescaped.MatchString(p.Text) || !utf8.ValidString(p.Text) || !markup.Visible(p.Text) || markup.Units(p.Text) > 4000 {
		tb.Errorf("a text of %d units: %q", markup.Units(p.Text), p.Text)
	}
	l := limits{failer: tb, actions: map[string]bool{}}
	l.blocks(p.Blocks)
	if l.units > 12_000 {
		tb.Errorf("%d characters over all blocks", l.units)
	}
}

// limits looks at each block and counts all characters.
type limits struct {
	failer
	units   int
	actions map[string]bool // the action_ids so far
}

func (l *limits) text(s string, limit int) {
	l.Helper()
	n := markup.Units(s)
	l.units += n
	if n == 0 || n > limit || !utf8.ValidString(s) {
		l.Errorf("%d characters of %d: %q", n, limit, s)
	}
}

// plain is a plain_text object, whose text has to be seen.
func (l *limits) plain(o *slack.TextBlockObject, limit int) {
	l.Helper()
	l.text(o.Text, limit)
	if o.Type != slack.PlainTextType || !markup.Visible(o.Text) {
		l.Errorf("%s: %q", o.Type, o.Text)
	}
}

func (l *limits) blocks(all []slack.Block) {
	l.Helper()
	for _, b := range all {
		switch b := b.(type) {
		case *slack.RichTextBlock:
			l.rich(b)
		case *slack.ContextBlock:
			if len(b.ContextElements.Elements) != 1 {
				l.Errorf("a context of %d elements", len(b.ContextElements.Elements))
			}
			o, _ := b.ContextElements.Elements[0].(*slack.TextBlockObject)
			l.plain(o, 2000)
		case *slack.SectionBlock:
			l.plain(b.Text, 3000)
			if b.Accessory != nil {
				l.button(b.Accessory.ButtonElement)
			}
		case *slack.HeaderBlock:
			l.plain(b.Text, 150)
		case *slack.ActionBlock:
			if n := len(b.Elements.ElementSet); n == 0 || n > 25 {
				l.Errorf("%d buttons in a row", n)
			}
			for _, e := range b.Elements.ElementSet {
				button, _ := e.(*slack.ButtonBlockElement)
				l.button(button)
			}
		case *slack.DividerBlock:
		default:
			l.Errorf("a block %T", b)
		}
	}
}

func (l *limits) button(b *slack.ButtonBlockElement) {
	l.Helper()
	l.plain(b.Text, 75)
	l.text(b.ActionID, 255)
	l.text(b.Value, 2000)
	if l.actions[b.ActionID] {
		l.Errorf("action_id %q comes twice", b.ActionID)
	}
	l.actions[b.ActionID] = true
}

func (l *limits) rich(b *slack.RichTextBlock) {
	l.Helper()
	before := l.units
	if len(b.Elements) == 0 {
		l.Errorf("an empty rich_text")
	}
	for _, e := range b.Elements {
		switch e := e.(type) {
		case *slack.RichTextSection:
			l.texts(e.Elements)
		case *slack.RichTextQuote:
			l.texts(e.Elements)
		case *slack.RichTextPreformatted:
			l.texts(e.Elements)
		case *slack.RichTextList:
			if e.Indent < 0 || e.Indent > 8 || e.Offset < 0 || len(e.Elements) == 0 {
				l.Errorf("a list %+v", e)
			}
			for _, item := range e.Elements {
				section, _ := item.(*slack.RichTextSection)
				l.texts(section.Elements)
			}
		default:
			l.Errorf("an element %T", e)
		}
	}
	if n := l.units - before; n > 3000 {
		l.Errorf("%d characters in a rich_text", n)
	}
}

func (l *limits) texts(elements []slack.RichTextSectionElement) {
	l.Helper()
	if len(elements) == 0 {
		l.Errorf("a section without elements")
	}
	for _, e := range elements {
		switch e := e.(type) {
		case *slack.RichTextSectionTextElement:
			l.text(e.Text, 3000)
		case *slack.RichTextSectionLinkElement:
			l.text(e.Text, 3000)
			l.text(e.URL, 2000)
			if !safeLink.MatchString(e.URL) {
				l.Errorf("leads to %q", e.URL)
			}
		default:
			l.Errorf("a text %T", e)
		}
	}
}

var safeLink = regexp.MustCompile(`^(?i:https?://|mailto:)[!-~]+$`)

// letters are what a text says. Letters without a picture are none.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if (unicode.IsLetter(r) || unicode.IsDigit(r)) && markup.Visible(string(r)) {
			return r
		}
		return -1
	}, s)
}

// checkMessage renders any text with any buttons, and looks whether all of it arrives.
func checkMessage(tb failer, m bot.Message, o blocks.Options) {
	tb.Helper()
	var text strings.Builder
	for _, p := range blocks.Render(bot.Message{Text: m.Text}, blocks.Options{}) {
		checkPart(tb, p)
		text.WriteString(said(p.Blocks) + "\n")
	}
	if got, want := letters(text.String()), letters(markup.Text(markup.Parse(m.Text))); got != want {
		tb.Errorf("says %q, want %q", got, want)
	}
	pressable := map[string]bool{}
	var all strings.Builder
	for _, p := range blocks.Render(m, o) {
		checkPart(tb, p)
		all.WriteString(seen(p.Blocks) + "\n")
		l := limits{failer: tb, actions: pressable}
		l.blocks(p.Blocks)
	}
	for i, s := range m.Sections {
		chosen, gone := o.Chosen[i]
		gone = gone && s.Choice
		if gone && !strings.Contains(letters(all.String()), letters(markup.Shorten(chosen, 100))) {
			tb.Errorf("%q was chosen, and is not to be seen in %q", chosen, all.String())
		}
		for _, b := range s.Buttons {
			ok := b.ID != "" && markup.Units(b.ID) <= 255 && markup.Clean(b.ID) == b.ID
			if !gone && ok && !pressable[b.ID] || !ok && pressable[b.ID] {
				tb.Errorf("the button %q of %d can be pressed: %v", b.ID, i, pressable[b.ID])
			}
		}
	}
}

func fragments() []string {
	return []string{
		"слово ", "\n", "\n\n", "- ", "1. ", "998. ", "   ", "> ", "# ", "---\n", "**", "*", "_", "~~", "`", "```go\n", "```\n", "[", "](https://example.com/?a=1&b=\")", "![", "<!channel>", "<@U1>", ">",
		"&amp;", "&", "<", "|---|---|\n", "| а | б |\n", "- [x] ", "https://example.com/?a=1&b=2", "me@example.com", "👨‍👩‍👧‍👦", "е\u0308", "\u200b", "\u202e", "שלום", "\x00", "\xff", "\u3164", "\u2800",
		"[а](https://example.com/" + strings.Repeat("п", 300) + ") ", "**а** `б` ", ":tada:",
	}
}

func texts() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		for range rapid.IntRange(0, 30).Draw(t, "fragments") {
			f := rapid.OneOf(rapid.SampledFrom(fragments()), rapid.String()).Draw(t, "fragment")
			n := rapid.SampledFrom([]int{1, 1, 1, 2, 3, 50, 700}).Draw(t, "times")
			b.WriteString(strings.Repeat(f, min(n, 1+6000/(len(f)+1))))
		}
		return b.String()
	})
}

func sections() *rapid.Generator[[]bot.Section] {
	return rapid.Custom(func(t *rapid.T) []bot.Section {
		var out []bot.Section
		for i := range rapid.IntRange(0, 4).Draw(t, "sections") {
			s := bot.Section{Title: rapid.String().Draw(t, "title"), Choice: rapid.Bool().Draw(t, "choice")}
			for j := range rapid.SampledFrom([]int{0, 1, 2, 5, 21, 60}).Draw(t, "buttons") {
				s.Buttons = append(s.Buttons, bot.Button{ID: fmt.Sprint(i, ".", j), Label: rapid.StringN(0, 90, -1).Draw(t, "label")})
			}
			out = append(out, s)
		}
		return out
	})
}

func TestAnyMessage(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := bot.Message{Text: texts().Draw(t, "text"), Sections: sections().Draw(t, "sections")}
		o := blocks.Options{Chosen: map[int]string{}}
		for i, s := range m.Sections {
			if len(s.Buttons) > 0 && rapid.Bool().Draw(t, "pressed") {
				o.Chosen[i] = rapid.SampledFrom(s.Buttons).Draw(t, "which").Label
			}
		}
		checkMessage(t, m, o)
	})
}

// Texts of 50,000 characters.
func TestHuge(t *testing.T) {
	t.Parallel()
	for _, f := range append(fragments(), "строка\n", "абзац\n\n", "- пункт\n", "> ц\n\n", "**а** ", "[а](https://example.com/) ", "о\u0301\u0301\u0301", "Ъ") {
		source := strings.Repeat(f, 50_000/utf8.RuneCountInString(f))
		if strings.Trim(source, "[!> 1.98-") == "" {
			source = source[:5000] // the parser takes seconds for these
		}
		checkMessage(t, bot.Message{Text: source}, blocks.Options{})
	}
}

// More buttons than a message takes come with further ones.
func TestManyButtons(t *testing.T) {
	t.Parallel()
	var sections []bot.Section
	for i := range 4 {
		var s bot.Section
		for j := range []int{10, 20, 60, 300}[i] {
			s.Buttons = append(s.Buttons, bot.Button{ID: fmt.Sprint(i, ".", j), Label: "Очень длинная подпись кнопки с номером " + fmt.Sprint(j)})
		}
		sections = append(sections, s)
	}
	m := bot.Message{Text: "Кнопки", Sections: sections}
	checkMessage(t, m, blocks.Options{})
	if n := len(blocks.Render(m, blocks.Options{})); n < 2 {
		t.Errorf("390 buttons in %d messages", n)
	}
}

func TestNothingToSee(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", " \n\t\n", "\u200b\ufeff", "\x00", "\u3164"} {
		if parts := blocks.Render(bot.Message{Text: text}, blocks.Options{}); parts != nil {
			t.Errorf("%q has parts %+v", text, parts)
		}
	}
}

func FuzzRender(f *testing.F) {
	for _, source := range inputs(f) {
		f.Add(source[:min(len(source), 1500)], "Заголовок", "Подпись", "1z.0.2", true)
	}
	for i, s := range fragments() {
		f.Add(strings.Repeat(s, 1+i%3)+"текст "+s, s, s, s, i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, text, title, label, id string, choice bool) {
		m := bot.Message{Text: text[:min(len(text), 10_000)], Sections: []bot.Section{
			{Title: title, Choice: choice, Buttons: []bot.Button{{ID: id, Label: label}, {ID: "2", Label: title}}},
			{Title: label, Choice: !choice, Buttons: []bot.Button{{ID: id + "1", Label: text[:min(len(text), 200)]}}},
		}}
		checkMessage(t, m, blocks.Options{})
		checkMessage(t, m, blocks.Options{Chosen: map[int]string{0: label}})
	})
}
