package e5

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/nastavnik-bot/nastavnik/knowledge/e5/prune"
)

const (
	// goldenCosine is what every vector must reach against the original engine's.
	goldenCosine = 0.999
	// foreignCosine is what is left of it where a text has letters that pruning takes out of the vocabulary.
	foreignCosine = 0.7
)

// golden is what the original engine makes of a text; testdata/golden.py writes them.
type golden struct {
	Kind   string   `json:"kind"`
	Text   string   `json:"text"`
	Pieces []string `json:"pieces"`
	Vector string   `json:"vector"`
}

// foreign reports whether the text has letters that pruning takes out.
func (g *golden) foreign() bool {
	return strings.ContainsFunc(g.Text, func(r rune) bool { return unicode.IsLetter(r) && !prune.Kept(r) && r < 0xF900 })
}

// prefix returns what the model reads before the text.
func (g *golden) prefix() string {
	if g.Kind == "query" {
		return queryPrefix
	}
	return passagePrefix
}

// vector decodes the vector.
func (g *golden) vector(t *testing.T) []float32 {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(g.Vector)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float32, len(raw)/2)
	for i := range out {
		out[i] = float16(binary.LittleEndian.Uint16(raw[2*i:]))
	}
	return out
}

// readGolden reads the golden file.
func readGolden(t *testing.T) []golden {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", "golden.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(bufio.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var list []golden
	for d := json.NewDecoder(unzipped); ; {
		var g golden
		if err := d.Decode(&g); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, g)
	}
	if len(list) < 200 {
		t.Fatalf("only %d golden vectors", len(list))
	}
	return list
}

// realModelPath returns the path of the model that `make model` makes.
func realModelPath() (string, error) { return Find(os.Getenv("NASTAVNIK_MODEL"), "") }

// realModel loads it, once for all tests.
var realModel = sync.OnceValues(func() (*Model, error) {
	path, err := realModelPath()
	if err != nil {
		return nil, err
	}
	return Open(path)
})

// needModel returns the real model. Without one the test fails where CI=true and is skipped elsewhere.
func needModel(tb testing.TB) *Model {
	tb.Helper()
	m, err := realModel()
	missing := errors.Is(err, ErrNoModel) || errors.Is(err, fs.ErrNotExist)
	switch {
	case err == nil:
		return m
	case missing && os.Getenv("CI") != "true":
		tb.Skipf("run `make model` first, or set NASTAVNIK_MODEL to the file: %v", err)
	default:
		tb.Fatalf("run `make model` first, or set NASTAVNIK_MODEL to the file: %v", err)
	}
	return nil
}

func TestGoldenPieces(t *testing.T) {
	t.Parallel()
	m := needModel(t)
	pieces := m.tokenizer.speller()
	for _, g := range readGolden(t) {
		if g.foreign() {
			continue
		}
		if got := pieces(g.prefix() + g.Text); !slices.Equal(got, g.Pieces) {
			t.Errorf("%q is cut into\n%q, the original engine cuts it into\n%q", g.Text, got, g.Pieces)
		}
	}
}

func TestGoldenVectors(t *testing.T) {
	t.Parallel()
	m := needModel(t)
	all := readGolden(t)
	forEachKernels(t, func(t *testing.T, k *kernels) {
		t.Helper()
		list := all
		if raceDetector && k.name == "portable" {
			// The detector makes this many times slower and has nothing to find in arithmetic. All run without it.
			list = everyTenth(all)
		}
		least, foreign := 1.0, 1.0
		for i, v := range embedGolden(t, m.withKernels(k), list) {
			g := &list[i]
			c := cosine(v, g.vector(t))
			bound := goldenCosine
			if g.foreign() {
				bound, foreign = foreignCosine, min(foreign, c)
			} else {
				least = min(least, c)
			}
			if !(c >= bound) {
				t.Errorf("%s %q: cosine %.6f to the original engine, want %g", g.Kind, g.Text, c, bound)
			}
		}
		t.Logf("least cosine %.6f, in scripts that are not kept %.6f", least, foreign)
	})
}

// everyTenth returns a tenth of the list.
func everyTenth(list []golden) []golden {
	var out []golden
	for i := 0; i < len(list); i += 10 {
		out = append(out, list[i])
	}
	return out
}

// embedGolden returns the vectors of all golden texts, in two batches.
func embedGolden(t *testing.T, m *Model, list []golden) [][]float32 {
	t.Helper()
	out := make([][]float32, len(list))
	for kind, embed := range map[string]func(context.Context, []string) ([][]float32, error){
		"query": m.EmbedQueries, "passage": m.EmbedPassages,
	} {
		var texts []string
		var at []int
		for i, g := range list {
			if g.Kind == kind {
				texts, at = append(texts, g.Text), append(at, i)
			}
		}
		vectors, err := embed(t.Context(), texts)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range vectors {
			out[at[i]] = v
		}
	}
	return out
}

// What the embedder is for: other words for one thing are nearer than other things.
func TestLikeQuestionsAreNear(t *testing.T) {
	t.Parallel()
	m := needModel(t)
	v := embed(t, m, "Как сменить ответственного в сделке?", "передать сделку другому менеджеру", "How do I change the owner of a deal?",
		"Сколько хранятся записи звонков?")
	for _, like := range []int{1, 2} {
		if near, far := cosine(v[0], v[like]), cosine(v[0], v[3]); near < far+0.02 {
			t.Errorf("question %d: cosine %.3f, of an unrelated question %.3f", like, near, far)
		}
	}
}
