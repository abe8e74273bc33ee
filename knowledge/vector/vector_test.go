package vector

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// forEachKernels runs a property of all kernels that this processor has.
func forEachKernels(t *testing.T, property func(t *rapid.T, k *kernels, random *rand.Rand)) {
	t.Helper()
	for _, k := range availableKernels() {
		t.Run(k.name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				property(t, k, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)))
			})
		})
	}
}

// unit returns a random vector of length 1 around a middle, nil for none.
func unit(random *rand.Rand, dim int, middle []float32) []float32 {
	v, sum := make([]float32, dim), 0.0
	for i := range v {
		x := random.NormFloat64() / math.Sqrt(float64(dim))
		if middle != nil {
			x = x/2 + float64(middle[i])
		}
		v[i] = float32(x)
		sum += x * x
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(sum))
	}
	return v
}

// crowd returns n unit vectors as close to each other as those of embedders are.
func crowd(random *rand.Rand, n, dim int) [][]float32 {
	middle := unit(random, dim, nil)
	out := make([][]float32, n)
	for i := range out {
		out[i] = unit(random, dim, middle)
	}
	return out
}

func exact(a, b []float32) float64 {
	var sum float64
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

func rounded(k *kernels, dim int, vectors [][]float32) *Rounded {
	r := NewRounded(dim)
	if k != nil {
		r.k = k
	}
	for _, v := range vectors {
		r.Append(v)
	}
	return r
}

func TestDotsAreExact(t *testing.T) {
	forEachKernels(t, func(t *rapid.T, k *kernels, random *rand.Rand) {
		stride := lane * rapid.IntRange(1, 7).Draw(t, "lanes")
		n := rapid.IntRange(0, 13).Draw(t, "rows")
		extreme := rapid.Bool().Draw(t, "extreme")
		code := func() int8 {
			if extreme {
				return int8(254*random.IntN(2) - 127)
			}
			return int8(random.IntN(255) - 127)
		}
		query, rows := make([]int8, stride), make([]int8, n*stride)
		for i := range query {
			query[i] = code()
		}
		for i := range rows {
			rows[i] = code()
		}
		if extreme && n > 0 { // the largest sum there is
			copy(rows, query)
		}
		out := make([]int32, n)
		k.dots(query, rows, out)
		for i, got := range out {
			var want int32
			for j, q := range query {
				want += int32(q) * int32(rows[i*stride+j])
			}
			if got != want {
				t.Fatalf("row %d of %d: %d, want %d", i, n, got, want)
			}
		}
	})
}

func TestDot(t *testing.T) {
	forEachKernels(t, func(t *rapid.T, k *kernels, random *rand.Rand) {
		n := rapid.IntRange(0, 100).Draw(t, "length")
		a, b := make([]float32, n), make([]float32, n)
		var size float64
		for i := range a {
			a[i], b[i] = float32(random.NormFloat64()), float32(random.NormFloat64())
			size += math.Abs(float64(a[i]) * float64(b[i]))
		}
		if got, want := float64(k.dot(a, b)), exact(a, b); math.Abs(got-want) > 1e-6*size {
			t.Fatalf("%v, want %v", got, want)
		}
	})
	if got := Dot([]float32{1, 2, 3}, []float32{4, 5}); got != 14 {
		t.Errorf("of different lengths: %v", got)
	}
}

// The kernels agree on what they choose, whatever the processor.
func TestCandidatesHoldTheNearest(t *testing.T) {
	forEachKernels(t, func(t *rapid.T, kernel *kernels, random *rand.Rand) {
		dim := rapid.SampledFrom([]int{1, 2, 7, 37, 64, 100, 130}).Draw(t, "dimensions")
		n := rapid.IntRange(0, 600).Draw(t, "rows")
		k := rapid.IntRange(1, 120).Draw(t, "k")
		vectors := crowd(random, n, dim)
		r := rounded(kernel, dim, vectors)
		query := unit(random, dim, nil)
		if n > 0 && rapid.Bool().Draw(t, "close") {
			query = unit(random, dim, vectors[random.IntN(n)])
		}
		begin := rapid.IntRange(0, n).Draw(t, "begin")
		end := rapid.IntRange(begin, n).Draw(t, "end")
		found, err := r.Candidates(query, k, begin, end, nil)
		if err != nil {
			t.Fatal(err)
		}
		order, similarity := make([]int, 0, n), make([]float64, n)
		for row := begin; row < end; row++ {
			order = append(order, row)
			similarity[row] = exact(query, vectors[row])
		}
		slices.SortFunc(order, func(a, b int) int { return cmp.Compare(similarity[b], similarity[a]) })
		for place, row := range order[:min(k, len(order))] {
			if !slices.Contains(found, row) {
				t.Fatalf("row %d, the nearest but %d of %d, is not among %d candidates", row, place, len(order), len(found))
			}
		}
		slices.Sort(found)
		if len(slices.Compact(found)) != len(found) || len(found) > 0 && (found[0] < begin || found[len(found)-1] >= end) {
			t.Fatalf("candidates of %d to %d: %v", begin, end, found)
		}
	})
}

// Few candidates are left over: comparing them exactly must stay cheap.
func TestCandidatesAreFew(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const n, k = 5_000, 50
	r := rounded(nil, 384, crowd(random, n, 384))
	found, err := r.Candidates(unit(random, 384, nil), k, 0, n, nil)
	if err != nil || len(found) > 10*k {
		t.Errorf("%d candidates for %d of %d, %v", len(found), k, n, err)
	}
}

func TestCandidatesOfSomeRows(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	vectors := crowd(random, 600, 64)
	r := rounded(nil, 64, vectors)
	odd := func(row int) bool { return row%2 == 1 }
	found, err := r.Candidates(vectors[8], 20, 0, len(vectors), odd)
	if err != nil || len(found) < 20 {
		t.Fatalf("%d candidates, %v", len(found), err)
	}
	for _, row := range found {
		if !odd(row) {
			t.Errorf("row %d was not to be found", row)
		}
	}
	if _, err := r.Candidates(vectors[0][:63], 1, 0, 1, nil); err == nil {
		t.Error("a query of another dimension is taken")
	}
}

// A set that has changed is the same as one made of what it holds.
func TestChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		const dim = 5
		r := NewRounded(dim)
		var want [][]float32
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			switch step := rapid.IntRange(0, 3).Draw(t, "step"); {
			case step == 0 || len(want) == 0:
				for range rapid.IntRange(1, 2*blockRows).Draw(t, "more") {
					v := unit(random, dim, nil)
					r.Append(v)
					want = append(want, v)
				}
			case step == 1:
				for range min(len(want), rapid.IntRange(1, 2*blockRows).Draw(t, "fewer")) {
					i := random.IntN(len(want))
					r.Remove(i)
					want[i] = want[len(want)-1]
					want = want[:len(want)-1]
				}
			default:
				i := random.IntN(len(want))
				want[i] = unit(random, dim, nil)
				r.Set(i, want[i])
			}
		}
		if r.Len() != len(want) {
			t.Fatalf("%d rows, want %d", r.Len(), len(want))
		}
		fresh := rounded(nil, dim, want)
		for i := range want {
			codes, scale := r.row(i)
			wantCodes, wantScale := fresh.row(i)
			if !slices.Equal(codes, wantCodes) || *scale != *wantScale {
				t.Fatalf("row %d: %v·%v, want %v·%v", i, codes, *scale, wantCodes, *wantScale)
			}
		}
	})
}

