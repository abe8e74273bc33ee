package milvus_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/milvus-io/milvus-sdk-go/v2/client"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/milvus"
	"github.com/nastavnik-bot/nastavnik/store/storetest"
)

// fresh returns options with a name of the test's own, whose collections are dropped
// when the test ends.
func fresh(tb testing.TB, dim int) milvus.Options {
	tb.Helper()
	o := milvus.Options{
		Address: address(tb), Name: fmt.Sprintf("t%016x", rand.Uint64()), Embedder: "test", Dim: dim,
	}
	tb.Cleanup(func() { wipe(tb, o) })
	return o
}

// admin is a plain client, for what somebody else does to the server.
func admin(tb testing.TB, address string) client.Client {
	tb.Helper()
	c, err := client.NewClient(context.Background(), client.Config{Address: address})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	return c
}

// wipe drops everything that was made under a name.
func wipe(tb testing.TB, o milvus.Options) {
	tb.Helper()
	ctx, c := context.Background(), admin(tb, o.Address)
	all, err := c.ListCollections(ctx)
	if err != nil {
		tb.Fatal(err)
	}
	_ = c.DropAlias(ctx, o.Name)
	for _, found := range all {
		if found.Name == o.Name || strings.HasPrefix(found.Name, o.Name+"_") {
			if err := c.DropCollection(ctx, found.Name); err != nil {
				tb.Error(err)
			}
		}
	}
}

func names(tb testing.TB, o milvus.Options) []string {
	tb.Helper()
	all, err := admin(tb, o.Address).ListCollections(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	var out []string
	for _, found := range all {
		if strings.HasPrefix(found.Name, o.Name) {
			out = append(out, strings.TrimPrefix(found.Name, o.Name))
		}
	}
	slices.Sort(out)
	return out
}

func open(tb testing.TB, o milvus.Options) *milvus.Index {
	tb.Helper()
	x, err := milvus.Open(context.Background(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { x.Close() })
	return x
}

// opened is an index whose collection there is.
func opened(tb testing.TB, o milvus.Options) *milvus.Index {
	tb.Helper()
	x := open(tb, o)
	if err := x.EnsureCollection(context.Background()); err != nil {
		tb.Fatal(err)
	}
	return x
}

// The parts of the contract share one collection for each size of vectors, emptied
// between them: making one takes seconds, so all are made at once.
func TestContract(t *testing.T) {
	t.Parallel()
	indexes := map[int]*milvus.Index{}
	for _, dim := range []int{37, 1, 7, 16, 31, 384} {
		indexes[dim] = open(t, fresh(t, dim))
	}
	var wg sync.WaitGroup
	for _, x := range indexes {
		wg.Go(func() {
			if err := x.EnsureCollection(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	storetest.TestIndex(t, func(t *testing.T, dim int) knowledge.Index {
		t.Helper()
		x, ok := indexes[dim]
		if !ok {
			t.Fatalf("no index for %d dimensions", dim)
		}
		empty(t, x)
		return x
	})
}

// An index of the server's own choice, and a graph that is in use, find the nearest.
func TestGraphs(t *testing.T) {
	t.Parallel()
	for _, auto := range []bool{false, true} {
		o := fresh(t, 16)
		o.AutoIndex = auto
		x := open(t, o)
		r := rand.New(rand.NewPCG(5, 6))
		vectors := make([]knowledge.Vector, 5_000)
		for i := range vectors {
			vectors[i] = vector(fmt.Sprint("k", i), unit(r, 16))
		}
		rebuild := begin(t, x)
		if err := rebuild.Upsert(t.Context(), vectors); err != nil {
			t.Fatal(err)
		}
		if err := rebuild.Swap(t.Context()); err != nil {
			t.Fatal(err)
		}
		missed := 0
		for range 20 {
			query := unit(r, 16)
			hits, err := x.Nearest(t.Context(), knowledge.Probe{Values: query, K: 100})
			if err != nil || len(hits) != 100 {
				t.Fatalf("%d hits, %v", len(hits), err)
			}
			worse := 0
			for _, v := range vectors {
				if dot(v.Values, query) > hits[99].Similarity+1e-5 {
					worse++
				}
			}
			missed += worse - 99
		}
		if missed > 40 { // of 2,000
			t.Errorf("auto=%v: %d of the nearest are missed", auto, missed)
		}
	}
}

func dot(a, b []float32) (sum float64) {
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

func empty(tb testing.TB, x knowledge.Index) {
	tb.Helper()
	var questions []string
	seen := map[string]bool{}
	for _, s := range stamps(tb, x) {
		if !seen[s.Question] {
			seen[s.Question] = true
			questions = append(questions, s.Question)
		}
	}
	if err := x.DeleteQuestions(context.Background(), questions); err != nil {
		tb.Fatal(err)
	}
	if left := len(stamps(tb, x)); left > 0 {
		tb.Fatalf("%d vectors are left of all questions deleted", left)
	}
}

func stamps(tb testing.TB, x knowledge.Index) map[knowledge.VectorKey]knowledge.Stamp {
	tb.Helper()
	out, err := x.Stamps(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func unit(r *rand.Rand, dim int) []float32 {
	v := make([]float32, dim)
	var sum float64
	for i := range v {
		f := r.NormFloat64()
		v[i] = float32(f)
		sum += f * f
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(sum))
	}
	return v
}

// axis is a unit vector of four numbers.
func axis(i int) []float32 {
	v := make([]float32, 4)
	v[i] = 1
	return v
}

func vector(key string, values []float32) knowledge.Vector {
	return knowledge.Vector{Key: knowledge.VectorKey(key), Kind: knowledge.QueryText, Question: "q", Version: 1, Values: values}
}

// found returns the keys near an axis, or the error.
func found(x knowledge.Index, i int) (string, error) {
	hits, err := x.Nearest(context.Background(), knowledge.Probe{Values: axis(i), K: 3, Fresh: true})
	var keys []string
	for _, h := range hits {
		keys = append(keys, string(h.Key))
	}
	return strings.Join(keys, " "), err
}
