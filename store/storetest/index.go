package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// exactness is how far a similarity may be from that computed in float64. It is
// some roundings of float32 (6e-8 each) over a vector's length.
const exactness = 1e-5

// TestIndex holds a vector index to its contract. Open returns a new, empty
// index for vectors of dim numbers, and closes it when the test ends.
func TestIndex(t *testing.T, open func(t *testing.T, dim int) knowledge.Index) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(*testing.T, knowledge.Index)
	}{
		{"Empty", testEmptyIndex},
		{"Nearest", testNearest},
		{"Ties", testTies},
		{"Upsert", testUpsert},
		{"Twice", testTwiceInOneCall},
		{"Delete", testDelete},
		{"Topics", testIndexTopics},
		{"Stamps", testStamps},
		{"Keep", testKeep},
		{"Refused", testRefused},
		{"Concurrency", testIndexConcurrency},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t, indexDim)) })
	}
	t.Run("other dimensions", func(t *testing.T) {
		for _, dim := range []int{1, 7, 16, 31, 384} {
			x, r := open(t, dim), rand.New(rand.NewPCG(1, uint64(dim)))
			vectors := some(r, 50, dim)
			upsert(t, x, vectors...)
			compareNearest(t, x, vectors, randomUnit(r, dim), 10)
		}
	})
}

// indexDim is no multiple of what a loop may be unrolled by.
const indexDim = 37

func randomUnit(r *rand.Rand, dim int) []float32 {
	v, sum := make([]float64, dim), 0.0
	for sum == 0 {
		for i := range v {
			v[i] = r.NormFloat64()
			sum += v[i] * v[i]
		}
	}
	out := make([]float32, dim)
	for i := range v {
		out[i] = float32(v[i] / math.Sqrt(sum))
	}
	return out
}

// axis is the unit vector along one axis.
func axis(i int) []float32 {
	v := make([]float32, indexDim)
	v[i] = 1
	return v
}

// some makes vectors of three for each question, in two topics.
func some(r *rand.Rand, n, dim int) []knowledge.Vector {
	out := make([]knowledge.Vector, n)
	for i := range out {
		out[i] = knowledge.Vector{
			Key: knowledge.PhrasingKey(int64(i)), Kind: knowledge.QueryText, Question: fmt.Sprintf("вопрос %d", i/3),
			Topic: []string{"Сделки", "Счета"}[i%2], Version: int64(1 + i%5), Values: randomUnit(r, dim),
		}
		if i%3 == 2 {
			out[i].Key, out[i].Kind = knowledge.AnswerKey(out[i].Question), knowledge.PassageText
		}
	}
	return out
}

func upsert(t *testing.T, x knowledge.Index, vectors ...knowledge.Vector) {
	t.Helper()
	if err := x.Upsert(t.Context(), vectors); err != nil {
		t.Fatalf("upsert: %v", err)
	}
}

func nearest(t *testing.T, x knowledge.Index, query []float32, k int, topics []string) []knowledge.VectorHit {
	t.Helper()
	hits, err := x.Nearest(t.Context(), knowledge.Probe{Values: query, K: k, Topics: topics, Fresh: true})
	if err != nil {
		t.Fatalf("nearest: %v", err)
	}
	return hits
}

func keysOf(hits []knowledge.VectorHit) []knowledge.VectorKey {
	var out []knowledge.VectorKey
	for _, h := range hits {
		out = append(out, h.Key)
	}
	return out
}

