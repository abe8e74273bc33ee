package quality

import "fmt"

// Options say what a report measures, and how. The zero value of all but Promise
// is valid.
type Options struct {
	Promise   Promise
	Bootstrap Bootstrap
	Folds     Folds
}

// Report is what a run is worth.
type Report struct {
	Queries    int            `json:"queries"`
	Answerable int            `json:"answerable"`
	Outside    map[string]int `json:"outside"` // how many of each kind must go to a person
	Promised   float64        `json:"promised_precision"`
	// Ranking judges order and confidence; Shipped the direct answers as they were
	// decided (none without decisions); Unseen those by a threshold for the promised
	// precision, on folds that it was not chosen on.
	Ranking []Estimate `json:"ranking"`
	Shipped []Estimate `json:"shipped,omitempty"`
	Unseen  []Estimate `json:"cross_validated"`
}

// Measure makes the report of a run. answered says of every case whether the
// product answered it directly; nil when that is not known.
func Measure(cases []Case, answered []bool, o Options) (Report, error) {
	out := Report{Queries: len(cases), Outside: map[string]int{}, Promised: o.Promise.Precision}
	for _, c := range cases {
		if c.Answerable {
			out.Answerable++
		} else {
			out.Outside[string(c.Outside)]++
		}
	}
	out.Ranking = o.Bootstrap.estimate(cases, rankingMetrics())
	if answered != nil {
		if len(answered) != len(cases) {
			return out, fmt.Errorf("%w: %d decisions on %d queries", ErrRun, len(answered), len(cases))
		}
		given := make([]float64, len(cases))
		for i, a := range answered {
			if a {
				given[i] = 1
			}
		}
		out.Shipped = o.Bootstrap.estimate(cases, answerMetrics(given))
	}
	out.Unseen = o.Bootstrap.estimate(cases, answerMetrics(o.Folds.CrossValidate(cases, o.Promise)))
	return out, nil
}

// Difference is how a figure changes from one run to another on the same queries.
type Difference struct {
	Name   string  `json:"name"`
	Before float64 `json:"before"`
	After  float64 `json:"after"`
	Change float64 `json:"change"`
	Low    float64 `json:"low"` // of the change
	High   float64 `json:"high"`
	// Beyond says that the interval of the change does not hold 0: it is more than
	// what other queries of the kind would have changed by chance.
	Beyond bool `json:"beyond_noise"`
}

// Compare measures two runs on the same queries, drawing the same queries for both.
// The error wraps ErrRun when the cases are not those of the same queries.
func Compare(before, after []Case, o Options) ([]Difference, error) {
	if len(before) != len(after) {
		return nil, fmt.Errorf("%w: %d cases before, %d after", ErrRun, len(before), len(after))
	}
	for i, c := range before {
		if c.Group != after[i].Group || c.Outside != after[i].Outside {
			return nil, fmt.Errorf("%w: case %d is of another query", ErrRun, i+1)
		}
	}
	was := append(rankingMetrics(), answerMetrics(o.Folds.CrossValidate(before, o.Promise))...)
	is := append(rankingMetrics(), answerMetrics(o.Folds.CrossValidate(after, o.Promise))...)
	a, b := newRanking(before), newRanking(after)
	changes := make([]metric, len(was))
	for i := range was {
		// The cases that are drawn are those of before; their numbers serve both.
		changes[i] = metric{was[i].name, func(_ ranking, weights []float64) float64 {
			return is[i].value(b, weights) - was[i].value(a, weights)
		}}
	}
	found := map[string]Estimate{}
	for _, e := range o.Bootstrap.estimate(before, changes) {
		found[e.Name] = e
	}
	var out []Difference
	for i, m := range was {
		if e, ok := found[m.name]; ok {
			out = append(out, Difference{
				Name: m.name, Before: m.value(a, nil), After: is[i].value(b, nil),
				Change: e.Value, Low: e.Low, High: e.High, Beyond: e.Low > 0 || e.High < 0,
			})
		}
	}
	return out, nil
}
