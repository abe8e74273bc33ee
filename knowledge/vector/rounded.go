package vector

import (
	"fmt"
	"math"
	"slices"
)

// Rounded holds vectors of one dimension as 8-bit integers with a scale for each
// vector. The zero value is not usable; see [NewRounded]. Any number of goroutines
// may read it at once; changes need it alone.
type Rounded struct {
	dim    int
	stride int // dim rounded up to what a kernel takes at a time; the rest is zeros
	k      *kernels
	n      int
	// Vectors lie in blocks, so that growing copies nothing and leaves nothing unused.
	blocks []block
	widest float32 // at least the largest scale; never falls
	norm   float32 // at least the largest length; never falls
}

// blockRows is how many vectors lie together: as many as one call of a kernel takes.
const blockRows = 256

type block struct {
	codes  []int8    // blockRows rows of stride
	scales []float32 // what a code of 1 stands for
}

// NewRounded returns an empty set of vectors of dim numbers, dim > 0.
func NewRounded(dim int) *Rounded {
	return &Rounded{dim: dim, stride: (dim + lane - 1) / lane * lane, k: availableKernels()[0]}
}

// Len returns how many vectors there are.
func (r *Rounded) Len() int { return r.n }

// Append adds a vector of the set's dimension, all of whose numbers are finite, as
// the last row.
func (r *Rounded) Append(v []float32) {
	if r.n == len(r.blocks)*blockRows {
		r.blocks = append(r.blocks, block{make([]int8, blockRows*r.stride), make([]float32, blockRows)})
	}
	r.n++
	r.Set(r.n-1, v)
}

// Set replaces row i.
func (r *Rounded) Set(i int, v []float32) {
	codes, scale := r.row(i)
	var norm float32
	*scale, norm = round(codes, v[:r.dim])
	r.widest = max(r.widest, *scale)
	r.norm = max(r.norm, norm)
}

// Remove takes row i out and puts the last row in its place.
func (r *Rounded) Remove(i int) {
	last := r.n - 1
	if i != last {
		codes, scale := r.row(i)
		lastCodes, lastScale := r.row(last)
		copy(codes, lastCodes)
		*scale = *lastScale
	}
	r.n = last
	// One empty block stays: a set whose size swings around a border must not
	// allocate each time.
	if blocks := (r.n + 2*blockRows - 1) / blockRows; blocks < len(r.blocks) {
		r.blocks = slices.Delete(r.blocks, blocks, len(r.blocks))
	}
}

func (r *Rounded) row(i int) (codes []int8, scale *float32) {
	b, i := &r.blocks[i/blockRows], i%blockRows
	return b.codes[i*r.stride:][:r.stride], &b.scales[i]
}

// round writes v as codes of −127…127 and returns what a code of 1 stands for, and
// the length of what it wrote.
func round(codes []int8, v []float32) (scale, norm float32) {
	var largest float32
	for _, x := range v {
		largest = max(largest, float32(math.Abs(float64(x))))
	}
	scale = largest / 127
	var inverse float32
	if scale > 0 {
		inverse = 1 / scale
	}
	if math.IsInf(float64(inverse), 0) { // a vector of nearly nothing counts as zero
		scale, inverse = 0, 0
	}
	sum := 0
	for i, x := range v {
		c := int(nearest(x * inverse))
		codes[i] = int8(c)
		sum += c * c
	}
	clear(codes[len(v):])
	return scale, scale * float32(math.Sqrt(float64(sum)))
}

// nearest returns the integer nearest to a small x: adding 1.5·2²³ leaves no room
// for a fraction.
func nearest(x float32) int32 {
	const magic = 3 << 22
	return int32(math.Float32bits(x+magic)) - int32(math.Float32bits(magic))
}

// certainty bounds how far a rounded similarity is from the exact one, in units of
// √(s²‖q‖² + t²‖v‖²), s and t being the scales of the row v and the query q. An
// error of rounding lies evenly between −½ and ½ of a scale, which is sub-Gaussian
// with the variance s²/12 (Arbel, Marchal and Nguyen 2020), so a weighted sum of
// many goes beyond x units with a probability of at most 2·exp(−6x²): 1e-16 at 2.5.
const certainty = 2.5

// margin is certainty, or the bound of Cauchy and Schwarz where that is lower: in
// few dimensions.
func (r *Rounded) margin() float64 { return min(certainty, math.Sqrt(float64(r.dim)/2)) }

