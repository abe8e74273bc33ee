package memory_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/memory"
	"github.com/nastavnik-bot/nastavnik/store/storetest"
)

func open(tb testing.TB, dim int) *memory.Index {
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
	want, err := large.Nearest(ctx, query, k, nil)
	if err != nil || len(want) != k {
		t.Fatalf("%d hits, %v", len(want), err)
	}
	// No row is left out where the goroutines' halves meet, or at the ends.
	for _, i := range []int{0, n/2 - 1, n / 2, n - 1} {
		hits, err := large.Nearest(ctx, vectors[i].Values, 5, nil)
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
	got, err := small.Nearest(ctx, query, k, nil)
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
