package e5

import "math"

// attention computes scaled dot-product attention (Vaswani et al., "Attention Is All You Need", 2017, section 3.2.1) for the
// tokens of one window.
type attention struct {
	kernels *kernels
	tokens  int
	width   int // of one head
	stride  int // from one token's queries to the next's
	padded  int // tokens, rounded up to what kernels take

	keys   []float32 // of one head, transposed: width rows, a column for each token
	scores []float32 // of productRows tokens, a row each

	product product // here, and not where it is used, so as not to be allocated again and again
}

// attend sets the contexts of one window, whose tokens are rows first to first+n of s.projected. It computes productRows contexts
// at a time and so may spoil those of up to productRows−1 tokens that follow: windows are to be taken in their order.
func (m *Model) attend(s *scratch, first, n int) {
	a := &s.attention
	a.kernels, a.tokens = m.kernels, n
	a.width, a.stride = m.dim/m.heads, 3*m.dim
	a.padded = (n + productColumns - 1) / productColumns * productColumns
	a.keys = grow(a.keys, a.width*a.padded)
	a.scores = grow(a.scores, productRows*a.padded)
	for head := range m.heads {
		at := head * a.width
		queries := s.projected[first*a.stride+at:]
		a.loadKeys(queries[m.dim:])
		for t := 0; t < n; t += productRows {
			sums := a.weigh(queries[t*a.stride:])
			a.gather(s.context[(first+t)*m.dim+at:], m.dim, queries[2*m.dim:], sums[:min(productRows, n-t)])
		}
	}
}

// loadKeys transposes the keys of a head. Columns beyond the last token are arbitrary.
func (a *attention) loadKeys(keys []float32) {
	for i := range a.width {
		row := a.keys[i*a.padded:][:a.padded]
		for t := range a.tokens {
			row[t] = keys[t*a.stride+i]
		}
	}
}

// weigh sets the scores of productRows tokens to exp of the scaled products of their queries with all keys, and returns the
// sums of the rows.
func (a *attention) weigh(queries []float32) (sums [productRows]float32) {
	a.product = product{
		a: queries, strideA: a.stride, depth: a.width,
		b: a.keys, strideB: a.padded, columns: a.padded,
		c: a.scores, strideC: a.padded,
	}
	a.kernels.multiply(&a.product)
	scale := float32(1 / math.Sqrt(float64(a.width)))
	for r := range sums {
		row := a.scores[r*a.padded:][:a.padded]
		for i := a.tokens; i < len(row); i++ {
			row[i] = -math.MaxFloat32 / 2 // no share for what is no token
		}
		sums[r] = a.kernels.softmax(row, scale)
	}
	return sums
}

// gather sets contexts, rows of out at the given stride, to the values weighted by the scores: as many as there are sums, and
// arbitrary ones up to productRows.
func (a *attention) gather(out []float32, stride int, values, sums []float32) {
	a.product = product{
		a: a.scores, strideA: a.padded, depth: a.tokens,
		b: values, strideB: a.stride, columns: a.width,
		c: out, strideC: stride,
	}
	a.kernels.multiply(&a.product)
	for r, sum := range sums {
		inverse := 1 / sum
		row := out[r*stride:][:a.width]
		for i := range row {
			row[i] *= inverse
		}
	}
}
