package e5

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// attentionReference returns value i of the context of a token: the values of the window weighted by the softmax of the scaled
// products of its query with the keys. Rows hold queries, keys and values, dim of each.
func attentionReference(rows []float32, dim, width, tokens, token, i int) float64 {
	row := func(t, part int) []float32 { return rows[(3*t+part)*dim:][:dim] }
	head := i / width * width
	sum, weighted := 0.0, 0.0
	for t := range tokens {
		product := 0.0
		for j := head; j < head+width; j++ {
			product += float64(row(token, 0)[j]) * float64(row(t, 1)[j])
		}
		e := math.Exp(product / math.Sqrt(float64(width)))
		sum += e
		weighted += e * float64(row(t, 2)[i])
	}
	return weighted / sum
}

func TestAttention(t *testing.T) {
	t.Parallel()
	check(t, func(t *rapid.T, k *kernels, random *rand.Rand) {
		m := &Model{dim: 64, heads: rapid.SampledFrom([]int{1, 2, 4}).Draw(t, "heads"), kernels: k}
		lengths := rapid.SliceOfN(rapid.IntRange(2, 37), 1, 3).Draw(t, "tokens of the windows")
		total := 0
		for _, n := range lengths {
			total += n
		}
		s := &scratch{
			projected: normals(random, (total+productRows)*3*m.dim),
			context:   normals(random, (total+productRows)*m.dim),
		}
		for i := range s.projected {
			s.projected[i] = min(max(s.projected[i], -4), 4)
		}
		first := 0
		for _, n := range lengths {
			m.attend(s, first, n)
			first += n
		}
		first = 0
		for _, n := range lengths {
			for range 20 {
				token, i := random.IntN(n), random.IntN(m.dim)
				want := attentionReference(s.projected[first*3*m.dim:], m.dim, m.dim/m.heads, n, token, i)
				near(t, "context", s.context[(first+token)*m.dim+i], want, 2e-5)
			}
			first += n
		}
	})
}
