package memory_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/memory"
)

func unit(r *rand.Rand, dim int) []float32 {
	v := make([]float32, dim)
	var sum float64
	for i := range v {
		f := r.NormFloat64()
		v[i] = float32(f)
		sum += f * f
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(sum))
	}
	return v
}

// BenchmarkNearest looks among 10,000 vectors of the built-in embedder's size,
// and reports how many times as long a plain loop over them takes.
func BenchmarkNearest(b *testing.B) {
	const dim, n = 384, 10_000
	r := rand.New(rand.NewPCG(1, 2))
	x, err := memory.New(dim)
	if err != nil {
		b.Fatal(err)
	}
	vectors := make([]knowledge.Vector, n)
	for i := range vectors {
		vectors[i] = knowledge.Vector{Key: knowledge.PhrasingKey(int64(i)), Question: "q", Values: unit(r, dim)}
	}
	if err := x.Upsert(context.Background(), vectors); err != nil {
		b.Fatal(err)
	}
	query := unit(r, dim)
	for b.Loop() {
		if _, err := x.Nearest(context.Background(), query, 50, nil); err != nil {
			b.Fatal(err)
		}
	}
	ours := b.Elapsed() / time.Duration(b.N)
	begun, best := time.Now(), float32(-1)
	for _, v := range vectors {
		best = max(best, plainDot(query, v.Values))
	}
	b.ReportMetric(float64(time.Since(begun))/float64(ours), "times-faster-than-plain")
	if best < 0 {
		b.Fatal("no vector is near")
	}
}

func plainDot(a, b []float32) float32 {
	var sum float32
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}
