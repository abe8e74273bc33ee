// Package everyday holds questions of everyday life, Russian and English, that no
// company's knowledge base answers, and their vectors by the built-in embedder.
//
// Some vectors are near to everything: hubs (Radovanović, Nanopoulos and Ivanović,
// "Hubs in Space", 2010). An entry whose vector is near to what people ask about
// cooking and the weather says little when it is near to a question. How near it is
// to this pool tells how much to take off; see [Nearness].
//
// The questions were written for this project and are under its licence
// (README.md). The vectors are made from them by
//
//	go generate ./knowledge/everyday
//
// which needs the embedder's weights (make model), and is due whenever the questions
// or the embedder change. A test fails until then.
package everyday

import (
	"context"
	"crypto/sha256"
	_ "embed" // the questions and their vectors
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/nastavnik-bot/nastavnik/knowledge/vector"
)

//go:generate go run gen_vectors.go ../../model/e5-small.bin vectors.bin

//go:embed questions.txt
var questions string

//go:embed vectors.bin
var shipped []byte

// Questions returns the everyday questions in their order.
func Questions() []string {
	return slices.Collect(func(yield func(string) bool) {
		for line := range strings.Lines(questions) {
			if line = strings.TrimSpace(line); line != "" && !yield(line) {
				return
			}
		}
	})
}

// ErrNoVectors is returned by [Load] for an embedder that no vectors are shipped of.
var ErrNoVectors = errors.New("no vectors of everyday questions for this embedder")

// Pool are vectors of everyday questions. It is safe for concurrent use.
type Pool struct{ vectors *vector.Rounded }

// Load returns the shipped vectors of an embedder by its name and the length of its
// vectors. What follows the last hyphen of the name, a checksum of its weights, may
// differ: weights pruned of other languages give the same vectors. The error is
// [ErrNoVectors], or says that the shipped file is damaged.
func Load(embedder string, dim int) (*Pool, error) {
	f, err := parse(shipped)
	if err != nil {
		return nil, fmt.Errorf("vectors of everyday questions: %w", err)
	}
	if model(embedder) != model(f.embedder) || dim != len(f.vectors[0]) {
		return nil, ErrNoVectors
	}
	return NewPool(f.vectors), nil
}

func model(embedder string) string {
	if at := strings.LastIndexByte(embedder, '-'); at > 0 {
		return embedder[:at]
	}
	return embedder
}

// NewPool returns a pool of the given vectors, all of one length and at least one.
func NewPool(vectors [][]float32) *Pool {
	p := &Pool{vector.NewRounded(len(vectors[0]))}
	for _, v := range vectors {
		p.vectors.Append(v)
	}
	return p
}

// neighbours is how many of the pool speak for the whole: one may be near by chance.
const neighbours = 10

// Nearness returns, for each of the unit vectors, the mean cosine to the ten everyday
// questions that are nearest to it. It is the same whatever the other vectors are.
// All processors work; a thousand vectors take some ten milliseconds. The error is
// that of ctx, or says that a vector is of another embedder.
func (p *Pool) Nearness(ctx context.Context, vectors [][]float32) ([]float64, error) {
	if len(vectors) == 0 {
		return nil, nil
	}
	rows := vector.NewRounded(len(vectors[0]))
	for i, v := range vectors {
		if len(v) != len(vectors[0]) {
			return nil, fmt.Errorf("vector %d has %d numbers, the first has %d", i, len(v), len(vectors[0]))
		}
		rows.Append(v)
	}
	k := min(neighbours, p.vectors.Len())
	cosines, err := vector.Closest(ctx, rows, p.vectors, k)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(vectors))
	for i := range out {
		for _, c := range cosines[i*k:][:k] {
			out[i] += float64(c) / float64(k)
		}
	}
	return out, nil
}

// A file of vectors is magic, the SHA-256 of the questions, the embedder's name and
// the vectors' length, each string after its length in two bytes; then for each
// question a float32 scale and a byte for each number, which stands for number ÷
// scale. All is little endian.
const magic = "EVERYDAY1"

type file struct {
	hash     [sha256.Size]byte
	embedder string
	vectors  [][]float32
}

// Encode returns the content of a file of vectors: one for each question, in their
// order.
func Encode(embedder string, vectors [][]float32) ([]byte, error) {
	if n := len(Questions()); len(vectors) != n || n == 0 || len(embedder) > math.MaxUint16 {
		return nil, fmt.Errorf("%d vectors of %d questions by %q", len(vectors), n, embedder)
	}
	hash := sha256.Sum256([]byte(questions))
	out := append([]byte(magic), hash[:]...)
	out = binary.LittleEndian.AppendUint16(out, uint16(len(embedder)))
	out = append(out, embedder...)
	out = binary.LittleEndian.AppendUint16(out, uint16(len(vectors[0])))
	for _, v := range vectors {
		var largest float64
		for _, x := range v {
			largest = max(largest, math.Abs(float64(x)))
		}
		scale := float32(largest / 127)
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(scale))
		for _, x := range v {
			out = append(out, byte(int8(math.Round(float64(x)/float64(max(scale, math.SmallestNonzeroFloat32))))))
		}
	}
	return out, nil
}

var errDamaged = errors.New("the file is damaged")

func parse(data []byte) (file, error) {
	var f file
	rest, ok := strings.CutPrefix(string(data), magic)
	if !ok || len(rest) < len(f.hash)+2 {
		return f, errDamaged
	}
	copy(f.hash[:], rest)
	rest = rest[len(f.hash):]
	name := int(rest[0]) | int(rest[1])<<8
	if rest = rest[2:]; len(rest) < name+2 {
		return f, errDamaged
	}
	f.embedder, rest = rest[:name], rest[name:]
	dim := int(rest[0]) | int(rest[1])<<8
	rest = rest[2:]
	if dim == 0 || len(rest) == 0 || len(rest)%(4+dim) != 0 {
		return f, errDamaged
	}
	for ; rest != ""; rest = rest[4+dim:] {
		v := make([]float32, dim)
		scale := math.Float32frombits(binary.LittleEndian.Uint32([]byte(rest[:4])))
		for i := range v {
			v[i] = scale * float32(int8(rest[4+i]))
		}
		f.vectors = append(f.vectors, v)
	}
	return f, nil
}