// Candidates returns rows from begin to before end among which are the k with the
// highest inner product with query, in no order; ties of the last of them are all
// included. keep, if given, tells which rows may be returned. The rows miss one of
// the k with a probability below 1e-10 in a search of a million rows, provided that
// errors of rounding are independent, as they are in vectors of embedders. The
// error wraps nothing and means that query is not of the set's dimension.
func (r *Rounded) Candidates(query []float32, k, begin, end int, keep func(row int) bool) ([]int, error) {
	if len(query) != r.dim {
		return nil, fmt.Errorf("query of %d numbers for vectors of %d", len(query), r.dim)
	}
	if k <= 0 || begin >= end {
		return nil, nil
	}
	s := r.newSieve(query, k)
	for row := begin; row < end; {
		b := r.blocks[row/blockRows]
		first := row % blockRows
		n := min(blockRows-first, end-row)
		r.k.dots(s.codes, b.codes[first*r.stride:], s.dots[:n])
		s.sift(row, b.scales[first:][:n], keep)
		row += n
	}
	return s.rows(), nil
}

// sieve keeps the rows that may still be among the k best.
type sieve struct {
	codes []int8 // of the query
	scale float32
	dots  []int32 // of one block

	margin     float32 // of every row: the widest
	wide, tall float64 // squared parts of the margin of one: times its scale², and what the query adds
	certainty  float64
	slack      float32 // for roundings of float32

	k         int
	lows      []float32 // a heap of the k highest lower bounds, the lowest on top
	threshold float32   // the lowest of lows, once there are k
	found     []candidate
}

type candidate struct {
	row   int
	upper float32 // at least its similarity
}

func (r *Rounded) newSieve(query []float32, k int) *sieve {
	s := &sieve{codes: make([]int8, r.stride), dots: make([]int32, blockRows), k: k, threshold: float32(math.Inf(-1))}
	s.scale, _ = round(s.codes, query)
	s.wide = float64(Dot(query, query))
	tall := float64(s.scale) * float64(r.norm)
	s.tall = tall * tall
	s.certainty = r.margin()
	s.slack = 1e-6 * float32(math.Sqrt(s.wide)) * r.norm
	s.margin = s.marginOf(r.widest)
	s.lows = make([]float32, 0, min(k, r.n))
	s.found = make([]candidate, 0, min(8*k, r.n))
	return s
}

// marginOf bounds the error of a row with the scale given.
func (s *sieve) marginOf(scale float32) float32 {
	return float32(s.certainty*math.Sqrt(float64(scale)*float64(scale)*s.wide+s.tall)) + s.slack
}

// sift looks at rows from first on, whose inner products are in dots.
func (s *sieve) sift(first int, scales []float32, keep func(row int) bool) {
	dots := s.dots[:len(scales)]
	for i, scale := range scales {
		similarity := float32(dots[i]) * scale * s.scale
		if similarity+s.margin < s.threshold || keep != nil && !keep(first+i) {
			continue
		}
		margin := s.marginOf(scale)
		if similarity+margin < s.threshold {
			continue
		}
		s.keep(candidate{first + i, similarity + margin})
		s.push(similarity - margin)
	}
}

// keep remembers a candidate. Before it takes more memory it forgets those that
// have fallen behind.
func (s *sieve) keep(c candidate) {
	if len(s.found) == cap(s.found) {
		s.found = slices.DeleteFunc(s.found, func(c candidate) bool { return c.upper < s.threshold })
		s.found = slices.Grow(s.found, cap(s.found)/2)
	}
	s.found = append(s.found, c)
}

// push takes in a lower bound.
func (s *sieve) push(low float32) {
	if len(s.lows) < s.k {
		s.lows = append(s.lows, low)
		if len(s.lows) == s.k {
			slices.Sort(s.lows) // a sorted list is a heap
			s.threshold = s.lows[0]
		}
		return
	}
	if low <= s.lows[0] {
		return
	}
	h, i := s.lows, 0
	for {
		child := 2*i + 1
		if child >= len(h) {
			break
		}
		if child+1 < len(h) && h[child+1] < h[child] {
			child++
		}
		if low <= h[child] {
			break
		}
		h[i] = h[child]
		i = child
	}
	h[i] = low
	s.threshold = h[0]
}

// rows returns those that no k others are certainly better than.
func (s *sieve) rows() []int {
	out := make([]int, 0, min(len(s.found), 4*s.k))
	for _, c := range s.found {
		if c.upper >= s.threshold {
			out = append(out, c.row)
		}
	}
	return out
}
