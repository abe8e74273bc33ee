package memory_test

import (
	"cmp"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/memory"
	"github.com/nastavnik-bot/nastavnik/store/storetest"
)

// fataler is a *testing.T, a *testing.B or a *rapid.T.
type fataler interface {
	Helper()
	Fatal(args ...any)
}

func open(tb fataler, dim int) *memory.Index {
	tb.Helper()
	x, err := memory.New(dim)
	if err != nil {
		tb.Fatal(err)
	}
	return x
}

func TestContract(t *testing.T) {
	storetest.TestIndex(t, func(t *testing.T, dim int) knowledge.Index {
		t.Helper()
		return open(t, dim)
	})
}

func TestNoDimensions(t *testing.T) {
	for _, dim := range []int{0, -1} {
		if _, err := memory.New(dim); !errors.Is(err, knowledge.ErrInvalid) {
			t.Errorf("an index of %d dimensions: %v", dim, err)
		}
	}
}

// A large index is searched by two goroutines; what they find is one list.
func TestLargeIndexFindsTheSame(t *testing.T) {
	const dim, n, k = 4, 60_000, 20
	r := rand.New(rand.NewPCG(7, 8))
	large, small := open(t, dim), open(t, dim)
	query := unit(r, dim)
	vectors := make([]knowledge.Vector, n)
	for i := range vectors {
		vectors[i] = knowledge.Vector{Key: knowledge.PhrasingKey(int64(i)), Question: "q", Values: unit(r, dim)}
	}
	ctx := context.Background()
	if err := large.Upsert(ctx, vectors); err != nil {
		t.Fatal(err)
	}
	want, err := large.Nearest(ctx, knowledge.Probe{Values: query, K: k})
	if err != nil || len(want) != k {
		t.Fatalf("%d hits, %v", len(want), err)
	}
	// No row is left out where the goroutines' halves meet, or at the ends.
	for _, i := range []int{0, n/2 - 1, n / 2, n - 1} {
		hits, err := large.Nearest(ctx, knowledge.Probe{Values: vectors[i].Values, K: 5})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(hits, func(h knowledge.VectorHit) bool { return h.Key == vectors[i].Key }) {
			t.Errorf("row %d is not near itself: %+v", i, hits)
		}
	}
	// What is nearest among all is nearest among some of them.
	near := map[knowledge.VectorKey]bool{}
	for _, h := range want {
		near[h.Key] = true
	}
	for i, v := range vectors {
		if near[v.Key] || i%10 == 0 {
			if err := small.Upsert(ctx, []knowledge.Vector{v}); err != nil {
				t.Fatal(err)
			}
		}
	}
	got, err := small.Nearest(ctx, knowledge.Probe{Values: query, K: k})
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("hit %d is %+v in the large index and %+v in the small one", i, want[i], got[i])
		}
	}
	// And nothing nearer was passed over.
	for _, v := range vectors {
		var sum float64
		for i := range query {
			sum += float64(query[i]) * float64(v.Values[i])
		}
		if sum > want[k-1].Similarity+1e-5 && !near[v.Key] {
			t.Errorf("%s with %v is not among the hits down to %v", v.Key, sum, want[k-1].Similarity)
		}
	}
}

// What is found by way of rounded vectors is what comparing all of them finds:
// every one of the k nearest, in their order, whatever the vectors are like.
func TestNearestIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		dim := rapid.SampledFrom([]int{2, 30, 384}).Draw(t, "dimensions")
		n := rapid.IntRange(1, 800).Draw(t, "vectors")
		k := rapid.SampledFrom([]int{1, 10, 100}).Draw(t, "k")
		var middles [][]float32 // none: all directions are as likely
		for range rapid.IntRange(0, 3).Draw(t, "crowds") {
			middles = append(middles, unit(r, dim))
		}
		draw := func() []float32 {
			if len(middles) == 0 {
				return unit(r, dim)
			}
			return like(r, middles[r.IntN(len(middles))])
		}
		x, similar := open(t, dim), make([]float64, n)
		vectors, query := make([]knowledge.Vector, n), draw()
		for i := range vectors {
			vectors[i] = knowledge.Vector{Key: knowledge.PhrasingKey(int64(i)), Question: "q", Values: draw()}
			if i > 0 && r.IntN(10) == 0 {
				vectors[i].Values = vectors[r.IntN(i)].Values // a tie
			}
			for j, v := range vectors[i].Values {
				similar[i] += float64(v) * float64(query[j])
			}
		}
		if err := x.Upsert(context.Background(), vectors); err != nil {
			t.Fatal(err)
		}
		hits, err := x.Nearest(context.Background(), knowledge.Probe{Values: query, K: k})
		if err != nil || len(hits) != min(k, n) {
			t.Fatalf("%d hits, %v", len(hits), err)
		}
		slices.SortFunc(similar, func(a, b float64) int { return cmp.Compare(b, a) })
		for i, h := range hits {
			if math.Abs(h.Similarity-similar[i]) > 1e-6 {
				t.Fatalf("hit %d of %d has the similarity %v, want %v", i, len(hits), h.Similarity, similar[i])
			}
			if i > 0 && h.Similarity == hits[i-1].Similarity && h.Key <= hits[i-1].Key {
				t.Fatalf("hits %d and %d tie and are not in the order of their keys", i-1, i)
			}
		}
	})
}
