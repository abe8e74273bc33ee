package knowledge_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

func TestFoldText(t *testing.T) {
	for text, want := range map[string]string{
		"Как сменить ответственного?":      "как сменить ответственного",
		"  КАК   сменить,ответственного! ": "как сменить ответственного",
		"Ёлка, ещё ёлка":                   "елка еще елка",
		"ОШИБКА №500":                      "ошибка 500",
		"":                                 "",
		"?!":                               "",
		"C++ и C#":                         "c и c",
	} {
		if got := knowledge.FoldText(text); got != want {
			t.Errorf("%q folds to %q, want %q", text, got, want)
		}
	}
}

// anyText is what people, and those who wish the bot ill, write.
func anyText() *rapid.Generator[string] {
	odd := rapid.SampledFrom([]rune("ёЁйЙ\u0301\u200b\u202e\u2066\ufeff\x00\x07\x1b\r\n\t «»—…№😀ßİı"))
	return rapid.OneOf(rapid.String(), rapid.StringOf(odd), rapid.StringOf(rapid.OneOf(rapid.Rune(), odd)))
}

func TestFoldTextProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := anyText().Draw(t, "text")
		fold := knowledge.FoldText(text)
		if again := knowledge.FoldText(fold); again != fold {
			t.Fatalf("%q folds to %q, and that to %q", text, fold, again)
		}
		if strings.Contains(fold, "  ") || strings.TrimSpace(fold) != fold {
			t.Fatalf("%q folds to %q, with space to spare", text, fold)
		}
		for _, r := range fold {
			if r != ' ' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
				t.Fatalf("%q folds to %q with %q in it", text, fold, r)
			}
		}
		if with := knowledge.FoldText("  " + text + " ?!"); with != fold {
			t.Fatalf("%q folds to %q, with marks around it to %q", text, fold, with)
		}
	})
}

func TestCleanText(t *testing.T) {
	for text, want := range map[string]string{
		"  как  \r\n\tтак ":        "как  \n\tтак",
		"a\x00b\x07c\x1b[31m":      "abc[31m",
		"админ\u202eтекст\u2066":   "админтекст",
		"\ufeffначало\u200b":       "начало",
		"строка\xffбитая":          "строкабитая",
		"первая\n\nвторая\n":       "первая\n\nвторая",
		"эмодзи 👩\u200d💻 остаются": "эмодзи 👩\u200d💻 остаются",
	} {
		if got, err := knowledge.CleanText(text, 100); err != nil || got != want {
			t.Errorf("%q becomes %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"", " \n\t ", "\x00\u200b\u202e", strings.Repeat("я", 101)} {
		if _, err := knowledge.CleanText(text, 100); !errors.Is(err, knowledge.ErrInvalid) {
			t.Errorf("%.20q is accepted: %v", text, err)
		}
	}
}

func TestCleanTextProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := anyText().Draw(t, "text")
		limit := rapid.IntRange(1, 40).Draw(t, "limit")
		got, err := knowledge.CleanText(text, limit)
		if err != nil {
			if !errors.Is(err, knowledge.ErrInvalid) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if got == "" || !utf8.ValidString(got) || utf8.RuneCountInString(got) > limit || strings.TrimSpace(got) != got {
			t.Fatalf("%q becomes %q", text, got)
		}
		for _, r := range got {
			if unicode.IsControl(r) && r != '\n' && r != '\t' {
				t.Fatalf("%q keeps the control character %U", text, r)
			}
		}
		if again, err := knowledge.CleanText(got, limit); err != nil || again != got {
			t.Fatalf("%q becomes %q, and that %q, %v", text, got, again, err)
		}
	})
}
