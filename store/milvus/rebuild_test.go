package milvus_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/milvus"
)

func begin(tb testing.TB, x *milvus.Index) *milvus.Rebuild {
	tb.Helper()
	r, err := x.Begin(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// many are n vectors along one axis.
func many(n int, question string) []knowledge.Vector {
	out := make([]knowledge.Vector, n)
	for i := range out {
		out[i] = vector(fmt.Sprintf("%s%d", question, i), axis(0))
		out[i].Question = question
	}
	return out
}

// People search while the index is rebuilt and swapped: they find the old or the new
// vectors, never none, and never an error.
func TestSwapWhileSearching(t *testing.T) {
	t.Parallel()
	for _, aliases := range []bool{true, false} {
		t.Run(fmt.Sprintf("aliases=%v", aliases), func(t *testing.T) {
			t.Parallel()
			o := fresh(t, 4)
			o.Timeout = 2 * time.Second // the old collection goes as much later
			x, replica := open(t, o), open(t, o)
			if !aliases {
				x.WithoutAliases()
			}
			if err := x.Upsert(t.Context(), many(20, "v0")); err != nil {
				t.Fatal(err)
			}
			swaps := 1
			if aliases {
				swaps = 2 // an alias that was moved can be moved again
			}
			var stop atomic.Bool
			var searches atomic.Int64
			var wg sync.WaitGroup
			for _, searcher := range []*milvus.Index{x, replica} {
				wg.Go(func() {
					for !stop.Load() {
						hits, err := searcher.Nearest(context.Background(), knowledge.Probe{Values: axis(0), K: 100, Fresh: true})
						if errors.Is(err, milvus.ErrMissing) && !aliases {
							continue // without aliases there is a moment between two names
						}
						if err != nil || len(hits) != 20 || hits[0].Question != hits[19].Question {
							t.Errorf("%d hits, %v", len(hits), err)
							return
						}
						searches.Add(1)
					}
				})
			}
			for i := 1; i <= swaps; i++ {
				r := begin(t, x)
				if err := r.Upsert(t.Context(), many(20, fmt.Sprint("v", i))); err != nil {
					t.Fatal(err)
				}
				before := searches.Load()
				if err := r.Swap(t.Context()); err != nil {
					t.Fatal(err)
				}
				if searches.Load() == before {
					t.Error("nobody could search during the swap")
				}
				for _, y := range []*milvus.Index{x, replica} {
					hits, err := y.Nearest(t.Context(), knowledge.Probe{Values: axis(0), K: 1, Fresh: true})
					if err != nil || len(hits) != 1 || hits[0].Question != fmt.Sprint("v", i) {
						t.Errorf("after swap %d: %+v, %v", i, hits, err)
					}
				}
				if err := r.Swap(t.Context()); err != nil {
					t.Errorf("the same swap again: %v", err)
				}
				if err := r.Abort(t.Context()); !errors.Is(err, knowledge.ErrConflict) {
					t.Errorf("abort of what serves: %v", err)
				}
				if got := len(names(t, o)); got != 1 {
					t.Errorf("%d collections after the swap", got)
				}
			}
			stop.Store(true)
			wg.Wait()
		})
	}
}

// An interrupted rebuild is gone on with, or dropped; what serves is not touched.
func TestInterruptedRebuild(t *testing.T) {
	t.Parallel()
	o := fresh(t, 4)
	x := open(t, o)
	if err := x.Upsert(t.Context(), many(3, "serving")); err != nil {
		t.Fatal(err)
	}
	r := begin(t, x)
	if err := r.Upsert(t.Context(), many(2, "new")); err != nil {
		t.Fatal(err)
	}
	again := begin(t, open(t, o)) // another process, after a crash
	if got := len(stamps(t, again)); again.Collection() != r.Collection() || got != 2 {
		t.Errorf("a rebuild goes on in %s with %d vectors, it was in %s", again.Collection(), got, r.Collection())
	}
	if err := again.DeleteQuestions(t.Context(), []string{"new"}, "new1"); err != nil {
		t.Fatal(err)
	}
	hits, err := again.Nearest(t.Context(), knowledge.Probe{Values: axis(0), K: 9, Fresh: true})
	if err != nil || len(hits) != 1 || hits[0].Key != "new1" {
		t.Errorf("in the rebuild: %+v, %v", hits, err)
	}
	if got := len(stamps(t, x)); got != 3 {
		t.Errorf("%d vectors serve, there were 3", got)
	}

	// The embedder is changed before it is gone on with: it is of no use.
	o.Embedder = "other"
	y := open(t, o)
	other := begin(t, y)
	if got := len(stamps(t, other)); got != 0 || other.Collection() == r.Collection() {
		t.Errorf("a rebuild for another embedder begins in %s with %d vectors", other.Collection(), got)
	}
	if got := names(t, o); len(got) != 2 || !slices.Contains(got, "_1") {
		t.Errorf("collections: %q", got)
	}
	if err := other.Abort(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := names(t, o); !slices.Equal(got, []string{"_1"}) {
		t.Errorf("collections after the abort: %q", got)
	}
	if keys, err := found(x, 0); err != nil || keys != "serving0 serving1 serving2" {
		t.Errorf("found %q, %v", keys, err)
	}
}

// A rebuild is the remedy for a missing collection, too.
func TestRebuildFromNothing(t *testing.T) {
	t.Parallel()
	x := open(t, fresh(t, 4))
	r := begin(t, x)
	if err := r.Upsert(t.Context(), many(2, "q")); err != nil {
		t.Fatal(err)
	}
	if _, err := found(x, 0); !errors.Is(err, milvus.ErrMissing) {
		t.Errorf("a search before the swap: %v", err)
	}
	if err := r.Swap(t.Context()); err != nil {
		t.Fatal(err)
	}
	if keys, err := found(x, 0); err != nil || keys != "q0 q1" {
		t.Errorf("found %q, %v", keys, err)
	}
}
