package milvus_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Whatever stands in a topic, a question or a key, it is found as itself and opens no
// other topic.
func TestTexts(t *testing.T) {
	t.Parallel()
	x := opened(t, fresh(t, 4))
	texts := rapid.OneOf(
		rapid.SampledFrom([]string{``, `"`, `\`, `\"`, `'`, `" or true or "`, `\u0041`, `%`, `{a}`, "nul\x00", "\n", "\u2028", "Ёж", "😀", `"] or key in ["`, "\U000e0001", "é", "é"}),
		rapid.String(),
	)
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		topics := rapid.SliceOfNDistinct(texts, 2, 4, rapid.ID).Draw(t, "topics")
		var vectors []knowledge.Vector
		for i, topic := range topics {
			topic = strings.ToValidUTF8(topic, "?")
			if len(topic) > 900 {
				t.Skip("long")
			}
			topics[i] = topic
			vectors = append(vectors, knowledge.Vector{
				Key: knowledge.VectorKey(fmt.Sprint("k", i, topic)), Kind: knowledge.QueryText, Question: "q" + topic, Topic: topic, Version: int64(i), Values: axis(0),
			})
		}
		if err := x.Upsert(ctx, vectors); err != nil {
			t.Fatal(err)
		}
		for i, v := range vectors {
			hits, err := x.Nearest(ctx, knowledge.Probe{Values: axis(0), K: 9, Topics: topics[i : i+1], Fresh: true})
			if err != nil || len(hits) != 1 || hits[0].Key != v.Key || hits[0].Question != v.Question {
				t.Fatalf("of the topic %q: %+v, %v", v.Topic, hits, err)
			}
		}
		var questions []string
		for _, v := range vectors[1:] {
			questions = append(questions, v.Question)
		}
		if err := x.DeleteQuestions(ctx, questions, vectors[1].Key); err != nil {
			t.Fatal(err)
		}
		left, err := x.Stamps(ctx)
		want := map[knowledge.VectorKey]knowledge.Stamp{
			vectors[0].Key: {Question: vectors[0].Question, Version: 0}, vectors[1].Key: {Question: vectors[1].Question, Version: 1},
		}
		if err != nil || !maps.Equal(left, want) {
			t.Fatalf("left are %v, %v, want %v", left, err, want)
		}
		if err := x.DeleteQuestions(ctx, []string{vectors[0].Question, vectors[1].Question}); err != nil {
			t.Fatal(err)
		}
	})
}

