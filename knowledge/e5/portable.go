package e5

import (
	"encoding/binary"
	"math"
)

// lanes spreads four bytes over the 16-bit lanes of a word, the lowest byte into the lowest lane.
func lanes(four uint32) uint64 {
	x := uint64(four)
	x = (x | x<<16) & 0x0000ffff0000ffff
	return (x | x<<8) & 0x00ff00ff00ff00ff
}

// A panel's weights of one block as 16-bit lanes: lane i of group g is the weight of input 4g+i.
type spread [panelRows]struct {
	groups [8]uint64
	sum    int32   // of the 32 weights
	scale  float32 // of the row
}

// load spreads one record of a panel.
func (s *spread) load(record []byte) {
	record = record[:recordBytes]
	for r := range s {
		row := &s[r]
		total := uint64(0)
		for c := range chunks {
			x := lanes(binary.LittleEndian.Uint32(record[c*chunkBytes+4*r:]))
			lo, hi := x&0x000f000f000f000f, x>>4&0x000f000f000f000f
			row.groups[c], row.groups[c+chunks] = lo, hi
			total += lo + hi
		}
		row.sum = int32(total * 0x0001000100010001 >> 48)
		row.scale = math.Float32frombits(binary.LittleEndian.Uint32(record[scalesAt+4*r:]))
	}
}

// matmulPortable multiplies four pairs at a time in a 64-bit word. The lanes of one factor hold four weights, those of the
// other the four activations in reverse order, so the top lane of the product is the sum of the four products. Activations
// are moved from −128…127 to 0…255 first, and a weight is at most 15: four such products added up, 4·4·15·255, still fit
// into 16 bits, and so do the lower lanes, from which nothing may be carried over.
func matmulPortable(w *matrix, in *activations, out []float32) {
	blocks := in.blocks
	padded := in.tiles() * tileTokens
	for t := range padded {
		copy(out[t*w.rows:(t+1)*w.rows], w.bias)
	}
	var weights spread
	for panel := range w.rows / panelRows {
		for b := range blocks {
			weights.load(w.panels[(panel*blocks+b)*recordBytes:])
			for t := range in.tokens {
				i := in.at(t) + b*tileTokens
				weights.accumulate(out[t*w.rows+panel*panelRows:], in.q[i*blockLen:], in.scale[i], in.offset[i])
			}
		}
	}
}

// accumulate adds the block's part to the outputs of one token. q holds the token's 32 activations first.
func (s *spread) accumulate(out []float32, q []int8, scale float32, offset int32) {
	q = q[:blockLen]
	a0, a1, a2, a3 := reversed(q[0:4]), reversed(q[4:8]), reversed(q[8:12]), reversed(q[12:16])
	a4, a5, a6, a7 := reversed(q[16:20]), reversed(q[20:24]), reversed(q[24:28]), reversed(q[28:32])
	out = out[:panelRows]
	for r := range s {
		row := &s[r]
		g := &row.groups
		first := g[0]*a0 + g[1]*a1 + g[2]*a2 + g[3]*a3
		second := g[4]*a4 + g[5]*a5 + g[6]*a6 + g[7]*a7
		dot := int32(first>>48) + int32(second>>48) - 128*row.sum + offset
		out[r] += float32(float32(dot)*row.scale) * scale
	}
}

// reversed returns four activations, moved to 0…255, in lanes of 16 bits with the first at the top.
func reversed(q []int8) uint64 {
	return uint64(uint8(q[0])^0x80)<<48 | uint64(uint8(q[1])^0x80)<<32 | uint64(uint8(q[2])^0x80)<<16 | uint64(uint8(q[3])^0x80)
}

func quantizePortable(in *activations, token int, row []float32) {
	// Adding and subtracting 1.5·2²³ rounds to the nearest integer, ties to even; the low bits of the sum are the integer.
	const magic = 0x1.8p23
	at := in.at(token)
	for b := range in.blocks {
		x := row[b*blockLen:][:blockLen]
		largest := float32(0)
		for _, v := range x {
			largest = max(largest, v, -v)
		}
		i := at + b*tileTokens
		scale := largest / 127
		inverse := float32(0)
		if scale > 0 {
			inverse = 1 / scale
		}
		sum := int32(0)
		q := in.q[i*blockLen:][:blockLen]
		for j, v := range x {
			n := int32(math.Float32bits(float32(v*inverse)+magic)) - int32(math.Float32bits(magic))
			q[j] = int8(n)
			sum += n
		}
		in.scale[i], in.offset[i] = scale, -8*sum
	}
}

func geluPortable(x []float32) {
	for i, v := range x {
		x[i] = float32(0.5 * float64(v) * (1 + math.Erf(float64(v)/math.Sqrt2)))
	}
}

func addNormPortable(x, y []float32, n *norm) {
	sum := float32(0)
	for i, v := range y[:len(x)] {
		x[i] += v
		sum += x[i]
	}
	mean := sum / float32(len(x))
	variance := float32(0)
	for _, v := range x {
		variance += (v - mean) * (v - mean)
	}
	variance /= float32(len(x))
	inverse := float32(1 / math.Sqrt(float64(variance+n.epsilon)))
	for i, v := range x {
		x[i] = (v-mean)*inverse*n.weight[i] + n.bias[i]
	}
}

func softmaxPortable(row []float32, scale float32) float32 {
	largest := row[0]
	for _, v := range row {
		largest = max(largest, v)
	}
	sum := float32(0)
	for i, v := range row {
		row[i] = float32(math.Exp(float64((v - largest) * scale)))
		sum += row[i]
	}
	return sum
}

func multiplyPortable(p *product) {
	for r := 0; r < productRows; r += 2 {
		for j := 0; j < p.columns; j += 4 {
			multiply2x4(p, r, j)
		}
	}
}

// multiply2x4 computes 2 rows × 4 columns of a product, in variables that fit into registers.
func multiply2x4(p *product, r, j int) {
	var s00, s01, s02, s03, s10, s11, s12, s13 float32
	row0, row1 := p.a[r*p.strideA:][:p.depth], p.a[(r+1)*p.strideA:][:p.depth]
	for k, x := range row0 {
		y, b := row1[k], p.b[k*p.strideB+j:][:4]
		s00 += x * b[0]
		s01 += x * b[1]
		s02 += x * b[2]
		s03 += x * b[3]
		s10 += y * b[0]
		s11 += y * b[1]
		s12 += y * b[2]
		s13 += y * b[3]
	}
	c0, c1 := p.c[r*p.strideC+j:][:4], p.c[(r+1)*p.strideC+j:][:4]
	c0[0], c0[1], c0[2], c0[3] = s00, s01, s02, s03
	c1[0], c1[1], c1[2], c1[3] = s10, s11, s12, s13
}
