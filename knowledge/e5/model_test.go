package e5

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/knowledge/e5/e5test"
	"github.com/nastavnik-bot/nastavnik/knowledge/e5/weightfile"
)

// tiny returns the tiny model of package e5test.
func tiny(tb testing.TB) *Model {
	tb.Helper()
	m, err := Parse(e5test.File().Encode())
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func TestNameDependsOnTheFile(t *testing.T) {
	t.Parallel()
	f := e5test.File()
	first, again := tiny(t), tiny(t)
	f.Tensors[0].Data[5]++
	other, err := Parse(f.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if first.Name() != again.Name() || first.Name() == other.Name() || !strings.HasPrefix(first.Name(), "multilingual-e5-small-q4-") {
		t.Errorf("names of the same file %q and %q, of another %q", first.Name(), again.Name(), other.Name())
	}
	if first.Dim() != e5test.Dim {
		t.Errorf("Dim is %d", first.Dim())
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data := e5test.File().Encode()
	whole, short := filepath.Join(dir, "whole.bin"), filepath.Join(dir, "short.bin")
	for path, content := range map[string][]byte{whole: data, short: data[:len(data)-100]} {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if m, err := Open(whole); err != nil || m.Name() != tiny(t).Name() {
		t.Errorf("a whole file: %v", err)
	}
	if _, err := Open(short); !errors.Is(err, ErrModelFile) || !strings.Contains(err.Error(), short) || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("a file cut short: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "none.bin")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := Open(dir); !errors.Is(err, ErrModelFile) {
		t.Errorf("a folder: %v", err)
	}
}

func TestParseNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	tensor := func(f *weightfile.File, name string) *weightfile.Tensor {
		for i := range f.Tensors {
			if f.Tensors[i].Name == name {
				return &f.Tensors[i]
			}
		}
		t.Fatalf("no tensor %s", name)
		return nil
	}
	for _, test := range []struct {
		name   string
		damage func(f *weightfile.File)
		want   string
	}{
		{"a tensor is missing", func(f *weightfile.File) { tensor(f, "l1.fo.w").Name = "x" }, "tensor l1.fo.w is missing"},
		{"no layers for the header", func(f *weightfile.File) { f.Header.Layers = 3 }, "tensor l2.q.w is missing"},
		{"too many layers", func(f *weightfile.File) { f.Header.Layers = 1 << 20 }, "1048576 layers"},
		{"odd hidden size", func(f *weightfile.File) { f.Header.Hidden = 40 }, "not multiples of 32"},
		{"vast hidden size", func(f *weightfile.File) { f.Header.Hidden = 1 << 20 }, "more than this program runs"},
		{"another hidden size", func(f *weightfile.File) { f.Header.Hidden = 128 }, "emb.word"},
		{"heads do not fit", func(f *weightfile.File) { f.Header.Heads = 3 }, "3 heads"},
		{"heads are too narrow", func(f *weightfile.File) { f.Header.Heads = 8 }, "8 heads"},
		{"too few positions", func(f *weightfile.File) { f.Header.Positions = 2 }, "2 positions"},
		{"more positions than rows", func(f *weightfile.File) { f.Header.Positions = 64 }, "emb.pos"},
		{"not a number among floats", func(f *weightfile.File) {
			binary.LittleEndian.PutUint32(tensor(f, "l0.aln.w").Data[8:], math.Float32bits(float32(math.NaN())))
		}, "l0.aln.w: value 2 is NaN"},
		{"infinite scale of weights", func(f *weightfile.File) {
			binary.LittleEndian.PutUint16(tensor(f, "l1.k.w").Data, 0x7c00)
		}, "l1.k.w: row 0, block 0: the scale is +Inf"},
		{"infinite scale of a word", func(f *weightfile.File) {
			binary.LittleEndian.PutUint16(tensor(f, "emb.word").Data[18:], 0xfc00)
		}, "emb.word: the scale of block 1 is -Inf"},
		{"floats where weights belong", func(f *weightfile.File) {
			*tensor(f, "l0.q.w") = weightfile.Tensor{Name: "l0.q.w", Count: 1, Data: make([]byte, 4)}
		}, "tensor l0.q.w has 1 weights of F32"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := e5test.File()
			test.damage(f)
			_, err := Parse(f.Encode())
			if !errors.Is(err, ErrModelFile) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q in it", err, test.want)
			}
		})
	}
	if _, err := Parse(nil); !errors.Is(err, ErrModelFile) || !errors.Is(err, weightfile.ErrCorrupt) {
		t.Errorf("an empty file: %v", err)
	}
}

// A header that promises a vast network must not take memory for it when the file has none. It runs alone, for it measures.
func TestParseTakesNoMemoryForWhatIsNotThere(t *testing.T) {
	f := e5test.File()
	f.Vocabulary = weightfile.NewVocabulary([]string{"<s>", "<pad>", "</s>", "<unk>"}, make([]float32, 4))
	h := &f.Header
	h.Hidden, h.FeedForward, h.VocabRows, h.Positions, h.TokenTypes = 1<<14, 1<<14, 4, 4, 1
	f.Tensors = nil
	for _, floats := range []struct {
		name string
		rows int
	}{{"emb.pos", h.Positions}, {"emb.type", 1}, {"emb.ln.w", 1}, {"emb.ln.b", 1}} {
		n := floats.rows * h.Hidden
		f.Tensors = append(f.Tensors, weightfile.Tensor{Name: floats.name, Count: n, Data: make([]byte, 4*n)})
	}
	words := h.VocabRows * h.Hidden
	f.Tensors = append(f.Tensors, weightfile.Tensor{Name: "emb.word", Kind: weightfile.Q40, Count: words, Data: make([]byte, words/32*18)})
	data := f.Encode()

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Parse(data)
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "l0.q.w is missing") {
		t.Errorf("got %v", err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 10*uint64(len(data)) {
		t.Errorf("took %d bytes for a file of %d", took, len(data))
	}
}

// FuzzParse damages a model: whatever is still accepted must embed a text without a panic.
func FuzzParse(f *testing.F) {
	whole := e5test.File().Encode()
	f.Add(uint32(0), []byte("E5S1"), uint32(len(whole)))
	f.Add(uint32(8), []byte{128, 0, 0, 0, 1}, uint32(len(whole)))
	f.Add(uint32(44), []byte{3, 0, 0, 0}, uint32(1000))
	f.Fuzz(func(t *testing.T, at uint32, patch []byte, size uint32) {
		data := bytes.Clone(whole)
		copy(data[min(int(at), len(data)):], patch)
		m, err := Parse(data[:min(int(size), len(data))])
		if err != nil {
			if !errors.Is(err, ErrModelFile) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		text := strings.Repeat("сделку с клиентом 😀 ", 5)
		vectors, err := m.EmbedQueries(context.Background(), []string{text, ""})
		if err != nil || len(vectors) != 2 || len(vectors[0]) != m.Dim() {
			t.Fatalf("%d vectors, %v", len(vectors), err)
		}
	})
}

func TestWithKernels(t *testing.T) {
	t.Parallel()
	m := tiny(t)
	if got, err := m.WithKernels("portable"); err != nil || got.Kernels() != "portable" || got.Name() != m.Name() {
		t.Errorf("portable kernels: %v", err)
	}
	if m.Kernels() != availableKernels()[0].name {
		t.Errorf("a model has the kernels %s by itself, %s are the fastest", m.Kernels(), availableKernels()[0].name)
	}
	if _, err := m.WithKernels("abacus"); err == nil || !strings.Contains(err.Error(), m.Kernels()) {
		t.Errorf("unknown kernels: %v", err)
	}
}

func TestAvailableKernelsEndWithThePortableOnes(t *testing.T) {
	t.Parallel()
	var names []string
	for _, k := range availableKernels() {
		names = append(names, k.name)
	}
	if names[len(names)-1] != "portable" || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("kernels: %v", names)
	}
}
