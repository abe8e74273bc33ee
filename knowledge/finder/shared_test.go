package finder_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/finder"
)

// newShared returns a finder on an index that others use as well.
func newShared(t testing.TB, r record, e knowledge.Embedder, index knowledge.Index) *finder.Finder {
	t.Helper()
	return finder.New(finder.Options{Record: r, Index: index, Shared: true, Open: newIndex(t, dim), Embedder: e})
}

// indexAll is what late work does after every question has changed.
func indexAll(t testing.TB, f *finder.Finder) {
	t.Helper()
	var ids []string
	for _, e := range base() {
		ids = append(ids, e.id)
	}
	if err := f.IndexQuestions(t.Context(), ids); err != nil {
		t.Fatal(err)
	}
}

func verify(t testing.TB, f *finder.Finder) finder.Verification {
	t.Helper()
	v, err := f.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// probe asks the index itself what is nearest to the words of a text.
func probe(t testing.TB, x knowledge.Index, e knowledge.Embedder, text string) []knowledge.VectorHit {
	t.Helper()
	vs, err := e.Embed(t.Context(), knowledge.QueryText, []string{text})
	if err != nil {
		t.Fatal(err)
	}
	hits, err := x.Nearest(t.Context(), knowledge.Probe{Values: vs[0], K: 100, Fresh: true})
	if err != nil {
		t.Fatal(err)
	}
	return hits
}

// Two processes, one index: who follows the record does not touch it, late work in
// either serves both, and they rank as with an index of their own.
func TestSharedIndexServesEveryProcess(t *testing.T) {
	r, e, index := openRecord(t, t.TempDir()), &words{}, newIndex(t, dim)
	r.put(base()...)
	one, other := newShared(t, r, e, index), newShared(t, r, e, index)
	for _, f := range []*finder.Finder{one, other} {
		if err := f.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if stamps, err := index.Stamps(t.Context()); err != nil || len(stamps) != 0 {
		t.Fatalf("following the record has indexed %v, %v", stamps, err)
	}
	indexAll(t, one)
	own := newFinder(t, r, e)
	for _, text := range []string{"Как оформить отпуск?", "отпуск оформить", "сменить пароль", "счёт"} {
		want, err := own.Find(t.Context(), knowledge.Inquiry{Text: text})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range []*finder.Finder{one, other} {
			got, err := f.Find(t.Context(), knowledge.Inquiry{Text: text})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%q (-own index +shared):\n%s", text, diff)
			}
		}
	}
	if v := verify(t, other); !v.OK() || v.Questions != len(base()) || v.Vectors == 0 {
		t.Errorf("verification: %+v", v)
	}
}

// An answer of an older version in the index counts for nothing, and late work
// replaces it.
func TestSharedIndexLagsBehind(t *testing.T) {
	r, e, index := openRecord(t, t.TempDir()), &words{}, newIndex(t, dim)
	r.put(base()...)
	f := newShared(t, r, e, index)
	indexAll(t, f)
	r.put(entry{id: "vacation", text: "Как оформить отпуск?", answer: "Совсем иначе: спросите кадровика."})
	r.set("password", func(q *knowledge.Question) {
		q.Status, q.Closed = knowledge.Unanswered, knowledge.AnsweredPrivately
	})
	v := verify(t, f)
	if v.Outdated == 0 || v.Orphaned == 0 || !slices.Equal(v.Wrong, []string{"password", "vacation"}) {
		t.Errorf("before the late work: %+v", v)
	}
	if err := f.IndexQuestions(t.Context(), v.Wrong); err != nil {
		t.Fatal(err)
	}
	if v := verify(t, f); !v.OK() {
		t.Errorf("after it: %+v", v)
	}
	for _, h := range probe(t, index, e, "Как оформить отпуск?") {
		if h.Question == "password" {
			t.Errorf("an entry that is gone is still indexed: %+v", h)
		}
	}
}

// Whatever is lost from the index, put into it or made older, Verify names it and late
// work mends it.
func TestVerifyFindsAndMendsEverything(t *testing.T) {
	r, e, index := openRecord(t, t.TempDir()), &words{}, newIndex(t, dim)
	r.put(base()...)
	f := newShared(t, r, e, index)
	indexAll(t, f)
	good, err := index.Stamps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dice := rand.New(rand.NewPCG(5, 2026))
	for round := range 20 {
		damage(t, dice, index, good)
		v := verify(t, f)
		if err := f.IndexQuestions(t.Context(), v.Wrong); err != nil {
			t.Fatal(err)
		}
		mended, err := index.Stamps(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(good, mended); diff != "" {
			t.Fatalf("round %d, found %+v (-as it was +mended):\n%s", round, v, diff)
		}
	}
}

// damage does some of what can happen to an index behind our back.
func damage(t *testing.T, dice *rand.Rand, index knowledge.Index, good map[knowledge.VectorKey]knowledge.Stamp) {
	t.Helper()
	values := make([]float32, dim)
	values[0] = 1
	for key, stamp := range good {
		v := knowledge.Vector{Key: key, Question: stamp.Question, Version: stamp.Version, Values: values}
		var err error
		switch dice.IntN(12) {
		case 0:
			err = index.DeleteQuestions(t.Context(), []string{stamp.Question})
		case 1:
			v.Version--
			err = index.Upsert(t.Context(), []knowledge.Vector{v})
		case 2:
			v.Key, v.Question = "p99"+key, "чужой вопрос"
			err = index.Upsert(t.Context(), []knowledge.Vector{v})
		case 3:
			v.Question = "чужой вопрос"
			err = index.Upsert(t.Context(), []knowledge.Vector{v})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// overtaken is an index during whose writing somebody else changes the record and
// indexes that.
type overtaken struct {
	knowledge.Index
	before func()
}

func (o *overtaken) Upsert(ctx context.Context, vectors []knowledge.Vector) error {
	if before := o.before; before != nil && len(vectors) > 0 {
		o.before = nil
		before()
	}
	return o.Index.Upsert(ctx, vectors)
}

// What a slow worker has read before a change does not stay in the index after it.
func TestSlowWorkerDoesNotPutBackWhatWas(t *testing.T) {
	r, e, index := openRecord(t, t.TempDir()), &words{}, newIndex(t, dim)
	r.put(base()...)
	indexAll(t, newShared(t, r, e, index))
	slow := &overtaken{Index: index}
	slow.before = func() {
		r.put(entry{id: "vacation", text: "Как оформить отпуск?", answer: "По-новому: в разделе «Кадры»."})
		if err := newShared(t, r, e, index).IndexQuestions(t.Context(), []string{"vacation"}); err != nil {
			t.Error(err)
		}
	}
	if err := newShared(t, r, e, slow).IndexQuestions(t.Context(), []string{"vacation"}); err != nil {
		t.Fatal(err)
	}
	if v := verify(t, newShared(t, r, e, index)); !v.OK() {
		t.Errorf("the index: %+v", v)
	}
}
