package search_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

func weights() search.Weights { return search.DefaultWeights(search.EmbedderE5) }

func ids(ranked []search.Scored) []string {
	out := []string{}
	for _, s := range ranked {
		out = append(out, s.ID)
	}
	return out
}

func TestRankFindsByWordsAlone(t *testing.T) {
	t.Parallel()
	l, p := crm(), parser()
	for text, want := range map[string]string{
		"поменять пароли":                     "password",
		"смена ответственного за сделку":      "owner",
		"отчеты в excel":                      "export",
		"раздел безопасность в профиле":       "password", // only the answer says so
		"rfr gthtdtcnb cltkre yf lheujq 'nfg": "stage",
		"gde klyuch api":                      "api",
	} {
		ranked := l.Rank(p.Parse(text), nil, weights())
		if len(ranked) == 0 || ranked[0].ID != want {
			t.Errorf("Rank(%q) = %v, want %s first", text, ids(ranked), want)
		}
	}
}

func TestRankUsesVectors(t *testing.T) {
	t.Parallel()
	near := []search.Near{
		{Question: "stage", Similarity: 0.93}, {Question: "password", Similarity: 0.80},
		{Question: "stage", Kind: search.Passage, Similarity: 0.85}, {Question: "api", Kind: search.Passage, Similarity: 0.79},
		{Question: "gone", Similarity: 0.99}, {Question: "owner", Similarity: math.NaN()},
	}
	ranked := crm().Rank(search.Parse("подвинуть карточку дальше"), near, weights())
	if len(ranked) == 0 || ranked[0].ID != "stage" {
		t.Fatalf("Rank = %v, want stage first, which is nearest by meaning", ids(ranked))
	}
	for _, s := range ranked {
		if s.ID == "gone" {
			t.Error("a vector of a question that is no longer there was ranked")
		}
		if math.IsNaN(s.Score) {
			t.Errorf("score of %s is not a number", s.ID)
		}
	}
}

func TestRankPutsTheVeryWordsFirst(t *testing.T) {
	t.Parallel()
	near := []search.Near{{Question: "owner", Similarity: 0.99}, {Question: "password", Similarity: 0.7}}
	ranked := crm().Rank(search.Parse("ХОЧУ ПОМЕНЯТЬ  пароль от crm!!"), near, weights())
	if ranked[0].ID != "password" || !ranked[0].Parts.Exact {
		t.Errorf("Rank = %v (exact %v), want password, whose phrasing was typed word for word", ids(ranked), ranked[0].Parts.Exact)
	}
}

func TestBestPhrasingSpeaksForItsQuestion(t *testing.T) {
	t.Parallel()
	l := search.NewLexicon()
	l.Put(
		search.Entry{ID: "many", Phrasings: []string{"Что делать при увольнении сотрудника?", "Как передать сделки уволенного?", "Сотрудник ушёл, куда его клиенты"}},
		search.Entry{ID: "one", Phrasings: []string{"Как передать сделки на проверку юристу и бухгалтеру?"}},
	)
	ranked := l.Rank(search.Parse("передать сделки уволенного"), nil, weights())
	if len(ranked) == 0 || ranked[0].ID != "many" {
		t.Fatalf("Rank = %v, want the question with the nearest wording", ids(ranked))
	}
	if p := ranked[0].Parts; p.Chars < 0.8 || p.Coverage < 0.99 {
		t.Errorf("chars %.2f, coverage %.2f: other wordings of the question must not lower its best one's", p.Chars, p.Coverage)
	}
}