func cosine(a, b []float32) float64 {
	var sum float64
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

// compareNearest compares what the index finds with what comparing every vector
// finds. Vectors as near as rounding tells may change places.
func compareNearest(t *testing.T, x knowledge.Index, vectors []knowledge.Vector, query []float32, k int) {
	t.Helper()
	byKey := map[knowledge.VectorKey]knowledge.Vector{}
	var similarities []float64
	for _, v := range vectors {
		byKey[v.Key] = v
		similarities = append(similarities, cosine(query, v.Values))
	}
	slices.SortFunc(similarities, func(a, b float64) int { return cmp.Compare(b, a) })
	hits := nearest(t, x, query, k, nil)
	if want := min(k, len(vectors)); len(hits) != want {
		t.Fatalf("%d hits, want %d", len(hits), want)
	}
	found := map[knowledge.VectorKey]bool{}
	for i, h := range hits {
		v, ok := byKey[h.Key]
		if !ok || found[h.Key] {
			t.Fatalf("hit %d is %q: unknown, or found already", i, h.Key)
		}
		found[h.Key] = true
		if h.Question != v.Question || h.Kind != v.Kind || h.Version != v.Version {
			t.Errorf("hit %d is %+v, of the vector %+v", i, h, v)
		}
		if math.Abs(h.Similarity-cosine(query, v.Values)) > exactness {
			t.Errorf("hit %d has the similarity %v, it is %v", i, h.Similarity, cosine(query, v.Values))
		}
		if math.Abs(h.Similarity-similarities[i]) > exactness {
			t.Errorf("hit %d has the similarity %v, that of rank %d is %v", i, h.Similarity, i, similarities[i])
		}
	}
}

func testEmptyIndex(t *testing.T, x knowledge.Index) {
	equal(t, "hits", nearest(t, x, axis(0), 5, nil), nil)
	stamps, err := x.Stamps(t.Context())
	equal(t, "stamps", stamps, map[knowledge.VectorKey]knowledge.Stamp{})
	if err := errors.Join(err, x.DeleteQuestions(t.Context(), []string{"нет"}), x.Upsert(t.Context(), nil)); err != nil {
		t.Error(err)
	}
}

func testNearest(t *testing.T, x knowledge.Index) {
	r := rand.New(rand.NewPCG(3, 4))
	vectors := some(r, 300, indexDim)
	upsert(t, x, vectors...)
	for _, k := range []int{1, 5, 50, 300, 1000} {
		for range 5 {
			compareNearest(t, x, vectors, randomUnit(r, indexDim), k)
		}
	}
	equal(t, "no hits asked for", nearest(t, x, axis(0), 0, nil), nil)
	exact := nearest(t, x, vectors[7].Values, 1, nil)
	equal(t, "the vector itself", keysOf(exact), []knowledge.VectorKey{vectors[7].Key})
	opposite := make([]float32, indexDim)
	for i, v := range vectors[7].Values {
		opposite[i] = -v
	}
	last := nearest(t, x, opposite, 300, nil)[299]
	if last.Key != vectors[7].Key || math.Abs(last.Similarity+1) > exactness {
		t.Errorf("the farthest of the opposite is %+v", last)
	}
}

func testTies(t *testing.T, x knowledge.Index) {
	for _, key := range []knowledge.VectorKey{"c", "a", "e", "b", "d"} {
		upsert(t, x, knowledge.Vector{Key: key, Question: "q" + string(key), Values: axis(0)})
	}
	equal(t, "by key", keysOf(nearest(t, x, axis(0), 3, nil)), []knowledge.VectorKey{"a", "b", "c"})
}

func testUpsert(t *testing.T, x knowledge.Index) {
	v := knowledge.Vector{Key: "p1", Kind: knowledge.QueryText, Question: "а", Topic: "т", Version: 1, Values: axis(1)}
	upsert(t, x, v)
	upsert(t, x, v, v)
	equal(t, "twice is once", len(nearest(t, x, axis(1), 9, nil)), 1)

	// The same key for another question: the old one is no longer there.
	v.Question, v.Version, v.Values = "б", 2, axis(2)
	upsert(t, x, v)
	hits := nearest(t, x, axis(2), 9, nil)
	if len(hits) != 1 || hits[0].Question != "б" || hits[0].Version != 2 || math.Abs(hits[0].Similarity-1) > exactness {
		t.Errorf("replaced: %+v", hits)
	}
	stamps, err := x.Stamps(t.Context())
	if err != nil {
		t.Error(err)
	}
	equal(t, "stamps", stamps, map[knowledge.VectorKey]knowledge.Stamp{"p1": {Question: "б", Version: 2}})
	if err := x.DeleteQuestions(t.Context(), []string{"а"}); err != nil {
		t.Error(err)
	}
	equal(t, "after the question it was of is deleted", len(nearest(t, x, axis(2), 9, nil)), 1)

	// What the caller does with the values afterwards does not matter.
	values := axis(3)
	upsert(t, x, knowledge.Vector{Key: "p2", Question: "в", Values: values})
	values[3], values[4] = 0, 1
	equal(t, "by the values given", keysOf(nearest(t, x, axis(3), 1, nil)), []knowledge.VectorKey{"p2"})
}

// Of one key twice in one call, the last counts.
func testTwiceInOneCall(t *testing.T, x knowledge.Index) {
	v := knowledge.Vector{Key: "p9", Kind: knowledge.QueryText, Question: "первый", Values: axis(5)}
	last := v
	last.Question, last.Values = "последний", axis(6)
	upsert(t, x, v, last)
	for i, want := range map[int]float64{5: 0, 6: 1} {
		hits := nearest(t, x, axis(i), 9, nil)
		if len(hits) != 1 || hits[0].Question != "последний" || math.Abs(hits[0].Similarity-want) > exactness {
			t.Errorf("near axis %d: %+v", i, hits)
		}
	}
	if err := x.DeleteQuestions(t.Context(), []string{"последний"}); err != nil {
		t.Error(err)
	}
	equal(t, "after it is deleted", nearest(t, x, axis(5), 9, nil), nil)
}

func testDelete(t *testing.T, x knowledge.Index) {
	r := rand.New(rand.NewPCG(5, 6))
	vectors := some(r, 90, indexDim) // of 30 questions
	upsert(t, x, vectors...)
	for round := range 10 {
		// Three questions go, in changing places.
		gone := []string{vectors[0].Question, vectors[len(vectors)/2].Question, vectors[len(vectors)-1].Question}
		if err := x.DeleteQuestions(t.Context(), append(gone, "нет такого")); err != nil {
			t.Fatal(err)
		}
		vectors = slices.DeleteFunc(vectors, func(v knowledge.Vector) bool { return slices.Contains(gone, v.Question) })
		if len(vectors) == 0 {
			equal(t, "the last round", round, 9)
			equal(t, "hits of an emptied index", nearest(t, x, axis(0), 5, nil), nil)
			break
		}
		compareNearest(t, x, vectors, randomUnit(r, indexDim), 100)
	}
	upsert(t, x, knowledge.Vector{Key: "p0", Question: "снова", Values: axis(0)})
	equal(t, "written again", keysOf(nearest(t, x, axis(0), 5, nil)), []knowledge.VectorKey{"p0"})
}

func testIndexTopics(t *testing.T, x knowledge.Index) {
	for i, topic := range []string{"", "Сделки", "Счета", "Сделки"} {
		upsert(t, x, knowledge.Vector{Key: knowledge.PhrasingKey(int64(i)), Question: topic, Topic: topic, Values: axis(0)})
	}
	for _, c := range []struct {
		topics []string
		want   []knowledge.VectorKey
	}{
		{nil, []knowledge.VectorKey{"p0", "p1", "p2", "p3"}},
		{[]string{}, nil},
		{[]string{"Сделки"}, []knowledge.VectorKey{"p1", "p3"}},
		{[]string{"", "Счета", "Нет"}, []knowledge.VectorKey{"p0", "p2"}},
		{[]string{`Сделки" or true`}, nil},
	} {
		equal(t, fmt.Sprintf("of the topics %q", c.topics), keysOf(nearest(t, x, axis(0), 9, c.topics)), c.want)
	}
	upsert(t, x, knowledge.Vector{Key: "p1", Question: "Сделки", Topic: "Счета", Values: axis(0)})
	equal(t, "after a change of topic", keysOf(nearest(t, x, axis(0), 9, []string{"Сделки"})), []knowledge.VectorKey{"p3"})
}

func testStamps(t *testing.T, x knowledge.Index) {
	upsert(t, x,
		knowledge.Vector{Key: "p1", Question: "а", Version: 3, Values: axis(0)},
		knowledge.Vector{Key: "p2", Question: "б", Version: 9, Values: axis(1)},
		knowledge.Vector{Key: "a:а", Question: "а", Version: 2, Values: axis(2)},
	)
	stamps, err := x.Stamps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "stamps", stamps, map[knowledge.VectorKey]knowledge.Stamp{
		"p1": {Question: "а", Version: 3}, "p2": {Question: "б", Version: 9}, "a:а": {Question: "а", Version: 2},
	})
}

