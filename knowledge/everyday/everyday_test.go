package everyday

import (
	"context"
	"crypto/sha256"
	"errors"
	"math"
	"os"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/knowledge/e5"
)

// The pool must be large, in both languages, and say nothing twice.
func TestQuestions(t *testing.T) {
	t.Parallel()
	all := Questions()
	russian := 0
	seen := map[string]int{}
	for i, q := range all {
		fold := strings.ReplaceAll(strings.Join(strings.FieldsFunc(strings.ToLower(q), func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r)
		}), " "), "ё", "е")
		if at, ok := seen[fold]; ok {
			t.Errorf("line %d says the same as line %d: %s", i+1, at+1, q)
		}
		seen[fold] = i
		if strings.ContainsFunc(q, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) }) {
			russian++
		}
	}
	if len(all) < 1500 || russian < len(all)/3 || russian > len(all)*2/3 {
		t.Errorf("%d questions, %d of them Russian: want 1,500 and more, of each language a third and more", len(all), russian)
	}
}

func TestShippedVectorsAreOfTheQuestions(t *testing.T) {
	t.Parallel()
	f, err := parse(shipped)
	if err != nil {
		t.Fatal(err)
	}
	if f.hash != sha256.Sum256([]byte(questions)) || len(f.vectors) != len(Questions()) {
		t.Fatalf("the vectors (%d) are of other questions: go generate ./knowledge/everyday", len(f.vectors))
	}
	path, err := e5.Find("", "")
	if errors.Is(err, e5.ErrNoModel) && os.Getenv("CI") != "true" {
		t.Skip("no embedding model: run make model")
	}
	if err != nil {
		t.Fatal(err)
	}
	m, err := e5.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	m = m.Informed()
	if _, err := Load(m.Name(), m.Dim()); err != nil {
		t.Fatalf("Load(%q): %v", m.Name(), err)
	}
	var texts []string
	var want [][]float32
	for i, q := range Questions() {
		if i%17 == 0 { // a tenth is enough to see that the embedder is another
			texts, want = append(texts, q), append(want, f.vectors[i])
		}
	}
	got, err := m.EmbedQueries(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range got {
		// Rounding to 8 bits costs 0.0001, another processor's arithmetic as much.
		if c := cosine(v, want[i]); c < 0.998 {
			t.Errorf("%q: the shipped vector has a cosine of %.4f to the embedder's: go generate ./knowledge/everyday", texts[i], c)
		}
	}
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return ab / math.Sqrt(aa*bb)
}

func TestLoadKnowsItsEmbedder(t *testing.T) {
	t.Parallel()
	f, err := parse(shipped)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Load(model(f.embedder)+"-00000000", len(f.vectors[0])); err != nil {
		t.Errorf("other weights of the same model: %v", err)
	}
	for _, other := range []string{"", "text-embedding-3-small", strings.Replace(f.embedder, "-informed", "", 1)} {
		if _, err := Load(other, len(f.vectors[0])); !errors.Is(err, ErrNoVectors) {
			t.Errorf("Load(%q): %v, want ErrNoVectors", other, err)
		}
	}
	if _, err := Load(f.embedder, 64); !errors.Is(err, ErrNoVectors) {
		t.Errorf("a smaller model of the same name: %v, want ErrNoVectors", err)
	}
}

// Nearness must be what a slow reading of its definition gives, and that of a vector
// alone the same as among others.
func TestNearness(t *testing.T) {
	t.Parallel()
	f, err := parse(shipped)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "pool")
		p := NewPool(f.vectors[:n])
		at := rapid.SliceOfN(rapid.IntRange(0, len(f.vectors)-1), 1, 5).Draw(t, "vectors")
		var vectors [][]float32
		for _, i := range at {
			vectors = append(vectors, f.vectors[i])
		}
		got, err := p.Nearness(context.Background(), vectors)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range vectors {
			if want := slowNearness(v, f.vectors[:n]); math.Abs(got[i]-want) > 0.003 {
				t.Fatalf("nearness %v, want %v", got[i], want)
			}
			alone, err := p.Nearness(context.Background(), vectors[i:i+1])
			if err != nil || alone[0] != got[i] {
				t.Fatalf("nearness of a vector alone is %v (%v), among others %v", alone, err, got[i])
			}
		}
	})
	p := NewPool(f.vectors[:20])
	if _, err := p.Nearness(t.Context(), [][]float32{{1, 0}}); err == nil {
		t.Error("a vector of another length was taken")
	}
	if _, err := p.Nearness(t.Context(), [][]float32{f.vectors[0], {1}}); err == nil {
		t.Error("vectors of different lengths were taken")
	}
}

func slowNearness(v []float32, pool [][]float32) float64 {
	best := make([]float64, 0, len(pool))
	for _, p := range pool {
		best = append(best, cosine(v, p))
	}
	var sum float64
	k := min(neighbours, len(best))
	for range k {
		top := 0
		for i := range best {
			if best[i] > best[top] {
				top = i
			}
		}
		sum += best[top]
		best[top] = -2
	}
	return sum / float64(k)
}

func TestDamagedVectors(t *testing.T) {
	t.Parallel()
	good, err := parse(shipped)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		cut := rapid.IntRange(0, 200).Draw(t, "bytes")
		f, err := parse(shipped[:cut])
		if err == nil {
			t.Fatalf("%d bytes are taken for a file of %d vectors", cut, len(f.vectors))
		}
	})
	data, err := Encode(good.embedder, good.vectors)
	if err != nil {
		t.Fatal(err)
	}
	again, err := parse(data)
	if err != nil || len(again.vectors) != len(good.vectors) {
		t.Fatalf("written and read: %d vectors, %v", len(again.vectors), err)
	}
	if _, err := Encode("x", good.vectors[1:]); err == nil {
		t.Error("a vector too few was written")
	}
}