// An entry whose answer only repeats its question has no passage to be near to; that
// must not count against it.
func TestRankWithoutPassage(t *testing.T) {
	t.Parallel()
	l := search.NewLexicon()
	l.Put(
		search.Entry{ID: "bare", Phrasings: []string{"Отпуск"}, Answer: "Отпуск"},
		search.Entry{ID: "mute", Phrasings: []string{"Отгул"}},
		search.Entry{ID: "told", Phrasings: []string{"Больничный"}, Answer: "В кадрах."},
	)
	near := []search.Near{
		{Question: "bare", Similarity: 0.9}, {Question: "mute", Similarity: 0.89}, {Question: "told", Similarity: 0.85},
		{Question: "told", Kind: search.Passage, Similarity: 0.8},
	}
	got := l.Rank(search.Parse("хочу отдохнуть"), near, weights())
	if want := []string{"bare", "mute", "told"}; !slices.Equal(ids(got), want) {
		t.Errorf("ranked %v, want %v", ids(got), want)
	}
	if p := got[0].Parts; p.Passage != p.Vector {
		t.Errorf("the passage of an entry without one is at %v, want %v as its phrasing", p.Passage, p.Vector)
	}
}

// Who measures rankings, or offers more, needs a ranking even where little fits.
func TestRankHoldsTen(t *testing.T) {
	t.Parallel()
	l := search.NewLexicon()
	for i := range 30 {
		l.Put(search.Entry{ID: fmt.Sprintf("%02d", (i*7)%30), Phrasings: []string{"вопрос номер " + strings.Repeat("х", i+1)}})
	}
	for _, text := range []string{"погода", "вопрос", "вопрос ххх"} {
		if got := l.Rank(search.Parse(text), nil, weights()); len(got) < 10 {
			t.Errorf("%q ranks %d of 30", text, len(got))
		}
	}
	got := l.Rank(search.Parse("погода"), []search.Near{{Question: "20", Similarity: 0.8}, {Question: "21", Similarity: 0.7}}, weights())
	if want := []string{"20", "00", "01", "02", "03", "04", "05", "06", "07", "21"}; !slices.Equal(ids(got), want) {
		t.Errorf("ranked %v, want %v", ids(got), want)
	}
	if got := crm().Rank(search.Parse("погода"), nil, weights()); len(got) != crm().Len() {
		t.Errorf("ranked %v, want all %d there are", ids(got), crm().Len())
	}
}

func TestRankOfNothing(t *testing.T) {
	t.Parallel()
	if got := search.NewLexicon().Rank(search.Parse("пароль"), nil, weights()); len(got) != 0 {
		t.Errorf("an empty lexicon ranks %v", got)
	}
	if got := crm().Rank(search.Parse(""), nil, weights()); len(got) != 0 {
		t.Errorf("an empty message ranks %v", got)
	}
}

func TestPutReplacesAndRemoveForgets(t *testing.T) {
	t.Parallel()
	l := crm()
	l.Put(search.Entry{ID: "password", Phrasings: []string{"Как заказать пропуск?"}}, search.Entry{Phrasings: []string{"без номера"}})
	if l.Len() != 5 {
		t.Errorf("Len = %d, want 5", l.Len())
	}
	if ranked := l.Rank(search.Parse("пропуск"), nil, weights()); len(ranked) == 0 || ranked[0].ID != "password" {
		t.Errorf("the new wording is not found: %v", ids(ranked))
	}
	if n := l.WordCount("безопасность"); n != 0 {
		t.Errorf("a word of the replaced answer still counts %d", n)
	}
	l.Remove("password", "never there")
	if ranked := l.Rank(search.Parse("пропуск"), nil, weights()); slices.Contains(ids(ranked), "password") {
		t.Errorf("a removed entry is found: %v", ids(ranked))
	}
}

