package e5

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// someTexts have all lengths that matter to the tiny model, which reads 24 tokens at a time.
var someTexts = []string{
	"", "a", "сделку", "клиентом deal", "1234567890", strings.Repeat("я", 20), strings.Repeat("сделку ", 12),
	strings.Repeat("клиентом ", 60), "Ж語😀",
}

// cosine returns the cosine of two vectors.
func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return ab / math.Sqrt(aa*bb)
}

// embed calls EmbedQueries and fails on an error.
func embed(tb testing.TB, m *Model, texts ...string) [][]float32 {
	tb.Helper()
	vectors, err := m.EmbedQueries(context.Background(), texts)
	if err != nil {
		tb.Fatal(err)
	}
	if len(vectors) != len(texts) {
		tb.Fatalf("%d vectors of %d texts", len(vectors), len(texts))
	}
	return vectors
}

func TestVectorsHaveLengthOne(t *testing.T) {
	t.Parallel()
	m := tiny(t)
	for i, v := range embed(t, m, someTexts...) {
		square := 0.0
		for _, x := range v {
			square += float64(x) * float64(x)
		}
		if len(v) != m.Dim() || math.Abs(square-1) > 1e-5 {
			t.Errorf("%q: %d values, square of the length %g", someTexts[i], len(v), square)
		}
	}
	if got := embed(t, m); got == nil {
		t.Error("no texts gave nil")
	}
}

func TestQueriesAndPassagesDiffer(t *testing.T) {
	t.Parallel()
	m := tiny(t)
	passages, err := m.EmbedPassages(context.Background(), []string{"сделку"})
	if err != nil {
		t.Fatal(err)
	}
	query := embed(t, m, "сделку")[0]
	if c := cosine(query, passages[0]); c > 0.999 {
		t.Errorf("the cosine of one text as a query and as a passage is %g", c)
	}
}

// A vector must not depend on the batch that its text is in, bit for bit.
func TestVectorDoesNotDependOnTheBatch(t *testing.T) {
	t.Parallel()
	for _, k := range availableKernels() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			m := tiny(t).withKernels(k)
			alone := make(map[string][]float32)
			for _, text := range someTexts {
				alone[text] = embed(t, m, text)[0]
			}
			rapid.Check(t, func(t *rapid.T) {
				texts := rapid.SliceOfN(rapid.SampledFrom(someTexts), 1, 40).Draw(t, "texts")
				vectors, err := m.EmbedQueries(context.Background(), texts)
				if err != nil {
					t.Fatal(err)
				}
				for i, text := range texts {
					if !slices.Equal(vectors[i], alone[text]) {
						t.Fatalf("the vector of text %d, %q, differs from when it is alone", i, text)
					}
				}
			})
		})
	}
}

func TestKernelsAgree(t *testing.T) {
	t.Parallel()
	m := tiny(t)
	want := embed(t, m.withKernels(portableKernels()), someTexts...)
	for _, k := range availableKernels() {
		for i, v := range embed(t, m.withKernels(k), someTexts...) {
			if c := cosine(v, want[i]); c < 0.999 {
				t.Errorf("%s: %q: cosine %g to the portable kernels", k.name, someTexts[i], c)
			}
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	m := tiny(t)
	want := embed(t, m, someTexts...)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 5 {
				got, err := m.EmbedQueries(context.Background(), someTexts)
				if err != nil || !slices.EqualFunc(got, want, slices.Equal) {
					t.Errorf("vectors of concurrent calls differ (error: %v)", err)
				}
			}
		})
	}
	group.Wait()
}

func TestCancelledContext(t *testing.T) {
	t.Parallel()
	m := tiny(t)
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("enough"))
	for _, texts := range [][]string{{"a"}, someTexts} {
		if vectors, err := m.EmbedPassages(ctx, texts); !errors.Is(err, context.Canceled) || vectors != nil {
			t.Errorf("%d texts: %v, %v", len(texts), vectors, err)
		}
	}
}

// stopsAfter is a context that is cancelled after its error has been asked for n times.
type stopsAfter struct {
	context.Context
	left *int
}

func (s stopsAfter) Err() error {
	if *s.left--; *s.left < 0 {
		return context.Canceled
	}
	return nil
}

func TestContextIsCheckedBetweenLayers(t *testing.T) {
	t.Parallel()
	m := tiny(t)
	windows := m.appendWindows(nil, 0, "a")
	means := make([]float32, m.dim)
	for n := range len(m.layers) {
		err := m.forward(stopsAfter{context.Background(), &n}, windows, new(scratch), means)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled before layer %d: %v", n, err)
		}
	}
	n := len(m.layers)
	if err := m.forward(stopsAfter{context.Background(), &n}, windows, new(scratch), means); err != nil {
		t.Errorf("not cancelled: %v", err)
	}
}

func TestWindows(t *testing.T) {
	t.Parallel()
	m := tiny(t)
	size := m.positions - 2
	for words, want := range map[int]int{0: 1, 1: 1, size: 1, size + 1: 2, 2 * size: 2, 2*size + 1: 3, 100 * size: maxWindows} {
		t.Run(fmt.Sprint(words), func(t *testing.T) {
			t.Parallel()
			text := strings.TrimSpace(strings.Repeat("deal ", words)) // a piece each
			windows := m.appendWindows(nil, 5, text)
			if len(windows) != want {
				t.Errorf("%d words are cut into %d windows, want %d", words, len(windows), want)
			}
			var content []int32
			for _, w := range windows {
				n := len(w.tokens)
				if w.text != 5 || n > m.positions || w.tokens[0] != m.tokenizer.bos || w.tokens[n-1] != m.tokenizer.eos {
					t.Errorf("a window of text %d: %v", w.text, w.tokens)
				}
				content = append(content, w.tokens[1:n-1]...)
			}
			if all := m.tokenizer.tokens(text, maxWindows*size); !slices.Equal(content, all) {
				t.Errorf("the windows hold %d pieces, the text has %d", len(content), len(all))
			}
		})
	}
}

// A long text's vector is the mean of its windows, each weighted by its pieces.
func TestLongTextIsTheMeanOfItsWindows(t *testing.T) {
	t.Parallel()
	m := tiny(t)
	text := strings.Repeat("клиентом deal ", 12)
	windows := m.appendWindows(nil, 0, queryPrefix+text)
	if len(windows) != 2 {
		t.Fatalf("%d windows, want 2", len(windows))
	}
	want := make([]float32, m.dim)
	for i := range windows {
		out := make([]float32, m.dim)
		if err := m.forward(context.Background(), windows[i:i+1], new(scratch), out); err != nil {
			t.Fatal(err)
		}
		for j, v := range out {
			want[j] += v * float32(len(windows[i].tokens)-2)
		}
	}
	if c := cosine(want, embed(t, m, text)[0]); c < 0.999999 {
		t.Errorf("cosine to the weighted mean: %g", c)
	}
}

func TestNormaliseKeepsZeros(t *testing.T) {
	t.Parallel()
	zeros := make([]float32, 3)
	normalise(zeros)
	if !slices.Equal(zeros, []float32{0, 0, 0}) {
		t.Errorf("zeros became %v", zeros)
	}
}