func TestRoundsOddVectors(t *testing.T) {
	tiny := float32(math.SmallestNonzeroFloat32)
	for name, v := range map[string][]float32{
		"zeros": {0, 0}, "nearly zeros": {tiny, -tiny}, "an axis": {0, -1}, "large": {1e30, -1e30},
	} {
		codes := make([]int8, lane)
		scale, norm := round(codes, v)
		for i, x := range v {
			got := float64(codes[i]) * float64(scale)
			if math.Abs(got-float64(x)) > float64(scale)/2+1e-30 || math.IsNaN(float64(norm)) {
				t.Errorf("%s: number %d is %v, want %v (scale %v, length %v)", name, i, got, x, scale, norm)
			}
		}
	}
}

func TestClosest(t *testing.T) {
	forEachKernels(t, func(t *rapid.T, kernel *kernels, random *rand.Rand) {
		dim := rapid.SampledFrom([]int{3, 64, 130}).Draw(t, "dimensions")
		rows := crowd(random, rapid.IntRange(0, 150).Draw(t, "rows"), dim)
		pool := crowd(random, rapid.IntRange(0, 150).Draw(t, "pool"), dim)
		k := rapid.IntRange(0, 12).Draw(t, "k")
		got, err := Closest(context.Background(), rounded(kernel, dim, rows), rounded(kernel, dim, pool), k)
		k = min(k, len(pool))
		if err != nil || len(got) != k*len(rows) {
			t.Fatalf("%d results for %d rows, %v", len(got), len(rows), err)
		}
		for i, row := range rows {
			all := make([]float64, len(pool))
			for j, p := range pool {
				all[j] = exact(row, p)
			}
			slices.SortFunc(all, func(a, b float64) int { return cmp.Compare(b, a) })
			for j, x := range got[i*k:][:k] {
				if math.Abs(float64(x)-all[j]) > 0.02 {
					t.Fatalf("row %d, place %d: %v, want %v", i, j, x, all[j])
				}
			}
		}
	})
}

func TestClosestGivesUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := rounded(nil, 2, [][]float32{{1, 0}})
	if _, err := Closest(ctx, r, r, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("with a cancelled context: %v", err)
	}
	if _, err := Closest(t.Context(), r, NewRounded(3), 1); err == nil {
		t.Error("sets of different dimensions are compared")
	}
}

// BenchmarkDots compares a query with 10,000 vectors of 384 numbers by each kind
// of kernels, and reports how much faster that is than the exact inner product by
// the same kernels.
func BenchmarkDots(b *testing.B) {
	const n, dim = 10_240, 384
	random := rand.New(rand.NewPCG(1, 2))
	vectors := crowd(random, n, dim)
	for _, k := range availableKernels() {
		b.Run(k.name, func(b *testing.B) {
			r := rounded(k, dim, vectors)
			query, dots := r.blocks[0].codes[:dim], make([]int32, blockRows)
			for b.Loop() {
				for _, block := range r.blocks {
					k.dots(query, block.codes, dots)
				}
			}
			ours := b.Elapsed().Seconds() / float64(b.N)
			sum, passes := float32(0), 0
			began := time.Now()
			for ; passes < 20; passes++ {
				for _, v := range vectors {
					sum += k.dot(vectors[0], v)
				}
			}
			b.ReportMetric(time.Since(began).Seconds()/float64(passes)/ours, "times-faster-than-exact")
			if sum == 0 {
				b.Fatal("no vector is like another")
			}
		})
	}
}

// BenchmarkClosest compares vectors with a pool of 1,600.
func BenchmarkClosest(b *testing.B) {
	const dim, pool = 384, 1_600
	random := rand.New(rand.NewPCG(1, 2))
	everyday := rounded(nil, dim, crowd(random, pool, dim))
	for _, n := range []int{10_000, 50_000} {
		rows := rounded(nil, dim, crowd(random, n, dim))
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if _, err := Closest(b.Context(), rows, everyday, 10); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*float64(n)*pool/b.Elapsed().Seconds()/1e6, "Mpairs/s")
		})
	}
}
