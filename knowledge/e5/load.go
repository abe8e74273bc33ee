package e5

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/nastavnik-bot/nastavnik/knowledge/e5/weightfile"
)

// loader takes tensors out of a file. After the first that is missing or has another shape err is set, and what its methods
// return means nothing.
type loader struct {
	file    *weightfile.File
	tensors map[string]weightfile.Tensor
	err     error
}

// embeddings loads the word, position and token type tables.
func (l *loader) embeddings() embeddings {
	h := l.file.Header
	e := embeddings{
		words:     l.rows("emb.word", h.VocabRows, h.Hidden),
		positions: l.floats("emb.pos", h.Positions*h.Hidden),
		norm:      l.norm("emb.ln", h.Hidden),
	}
	types := l.floats("emb.type", h.TokenTypes*h.Hidden)
	if l.err != nil {
		return e
	}
	for i := 0; i < len(e.words); i += weightfile.BlockBytes {
		if s := float16(binary.LittleEndian.Uint16(e.words[i:])); s-s != 0 {
			l.fail("emb.word: the scale of block %d is %g", i/weightfile.BlockBytes, s)
			return e
		}
	}
	for i := range e.positions {
		e.positions[i] += types[i%h.Hidden]
	}
	return e
}

// layer loads layer i.
func (l *loader) layer(i int) layer {
	h, p := l.file.Header, fmt.Sprintf("l%d.", i)
	return layer{
		attention:     l.matrix(h.Hidden, h.Hidden, p+"q", p+"k", p+"v"),
		attentionOut:  l.matrix(h.Hidden, h.Hidden, p+"ao"),
		attentionNorm: l.norm(p+"aln", h.Hidden),
		widen:         l.matrix(h.FeedForward, h.Hidden, p+"fi"),
		narrow:        l.matrix(h.Hidden, h.FeedForward, p+"fo"),
		feedNorm:      l.norm(p+"oln", h.Hidden),
	}
}

// matrix loads one or more matrices with their biases, each of rows × columns, one below the other.
func (l *loader) matrix(rows, columns int, names ...string) *matrix {
	for _, name := range names { // before memory is taken for what a header merely says
		l.rows(name+".w", rows, columns)
	}
	if l.err != nil {
		return nil
	}
	m := newMatrix(rows*len(names), columns)
	for i, name := range names {
		copy(m.bias[i*rows:], l.floats(name+".b", rows))
		if err := m.setRows(i*rows, l.rows(name+".w", rows, columns)); err != nil {
			l.fail("%s.w: %w", name, err)
		}
	}
	return m
}

// norm loads a layer normalisation.
func (l *loader) norm(name string, width int) norm {
	return norm{weight: l.floats(name+".w", width), bias: l.floats(name+".b", width), epsilon: l.file.Header.Epsilon}
}

// rows returns the bytes of a Q4_0 tensor of rows × columns.
func (l *loader) rows(name string, rows, columns int) []byte {
	return l.tensor(name, weightfile.Q40, rows*columns)
}

// floats returns a copy of an F32 tensor of count finite numbers.
func (l *loader) floats(name string, count int) []float32 {
	data := l.tensor(name, weightfile.F32, count)
	out := make([]float32, len(data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		if out[i]-out[i] != 0 {
			l.fail("%s: value %d is %g", name, i, out[i])
			break
		}
	}
	return out
}

func (l *loader) tensor(name string, kind weightfile.Kind, count int) []byte {
	t, ok := l.tensors[name]
	switch {
	case !ok:
		l.fail("the tensor %s is missing", name)
	case t.Kind != kind || t.Count != count:
		l.fail("the tensor %s has %d weights of %s, not %d of %s", name, t.Count, t.Kind, count, kind)
	default:
		return t.Data
	}
	return nil
}

func (l *loader) fail(format string, args ...any) {
	if l.err == nil {
		l.err = fmt.Errorf(format, args...)
	}
}
