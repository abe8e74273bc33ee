package html_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	xhtml "golang.org/x/net/html"
	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/markup"
	"github.com/nastavnik-bot/nastavnik/bot/telegram/html"
)

type failer interface {
	Helper()
	Errorf(format string, args ...any)
}

// The entities that the Bot API knows by name.
var foreignEntity = regexp.MustCompile(`&(?:[^lgaq]|l[^t]|g[^t]|a[^m]|q[^u]|$)`)

// allowed are the elements of the Bot API's HTML that are used here, with the only
// attribute of each.
func allowed() map[string]string {
	return map[string]string{"b": "", "i": "", "s": "", "a": "href", "code": "class", "pre": "", "blockquote": ""}
}

// checkPart holds the rules of the Bot API: parse_mode HTML, sizes, keyboards.
func checkPart(tb failer, p html.Part) (text string) {
	tb.Helper()
	text, entities := parse(tb, p.HTML)
	if n := markup.Units(text); n == 0 || n > 4096 || entities > 100 || len(p.HTML) > 32768 {
		tb.Errorf("%d units, %d entities, %d bytes: %q", n, entities, len(p.HTML), p.HTML)
	}
	if !markup.Visible(text) || !markup.Visible(p.Plain) || markup.Units(p.Plain) > 4096 || !utf8.ValidString(p.Plain) {
		tb.Errorf("%d units of plain text: %q", markup.Units(p.Plain), p.Plain)
	}
	count := 0
	for _, row := range p.Keyboard {
		if len(row) == 0 || len(row) > 8 {
			tb.Errorf("a row of %d buttons", len(row))
		}
		for _, k := range row {
			count++
			if k.Data == "" || len(k.Data) > 64 || !utf8.ValidString(k.Data) {
				tb.Errorf("callback_data %q", k.Data)
			}
			if !markup.Visible(k.Text) || markup.Units(k.Text) > 64 || !utf8.ValidString(k.Text) || strings.Contains(k.Text, "\n") {
				tb.Errorf("a button %q", k.Text)
			}
		}
	}
	if count > 100 {
		tb.Errorf("%d buttons", count)
	}
	return text
}

// parse reads HTML as strictly as the Bot API, and returns its text.
func parse(tb failer, source string) (text string, entities int) {
	tb.Helper()
	if !utf8.ValidString(source) || foreignEntity.MatchString(source) {
		tb.Errorf("not UTF-8, or an unknown entity: %q", source)
	}
	var open []string
	var b strings.Builder
	z := xhtml.NewTokenizer(strings.NewReader(source))
	for {
		switch kind := z.Next(); kind {
		case xhtml.ErrorToken:
			if len(open) > 0 {
				tb.Errorf("not closed: %q in %q", open, source)
			}
			return b.String(), entities
		case xhtml.TextToken:
			if raw := string(z.Raw()); strings.ContainsAny(raw, "<>") {
				tb.Errorf("not escaped: %q", raw)
			}
			b.WriteString(string(z.Text()))
		case xhtml.StartTagToken:
			token := z.Token()
			entities += checkTag(tb, open, token)
			open = append(open, token.Data)
		case xhtml.EndTagToken:
			name := z.Token().Data
			if len(open) == 0 || open[len(open)-1] != name {
				tb.Errorf("</%s> closes %q in %q", name, open, source)
				return b.String(), entities
			}
			open = open[:len(open)-1]
		case xhtml.SelfClosingTagToken, xhtml.CommentToken, xhtml.DoctypeToken:
			tb.Errorf("%s in %q", kind, source)
		}
	}
}

// checkTag looks at an element and where it stands, and counts its entities.
func checkTag(tb failer, open []string, token xhtml.Token) int {
	tb.Helper()
	attribute, ok := allowed()[token.Data]
	if !ok || len(token.Attr) > 1 || len(token.Attr) == 1 && token.Attr[0].Key != attribute {
		tb.Errorf("unknown: %s", token)
	}
	switch parent := ""; token.Data {
	case "code":
		if len(open) > 0 {
			parent = open[len(open)-1]
		}
		if language := len(token.Attr) == 1; language != (parent == "pre") || !language && parent != "" && parent != "blockquote" {
			tb.Errorf("code in %q", open)
		}
		if parent == "pre" {
			return 0 // one entity, with its language
		}
	case "pre", "blockquote":
		if len(open) > 0 {
			tb.Errorf("%s in %q", token.Data, open)
		}
	case "a":
		if len(token.Attr) != 1 || !strings.HasPrefix(strings.ToLower(token.Attr[0].Val), "http") {
			tb.Errorf("a link: %s", token)
		}
		fallthrough
	default:
		if slices.Contains(open, "pre") || slices.Contains(open, "code") || slices.Contains(open, token.Data) {
			tb.Errorf("%s in %q", token.Data, open)
		}
	}
	return 1
}

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
func checkMessage(tb failer, m bot.Message, o html.Options) {
	tb.Helper()
	var said, plain, pressable strings.Builder
	for _, p := range html.Render(bot.Message{Text: m.Text}, html.Options{}) {
		said.WriteString(checkPart(tb, p) + "\n")
		plain.WriteString(p.Plain + "\n")
	}
	want := letters(markup.Text(markup.Unlink(markup.Parse(m.Text), canLink)))
	if got := letters(said.String()); got != want {
		tb.Errorf("says %q, want %q", got, want)
	}
	if got := letters(plain.String()); len(got) < len(want) {
		tb.Errorf("says plainly %q, want %q", got, want)
	}
	parts := html.Render(m, o)
	for i, p := range parts {
		checkPart(tb, p)
		for _, row := range p.Keyboard {
			for _, k := range row {
				pressable.WriteString(k.Data + "\n")
			}
		}
		if p.Keyboard != nil && i < len(parts)-1 && len(p.Keyboard) < 30 {
			tb.Errorf("part %d of %d has a keyboard: %v", i+1, len(parts), p.Keyboard)
		}
	}
	for i, s := range m.Sections {
		for _, b := range s.Buttons {
			ok := b.ID != "" && len(b.ID) <= 64 && markup.Clean(b.ID) == b.ID
			if gone := s.Choice && o.Chosen[i] != ""; !gone && ok != strings.Contains(pressable.String(), b.ID+"\n") && b.ID != "" && b.ID != html.Inert {
				tb.Errorf("the button %q of %d can be pressed: %v", b.ID, i, !ok)
			}
		}
	}
	if caption, rest := html.Caption(m.Text); caption.HTML != "" {
		text, entities := parse(tb, caption.HTML)
		if markup.Units(text) > 1024 || entities > 100 || markup.Units(caption.Plain) > 1024 {
			tb.Errorf("a caption of %d units: %q", markup.Units(text), caption.HTML)
		}
		for _, p := range rest {
			text += checkPart(tb, p)
		}
		if got := letters(text); got != want {
			tb.Errorf("the caption says %q, want %q", got, want)
		}
	}
}

