package memory_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
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

// like returns a unit vector as close to middle as texts on one subject are by an
// embedder: a cosine of about 0.9, and 0.8 to another of them.
func like(r *rand.Rand, middle []float32) []float32 {
	v := unit(r, len(middle))
	var sum float64
	for i := range v {
		v[i] = v[i]/2 + middle[i]
		sum += float64(v[i]) * float64(v[i])
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(sum))
	}
	return v
}

// BenchmarkNearest looks among vectors of the built-in embedder's size. It reports
// the median and the 99th percentile of a search, and how many times as long a
// plain loop over all the numbers takes.
func BenchmarkNearest(b *testing.B) {
	const dim, k = 384, 100
	for _, n := range []int{10_000, 100_000} {
		r := rand.New(rand.NewPCG(1, 2))
		middle := unit(r, dim)
		x, vectors := filled(b, r, n, middle)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				query := like(r, middle)
				began := time.Now()
				if _, err := x.Nearest(context.Background(), knowledge.Probe{Values: query, K: k}); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			began, best, query := time.Now(), float32(-1), like(r, middle)
			for _, v := range vectors {
				best = max(best, plainDot(query, v.Values))
			}
			b.ReportMetric(float64(time.Since(began))/float64(took[len(took)/2]), "times-faster-than-plain")
			b.ReportMetric(took[len(took)/2].Seconds()*1e3, "p50-ms")
			b.ReportMetric(took[len(took)*99/100].Seconds()*1e3, "p99-ms")
			b.ReportMetric(0, "ns/op")
			if best < 0 {
				b.Fatal("no vector is near")
			}
		})
	}
}

// filled returns an index of n vectors around a middle, and the vectors.
func filled(tb testing.TB, r *rand.Rand, n int, middle []float32) (*memory.Index, []knowledge.Vector) {
	tb.Helper()
	x := open(tb, len(middle))
	vectors := make([]knowledge.Vector, n)
	for i := range vectors {
		vectors[i] = knowledge.Vector{Key: knowledge.PhrasingKey(int64(i)), Question: "q", Values: like(r, middle)}
	}
	if err := x.Upsert(context.Background(), vectors); err != nil {
		tb.Fatal(err)
	}
	return x, vectors
}

func plainDot(a, b []float32) float32 {
	var sum float32
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}
