package e5

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestInformedIsAnotherEmbedder(t *testing.T) {
	t.Parallel()
	m := tiny(t)
	informed := m.Informed()
	if informed.Name() == m.Name() || !strings.Contains(informed.Name(), "-informed-") {
		t.Errorf("the informed model of %s is called %s", m.Name(), informed.Name())
	}
	if again := informed.Informed(); again.Name() != informed.Name() {
		t.Errorf("informed twice it is called %s", again.Name())
	}
	plain, other := embed(t, m, someTexts...), embed(t, informed, someTexts...)
	same := 0
	for i, v := range other {
		square := 0.0
		for _, x := range v {
			square += float64(x) * float64(x)
		}
		if len(v) != m.Dim() || math.Abs(square-1) > 1e-5 {
			t.Errorf("%q: %d values, square of the length %g", someTexts[i], len(v), square)
		}
		if cosine(v, plain[i]) > 0.9999 {
			same++
		}
	}
	if same > len(someTexts)/2 {
		t.Errorf("%d of %d vectors are those of the plain model", same, len(someTexts))
	}
	for i, v := range embed(t, m, someTexts...) {
		if !slices.Equal(v, plain[i]) {
			t.Errorf("%q: making an informed model changed the plain one", someTexts[i])
		}
	}
}

func TestInformedVectorsDoNotDependOnTheBatch(t *testing.T) {
	t.Parallel()
	m := tiny(t).Informed()
	together := embed(t, m, someTexts...)
	for i, text := range someTexts {
		if alone := embed(t, m, text)[0]; !slices.Equal(alone, together[i]) {
			t.Errorf("%q has another vector alone, cosine %g", text, cosine(alone, together[i]))
		}
	}
}

// A vector is made of the states as its definition says.
func TestInformedMean(t *testing.T) {
	t.Parallel()
	m := tiny(t).Informed()
	ids := m.tokenizer.tokens("сделку клиентом", 24)
	w := window{tokens: slices.Concat([]int32{m.tokenizer.bos}, ids, []int32{m.tokenizer.eos}), prefix: 2}
	rows := make([]float32, len(w.tokens)*m.dim)
	for i := range rows {
		rows[i] = float32(i%7) - 3
	}
	want := make([]float64, m.dim)
	for i := w.prefix; i < len(w.tokens)-1; i++ { // neither the prefix nor </s> counts
		for j := range want {
			want[j] += -float64(m.tokenizer.scores[w.tokens[i]]) * float64(rows[i*m.dim+j])
		}
	}
	norm := 0.0
	for _, x := range want {
		norm += x * x
	}
	got := make([]float32, m.dim)
	m.informedMean(got, rows, w, 0.5)
	for j := range want {
		if x := want[j] / math.Sqrt(norm) / 2; math.Abs(float64(got[j])-x) > 1e-5 {
			t.Fatalf("value %d is %g, want %g", j, got[j], x)
		}
	}
}

// What says that a text is a question or an answer is read, but is not what the text is about.
func TestInformedLeavesThePrefixOut(t *testing.T) {
	t.Parallel()
	m := tiny(t).Informed()
	var windows []window
	for i, text := range []string{"сделку", strings.Repeat("клиентом ", 60)} {
		windows = m.appendWindows(windows, i, queryPrefix+text)
	}
	m.markPrefix(windows, queryPrefix)
	prefix := 1 + len(m.tokenizer.tokens("query:", 24))
	for i, w := range windows {
		want := 0
		if i == 0 || windows[i-1].text != w.text {
			want = prefix
		}
		if w.prefix != want {
			t.Errorf("window %d of text %d: %d tokens of prefix, want %d", i, w.text, w.prefix, want)
		}
	}
	if _, err := m.EmbedQueries(context.Background(), []string{""}); err != nil {
		t.Errorf("a text of nothing but the prefix: %v", err)
	}
}
