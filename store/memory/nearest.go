package memory

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/vector"
)

// splitAt is from how many rows on a second goroutine is worth waiting for.
const splitAt = 40_000

// Nearest implements knowledge.Index. The probe must have length 1, as an
// embedder returns it. Every probe is fresh.
func (x *Index) Nearest(ctx context.Context, p knowledge.Probe) ([]knowledge.VectorHit, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := x.check(p.Values); err != nil {
		return nil, fmt.Errorf("nearest: %w", err)
	}
	if p.K <= 0 {
		return nil, nil
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	best, err := x.best(p.Values, p.K, x.chosen(p.Topics))
	if err != nil {
		return nil, fmt.Errorf("nearest: %w", err)
	}
	out := make([]knowledge.VectorHit, len(best))
	for i, b := range best {
		e := x.entries[b.row]
		out[i] = knowledge.VectorHit{Key: e.key, Kind: e.kind, Question: e.question, Version: e.version, Similarity: float64(b.similarity)}
	}
	return out, nil
}

// chosen tells which rows may be found; nil for all.
func (x *Index) chosen(topics []string) func(row int) bool {
	if topics == nil {
		return nil
	}
	byTopic := make([]bool, len(x.topics))
	for _, topic := range topics {
		if n, ok := x.topics[topic]; ok {
			byTopic[n] = true
		}
	}
	return func(row int) bool { return byTopic[x.entries[row].topic] }
}

// scored is a row and how near it is.
type scored struct {
	row        int
	similarity float32
}

// best returns up to k rows, best first.
func (x *Index) best(query []float32, k int, chosen func(row int) bool) ([]scored, error) {
	n := len(x.entries)
	if n < splitAt || runtime.GOMAXPROCS(0) == 1 {
		found, err := x.scan(query, k, 0, n, chosen)
		return x.first(k, found), err
	}
	type part struct {
		found []scored
		err   error
	}
	second := make(chan part, 1)
	go func() {
		found, err := x.scan(query, k, n/2, n, chosen)
		second <- part{found, err}
	}()
	found, err := x.scan(query, k, 0, n/2, chosen)
	other := <-second
	return x.first(k, append(found, other.found...)), cmp.Or(err, other.err)
}

// scan returns rows from begin to before end with their similarities, among them
// the k best.
func (x *Index) scan(query []float32, k, begin, end int, chosen func(row int) bool) ([]scored, error) {
	rows, err := x.codes.Candidates(query, k, begin, end, chosen)
	if err != nil {
		return nil, err
	}
	found := make([]scored, len(rows))
	for i, row := range rows {
		found[i] = scored{row, vector.Dot(query, x.values(row))}
	}
	return found, nil
}

// first returns the best k in their order; ties are ordered by key.
func (x *Index) first(k int, found []scored) []scored {
	slices.SortFunc(found, func(a, b scored) int {
		if c := cmp.Compare(b.similarity, a.similarity); c != 0 {
			return c
		}
		return cmp.Compare(x.entries[a.row].key, x.entries[b.row].key)
	})
	return found[:min(k, len(found))]
}
