package memory

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"slices"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// splitAt is from how many rows on a query is worth a second goroutine.
const splitAt = 50_000

// Nearest implements knowledge.Index. The query must have length 1, as an
// embedder returns it.
func (x *Index) Nearest(ctx context.Context, query []float32, k int, topics []string) ([]knowledge.VectorHit, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := x.check(query); err != nil {
		return nil, fmt.Errorf("nearest: %w", err)
	}
	if k <= 0 {
		return nil, nil
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	best := x.best(query, k, x.chosen(topics))
	out := make([]knowledge.VectorHit, len(best))
	for i, b := range best {
		e := x.entries[b.row]
		out[i] = knowledge.VectorHit{Key: e.key, Kind: e.kind, Question: e.question, Version: e.version, Similarity: float64(b.similarity)}
	}
	return out, nil
}

// chosen tells by topic number which rows may be found; nil for all.
func (x *Index) chosen(topics []string) []bool {
	if topics == nil {
		return nil
	}
	out := make([]bool, len(x.topics))
	for _, topic := range topics {
		if n, ok := x.topics[topic]; ok {
			out[n] = true
		}
	}
	return out
}

// best returns up to k rows, best first.
func (x *Index) best(query []float32, k int, chosen []bool) []scored {
	n := len(x.entries)
	var found []scored
	if n < splitAt {
		found = x.scan(query, k, chosen, 0, n)
	} else {
		second := make(chan []scored, 1)
		go func() { second <- x.scan(query, k, chosen, n/2, n) }()
		found = append(x.scan(query, k, chosen, 0, n/2), <-second...)
	}
	slices.SortFunc(found, x.compare)
	return found[:min(k, len(found))]
}

// scored is a row and how near it is.
type scored struct {
	row        int
	similarity float32
}

// compare orders rows best first.
func (x *Index) compare(a, b scored) int {
	if c := cmp.Compare(b.similarity, a.similarity); c != 0 {
		return c
	}
	return cmp.Compare(x.entries[a.row].key, x.entries[b.row].key)
}

// scan returns the k best of the rows from begin to before end, in no order.
func (x *Index) scan(query []float32, k int, chosen []bool, begin, end int) []scored {
	w := worst{x: x}
	for row := begin; row < end; row++ {
		if chosen != nil && !chosen[x.entries[row].topic] {
			continue
		}
		s := scored{row, dot(query, x.values[row*x.dim:(row+1)*x.dim])}
		switch {
		case len(w.rows) < k:
			heap.Push(&w, s)
		case s.similarity >= w.rows[0].similarity && x.compare(s, w.rows[0]) < 0:
			w.rows[0] = s
			heap.Fix(&w, 0)
		}
	}
	return w.rows
}

// worst is a heap of rows with the worst on top.
type worst struct {
	x    *Index
	rows []scored
}

func (w *worst) Len() int           { return len(w.rows) }
func (w *worst) Less(i, j int) bool { return w.x.compare(w.rows[i], w.rows[j]) > 0 }
func (w *worst) Swap(i, j int)      { w.rows[i], w.rows[j] = w.rows[j], w.rows[i] }
func (w *worst) Push(v any)         { w.rows = append(w.rows, v.(scored)) }
func (w *worst) Pop() any {
	last := w.rows[len(w.rows)-1]
	w.rows = w.rows[:len(w.rows)-1]
	return last
}

// dot returns the inner product of two vectors of one length, the cosine when
// both have length 1. Eight sums keep the processor's adders busy: one alone
// would wait four cycles for each addition.
func dot(a, b []float32) float32 {
	var s0, s1, s2, s3, s4, s5, s6, s7 float32
	b = b[:len(a)]
	for len(a) >= 16 && len(b) >= 16 {
		p, q := (*[16]float32)(a), (*[16]float32)(b)
		s0 += p[0] * q[0]
		s1 += p[1] * q[1]
		s2 += p[2] * q[2]
		s3 += p[3] * q[3]
		s4 += p[4] * q[4]
		s5 += p[5] * q[5]
		s6 += p[6] * q[6]
		s7 += p[7] * q[7]
		s0 += p[8] * q[8]
		s1 += p[9] * q[9]
		s2 += p[10] * q[10]
		s3 += p[11] * q[11]
		s4 += p[12] * q[12]
		s5 += p[13] * q[13]
		s6 += p[14] * q[14]
		s7 += p[15] * q[15]
		a, b = a[16:], b[16:]
	}
	for i := range a {
		s0 += a[i] * b[i]
	}
	return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))
}
