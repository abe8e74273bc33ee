package milvus_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/memory"
)

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

// sizes are those of the bases that are searched: NASTAVNIK_BENCH_VECTORS names one
// more.
func sizes(b *testing.B) []int {
	b.Helper()
	out := []int{1_000, 10_000}
	if more := os.Getenv("NASTAVNIK_BENCH_VECTORS"); more != "" {
		n, err := strconv.Atoi(more)
		if err != nil {
			b.Fatal(err)
		}
		out = append(out, n)
	}
	return out
}

// BenchmarkNearest searches among vectors of the built-in embedder's size, in Milvus
// and in the memory of the process. It reports the median and the 99th percentile of
// a search, how many times as long as in memory the median is, which part of the
// nearest is found, and what writing and indexing took.
func BenchmarkNearest(b *testing.B) {
	const dim, k = 384, 100
	for _, n := range sizes(b) {
		r := rand.New(rand.NewPCG(1, 2))
		middles := make([][]float32, max(1, n/500)) // subjects
		base := unit(r, dim)
		for i := range middles {
			middles[i] = like(r, base)
		}
		near := func() []float32 { return like(r, middles[r.IntN(len(middles))]) }
		vectors := make([]knowledge.Vector, n)
		for i := range vectors {
			vectors[i] = knowledge.Vector{Key: knowledge.PhrasingKey(int64(i)), Kind: knowledge.QueryText, Question: fmt.Sprint("q", i/3), Topic: "t", Values: near()}
		}
		ram, err := memory.New(dim)
		if err != nil {
			b.Fatal(err)
		}
		ctx := context.Background()
		if err := ram.Upsert(ctx, vectors); err != nil {
			b.Fatal(err)
		}
		o := fresh(b, dim)
		o.Timeout = 20 * time.Second
		x := open(b, o)
		rebuild := begin(b, x)
		began := time.Now()
		if err := rebuild.Upsert(ctx, vectors); err != nil {
			b.Fatal(err)
		}
		written := time.Since(began)
		if err := rebuild.Swap(ctx); err != nil {
			b.Fatal(err)
		}
		indexed := time.Since(began)
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			var there, here []time.Duration
			same, all := 0, 0
			for b.Loop() {
				p := knowledge.Probe{Values: near(), K: k}
				want, tookHere := timed(b, ram, p)
				got, tookThere := timed(b, x, p)
				here, there = append(here, tookHere), append(there, tookThere)
				all += len(want)
				for _, h := range want {
					if slices.ContainsFunc(got, func(g knowledge.VectorHit) bool { return g.Key == h.Key }) {
						same++
					}
				}
			}
			slices.Sort(here)
			slices.Sort(there)
			b.ReportMetric(there[len(there)/2].Seconds()*1e3, "p50-ms")
			b.ReportMetric(there[len(there)*99/100].Seconds()*1e3, "p99-ms")
			b.ReportMetric(float64(there[len(there)/2])/float64(here[len(here)/2]), "times-memory")
			b.ReportMetric(float64(same)/float64(all), "recall")
			b.ReportMetric(float64(n)/written.Seconds(), "written/s")
			b.ReportMetric(indexed.Seconds(), "indexed-s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func timed(b *testing.B, x knowledge.Index, p knowledge.Probe) ([]knowledge.VectorHit, time.Duration) {
	b.Helper()
	began := time.Now()
	hits, err := x.Nearest(context.Background(), p)
	if err != nil || len(hits) != p.K {
		b.Fatalf("%d hits, %v", len(hits), err)
	}
	return hits, time.Since(began)
}
