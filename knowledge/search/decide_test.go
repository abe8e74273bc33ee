package search_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

func ask(l *search.Lexicon, text string) search.Decision {
	q := search.NewParser(search.ParserOptions{Vocabulary: l}).Parse(text)
	return search.Decide(l.Rank(q, nil, weights()), search.DefaultCalibration(""))
}

func TestDecideByWordsAlone(t *testing.T) {
	t.Parallel()
	l := crm()
	for text, want := range map[string]search.Kind{
		"Как сменить пароль?":                     search.Answer,
		"как  СМЕНИТЬ пароль":                     search.Answer,
		"кто ответственный за кофе":               search.Suggest,
		"Какая погода завтра в Барнауле":          search.Nothing,
		"Сколько будет дважды два":                search.Nothing,
		"почему я не вижу пароль своего соседа":   search.Suggest,
		"Как изменить ответственного по сделке??": search.Answer,
	} {
		if d := ask(l, text); d.Kind != want {
			t.Errorf("%q: %v (confidence %.2f, %v), want %v", text, d.Kind, d.Confidence, ids(d.Candidates), want)
		}
	}
}

// With one stored question every search has that one as its best; this must not
// make it the answer to everything.
func TestDecideWithOneQuestionOnly(t *testing.T) {
	t.Parallel()
	l := search.NewLexicon()
	l.Put(search.Entry{ID: "password", Phrasings: []string{"Как сменить пароль?"}, Answer: "В профиле."})
	for _, text := range []string{"как сменить фамилию", "как", "где пароль от wifi в переговорке", "сменить тариф"} {
		if d := ask(l, text); d.Kind == search.Answer {
			t.Errorf("%q was answered with the only question there is (confidence %.2f)", text, d.Confidence)
		}
		near := []search.Near{{Question: "password", Similarity: 0.84}, {Question: "password", Kind: search.Passage, Similarity: 0.80}}
		d := search.Decide(l.Rank(search.Parse(text), near, weights()), search.DefaultCalibration(search.EmbedderE5))
		if d.Kind == search.Answer {
			t.Errorf("%q was answered with the only question there is, by vectors (confidence %.2f)", text, d.Confidence)
		}
	}
}

func TestDecideOffersDifferentQuestions(t *testing.T) {
	t.Parallel()
	l := search.NewLexicon()
	for i := range 4 {
		l.Put(search.Entry{ID: fmt.Sprint("same", i), Phrasings: []string{"Не приходит код подтверждения" + []string{"", "!", " ", "."}[i]}})
	}
	l.Put(search.Entry{ID: "other", Phrasings: []string{"Где ввести код подтверждения из письма?"}})
	d := ask(l, "код подтверждения не пришёл")
	if len(d.Candidates) != 2 {
		t.Errorf("offered %v, want one of the four that say the same, and the other", ids(d.Candidates))
	}
}

func TestConfidenceOfContestedWords(t *testing.T) {
	t.Parallel()
	twins := []search.Scored{
		{ID: "a", Score: 30, Parts: search.Parts{Exact: true, Vector: 1}},
		{ID: "b", Score: 30, Parts: search.Parts{Exact: true, Vector: 1}},
	}
	c := search.DefaultCalibration(search.EmbedderE5)
	if got := c.Confidence(twins); got > 0.5 {
		t.Errorf("confidence is %.2f where two different questions have the very words", got)
	}
	if got := c.Confidence(twins[:1]); got < 0.95 {
		t.Errorf("confidence in the very words is %.2f", got)
	}
}

func TestDefaultCalibrationOfUnknownEmbedderOnlyAnswersTheVeryWords(t *testing.T) {
	t.Parallel()
	c := search.DefaultCalibration("some-other-model")
	ranked := []search.Scored{{ID: "a", Score: 1e3, Parts: search.Parts{Vector: 1, Chars: 0.9, Coverage: 1}}, {ID: "b"}}
	if d := search.Decide(ranked, c); d.Kind != search.Suggest {
		t.Errorf("decided to %v on scores that nobody calibrated", d.Kind)
	}
}

