package e5

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/nastavnik-bot/nastavnik/knowledge/e5/weightfile"
)

// ErrModelFile is wrapped by the errors of Open and Parse about a file that was read and is not a whole, sound model.
var ErrModelFile = errors.New("damaged or unsuitable model file")

// maxFileBytes bounds what Open reads into memory. The file of all languages has 72 MB.
const maxFileBytes = 1 << 30

// Model is a loaded embedder. It is safe for concurrent use and never changes.
type Model struct {
	name      string
	dim       int
	heads     int
	positions int
	tokenizer *tokenizer
	table     embeddings
	layers    []layer
	kernels   *kernels
	scratch   *sync.Pool // of *scratch
	informed  bool       // see Informed
}

// embeddings are what the state of a token starts from. Words stay as they are in the file, Q4_0 rows: they are most of the
// model, and a text reads only a few of them.
type embeddings struct {
	words     []byte
	positions []float32 // one row for each position; the row of the only token type in use is added in
	norm      norm
}

// layer is one transformer layer.
type layer struct {
	attention     *matrix // queries, keys and values, one below the other
	attentionOut  *matrix
	attentionNorm norm
	widen         *matrix // the two halves of the feed-forward block
	narrow        *matrix
	feedNorm      norm
}

// Open loads the model in the file at path. Errors about its content wrap ErrModelFile, others those of package os.
func Open(path string) (*Model, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("open embedding model: %w", err)
	}
	m, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("open embedding model %s: %w", path, err)
	}
	return m, nil
}

// readFile is os.ReadFile for files of a bounded size.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFileBytes {
		return nil, fmt.Errorf("%s: %w: not a regular file of at most %d bytes", path, ErrModelFile, maxFileBytes)
	}
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return data, nil
}

// Parse loads the model in data, which it keeps (the vocabulary's rows are read from it) and which must not be changed
// afterwards. Errors wrap ErrModelFile and name what is wrong.
func Parse(data []byte) (*Model, error) {
	f, err := weightfile.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModelFile, err)
	}
	m, err := newModel(f)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModelFile, err)
	}
	sum := crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
	m.name = fmt.Sprintf("multilingual-e5-small-q4-%08x", sum)
	return m, nil
}

// Name identifies the embedder. Vectors and thresholds may be compared only where the names are equal: it carries a checksum
// of the weight file, and would change with arithmetic that moves vectors.
func (m *Model) Name() string { return m.name }

// Dim returns the length of the vectors.
func (m *Model) Dim() int { return m.dim }

// Kernels names the inner loops in use: avx512vnni, avx2 or portable.
func (m *Model) Kernels() string { return m.kernels.name }

// newModel builds the network of a file.
func newModel(f *weightfile.File) (*Model, error) {
	if err := checkHeader(f.Header); err != nil {
		return nil, err
	}
	l := &loader{file: f, tensors: make(map[string]weightfile.Tensor, len(f.Tensors))}
	for _, t := range f.Tensors {
		l.tensors[t.Name] = t
	}
	m := &Model{
		dim:       f.Header.Hidden,
		heads:     f.Header.Heads,
		positions: f.Header.Positions,
		tokenizer: newTokenizer(f),
		table:     l.embeddings(),
		kernels:   availableKernels()[0],
		scratch:   &sync.Pool{New: func() any { return new(scratch) }},
	}
	for i := 0; i < f.Header.Layers && l.err == nil; i++ {
		m.layers = append(m.layers, l.layer(i))
	}
	if l.err != nil {
		return nil, l.err
	}
	return m, nil
}

// WithKernels returns the same model with the named inner loops, for comparisons. It shares the weights with m. The error names
// those that this processor has.
func (m *Model) WithKernels(name string) (*Model, error) {
	var names []string
	for _, k := range availableKernels() {
		if k.name == name {
			return m.withKernels(k), nil
		}
		names = append(names, k.name)
	}
	return nil, fmt.Errorf("no kernels %q: this processor has %s", name, strings.Join(names, ", "))
}

// withKernels returns the same model with other inner loops.
func (m *Model) withKernels(k *kernels) *Model {
	c := *m
	c.kernels = k
	return &c
}

// checkHeader refuses shapes that the kernels are not made for.
func checkHeader(h weightfile.Header) error {
	const maxWidth, maxLayers, minPositions, maxPositions = 1 << 14, 1 << 8, 4, 1 << 13
	switch {
	case h.Hidden%blockLen != 0 || h.FeedForward%blockLen != 0:
		return fmt.Errorf("hidden size %d and feed-forward size %d are not multiples of %d", h.Hidden, h.FeedForward, blockLen)
	case h.Hidden > maxWidth || h.FeedForward > maxWidth || h.Layers > maxLayers:
		return fmt.Errorf("%d layers of width %d and %d are more than this program runs", h.Layers, h.Hidden, h.FeedForward)
	case h.Hidden%h.Heads != 0 || h.Hidden/h.Heads%productColumns != 0:
		return fmt.Errorf("%d heads do not cut %d values into multiples of %d", h.Heads, h.Hidden, productColumns)
	case h.Positions < minPositions || h.Positions > maxPositions:
		return fmt.Errorf("%d positions, this program needs %d to %d", h.Positions, minPositions, maxPositions)
	}
	return nil
}