// canLink tells which links Telegram shows; the address of another one is to be read.
func canLink(link string) bool {
	return !strings.HasPrefix(link, "mailto:") && !dotless.MatchString(link)
}

var dotless = regexp.MustCompile(`^(?i:https?)://(?:[^/?#]*@)?[^./?#]*(?::\d*)?(?:[/?#]|$)`)

func fragments() []string {
	return []string{
		"слово ", "\n", "\n\n", "- ", "1. ", "   ", "> ", "# ", "---\n", "**", "*", "_", "~~", "`", "```go\n", "```\n", "[", "](https://example.com/?a=1&b=\")", "![", "<b>", "</pre>",
		"&amp;", "&", "<", "\"", "|---|---|\n", "| а | б |\n", "- [x] ", "https://example.com/?a=1&b=2", "me@example.com", "👨‍👩‍👧‍👦", "е\u0308", "\u200b", "\u202e", "שלום", "\x00", "\xff", "\u3164", "\u2800",
		"[а](https://example.com/" + strings.Repeat("п", 300) + ") ", "**а** `б` ", "$",
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

func TestAnyMessage(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := bot.Message{Text: texts().Draw(t, "text")}
		o := html.Options{Chosen: map[int]string{}}
		for i := range rapid.IntRange(0, 4).Draw(t, "sections") {
			s := bot.Section{Title: rapid.String().Draw(t, "title"), Choice: rapid.Bool().Draw(t, "choice")}
			for j := range rapid.SampledFrom([]int{0, 1, 2, 3, 4, 7, 60}).Draw(t, "buttons") {
				s.Buttons = append(s.Buttons, bot.Button{ID: fmt.Sprint(i, ".", j), Label: rapid.StringN(0, 90, -1).Draw(t, "label")})
			}
			if len(s.Buttons) > 0 && rapid.Bool().Draw(t, "pressed") {
				o.Chosen[i] = rapid.SampledFrom(s.Buttons).Draw(t, "which").Label
			}
			m.Sections = append(m.Sections, s)
		}
		checkMessage(t, m, o)
	})
}

// Texts of 50,000 characters.
func TestHuge(t *testing.T) {
	t.Parallel()
	for _, f := range append(fragments(), "строка\n", "абзац\n\n", "- пункт\n", "> ц\n\n", "**а** ", "[а](https://example.com/) ", "о\u0301\u0301\u0301", "Ъ") {
		source := strings.Repeat(f, 50_000/utf8.RuneCountInString(f))
		if strings.Trim(source, "[!> 1.") == "" {
			source = source[:5000] // the parser takes seconds for these
		}
		checkMessage(t, bot.Message{Text: source}, html.Options{})
	}
}

// More buttons than a message takes come with further ones.
func TestManyButtons(t *testing.T) {
	t.Parallel()
	var s bot.Section
	for i := range 250 {
		s.Buttons = append(s.Buttons, bot.Button{ID: fmt.Sprint("7.", i), Label: "Очень длинная подпись кнопки с номером " + fmt.Sprint(i)})
	}
	m := bot.Message{Text: "Кнопки", Sections: []bot.Section{s}}
	checkMessage(t, m, html.Options{})
	if n := len(html.Render(m, html.Options{})); n < 3 {
		t.Errorf("250 buttons in %d messages", n)
	}
}

func TestNothingToSee(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", " \n\t\n", "\u200b\ufeff", "\x00", "\u3164"} {
		if parts := html.Render(bot.Message{Text: text}, html.Options{}); parts != nil {
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
		checkMessage(t, m, html.Options{})
		checkMessage(t, m, html.Options{Chosen: map[int]string{0: label, 1: title}})
	})
}