func TestCalibrationKeepsItsPromises(t *testing.T) {
	t.Parallel()
	calibrations := []search.Calibration{
		search.DefaultCalibration(""), search.DefaultCalibration(search.EmbedderE5), search.DefaultCalibration(search.EmbedderE5 + "-pruned"), search.DefaultCalibration("x"),
	}
	unit := rapid.Float64Range(0, 1)
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SampledFrom(calibrations).Draw(t, "calibration")
		parts := search.Parts{Vector: 0.5 + unit.Draw(t, "vector")/2, Chars: unit.Draw(t, "chars"), Coverage: unit.Draw(t, "coverage")}
		second := rapid.Float64Range(-100, 100).Draw(t, "second")
		first := second + rapid.Float64Range(0, 20).Draw(t, "lead")
		more := rapid.Float64Range(0, 20).Draw(t, "more")
		at := func(score float64) float64 {
			return c.Confidence([]search.Scored{{ID: "a", Score: score, Parts: parts}, {ID: "b", Score: second}})
		}
		low, high := at(first), at(first+more)
		if !(low >= 0 && high <= 1) {
			t.Fatalf("confidence %v or %v is no probability", low, high)
		}
		if high < low {
			t.Fatalf("confidence falls from %v to %v where the score rises", low, high)
		}
	})
}

// Who fits a calibration elsewhere sees what Confidence sees, and no two rankings
// that differ in a feature that counts have the same confidence.
func TestConfidenceIsMadeOfItsFeatures(t *testing.T) {
	t.Parallel()
	unit := rapid.Float64Range(0, 1)
	rapid.Check(t, func(t *rapid.T) {
		c := search.DefaultCalibration(search.EmbedderE5)
		draw := func(label string, parts search.Parts) []search.Scored {
			parts.Vector, parts.Chars = 0.8, unit.Draw(t, label+" chars")
			first := rapid.Float64Range(25, 40).Draw(t, label+" score")
			return []search.Scored{{ID: "a", Score: first, Parts: parts}, {ID: "b", Score: first - unit.Draw(t, label+" lead")}}
		}
		odds := func(ranked []search.Scored) float64 {
			z := c.Bias
			for i, f := range c.Features(ranked) {
				z += c.Coefficients()[i] * f
			}
			return z
		}
		one, two := draw("one", search.Parts{}), draw("two", search.Parts{})
		if p, q := c.Confidence(one), c.Confidence(two); odds(one) > odds(two)+1e-9 && p <= q {
			t.Fatalf("confidence %v is not above %v, the log odds %v are above %v", p, q, odds(one), odds(two))
		}
		exact := draw("exact", search.Parts{Exact: true})
		if p, q := c.Confidence(one), c.Confidence(exact); p >= q {
			t.Fatalf("confidence %v without the very words is not below %v with them", p, q)
		}
		if c.Features(exact) != nil {
			t.Fatal("a ranking by the very words has features to fit")
		}
		better := slices.Clone(exact)
		better[0].Score += 0.01
		if p, q := c.Confidence(exact), c.Confidence(better); p >= q {
			t.Fatalf("confidence in the very words stays at %v where the score rises (%v)", p, q)
		}
		if got := c.WithCoefficients(c.Bias, c.Coefficients()); got != c {
			t.Fatalf("put back together it is %+v, want %+v", got, c)
		}
	})
}

