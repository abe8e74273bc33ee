package quality

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Estimate is a figure with the interval that holds it with a probability of 95 %.
type Estimate struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Reaches reports whether the figure is at least the target.
func (e Estimate) Reaches(target float64) bool { return e.Value >= target }

// Bootstrap says how figures get their intervals. The zero value is valid.
type Bootstrap struct {
	Resamples int    // 0 means 2,000
	Seed      uint64 // equal seeds give equal intervals
}

const (
	defaultResamples = 2_000
	// tail is what an interval leaves out on each side.
	tail = 0.025
)

func (b Bootstrap) resamples() int {
	if b.Resamples <= 0 {
		return defaultResamples
	}
	return b.Resamples
}

// draw calls fn with how often each case is drawn, once for each resample. The
// answerable queries and each kind of the others are drawn from among themselves:
// how many there are of each was decided by the set's author, not by chance.
func (b Bootstrap) draw(cases []Case, fn func(weights []float64)) {
	strata := map[Outside][]int{}
	const answered = Outside("\x00")
	for i, c := range cases {
		kind := c.Outside
		if c.Answerable {
			kind = answered
		}
		strata[kind] = append(strata[kind], i)
	}
	names := make([]Outside, 0, len(strata))
	for name := range strata {
		names = append(names, name)
	}
	slices.Sort(names)                                          // a map has no order, and equal seeds must give equal draws
	random := rand.New(rand.NewPCG(b.Seed, 0x9e3779b97f4a7c15)) //nolint:gosec // reproducible, not secret
	weights := make([]float64, len(cases))
	for range b.resamples() {
		clear(weights)
		for _, name := range names {
			members := strata[name]
			for range members {
				weights[members[random.IntN(len(members))]]++
			}
		}
		fn(weights)
	}
}

// estimate gives figures their intervals; those that are not defined for the
// cases are left out.
func (b Bootstrap) estimate(cases []Case, metrics []metric) []Estimate {
	r := newRanking(cases)
	drawn := make([][]float64, len(metrics))
	b.draw(cases, func(weights []float64) {
		for i, m := range metrics {
			if v := m.value(r, weights); !math.IsNaN(v) {
				drawn[i] = append(drawn[i], v)
			}
		}
	})
	var out []Estimate
	for i, m := range metrics {
		if v := m.value(r, nil); !math.IsNaN(v) {
			low, high := interval(drawn[i], v)
			out = append(out, Estimate{Name: m.name, Value: v, Low: low, High: high})
		}
	}
	return out
}

// interval returns the percentiles that bound the middle 95 % of the draws.
func interval(drawn []float64, value float64) (low, high float64) {
	if len(drawn) == 0 {
		return value, value
	}
	slices.Sort(drawn)
	return percentile(drawn, tail), percentile(drawn, 1-tail)
}

// percentile reads sorted values, between two of them in proportion.
func percentile(sorted []float64, p float64) float64 {
	at := p * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// Mean returns the mean of a few measurements, one from each seed, with a bootstrap
// interval of that mean.
func Mean(name string, values []float64, b Bootstrap) Estimate {
	cases := make([]Case, len(values))
	mean := metric{name, func(_ ranking, weights []float64) float64 {
		var sum float64
		for i, v := range values {
			sum += weightOf(weights, i) * v
		}
		return sum / float64(len(values))
	}}
	if out := b.estimate(cases, []metric{mean}); len(out) == 1 {
		return out[0]
	}
	return Estimate{Name: name}
}
