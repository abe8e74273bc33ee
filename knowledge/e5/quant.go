package e5

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/nastavnik-bot/nastavnik/knowledge/e5/weightfile"
)

// blockLen is the number of weights, or of activations, that share one scale.
const blockLen = weightfile.BlockWeights

// Panels: the layout of a weight matrix in memory. panelRows outputs are computed together, so that a vector register holds
// one partial sum for each of them. A panel is a run of records, one for each block of 32 inputs:
//
//	4 × 64 bytes  chunk c: for each row r of the panel, bytes 4c…4c+3 of the row's Q4_0 block. Their low halves are the
//	              weights of inputs 4c…4c+3, their high halves those of inputs 16+4c…16+4c+3.
//	16 × float32  the scales of the rows
//
// So the weights stay in four bits, one record is five cache lines in a row, and a matrix is read from end to end.
const (
	panelRows   = 16
	chunks      = 4
	chunkBytes  = 4 * panelRows
	scalesAt    = chunks * chunkBytes
	recordBytes = scalesAt + 4*panelRows
)

// matrix is a weight matrix with its bias, cut into panels.
type matrix struct {
	rows, columns int // outputs, inputs
	panels        []byte
	bias          []float32
}

// newMatrix returns an empty matrix. rows is a multiple of panelRows, columns of blockLen.
func newMatrix(rows, columns int) *matrix {
	return &matrix{
		rows:    rows,
		columns: columns,
		panels:  make([]byte, rows/panelRows*columns/blockLen*recordBytes),
		bias:    make([]float32, rows),
	}
}

// setRows fills rows from first on with the Q4_0 rows of src.
func (m *matrix) setRows(first int, src []byte) error {
	blocks := m.columns / blockLen
	for i := 0; i*weightfile.BlockBytes < len(src); i++ {
		block := src[i*weightfile.BlockBytes:][:weightfile.BlockBytes]
		row, b := first+i/blocks, i%blocks
		record := m.panels[(row/panelRows*blocks+b)*recordBytes:][:recordBytes]
		r := row % panelRows
		scale := float16(binary.LittleEndian.Uint16(block))
		if scale-scale != 0 {
			return fmt.Errorf("row %d, block %d: the scale is %g", row-first, b, scale)
		}
		for c := range chunks {
			copy(record[c*chunkBytes+4*r:][:4], block[2+4*c:])
		}
		binary.LittleEndian.PutUint32(record[scalesAt+4*r:], math.Float32bits(scale))
	}
	return nil
}

// tileTokens is how many tokens the layout of activations keeps together.
const tileTokens = 4

// activations are the inputs of a matrix for several tokens, as 8-bit integers with a scale for each block of 32. Tokens lie
// in tiles of tileTokens, within a tile block by block: all that a kernel reads for one block of a tile is adjacent.
type activations struct {
	blocks int // for each token
	tokens int
	q      []int8    // [tile][block][token of the tile][32]
	scale  []float32 // [tile][block][token of the tile]
	offset []int32   // same shape: −8·Σq, which takes the 8 out of the stored halves (see weightfile)
}

// reset prepares for so many tokens of so many values. What pads the last tile is arbitrary: no other token's outputs depend on it.
func (a *activations) reset(tokens, width int) {
	a.blocks, a.tokens = width/blockLen, tokens
	n := a.tiles() * a.blocks * tileTokens
	a.q = grow(a.q, n*blockLen)
	a.scale = grow(a.scale, n)
	a.offset = grow(a.offset, n)
}

func (a *activations) tiles() int { return (a.tokens + tileTokens - 1) / tileTokens }

// at returns the index of block 0 of a token in scale and offset; the next block is tileTokens further.
func (a *activations) at(token int) int {
	return token/tileTokens*a.blocks*tileTokens + token%tileTokens
}

// grow returns a slice of length n, s itself where it is large enough. The values are arbitrary.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// float16 converts an IEEE 754 half precision number.
func float16(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exponent, fraction := uint32(h>>10)&31, uint32(h&0x3ff)
	switch exponent {
	case 0: // zero and subnormal: fraction · 2⁻²⁴
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*0x1p-24))
	case 31: // infinity and NaN
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}