// A question that the vectors put first and the words put second is led by neither.
func TestFeaturesLookFromSeveralSides(t *testing.T) {
	t.Parallel()
	c := search.DefaultCalibration(search.EmbedderE5)
	at := func(ranked ...search.Scored) map[string]float64 {
		out := map[string]float64{}
		for i, f := range c.Features(ranked) {
			out[search.FeatureNames()[i]] = f
		}
		return out
	}
	scored := func(id string, meaning, words float64) search.Scored {
		return search.Scored{ID: id, Score: meaning + words, Meaning: meaning, Parts: search.Parts{Vector: 0.8, Depth: 0.25}}
	}
	twin := scored("twin", 25, 1.5)
	twin.TwinOf = "a"
	for name, x := range map[string]struct{ got, want map[string]float64 }{
		"both lead":          {at(scored("a", 25, 1.5), scored("b", 24, 1)), map[string]float64{"score": 26.5, "depth": 0.25, "meaning": 1, "words": 0.5, "peak": 0.15}},
		"words disagree":     {at(scored("a", 25, 1), scored("b", 24, 1.5)), map[string]float64{"score": 26, "depth": 0.25, "meaning": 1, "words": 0, "peak": 0.05}},
		"meaning of third":   {at(scored("a", 25, 1.5), scored("b", 24, 1), scored("c", 24.5, 0)), map[string]float64{"score": 26.5, "depth": 0.25, "meaning": 0.5, "words": 0.5, "peak": 0.35}},
		"twins do not count": {at(scored("a", 25, 1.5), twin, scored("b", 24, 1)), map[string]float64{"score": 26.5, "depth": 0.25, "meaning": 1, "words": 0.5, "peak": 0.15}},
		"alone":              {at(scored("a", 25, 1.5)), map[string]float64{"score": 26.5, "depth": 0.25, "meaning": 0, "words": 0, "peak": 0}},
	} {
		for f, want := range x.want {
			if got := x.got[f]; math.Abs(got-want) > 1e-9 {
				t.Errorf("%s: %s is %v, want %v", name, f, got, want)
			}
		}
	}
}

// What is near to everyday questions loses, what is far from them gains.
func TestHubCorrection(t *testing.T) {
	t.Parallel()
	w := search.DefaultWeights(search.EmbedderE5)
	rapid.Check(t, func(t *rapid.T) {
		nearness := rapid.Float64Range(-1, 1)
		a, b := nearness.Draw(t, "a"), nearness.Draw(t, "b")
		if a < b-1e-9 && w.HubCorrection(a) >= w.HubCorrection(b) {
			t.Fatalf("%v is taken off at %v, %v at %v", w.HubCorrection(a), a, w.HubCorrection(b), b)
		}
	})
	if off := w.HubCorrection(w.HubZero); off != 0 {
		t.Errorf("an ordinary vector loses %v", off)
	}
}

func TestCalibrationStoresAsJSON(t *testing.T) {
	t.Parallel()
	want := search.DefaultCalibration(search.EmbedderE5)
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got search.Calibration
	if err := json.Unmarshal(data, &got); err != nil || got != want {
		t.Fatalf("read back %+v (%v), want %+v", got, err, want)
	}
	if err := got.Validate(); err != nil {
		t.Errorf("the shipped calibration is invalid: %v", err)
	}
	got.Meaning = -1
	if err := got.Validate(); !errors.Is(err, search.ErrCalibration) {
		t.Errorf("Validate of a negative coefficient = %v, want ErrCalibration", err)
	}
}

func TestRelated(t *testing.T) {
	t.Parallel()
	l := crm()
	l.Put(
		search.Entry{ID: "owner twin", Topic: "Сделки", Phrasings: []string{"Как изменить ответственного по сделке"}},
		search.Entry{ID: "bulk", Topic: "Сделки", Phrasings: []string{"Как сменить ответственного сразу во всех сделках сотрудника?"}},
		search.Entry{ID: "watcher", Topic: "Сделки", Phrasings: []string{"Как добавить наблюдателя в сделку?"}},
	)
	got := l.Related("owner", weights(), search.RelatedOptions{})
	if len(got) != 3 {
		t.Fatalf("Related = %v, want three", ids(got))
	}
	for _, s := range got {
		if s.ID == "owner" || s.ID == "owner twin" {
			t.Errorf("Related offers %s, which the person has just read", s.ID)
		}
	}
	if again := l.Related("owner", weights(), search.RelatedOptions{Exclude: map[string]bool{got[0].ID: true}}); len(again) > 0 && again[0].ID == got[0].ID {
		t.Errorf("Related offers %s again", got[0].ID)
	}
	boosted := l.Related("owner", weights(), search.RelatedOptions{Limit: 1, Boost: map[string]float64{"watcher": 1}})
	if len(boosted) != 1 || boosted[0].ID != "watcher" {
		t.Errorf("Related = %v, want what people ask next", ids(boosted))
	}
	if got := l.Related("gone", weights(), search.RelatedOptions{}); got != nil {
		t.Errorf("an unknown question has relatives %v", ids(got))
	}
}
