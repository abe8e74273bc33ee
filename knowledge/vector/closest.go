package vector

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// Tiles of this many rows of both sets are compared at a time: those of the pool
// stay in the processor's first cache meanwhile.
const (
	tileRows = 128
	tilePool = 64
)

// Closest returns, for every vector of rows, the k highest inner products with
// vectors of pool, highest first: row i has those from i·k on. Where the pool has
// fewer than k vectors, k is what it has. The products are those of the rounded
// vectors, which for unit vectors of some hundred dimensions are within 0.001 or
// two of the exact ones. All processors work; a core takes about a second for 10⁸
// pairs of 384 dimensions with AVX2, half of that with AVX-512. The error is that
// of ctx, or says that the dimensions differ.
//
// It is meant for measures of a whole base, such as how close each vector is to a
// pool of everyday texts (the hubness of Radovanović, Nanopoulos and Ivanović 2010,
// corrected as in Conneau et al. 2018, §2.3).
func Closest(ctx context.Context, rows, pool *Rounded, k int) ([]float32, error) {
	if rows.dim != pool.dim {
		return nil, fmt.Errorf("vectors of %d and %d numbers", rows.dim, pool.dim)
	}
	if k = min(k, pool.n); k <= 0 {
		return nil, ctx.Err()
	}
	out := make([]float32, rows.n*k)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			dots := make([]int32, tilePool)
			for ctx.Err() == nil {
				begin := int(next.Add(tileRows)) - tileRows
				if begin >= rows.n {
					return
				}
				closestOf(rows, begin, pool, dots, out[begin*k:min(begin+tileRows, rows.n)*k])
			}
		})
	}
	wg.Wait()
	return out, ctx.Err()
}

// closestOf fills out, the k best for each of the rows from begin on.
func closestOf(rows *Rounded, begin int, pool *Rounded, dots []int32, out []float32) {
	k := len(out) / min(tileRows, rows.n-begin)
	for first := 0; first < pool.n; first += tilePool {
		b, at := pool.blocks[first/blockRows], first%blockRows
		n := min(tilePool, pool.n-first)
		for i := range len(out) / k {
			codes, scale := rows.row(begin + i)
			rows.k.dots(codes, b.codes[at*pool.stride:], dots[:n])
			insertBest(out[i*k:][:min(k, first+n)], min(k, first), dots[:n], b.scales[at:], *scale)
		}
	}
}

// insertBest merges products into best, which holds filled of them in descending
// order and has room for min(len(best), filled+len(dots)).
func insertBest(best []float32, filled int, dots []int32, scales []float32, scale float32) {
	for i, d := range dots {
		x := float32(d) * scales[i] * scale
		switch {
		case filled < len(best):
			filled++
		case x <= best[filled-1]:
			continue
		}
		at := filled - 1
		for at > 0 && best[at-1] < x {
			best[at] = best[at-1]
			at--
		}
		best[at] = x
	}
}
