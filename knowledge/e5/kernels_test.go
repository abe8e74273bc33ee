package e5

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/knowledge/e5/weightfile"
)

// forEachKernels runs a test with all kernels that this processor has.
func forEachKernels(t *testing.T, test func(t *testing.T, k *kernels)) {
	t.Helper()
	for _, k := range availableKernels() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			test(t, k)
		})
	}
}

// check runs a property of all kernels with random numbers.
func check(t *testing.T, property func(t *rapid.T, k *kernels, random *rand.Rand)) {
	t.Helper()
	forEachKernels(t, func(t *testing.T, k *kernels) {
		t.Helper()
		rapid.Check(t, func(t *rapid.T) {
			property(t, k, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)))
		})
	})
}

// normals returns n normally distributed numbers, a few of them far out, as states of tokens have them.
func normals(random *rand.Rand, n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(random.NormFloat64())
		if random.IntN(50) == 0 {
			out[i] *= 30
		}
	}
	return out
}

// near fails unless got differs from want by at most the given amount.
func near(t *rapid.T, what string, got float32, want, tolerance float64) {
	if !(math.Abs(float64(got)-want) <= tolerance) {
		t.Fatalf("%s: got %g, want %g ± %g", what, got, want, tolerance)
	}
}

// randomRows returns the Q4_0 bytes of so many blocks.
func randomRows(random *rand.Rand, blocks int) []byte {
	var out []byte
	for range blocks {
		out = binary.LittleEndian.AppendUint16(out, uint16(random.IntN(2))<<15|0x2000|uint16(random.IntN(1<<12)))
		for range weightfile.BlockBytes - 2 {
			out = append(out, byte(random.IntN(256)))
		}
	}
	return out
}

// weight returns weight i of Q4_0 bytes, from the description of the format.
func weight(rows []byte, i int) float64 {
	block := rows[i/32*18:]
	half := block[2+i%16] & 15
	if i%32 >= 16 {
		half = block[2+i%16] >> 4
	}
	return float64(float16(binary.LittleEndian.Uint16(block))) * (float64(half) - 8)
}

// checkMatmul compares a product with the sum that defines it.
func checkMatmul(t *rapid.T, k *kernels, w *matrix, rows []byte, values []float32, tokens int) {
	var in activations
	in.reset(tokens, w.columns)
	for token := range tokens {
		k.quantize(&in, token, values[token*w.columns:][:w.columns])
	}
	out := make([]float32, in.tiles()*tileTokens*w.rows)
	k.matmul(w, &in, out)
	for token := range tokens {
		for r := range w.rows {
			want, size := float64(w.bias[r]), math.Abs(float64(w.bias[r]))
			for c := range w.columns {
				at := in.at(token) + c/32*tileTokens
				term := weight(rows, r*w.columns+c) * float64(in.scale[at]) * float64(in.q[at*32+c%32])
				want += term
				size += math.Abs(term)
			}
			near(t, "product", out[token*w.rows+r], want, 1e-6*size)
		}
	}
}

func TestMatmul(t *testing.T) {
	t.Parallel()
	check(t, func(t *rapid.T, k *kernels, random *rand.Rand) {
		panels := rapid.IntRange(1, 3).Draw(t, "panels")
		blocks := rapid.IntRange(1, 7).Draw(t, "blocks")
		tokens := rapid.IntRange(1, 21).Draw(t, "tokens")
		w := newMatrix(panels*panelRows, blocks*blockLen)
		rows := randomRows(random, w.rows*blocks)
		if err := w.setRows(0, rows); err != nil {
			t.Fatal(err)
		}
		copy(w.bias, normals(random, w.rows))
		checkMatmul(t, k, w, rows, normals(random, tokens*w.columns), tokens)
	})
}

