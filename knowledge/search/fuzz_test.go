package search_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

// seeds are messages that people and machines send.
func seeds(f *testing.F) {
	f.Helper()
	for _, s := range []string{
		"", "как сменить пароль", "ghbdtn, rfr ltkf&", "'nj ,skj .yjcnm", "kak smenit parol'", "shchuka i yozh", "рщц ещ", "здравствуйте",
		"Добрый день! Спасибо", "позовите человека", "👍🏽", "й\u0306е\u0308", "\xff\xfe", "\u200b\u202e", "a\x00b", "''''....,,,,[[[[",
		strings.Repeat("щ", 300), strings.Repeat("ab ", 300), strings.Repeat(",", 300), "ﷺ", "ß İ ı", "1С:Предприятие 8.3", "日本語",
	} {
		f.Add(s)
	}
}

func FuzzParse(f *testing.F) {
	seeds(f)
	p := parser()
	f.Fuzz(func(t *testing.T, text string) {
		q := p.Parse(text)
		if !utf8.ValidString(q.Text) || utf8.RuneCountInString(q.Text) > 2000 {
			t.Errorf("Parse(%q).Text is not clean: %q", text, q.Text)
		}
		if len(q.Words) > 64 || len(q.Words) != len(q.Stems) {
			t.Errorf("Parse(%q) gives %d words and %d stems", text, len(q.Words), len(q.Stems))
		}
		if q.Text != q.Raw && len(q.Repairs) == 0 {
			t.Errorf("Parse(%q) changed the text to %q without saying so", text, q.Text)
		}
	})
}

func FuzzClassify(f *testing.F) {
	seeds(f)
	p := parser()
	f.Fuzz(func(t *testing.T, text string) {
		if got := p.Classify(text).String(); got == "unknown" {
			t.Errorf("Classify(%q) is unknown", text)
		}
	})
}

func FuzzRank(f *testing.F) {
	seeds(f)
	p := parser()
	f.Fuzz(func(t *testing.T, text string) {
		l := crm()
		l.Put(search.Entry{ID: "fuzzed", Phrasings: []string{text, "ключ " + text}, Answer: text})
		ranked := l.Rank(p.Parse(text), []search.Near{{Question: "api", Similarity: 0.9}}, weights())
		checkRanking(t, ranked)
		search.Decide(ranked, search.DefaultCalibration(search.EmbedderE5))
		l.Related("fuzzed", weights(), search.RelatedOptions{})
		l.Remove("fuzzed")
		if got, want := l.WordCount("ключ"), crm().WordCount("ключ"); got != want {
			t.Errorf("after Remove the word is counted %d times, want %d", got, want)
		}
	})
}