// What is kept of a question stays, and goes with it the next time.
func testKeep(t *testing.T, x knowledge.Index) {
	upsert(t, x,
		knowledge.Vector{Key: "p1", Question: "а", Values: axis(0)},
		knowledge.Vector{Key: "p2", Question: "а", Values: axis(0)},
		knowledge.Vector{Key: "a:а", Question: "а", Values: axis(0)},
		knowledge.Vector{Key: "p3", Question: "б", Values: axis(0)},
	)
	remove := func(keep ...knowledge.VectorKey) {
		t.Helper()
		if err := x.DeleteQuestions(t.Context(), []string{"а"}, keep...); err != nil {
			t.Fatal(err)
		}
	}
	remove("p2", "a:а", "p3", "нет такого")
	equal(t, "kept", keysOf(nearest(t, x, axis(0), 9, nil)), []knowledge.VectorKey{"a:а", "p2", "p3"})
	remove("p2")
	equal(t, "kept again", keysOf(nearest(t, x, axis(0), 9, nil)), []knowledge.VectorKey{"p2", "p3"})
	remove()
	equal(t, "nothing kept", keysOf(nearest(t, x, axis(0), 9, nil)), []knowledge.VectorKey{"p3"})
}

func testRefused(t *testing.T, x knowledge.Index) {
	ctx := t.Context()
	good := knowledge.Vector{Key: "good", Question: "а", Values: axis(0)}
	nan := axis(0)
	nan[1] = float32(math.NaN())
	for name, values := range map[string][]float32{"short": axis(0)[1:], "long": append(axis(0), 0), "none": nil, "not a number": nan} {
		err := x.Upsert(ctx, []knowledge.Vector{good, {Key: "bad", Question: "б", Values: values}})
		if !errors.Is(err, knowledge.ErrInvalid) {
			t.Errorf("upsert of a vector that is %s: %v", name, err)
		}
		if _, err := x.Nearest(ctx, knowledge.Probe{Values: values, K: 5, Fresh: true}); !errors.Is(err, knowledge.ErrInvalid) {
			t.Errorf("nearest to a vector that is %s: %v", name, err)
		}
	}
	equal(t, "hits after the refusals", nearest(t, x, axis(0), 5, nil), nil)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := x.Nearest(cancelled, knowledge.Probe{Values: axis(0), K: 5}); !errors.Is(err, context.Canceled) {
		t.Errorf("nearest with a cancelled context: %v", err)
	}
}

