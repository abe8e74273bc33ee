package e5

// kernels are the inner loops of the network for one kind of processor. All of them compute the same functions; the vector
// ones differ from the portable ones by rounding only.
type kernels struct {
	name string

	// matmul sets out[t] = w·in[t] + w.bias for every token t of in, in rows of w.rows values. It also writes the rows
	// that pad the last tile, which mean nothing.
	matmul func(w *matrix, in *activations, out []float32)
	// quantize stores row as the activations of a token.
	quantize func(in *activations, token int, row []float32)
	// gelu replaces each x by x·Φ(x), Φ being the normal distribution function.
	gelu func(x []float32)
	// addNorm adds y to x, then normalises x to mean 0 and variance 1 and applies the norm's weight and bias.
	addNorm func(x, y []float32, n *norm)
	// softmax replaces each x by exp(scale·(x−max)) and returns the sum of the results. len(row) is a multiple of 8.
	softmax func(row []float32, scale float32) float32
	// multiply sets c = a·b.
	multiply func(p *product)
}

// product is a small dense product c = a·b of float32 matrices: c has productRows rows and columns columns, a has depth columns.
// Strides are the distances between rows, in values. columns is a multiple of productColumns.
type product struct {
	a, b, c                   []float32
	strideA, strideB, strideC int
	depth, columns            int
}

const (
	productRows    = 4
	productColumns = 16
)

// norm is a layer normalisation with its learnt weight and bias.
type norm struct {
	weight, bias []float32
	epsilon      float32
}

// portableKernels works on every processor.
func portableKernels() *kernels {
	return &kernels{
		name:     "portable",
		matmul:   matmulPortable,
		quantize: quantizePortable,
		gelu:     geluPortable,
		addNorm:  addNormPortable,
		softmax:  softmaxPortable,
		multiply: multiplyPortable,
	}
}
