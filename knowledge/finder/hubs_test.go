package finder

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/everyday"
	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

// Three vectors of everyday questions, and one that is near to all of them.
func hubsOfThree() *hubs {
	return &hubs{
		pool:    everyday.NewPool([][]float32{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}),
		weights: search.Weights{Hub: 0.5, HubZero: 0.25},
		off:     map[string][]hub{},
	}
}

func TestHubsAreTakenOff(t *testing.T) {
	t.Parallel()
	h := hubsOfThree()
	third := float32(1 / math.Sqrt(3))
	vectors := []knowledge.Vector{
		{Key: "p1", Kind: knowledge.QueryText, Question: "hub", Values: []float32{third, third, third}},
		{Key: "a:hub", Kind: knowledge.PassageText, Question: "hub", Version: 2, Values: []float32{1, 0, 0}},
		{Key: "p2", Kind: knowledge.QueryText, Question: "far", Values: []float32{-1, 0, 0}},
	}
	if err := h.learn(t.Context(), vectors); err != nil {
		t.Fatal(err)
	}
	hits := []knowledge.VectorHit{
		{Key: "p1", Kind: knowledge.QueryText, Question: "hub", Similarity: 0.9},
		{Key: "a:hub", Kind: knowledge.PassageText, Question: "hub", Version: 1, Similarity: 0.85}, // of an older answer
		{Key: "a:hub", Kind: knowledge.PassageText, Question: "hub", Version: 2, Similarity: 0.8},
		{Key: "p2", Kind: knowledge.QueryText, Question: "far", Similarity: 0.7},
		{Key: "p3", Kind: knowledge.QueryText, Question: "unknown", Similarity: 0.6},
	}
	// Half of what the mean cosine to the three is above a quarter: 1/√3, 1/3 and −1/3.
	want := []search.Near{
		{Question: "hub", Similarity: 0.9 - 0.5*(1/math.Sqrt(3)-0.25)},
		{Question: "hub", Kind: search.Passage, Similarity: 0.8 - 0.5*(1.0/3-0.25)},
		{Question: "far", Similarity: 0.7 - 0.5*(-1.0/3-0.25)},
	}
	check := func(name string, want []search.Near) {
		t.Helper()
		near := h.near(nil, hits, nil)
		if len(near) != len(want) {
			t.Fatalf("%s: %d hits, want %d", name, len(near), len(want))
		}
		for i, got := range near {
			if got.Question != want[i].Question || got.Kind != want[i].Kind || math.Abs(got.Similarity-want[i].Similarity) > 0.005 {
				t.Errorf("%s: hit %d is %+v, want %+v", name, i, got, want[i])
			}
		}
	}
	check("learned", want)

	// A question whose wordings change is learned anew; one that goes is forgotten. What
	// the index still has of either is no hit.
	if err := h.learn(t.Context(), vectors[1:2]); err != nil {
		t.Fatal(err)
	}
	h.forget([]string{"far", "never there"})
	check("changed", want[1:2])
}

// called is an embedder by its name and the length of its vectors alone.
type called struct {
	name string
	dim  int
}

func (c called) Name() string { return c.name }

func (c called) Dim() int { return c.dim }

func (called) Embed(context.Context, knowledge.EmbedKind, []string) ([][]float32, error) {
	return nil, errors.New("not called")
}

func TestNoHubsForOtherEmbedders(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	h := newHubs(called{"text-embedding-3-small", 2}, search.DefaultWeights("text-embedding-3-small"), slog.New(slog.NewTextHandler(&log, nil)))
	if err := h.learn(t.Context(), []knowledge.Vector{{Key: "p1", Question: "q", Values: []float32{1, 0}}}); err != nil {
		t.Fatal(err)
	}
	got := h.near(nil, []knowledge.VectorHit{{Key: "p1", Question: "q", Similarity: 0.5}}, nil)
	if got[0].Similarity != 0.5 || log.Len() > 0 {
		t.Errorf("similarity %v, want 0.5 as it was; log: %s", got[0].Similarity, log.String())
	}
	if h := newHubs(called{search.EmbedderE5 + "-00000000", 384}, search.DefaultWeights(search.EmbedderE5), slog.New(slog.DiscardHandler)); h.pool == nil {
		t.Error("the built-in embedder has no everyday questions")
	}
}
