// Package quality says how good a run of the search is: labelled queries and what
// the search made of them in, figures with their intervals out. It is pure, knows
// nothing of how the search works, and defines every figure as the usual scorers
// of retrieval and of selective answering do:
//
//   - recall@k and the mean reciprocal rank, over the queries that have an answer;
//   - AUROC: how often an answerable query has more confidence than one that must
//     go to a person, ties counting half (Hanley and McNeil 1982);
//   - precision, coverage and escapes of direct answers at a threshold of the
//     confidence, and the threshold that keeps a promised precision, judged on
//     folds that it was not chosen on.
//
// Intervals are percentiles of a bootstrap (Efron 1979), paired where two runs are
// compared.
package quality

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Query is one labelled query.
type Query struct {
	Text string `json:"text"`
	// Expected are the entries that answer it, any of them; none means that it must
	// not be answered but go to a person.
	Expected []string `json:"expected_ids"`
	// Outside says how far from the base a query without an answer is.
	Outside Outside `json:"oos,omitempty"`
}

// Key names the set of entries that answer a query: equal for queries that ask
// the same, "" for one that has no answer.
func (q Query) Key() string {
	ids := slices.Clone(q.Expected)
	slices.Sort(ids)
	return strings.Join(slices.Compact(ids), "\x00")
}

// Outside is the kind of a query that the base cannot answer.
type Outside string

// The kinds of queries without an answer.
const (
	Far    Outside = "far"    // another product or topic
	Near   Outside = "near"   // the same product, its entry is not in the base
	Native Outside = "native" // labelled so by the authors of the set
)

// Run is what the search made of one query.
type Run struct {
	Ranked []string `json:"ranked"` // entries, best first
	Conf   float64  `json:"conf"`   // grows with the trust in the first; any scale
}

// Case is a query as its run is judged.
type Case struct {
	Rank    int     // of the first expected entry, from 1; 0 when it was not found
	Conf    float64 // of the run
	Outside Outside // of the query
	// Answerable says that the query has an answer in the base.
	Answerable bool
	// Group is the same for queries with the same answer: they are not independent,
	// so a fold has all of them or none.
	Group string
}

// Right reports whether a direct answer would have been right.
func (c Case) Right() bool { return c.Rank == 1 }

// ErrRun says that a run does not fit its queries.
var ErrRun = errors.New("the run does not fit the queries")

// Judge compares a run with the labels. The error wraps ErrRun when there are not
// as many lines, or when a confidence is not a number.
func Judge(queries []Query, runs []Run) ([]Case, error) {
	if len(queries) != len(runs) {
		return nil, fmt.Errorf("%w: %d queries, %d lines", ErrRun, len(queries), len(runs))
	}
	out := make([]Case, len(queries))
	for i, q := range queries {
		r := runs[i]
		if math.IsNaN(r.Conf) {
			return nil, fmt.Errorf("%w: line %d has no confidence", ErrRun, i+1)
		}
		c := Case{Conf: r.Conf, Outside: q.Outside, Answerable: len(q.Expected) > 0, Group: q.Key()}
		if c.Answerable {
			c.Rank = 1 + slices.IndexFunc(r.Ranked, func(id string) bool { return slices.Contains(q.Expected, id) })
		} else {
			c.Group = fmt.Sprint("\x00", i) // each by itself
		}
		out[i] = c
	}
	return out, nil
}

// AUROC is the probability that a case of above has more confidence than one of
// below, a tie counting half; NaN when one of them is empty.
func AUROC(above, below []float64) float64 {
	var all ranking
	for _, c := range above {
		all.cases = append(all.cases, Case{Conf: c, Answerable: true})
	}
	for _, c := range below {
		all.cases = append(all.cases, Case{Conf: c})
	}
	return auroc(newRanking(all.cases), nil, func(c Case) bool { return !c.Answerable })
}

// ranking is the cases with their order by confidence.
type ranking struct {
	cases []Case
	order []int // of cases, most confident first
}

func newRanking(cases []Case) ranking {
	r := ranking{cases: cases, order: make([]int, len(cases))}
	for i := range r.order {
		r.order[i] = i
	}
	slices.SortStableFunc(r.order, func(a, b int) int {
		switch ca, cb := cases[a].Conf, cases[b].Conf; {
		case ca > cb:
			return -1
		case ca < cb:
			return 1
		}
		return 0
	})
	return r
}

// weightOf reads how often a case was drawn; without weights each counts once.
func weightOf(weights []float64, i int) float64 {
	if weights == nil {
		return 1
	}
	return weights[i]
}

// auroc counts, from the least confident up, how many of the below have been
// passed by each answerable case; those of equal confidence count half.
func auroc(r ranking, weights []float64, below func(Case) bool) float64 {
	var above, passed, tiedAbove, tiedBelow, won float64
	settle := func() {
		won += tiedAbove * (passed + tiedBelow/2)
		above, passed = above+tiedAbove, passed+tiedBelow
		tiedAbove, tiedBelow = 0, 0
	}
	for at := len(r.order) - 1; at >= 0; at-- {
		i := r.order[at]
		c := r.cases[i]
		if at+1 < len(r.order) && c.Conf > r.cases[r.order[at+1]].Conf {
			settle()
		}
		switch {
		case c.Answerable:
			tiedAbove += weightOf(weights, i)
		case below(c):
			tiedBelow += weightOf(weights, i)
		}
	}
	settle()
	if above == 0 || passed == 0 {
		return math.NaN()
	}
	return won / (above * passed)
}
