// Package e5test makes tiny models in the format of the real one, for tests that need a model but not a good one.
package e5test

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/nastavnik-bot/nastavnik/knowledge/e5/weightfile"
)

// Dim is the length of the vectors of the tiny model.
const Dim = 64

// File returns a tiny model of two layers with random weights, always the same. It knows the letters of the Latin, Russian
// and Greek alphabets, digits, a few words and an emoji, and reads at most 24 tokens at a time. Its vectors mean nothing.
func File() *weightfile.File {
	g := &generator{rand: rand.New(rand.NewPCG(1, 2))} //nolint:gosec // the same weights every time are the point
	f := &weightfile.File{
		Header: weightfile.Header{
			Hidden: Dim, Layers: 2, Heads: 4, FeedForward: 2 * Dim, Positions: 24, TokenTypes: 2, Epsilon: 1e-12,
		},
		Vocabulary: vocabulary(),
		Replacements: []weightfile.Replacement{
			{From: '\t', To: []rune{' '}},
			{From: '\u00ad'}, // soft hyphen: nothing
			{From: 'µ', To: []rune{'μ'}},
			{From: '…', To: []rune("...")},
		},
	}
	h := &f.Header
	h.VocabRows = f.Vocabulary.Len()
	f.Tensors = append(f.Tensors,
		g.q40("emb.word", h.VocabRows*h.Hidden), g.f32("emb.pos", h.Positions*h.Hidden), g.f32("emb.type", h.TokenTypes*h.Hidden),
		g.f32("emb.ln.w", h.Hidden), g.f32("emb.ln.b", h.Hidden))
	for l := range h.Layers {
		p := fmt.Sprintf("l%d.", l)
		for _, name := range []string{"q", "k", "v", "ao"} {
			f.Tensors = append(f.Tensors, g.q40(p+name+".w", h.Hidden*h.Hidden), g.f32(p+name+".b", h.Hidden))
		}
		f.Tensors = append(f.Tensors, g.f32(p+"aln.w", h.Hidden), g.f32(p+"aln.b", h.Hidden),
			g.q40(p+"fi.w", h.Hidden*h.FeedForward), g.f32(p+"fi.b", h.FeedForward),
			g.q40(p+"fo.w", h.Hidden*h.FeedForward), g.f32(p+"fo.b", h.Hidden),
			g.f32(p+"oln.w", h.Hidden), g.f32(p+"oln.b", h.Hidden))
	}
	return f
}

// vocabulary returns the special pieces, single characters, and a few words that score better than their letters.
func vocabulary() weightfile.Vocabulary {
	pieces := []string{"<s>", "<pad>", "</s>", "<unk>"}
	scores := []float32{0, 0, 0, 0}
	add := func(score float32, list ...string) {
		for _, p := range list {
			pieces = append(pieces, p)
			scores = append(scores, score)
		}
	}
	add(-3, "▁", "▁query", ":", "▁passage", "▁сделк", "▁клиент", "ом", "▁deal", "▁λόγος")
	for _, alphabet := range [][2]rune{{'a', 'z'}, {'а', 'я'}, {'α', 'ω'}, {'0', '9'}, {'!', '/'}} {
		for r := alphabet[0]; r <= alphabet[1]; r++ {
			add(-8-float32(r%7)/4, string(r))
		}
	}
	add(-9, "ё", "😀", "?")
	add(-20, "語") // the lowest score, in a script that pruning takes out
	v := weightfile.NewVocabulary(pieces, scores)
	v.BOS, v.Pad, v.EOS, v.Unknown = 0, 1, 2, 3
	return v
}

// generator makes random tensors.
type generator struct{ rand *rand.Rand }

// f32 returns numbers around 0; those of a ".w" tensor, the weight of a normalisation, are around 1.
func (g *generator) f32(name string, count int) weightfile.Tensor {
	mean := 0.0
	if strings.HasSuffix(name, ".w") {
		mean = 1
	}
	data := make([]byte, 0, 4*count)
	for range count {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(mean+0.1*g.rand.NormFloat64())))
	}
	return weightfile.Tensor{Name: name, Kind: weightfile.F32, Count: count, Data: data}
}

func (g *generator) q40(name string, count int) weightfile.Tensor {
	const small = 0x2400 // 2⁻⁶ as a float16; the low ten bits are the fraction
	var data []byte
	for range count / weightfile.BlockWeights {
		data = binary.LittleEndian.AppendUint16(data, small|uint16(g.rand.IntN(1<<11)))
		for range weightfile.BlockBytes - 2 {
			data = append(data, byte(g.rand.IntN(256)))
		}
	}
	return weightfile.Tensor{Name: name, Kind: weightfile.Q40, Count: count, Data: data}
}
