package markup_test

import (
	"bytes"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/bot/markup"
)

// letters are the letters and digits of s: what it says.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}

func textOf(parts [][]markup.Block) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(markup.Text(p) + "\n")
	}
	return b.String()
}

var tags = regexp.MustCompile(`<[^>]*>`)

// rendered is the text of a source as goldmark itself renders it, with GitHub's
// extensions: another way through the same standard.
func rendered(tb failer, source string) string {
	var b bytes.Buffer
	if err := goldmark.New(goldmark.WithExtensions(extension.GFM)).Convert([]byte(source), &b); err != nil {
		tb.Fatalf("goldmark: %v", err)
	}
	return html.UnescapeString(tags.ReplaceAllString(b.String(), ""))
}

type failer interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// plainly tells that a source has nothing that Markdown shows in other letters: no
// links, entities, code, escapes, tables or boxes, and no numbers.
func plainly(source string) bool {
	return !strings.ContainsAny(source, "&`~\\|<[") && strings.IndexFunc(source, unicode.IsDigit) < 0
}

// counts tells how often each letter is in s.
func counts(s string) map[rune]int {
	n := map[rune]int{}
	for _, r := range letters(s) {
		n[r]++
	}
	return n
}

// checkSource holds what is true of any text of anybody.
func checkSource(tb failer, source string, limit int) {
	tb.Helper()
	blocks := markup.Parse(source)
	checkBlocks(tb, source, blocks)
	text := markup.Text(blocks)
	if markup.Visible(source) != markup.Visible(text) && plainly(source) {
		tb.Errorf("%q is visible: %v, as blocks %v", source, markup.Visible(source), markup.Visible(text))
	}
	if plainly(source) && letters(text) != letters(markup.Clean(source)) {
		tb.Errorf("letters are lost:\nsource %q\nblocks %q", letters(markup.Clean(source)), letters(text))
	}
	if !strings.ContainsAny(source, "<&[") { // where goldmark hides HTML and reference definitions
		has := counts(text)
		for r, n := range counts(rendered(tb, markup.Clean(source))) {
			if has[r] < n {
				tb.Errorf("%q %d times, goldmark shows it %d times\nsource %q\ntext %q", r, has[r], n, source, text)
				break
			}
		}
	}
	checkSplit(tb, blocks, limit)
}

func checkBlocks(tb failer, source string, blocks []markup.Block) {
	tb.Helper()
	for _, b := range blocks {
		if b.Item.Depth > 8 || b.Quote > 8 || b.Item.Depth < 0 {
			tb.Errorf("%q: a depth of %d, %d quotes", source, b.Item.Depth, b.Quote)
		}
		for _, s := range b.Text {
			if !utf8.ValidString(s.Text) || markup.Clean(s.Text) != s.Text {
				tb.Errorf("%q: not clean: %q", source, s.Text)
			}
			if s.Link != "" && !safeLink.MatchString(s.Link) {
				tb.Errorf("%q: leads to %q", source, s.Link)
			}
		}
	}
}

var safeLink = regexp.MustCompile("^(?i:https?://|mailto:)[^\\s<>\"|`\\x00-\\x20\\x7f-\\x{10ffff}]+$")

// minLimit is above what a marker and an address may take before a single rune.
const minLimit = 64

// checkSplit cuts blocks to a limit and looks for what got lost or was cut wrongly.
func checkSplit(tb failer, blocks []markup.Block, limit int) {
	tb.Helper()
	parts := markup.Split(blocks, within(limit))
	for _, p := range parts {
		if len(p) == 0 {
			tb.Errorf("an empty part")
		}
		if text := markup.Text(p); markup.Units(text) > limit && limit >= minLimit {
			tb.Errorf("a part of %d units, the limit is %d: %q", markup.Units(text), limit, text)
		}
	}
	whole, cut := textOf([][]markup.Block{blocks}), textOf(parts)
	if letters(whole) != letters(cut) {
		tb.Errorf("the cut at %d changes what is said:\nwhole %q\nparts %q", limit, letters(whole), letters(cut))
	}
	checkCharacters(tb, whole, cut, limit)
}

// checkCharacters looks whether a character is cut that would have fitted.
func checkCharacters(tb failer, whole, cut string, limit int) {
	tb.Helper()
	want, got := characters(whole), characters(cut)
	for c, n := range want {
		if markup.Units(c) < limit/2 && got[c] < n {
			tb.Errorf("%q %+q is %d times in the whole, %d times in the parts cut at %d", c, c, n, got[c], limit)
		}
	}
}

// characters counts those that consist of several runes.
func characters(s string) map[string]int {
	n := map[string]int{}
	for g := graphemes.FromString(s); g.Next(); {
		if c := strings.TrimSpace(g.Value()); utf8.RuneCountInString(c) > 1 && c == g.Value() {
			n[c]++
		}
	}
	return n
}

