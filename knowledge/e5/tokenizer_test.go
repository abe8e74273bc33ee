package e5

import (
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/knowledge/e5/e5test"
)

const unlimited = 1 << 20

// speller returns a function that cuts a text and returns the texts of its pieces.
func (t *tokenizer) speller() func(text string) []string {
	names := make(map[int32]string, len(t.ids)+1)
	for piece, id := range t.ids {
		names[id] = piece
	}
	names[t.unknown] = "<unk>"
	return func(text string) []string {
		var out []string
		for _, id := range t.tokens(text, unlimited) {
			out = append(out, names[id])
		}
		return out
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	pieces := newTokenizer(e5test.File()).speller()
	for _, test := range []struct{ name, text, want string }{
		{"a space is put at the start", "да", "▁ д а"},
		{"words of the vocabulary win over their letters", "query: клиентом", "▁query : ▁клиент ом"},
		{"a piece is not cut at the wrong place", "сделку", "▁сделк у"},
		{"several spaces are one", " a   b ", "▁ a ▁ b ▁"},
		{"replaced by a space", "a\t\tb", "▁ a ▁ b"},
		{"replaced by nothing", "a\u00adb", "▁ a b"},
		{"replaced by several", "a…", "▁ a . . ."},
		{"unknown characters, one by one", "a語ЖЖ", "▁ a 語 <unk> <unk>"},
		{"a combining character is one of its own", "и\u0306", "▁ и <unk>"},
		{"a zero byte is nothing", "a\x00b", "▁ a b"},
		{"bytes that are no UTF-8", "a\xff\xfeb", "▁ a <unk> <unk> b"},
		{"nothing", "", "▁"},
		{"only spaces", "   ", "▁"},
		{"only replaced characters", "\u00ad", "▁"},
		{"special pieces are text", "<unk>", "▁ <unk> u n k <unk>"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(pieces(test.text), " "); got != test.want {
				t.Errorf("%q is cut into %q, want %q", test.text, got, test.want)
			}
		})
	}
}

func TestTokensStopAtTheLimit(t *testing.T) {
	t.Parallel()
	tok := newTokenizer(e5test.File())
	text := strings.Repeat("сделку ", 100)
	all := tok.tokens(text, unlimited)
	if got := tok.tokens(text, 7); !slices.Equal(got, all[:7]) {
		t.Errorf("with a limit of 7: %v, want the first of %v", got, all)
	}
	long := strings.Repeat("я", 50<<20)
	if n := len(tok.normalise(long, 100)); n > 100+2*utf8.UTFMax {
		t.Errorf("normalised %d bytes where 100 were enough", n)
	}
}

// The pieces must be the best of all ways to write the text, found here by trying every one.
func TestTokensAreTheBest(t *testing.T) {
	t.Parallel()
	tok := newTokenizer(e5test.File())
	pieces := tok.speller()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune("сделкуdealom Ж:1")), 0, 9, -1).Draw(t, "text")
		got := float32(0)
		for _, id := range tok.tokens(text, unlimited) {
			if id == tok.unknown {
				got += tok.unknownScore
			} else {
				got += tok.scores[id]
			}
		}
		want := bestScore(tok, string(tok.normalise(text, unlimited)))
		if math.Abs(float64(got-want)) > 1e-4 {
			t.Fatalf("the score of %q is %g, the best is %g", pieces(text), got, want)
		}
	})
}

// bestScore returns the greatest sum of scores of pieces that spell s.
func bestScore(tok *tokenizer, s string) float32 {
	if s == "" {
		return 0
	}
	_, size := utf8.DecodeRuneInString(s)
	best := tok.unknownScore + bestScore(tok, s[size:])
	for end := 1; end <= len(s); end++ {
		if id, ok := tok.ids[s[:end]]; ok {
			best = max(best, tok.scores[id]+bestScore(tok, s[end:]))
		}
	}
	return best
}

// FuzzTokens checks that no text makes the tokenizer panic or return an id that is none.
func FuzzTokens(f *testing.F) {
	f.Add("как сменить deal? 😀", 20)
	f.Add("\xf0\x9f\x98 \u00ad\x00", 1)
	tok := newTokenizer(e5test.File())
	f.Fuzz(func(t *testing.T, text string, limit int) {
		limit = min(max(limit, 1), unlimited)
		ids := tok.tokens(text, limit)
		if len(ids) == 0 || len(ids) > limit {
			t.Fatalf("%d pieces of %q", len(ids), text)
		}
		for _, id := range ids {
			if id < 0 || int(id) >= len(tok.scores) {
				t.Fatalf("id %d", id)
			}
		}
	})
}