// Whatever the history, the lexicon ranks as one freshly built.
func TestLexiconEqualsRebuilt(t *testing.T) {
	t.Parallel()
	word := rapid.SampledFrom(strings.Fields("как сменить пароль сделка сделки отчёт api export ключ ключи и в 2024 я на"))
	text := rapid.Map(rapid.SliceOfN(word, 0, 6), func(w []string) string { return strings.Join(w, " ") })
	entry := rapid.Custom(func(t *rapid.T) search.Entry {
		return search.Entry{
			ID:        fmt.Sprint("q", rapid.IntRange(0, 9).Draw(t, "id")),
			Topic:     rapid.SampledFrom([]string{"", "a"}).Draw(t, "topic"),
			Phrasings: rapid.SliceOfN(text, 0, 3).Draw(t, "phrasings"),
			Answer:    text.Draw(t, "answer"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		changed, want := search.NewLexicon(), map[string]search.Entry{}
		for range rapid.IntRange(1, 30).Draw(t, "changes") {
			e := entry.Draw(t, "entry")
			changed.Rank(search.Parse("как сменить пароль"), nil, weights()) // what it keeps must not outlive the change
			if rapid.Bool().Draw(t, "put") {
				changed.Put(e)
				want[e.ID] = e
			} else {
				changed.Remove(e.ID)
				delete(want, e.ID)
			}
		}
		rebuilt := search.NewLexicon()
		for _, e := range want {
			rebuilt.Put(e)
		}
		var near []search.Near
		for range rapid.IntRange(0, 6).Draw(t, "hits") {
			near = append(near, search.Near{
				Question:   fmt.Sprint("q", rapid.IntRange(0, 9).Draw(t, "hit")),
				Kind:       search.NearKind(rapid.IntRange(0, 1).Draw(t, "kind")),
				Similarity: rapid.Float64Range(-1, 1).Draw(t, "similarity"),
			})
		}
		q := search.NewParser(search.ParserOptions{Vocabulary: changed}).Parse(text.Draw(t, "query"))
		a, b := changed.Rank(q, near, weights()), rebuilt.Rank(q, near, weights())
		if diff := cmp.Diff(a, b); diff != "" {
			t.Fatalf("after changes (-) and rebuilt (+) rank differently:\n%s", diff)
		}
		if diff := cmp.Diff(a, changed.Rank(q, near, weights())); diff != "" {
			t.Fatalf("the same search ranks differently the second time:\n%s", diff)
		}
		checkRanking(t, a)
		for id := range want {
			if diff := cmp.Diff(changed.Related(id, weights(), search.RelatedOptions{}), rebuilt.Related(id, weights(), search.RelatedOptions{})); diff != "" {
				t.Fatalf("related to %s differ:\n%s", id, diff)
			}
		}
		for _, w := range []string{"сделка", "ключи", "api"} {
			if changed.WordCount(w) != rebuilt.WordCount(w) {
				t.Fatalf("WordCount(%s) = %d after changes, %d rebuilt", w, changed.WordCount(w), rebuilt.WordCount(w))
			}
		}
	})
}

// checkRanking fails unless a ranking is ordered, finite and free of repetitions.
func checkRanking(t interface{ Fatalf(string, ...any) }, ranked []search.Scored) {
	seen := map[string]bool{}
	for i, s := range ranked {
		if math.IsNaN(s.Score) || math.IsInf(s.Score, 0) {
			t.Fatalf("score of %s is %v", s.ID, s.Score)
		}
		if seen[s.ID] {
			t.Fatalf("%s is ranked twice", s.ID)
		}
		seen[s.ID] = true
		if i > 0 && !s.Parts.Exact && !ranked[i-1].Parts.Exact && s.Score > ranked[i-1].Score {
			t.Fatalf("%s is ranked below a worse one", s.ID)
		}
		for name, v := range map[string]float64{"chars": s.Parts.Chars, "words": s.Parts.Words, "whole": s.Parts.Whole, "coverage": s.Parts.Coverage} {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("%s of %s is %v, want 0 to 1", name, s.ID, v)
			}
		}
	}
}

func TestLexiconIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	l, p := crm(), parser()
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for j := range 50 {
				l.Put(search.Entry{ID: fmt.Sprint(i, j%7), Phrasings: []string{fmt.Sprintf("Как сменить пароль %d?", j)}})
				l.Remove(fmt.Sprint(i, (j+3)%7))
			}
		})
		wg.Go(func() {
			for range 50 {
				ranked := l.Rank(p.Parse("сменить пароль"), nil, weights())
				l.Related("password", weights(), search.RelatedOptions{})
				if len(ranked) == 0 {
					t.Error("nothing found while others write")
				}
			}
		})
	}
	wg.Wait()
}