// The greatest products must not overflow the integers in which kernels add them up.
func TestMatmulOfExtremes(t *testing.T) {
	t.Parallel()
	check(t, func(t *rapid.T, k *kernels, _ *rand.Rand) {
		half := rapid.SampledFrom([]byte{0x00, 0x0f, 0xf0, 0xff}).Draw(t, "weights")
		sign := rapid.SampledFrom([]float32{-1, 1}).Draw(t, "activations")
		const blocks, tokens = 48, 5
		w := newMatrix(panelRows, blocks*blockLen)
		rows := make([]byte, w.rows*blocks*weightfile.BlockBytes)
		for i := range rows {
			rows[i] = half
			if i%weightfile.BlockBytes < 2 {
				rows[i] = 0x30 // a float16 of about 0.13
			}
		}
		if err := w.setRows(0, rows); err != nil {
			t.Fatal(err)
		}
		values := make([]float32, tokens*w.columns)
		for i := range values {
			values[i] = sign
		}
		checkMatmul(t, k, w, rows, values, tokens)
	})
}

// A token's outputs must not depend on which tokens stand beside it, bit for bit: or vectors would depend on the batch.
func TestMatmulTakesTokensOneByOne(t *testing.T) {
	t.Parallel()
	check(t, func(t *rapid.T, k *kernels, random *rand.Rand) {
		tokens := rapid.IntRange(1, 21).Draw(t, "tokens")
		w := newMatrix(panelRows, 2*blockLen)
		if err := w.setRows(0, randomRows(random, w.rows*2)); err != nil {
			t.Fatal(err)
		}
		product := func(values []float32) []float32 {
			n := len(values) / w.columns
			var in activations
			in.reset(n, w.columns)
			for token := range n {
				k.quantize(&in, token, values[token*w.columns:][:w.columns])
			}
			out := make([]float32, in.tiles()*tileTokens*w.rows)
			k.matmul(w, &in, out)
			return out
		}
		values := normals(random, tokens*w.columns)
		together := product(values)
		for token := range tokens {
			alone := product(values[token*w.columns:][:w.columns])
			for r := range w.rows {
				if got := together[token*w.rows+r]; got != alone[r] {
					t.Fatalf("output %d of token %d of %d: %g, alone %g", r, token, tokens, got, alone[r])
				}
			}
		}
	})
}

func TestSetRowsRefusesBadScale(t *testing.T) {
	t.Parallel()
	rows := make([]byte, panelRows*weightfile.BlockBytes)
	binary.LittleEndian.PutUint16(rows[3*weightfile.BlockBytes:], 0x7e00) // not a number
	err := newMatrix(panelRows, blockLen).setRows(0, rows)
	if err == nil || err.Error() != "row 3, block 0: the scale is NaN" {
		t.Errorf("got %v", err)
	}
}

func TestQuantize(t *testing.T) {
	t.Parallel()
	check(t, func(t *rapid.T, k *kernels, random *rand.Rand) {
		blocks := rapid.IntRange(1, 5).Draw(t, "blocks")
		token := rapid.IntRange(0, 6).Draw(t, "token")
		row := normals(random, blocks*blockLen)
		if zero := rapid.IntRange(-1, blocks-1).Draw(t, "block of zeros"); zero >= 0 {
			clear(row[zero*blockLen:][:blockLen])
		}
		var in activations
		in.reset(token+1, len(row))
		k.quantize(&in, token, row)
		for b := range blocks {
			at := in.at(token) + b*tileTokens
			largest, sum := 0.0, int32(0)
			for j, v := range row[b*blockLen:][:blockLen] {
				q := in.q[at*blockLen+j]
				largest = max(largest, math.Abs(float64(v)))
				sum += int32(q)
				near(t, "value", float32(q)*in.scale[at], float64(v), 0.5001*float64(in.scale[at]))
			}
			near(t, "scale", in.scale[at], largest/127, 1e-6*largest)
			if in.offset[at] != -8*sum {
				t.Fatalf("offset %d, the sum is %d", in.offset[at], sum)
			}
		}
	})
}