// fragments are what Markdown is made of, and what breaks it.
func fragments() []string {
	return []string{
		"слово", "word ", " ", "\n", "\n\n", "  \n", "- ", "1. ", "7) ", "   ", "\t", "    ", "> ", "# ", "###### ", "---\n", "===\n", "***", "**", "*", "_", "__",
		"~~", "~", "`", "``", "```\n", "````go\n", "[", "](", ")", "](https://example.com/a_(b))", "](javascript://example.com/%0aalert(1))", "![", "<https://example.com>", "<b>", "</b>", "&amp;", "&#x41;",
		"&", "<", ">", "\\", "|", "|---|---|\n", "| а | б |\n", "- [ ] ", "- [x] ", "https://example.com/?a=1&b=2", "www.example.com", "me@example.com", "<!channel>", "@here",
		"👨‍👩‍👧‍👦", "🇷🇺", "👍🏽", "е\u0308", "З\u0300\u0301\u0302", "\u200b", "\u200d", "\u202e", "שלום", "مرحبا", "\u2028", "\x00", "\x1b[31m", "\xff", "\r\n", "\ufeff", "。", ". Предложение", "12345678901234567890", "Ω", "ﷺ",
	}
}

// sources draws texts of fragments, some of them repeated for long.
func sources() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		for range rapid.IntRange(0, 40).Draw(t, "fragments") {
			f := rapid.OneOf(rapid.SampledFrom(fragments()), rapid.String()).Draw(t, "fragment")
			n := rapid.SampledFrom([]int{1, 1, 1, 1, 2, 3, 50, 700}).Draw(t, "times")
			b.WriteString(strings.Repeat(f, min(n, 1+4000/(len(f)+1))))
		}
		return b.String()
	})
}

func TestAnySource(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		checkSource(t, sources().Draw(t, "source"), rapid.SampledFrom([]int{64, 100, 1024, 4096}).Draw(t, "limit"))
	})
}

// What people write without a thought of Markdown is said in full, whatever is cut.
func TestWordsAreKept(t *testing.T) {
	t.Parallel()
	for _, source := range []string{
		"<b>html</b> <!-- note --> <?php ?>",
		"[заметка]: купить хлеб",
		"| а | б |\n|---|---|\n| 1 | 2 | лишняя |",
		"```сразу код\nи ещё```\n```",
		"```ls\n```",
		"2019.\n\n-\n\n7) семь",
		"<div>\nтекст\n</div>",
		"\\\\server\\share C:\\temp",
		"1. - а\n2. > б\n3. ```\n   в\n   ```",
	} {
		blocks := markup.Parse(source)
		if got, want := letters(markup.Text(blocks)), letters(source); got != want {
			t.Errorf("%q: says %q, want %q", source, got, want)
		}
		checkSplit(t, blocks, 64)
	}
}

func TestHuge(t *testing.T) {
	t.Parallel()
	for name, source := range huge() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, limit := range []int{1024, 4096} {
				checkSource(t, source, limit)
			}
		})
	}
}

// huge are texts of 50,000 characters.
func huge() map[string]string {
	repeat := func(s string) string { return strings.Repeat(s, 50_000/utf8.RuneCountInString(s)) }
	return map[string]string{
		"one word":   repeat("щ"),
		"words":      repeat("слово "),
		"lines":      repeat("строка\n"),
		"paragraphs": repeat("абзац\n\n"),
		"items":      repeat("- пункт\n"),
		"emoji":      repeat("👨‍👩‍👧‍👦"),
		"accents":    "о" + repeat("\u0301"),
		"bold":       repeat("**а** "),
		"quotes":     strings.Repeat("> ", 500) + repeat("слово "),
		"zero width": repeat("\u200b"),
		"link":       "[" + repeat("слово ") + "](https://example.com/)",
		"links":      repeat("[а](https://example.com/) "),
		"long link":  repeat("[а](https://example.com/" + strings.Repeat("п", 300) + ") "),
		"code":       "```\n" + repeat("строка кода\n") + "```",
		"table":      "|а|б|\n|-|-|\n" + repeat("|1|2|\n"),
		"ampersands": repeat("&<>\""),
	}
}

