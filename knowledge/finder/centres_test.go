package finder

import (
	"log/slog"
	"math"
	"testing"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

func TestCentres(t *testing.T) {
	t.Parallel()
	h := newHubs(nil, search.DefaultWeights(""), slog.New(slog.DiscardHandler))
	wording := func(question, key string, values ...float32) knowledge.Vector {
		return knowledge.Vector{Key: knowledge.VectorKey(key), Kind: knowledge.QueryText, Question: question, Values: values}
	}
	learn := func(vectors ...knowledge.Vector) {
		t.Helper()
		if err := h.learn(t.Context(), vectors); err != nil {
			t.Fatal(err)
		}
	}
	learn(
		wording("two", "p1", 1, 0), wording("two", "p2", 0, 1),
		knowledge.Vector{Key: "a:two", Kind: knowledge.PassageText, Question: "two", Values: []float32{-1, 0}},
		wording("one", "p3", 1, 0),
		wording("opposed", "p4", 1, 0), wording("opposed", "p5", -1, 0),
	)
	hits := []knowledge.VectorHit{
		{Key: "p1", Kind: knowledge.QueryText, Question: "two", Similarity: 0.6},
		{Key: "p2", Kind: knowledge.QueryText, Question: "two", Similarity: 0.8},
		{Key: "p3", Kind: knowledge.QueryText, Question: "one", Similarity: 0.6},
		{Key: "p4", Kind: knowledge.QueryText, Question: "opposed", Similarity: 0.6},
	}
	central := func(changed map[string]centre) map[string]float64 {
		out := map[string]float64{}
		for _, n := range h.near([]float32{0.6, 0.8}, hits, changed) {
			if n.Kind == search.Centre {
				if _, twice := out[n.Question]; twice {
					t.Errorf("%s has its centre twice", n.Question)
				}
				out[n.Question] = n.Similarity
			}
		}
		return out
	}
	want := 1.4 / math.Sqrt2 // the answer has no part in it
	if got := central(nil); len(got) != 1 || math.Abs(got["two"]-want) > 1e-6 {
		t.Errorf("centres %v, want only two's, %.3f", got, want)
	}
	if got := central(map[string]centre{"two": {}}); len(got) != 0 {
		t.Errorf("a centre that is left out still speaks: %v", got)
	}
	learn(wording("two", "p1", 1, 0))
	if got := central(nil); len(got) != 0 {
		t.Errorf("one wording is left, and has a centre: %v", got)
	}
}