func TestGELU(t *testing.T) {
	t.Parallel()
	check(t, func(t *rapid.T, k *kernels, random *rand.Rand) {
		x := append(normals(random, rapid.IntRange(0, 40).Draw(t, "length")), 0, -1e-30, 1e-30, -100, 100, 1e6, -1e6)
		got := append([]float32(nil), x...)
		k.gelu(got)
		for i, v := range x {
			want := float64(v) * 0.5 * math.Erfc(-float64(v)/math.Sqrt2)
			near(t, "GELU", got[i], want, 2e-7*max(1, math.Abs(float64(v))))
		}
	})
}

func TestAddNorm(t *testing.T) {
	t.Parallel()
	check(t, func(t *rapid.T, k *kernels, random *rand.Rand) {
		n := rapid.IntRange(1, 70).Draw(t, "length")
		x, y := normals(random, n), normals(random, n)
		layer := norm{weight: normals(random, n), bias: normals(random, n), epsilon: 1e-3}
		mean, variance := 0.0, 0.0
		for i := range x {
			mean += (float64(x[i]) + float64(y[i])) / float64(n)
		}
		for i := range x {
			d := float64(x[i]) + float64(y[i]) - mean
			variance += d * d / float64(n)
		}
		got := append([]float32(nil), x...)
		k.addNorm(got, y, &layer)
		for i := range x {
			z := (float64(x[i]) + float64(y[i]) - mean) / math.Sqrt(variance+1e-3)
			size := 1 + math.Abs(z)*math.Abs(float64(layer.weight[i]))
			near(t, "normalised", got[i], z*float64(layer.weight[i])+float64(layer.bias[i]), 2e-4*size)
		}
	})
}

func TestSoftmax(t *testing.T) {
	t.Parallel()
	check(t, func(t *rapid.T, k *kernels, random *rand.Rand) {
		row := normals(random, 8*rapid.IntRange(1, 9).Draw(t, "eights"))
		row[random.IntN(len(row))] = -math.MaxFloat32 / 2
		largest := math.Inf(-1)
		for _, v := range row {
			largest = max(largest, float64(v))
		}
		got := append([]float32(nil), row...)
		sum := k.softmax(got, 0.25)
		want := 0.0
		for i, v := range row {
			e := math.Exp((float64(v) - largest) / 4)
			want += e
			near(t, "exp", got[i], e, 2e-6*e+1e-37)
		}
		near(t, "sum", sum, want, 1e-5*want)
	})
}

func TestMultiply(t *testing.T) {
	t.Parallel()
	check(t, func(t *rapid.T, k *kernels, random *rand.Rand) {
		depth := rapid.IntRange(1, 40).Draw(t, "depth")
		columns := productColumns * rapid.IntRange(1, 4).Draw(t, "columns/16")
		extra := rapid.IntRange(0, 5).Draw(t, "values between rows")
		p := product{
			strideA: depth + extra, strideB: columns + extra, strideC: columns + extra,
			depth: depth, columns: columns,
		}
		p.a = normals(random, (productRows-1)*p.strideA+depth)
		p.b = normals(random, (depth-1)*p.strideB+columns)
		p.c = make([]float32, productRows*p.strideC)
		k.multiply(&p)
		for i, got := range p.c {
			r, c := i/p.strideC, i%p.strideC
			if c >= columns {
				if got != 0 {
					t.Fatalf("wrote %g between the rows", got)
				}
				continue
			}
			want, size := 0.0, 0.0
			for d := range depth {
				term := float64(p.a[r*p.strideA+d]) * float64(p.b[d*p.strideB+c])
				want += term
				size += math.Abs(term)
			}
			near(t, "product", got, want, 1e-5*size)
		}
	})
}

func TestFloat16(t *testing.T) {
	t.Parallel()
	for h := range 1 << 16 {
		exponent, fraction := h>>10&31, float64(h&0x3ff)/1024
		want := math.Ldexp(1+fraction, exponent-15)
		switch {
		case exponent == 0:
			want = math.Ldexp(fraction, -14)
		case exponent == 31 && fraction == 0:
			want = math.Inf(1)
		case exponent == 31:
			want = math.NaN()
		}
		if h>>15 == 1 {
			want = -want
		}
		got := float64(float16(uint16(h)))
		if got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Fatalf("%#04x is %g, want %g", h, got, want)
		}
	}
}
