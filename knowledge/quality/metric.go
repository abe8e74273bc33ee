package quality

import "math"

// The names of the figures, as tables and --json have them.
const (
	Recall1     = "recall@1"
	Recall5     = "recall@5"
	MRR         = "mrr"
	AUROCFar    = "auroc_far"
	AUROCNear   = "auroc_near"
	AUROCNative = "auroc_native"
	AUROCAll    = "auroc_all"
	// Precision is the share of right ones among the direct answers.
	Precision = "precision"
	// Coverage is the share of answerable queries that are answered directly.
	Coverage = "coverage"
	// Escaped is the share of queries that had to go to a person and were answered.
	Escaped = "escaped"
)

// metric is a figure of cases that were drawn so and so often; NaN where there is
// nothing to judge by.
type metric struct {
	name  string
	value func(r ranking, weights []float64) float64
}

// rankingMetrics judge the order and the confidence, whatever the threshold.
func rankingMetrics() []metric {
	return []metric{
		{Recall1, recallAt(1)},
		{Recall5, recallAt(5)},
		{MRR, meanOver(answerable, func(_ int, c Case) float64 {
			if c.Rank == 0 {
				return 0
			}
			return 1 / float64(c.Rank)
		})},
		{AUROCFar, aurocAgainst(func(c Case) bool { return c.Outside == Far })},
		{AUROCNear, aurocAgainst(func(c Case) bool { return c.Outside == Near })},
		{AUROCNative, aurocAgainst(func(c Case) bool { return c.Outside == Native })},
		{AUROCAll, aurocAgainst(func(Case) bool { return true })},
	}
}

// answerMetrics judge direct answers: given[i] is the share of attempts, 0 to 1,
// in which case i was answered.
func answerMetrics(given []float64) []metric {
	return []metric{
		{Precision, func(r ranking, weights []float64) float64 {
			var right, all float64
			for i, c := range r.cases {
				w := weightOf(weights, i) * given[i]
				all += w
				if c.Right() {
					right += w
				}
			}
			return right / all // NaN when nothing was answered
		}},
		{Coverage, meanOver(answerable, func(i int, _ Case) float64 { return given[i] })},
		{Escaped, meanOver(func(c Case) bool { return !c.Answerable }, func(i int, _ Case) float64 { return given[i] })},
	}
}

func answerable(c Case) bool { return c.Answerable }

func recallAt(k int) func(ranking, []float64) float64 {
	return meanOver(answerable, func(_ int, c Case) float64 {
		if c.Rank > 0 && c.Rank <= k {
			return 1
		}
		return 0
	})
}

func aurocAgainst(below func(Case) bool) func(ranking, []float64) float64 {
	return func(r ranking, weights []float64) float64 { return auroc(r, weights, below) }
}

// meanOver averages a value over the cases that are meant.
func meanOver(meant func(Case) bool, value func(i int, c Case) float64) func(ranking, []float64) float64 {
	return func(r ranking, weights []float64) float64 {
		var sum, n float64
		for i, c := range r.cases {
			if meant(c) {
				w := weightOf(weights, i)
				sum, n = sum+w*value(i, c), n+w
			}
		}
		if n == 0 {
			return math.NaN()
		}
		return sum / n
	}
}