// Where the cut falls, of the places that there are.
func TestCutPrefers(t *testing.T) {
	t.Parallel()
	word := func(n int) string { return strings.Repeat("а", n) }
	tests := []struct {
		name, source string
		limit        int
		want         []string // the parts' texts
	}{
		{"a paragraph", word(60) + "\n\n" + word(30) + ". " + word(20), 100, []string{word(60), word(30) + ". " + word(20)}},
		{"an item", "- " + word(40) + "\n- " + word(40) + "\n- " + word(40), 100, []string{"• " + word(40) + "\n• " + word(40), "• " + word(40)}},
		{"numbers go on", "1. " + word(60) + "\n2. " + word(60), 70, []string{"1. " + word(60), "2. " + word(60)}},
		{"the outer item", "- " + word(30) + "\n  - " + word(30) + "\n- " + word(30) + "\n  - " + word(30), 100, []string{"• " + word(30) + "\n   ◦ " + word(30), "• " + word(30) + "\n   ◦ " + word(30)}},
		{"a line", word(60) + "\n" + word(30) + ". " + word(30), 100, []string{word(60), word(30) + ". " + word(30)}},
		{"a sentence", word(30) + " " + word(30) + ". И " + word(60), 100, []string{word(30) + " " + word(30) + ".", "И " + word(60)}},
		{"a word", word(50) + " " + word(40) + " " + word(40), 100, []string{word(50) + " " + word(40), word(40)}},
		{"a character", word(120), 100, []string{word(100), word(20)}},
		{"no heading is left behind", word(60) + "\n\n# " + word(10) + "\n\n" + word(60), 100, []string{word(60), word(10) + "\n\n" + word(60)}},
		{"nor one that fills most of a part", word(20) + "\n\n# " + word(45) + "\n\n" + word(20) + ". " + word(60), 100, []string{word(20) + "\n\n" + word(45) + "\n\n" + word(20) + ".", word(60)}},
		{"a link stays whole", word(60) + " [" + word(10) + " " + word(40) + "](https://example.com)", 100, []string{word(60), word(10) + " " + word(40)}},
		{"code at a line", "```\n" + word(60) + "\n  " + word(60) + "\n```", 100, []string{word(60), "  " + word(60)}},
		{"a half-empty part takes a sentence of the next paragraph", word(20) + "\n\n" + word(60) + ". " + word(60) + ".", 100, []string{word(20) + "\n\n" + word(60) + ".", word(60) + "."}},
		{"an item goes on without its marker", "- " + word(60) + " " + word(60), 70, []string{"• " + word(60), "   " + word(60)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, p := range markup.Split(markup.Parse(tt.source), within(tt.limit)) {
				got = append(got, markup.Text(p))
			}
			if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", tt.want) {
				t.Errorf("parts %q\nwant  %q", got, tt.want)
			}
		})
	}
}

func TestShorten(t *testing.T) {
	t.Parallel()
	tests := []struct {
		s     string
		limit int
		want  string
	}{
		{"коротко", 7, "коротко"},
		{"очень длинный вопрос", 16, "очень длинный…"},
		{"слово👨‍👩‍👧‍👦", 12, "слово…"},
		{"👨‍👩‍👧‍👦👨‍👩‍👧‍👦", 12, "👨‍👩‍👧‍👦…"},
		{"🇷🇺🇰🇿", 5, "🇷🇺…"},
		{"ое\u0308", 2, "о…"},
		{"абв", 1, "…"},
		{"абв", 0, ""},
		{"", 5, ""},
	}
	for _, tt := range tests {
		if got := markup.Shorten(tt.s, tt.limit); got != tt.want {
			t.Errorf("Shorten(%q, %d) = %q, want %q", tt.s, tt.limit, got, tt.want)
		}
	}
}

func TestVisible(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"а": true, ".": true, "👍": true, "": false, " \n\t": false, "\u200b\u200d\ufeff": false, "\u3164": false, "\u2800": false, "\u0301": false, "\u00a0": false, "\u202e": false, "\ufe0f": false,
	} {
		if got := markup.Visible(s); got != want {
			t.Errorf("Visible(%q) = %v, want %v", s, got, want)
		}
	}
}

// A name among the bot's words makes no link of them.
func TestName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Анна  К.\n":                            "Анна К.",
		"Иван [отдел продаж]":                   "Иван (отдел продаж)",
		"[Сброс пароля](https://evil.example/)": "(Сброс пароля)(https://evil.example/)",
		"![x](https://evil.example/)":           "!(x)(https://evil.example/)",
	} {
		got := markup.Name(name)
		if got != want {
			t.Errorf("Name(%q) = %q, want %q", name, got, want)
		}
		for _, b := range markup.Parse("Спрашивает " + got + ", (https://evil.example)") {
			for _, s := range b.Text {
				if s.Link != "" && !strings.HasPrefix(s.Text, "https://") {
					t.Errorf("%q leads to %s", s.Text, s.Link)
				}
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.md")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(source[:min(len(source), 2000)]), uint16(1024))
	}
	for i, s := range fragments() {
		f.Add(strings.Repeat(s, 1+i%3)+"текст "+s, uint16(64+i))
	}
	f.Fuzz(func(t *testing.T, source string, limit uint16) {
		// Long texts and short parts have their own test; here it is many that count.
		checkSource(t, source[:min(len(source), 10_000)], max(minLimit, int(limit)))
	})
}