// testIndexConcurrency reads and writes at once. A question's vectors lie along
// one axis, so a hit tells whether it is whole.
func testIndexConcurrency(t *testing.T, x knowledge.Index) {
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() { writeAlong(t, x, g) })
		wg.Go(func() { readAlong(t, x, g) })
	}
	wg.Wait()
	equal(t, "what is left", len(nearest(t, x, axis(0), 1000, nil)), 100)
}

// writeAlong writes 50 vectors along an axis. Along even ones it deletes them,
// too, so that none is left.
func writeAlong(t *testing.T, x knowledge.Index, g int) {
	t.Helper()
	question := fmt.Sprintf("q%d", g)
	for i := range 50 {
		v := knowledge.Vector{Key: knowledge.PhrasingKey(int64(100*g + i)), Question: question, Version: int64(g), Values: axis(g)}
		if err := x.Upsert(t.Context(), []knowledge.Vector{v}); err != nil {
			t.Error(err)
		}
		if i%10 == 9 && g%2 == 0 {
			if err := x.DeleteQuestions(t.Context(), []string{question}); err != nil {
				t.Error(err)
			}
		}
	}
}

func readAlong(t *testing.T, x knowledge.Index, g int) {
	t.Helper()
	question := fmt.Sprintf("q%d", g)
	for range 50 {
		hits, err := x.Nearest(t.Context(), knowledge.Probe{Values: axis(g), K: 3})
		if err != nil {
			t.Error(err)
		}
		for _, h := range hits {
			if h.Similarity > 0.5 && (h.Question != question || h.Version != int64(g)) {
				t.Errorf("a hit near axis %d is %+v", g, h)
			}
		}
		if _, err := x.Stamps(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