// The longest ids and topics that a base may have fit; what does not is refused
// before anything is written.
func TestLength(t *testing.T) {
	t.Parallel()
	x := opened(t, fresh(t, 4))
	id := strings.Repeat("😀", 200)
	v := knowledge.Vector{Key: knowledge.AnswerKey(id), Kind: knowledge.PassageText, Question: id, Topic: id, Version: 1 << 60, Values: axis(0)}
	if err := x.Upsert(t.Context(), []knowledge.Vector{v}); err != nil {
		t.Fatal(err)
	}
	hits, err := x.Nearest(t.Context(), knowledge.Probe{Values: axis(0), K: 1, Topics: []string{id}, Fresh: true})
	if err != nil || len(hits) != 1 || hits[0].Key != v.Key || hits[0].Version != v.Version {
		t.Errorf("%+v, %v", hits, err)
	}
	for name, spoil := range map[string]func(*knowledge.Vector){
		"no key":         func(v *knowledge.Vector) { v.Key = "" },
		"long key":       func(v *knowledge.Vector) { v.Key = knowledge.VectorKey(strings.Repeat("k", 2000)) },
		"long question":  func(v *knowledge.Vector) { v.Question = strings.Repeat("q", 2000) },
		"long topic":     func(v *knowledge.Vector) { v.Topic = strings.Repeat("t", 2000) },
		"long kind":      func(v *knowledge.Vector) { v.Kind = "a kind that nobody would ever think of" },
		"key not UTF-8":  func(v *knowledge.Vector) { v.Key = "\xff" },
		"topic not UTF8": func(v *knowledge.Vector) { v.Topic = "a\xffb" },
	} {
		good, bad := vector("good", axis(1)), v
		spoil(&bad)
		if err := x.Upsert(t.Context(), []knowledge.Vector{good, bad}); !errors.Is(err, knowledge.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := len(stamps(t, x)); got != 1 {
		t.Errorf("%d vectors after the refusals", got)
	}
}

// Stamps of more rows than a server returns at once: in segments that are sealed and
// in one that grows, written in no order, some twice, some deleted.
func TestManyRows(t *testing.T) {
	t.Parallel()
	const n = 24_000
	ctx := context.Background()
	o := fresh(t, 4)
	x := opened(t, o)
	r := rand.New(rand.NewPCG(1, 2))
	want := map[knowledge.VectorKey]knowledge.Stamp{}
	write := func(ids []int, version int64) {
		var vectors []knowledge.Vector
		for _, i := range ids {
			v := knowledge.Vector{Key: knowledge.PhrasingKey(int64(i)), Kind: knowledge.QueryText, Question: fmt.Sprint("вопрос ", i/3), Version: version, Values: unit(r, 4)}
			if i%7 == 0 {
				v.Key = knowledge.AnswerKey(fmt.Sprint("Ж", i))
			}
			vectors = append(vectors, v)
			want[v.Key] = knowledge.Stamp{Question: v.Question, Version: version}
		}
		if err := x.Upsert(ctx, vectors); err != nil {
			t.Fatal(err)
		}
	}
	remove := func(from, to int) {
		var gone []string
		for i := from; i < to; i++ {
			gone = append(gone, fmt.Sprint("вопрос ", i))
		}
		if err := x.DeleteQuestions(ctx, gone); err != nil {
			t.Fatal(err)
		}
		maps.DeleteFunc(want, func(_ knowledge.VectorKey, s knowledge.Stamp) bool { return slices.Contains(gone, s.Question) })
	}
	verify := func(when string) {
		t.Helper()
		if got := stamps(t, x); !maps.Equal(got, want) {
			t.Errorf("%s: %d stamps, want %d", when, len(got), len(want))
		}
	}
	ids := r.Perm(n)
	write(ids[:n/2], 1)
	verify("half of them")
	if err := admin(t, o.Address).Flush(ctx, o.Name, false); err != nil {
		t.Fatal(err)
	}
	write(ids[n/3:], 2)
	verify("all of them")
	remove(0, 300)
	verify("without some")
	if err := admin(t, o.Address).Flush(ctx, o.Name, false); err != nil {
		t.Fatal(err)
	}
	write(ids[:n/10], 3)
	verify("some anew")
}

// Vectors that are the same are found in the order of their keys, however many there
// are and wherever they lie.
func TestManyTies(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	o := fresh(t, 16)
	x := opened(t, o)
	r := rand.New(rand.NewPCG(3, 4))
	same := unit(r, 16)
	var keys []knowledge.VectorKey
	write := func(from, to int) {
		var vectors []knowledge.Vector
		for i := from; i < to; i++ {
			key := knowledge.VectorKey(fmt.Sprintf("%03d", (i*7)%300))
			keys = append(keys, key)
			vectors = append(vectors, knowledge.Vector{Key: key, Question: "q", Values: same})
		}
		for i := range 2000 {
			vectors = append(vectors, knowledge.Vector{Key: knowledge.PhrasingKey(int64(from*2000 + i)), Question: "r", Values: unit(r, 16)})
		}
		if err := x.Upsert(ctx, vectors); err != nil {
			t.Fatal(err)
		}
	}
	write(0, 150)
	if err := admin(t, o.Address).Flush(ctx, o.Name, false); err != nil {
		t.Fatal(err)
	}
	write(150, 300)
	slices.Sort(keys)
	for _, k := range []int{1, 10, 100, 299, 300} {
		hits, err := x.Nearest(ctx, knowledge.Probe{Values: same, K: k, Fresh: true})
		if err != nil || len(hits) != k {
			t.Fatalf("%d hits, %v", len(hits), err)
		}
		for i, h := range hits {
			if h.Key != keys[i] {
				t.Fatalf("of %d, hit %d is %s with %v, want %s; the first is %+v", k, i, h.Key, h.Similarity, keys[i], hits[0])
			}
		}
	}
}
