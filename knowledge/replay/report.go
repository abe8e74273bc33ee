package replay

import (
	"github.com/nastavnik-bot/nastavnik/knowledge/quality"
)

// The names of the figures, as tables and --json have them.
const (
	// SeniorAsks is how often a senior was asked for each distinct question: 1 is
	// the best there can be.
	SeniorAsks = "senior_asks_per_question"
	// WrongShown is the share of arrivals that were given a wrong answer directly.
	WrongShown = "wrong_answers"
	// DirectLate is the share of the second half that was answered directly, rightly.
	DirectLate = "direct_second_half"
	// DirectShare and Unaided are shares of all arrivals: answered directly, and
	// solved without a senior.
	DirectShare = "direct"
	Unaided     = "without_senior"
	// Clicks is how many presses a question solved without a senior took.
	Clicks = "clicks_per_solved"
	// HeldShare is the share of arrivals whose wording was held back, because it
	// would have disturbed what others find.
	HeldShare = "wordings_held"
)

// Report sums up several runs of the same arrivals in different orders.
type Report struct {
	Arrivals int                `json:"arrivals"`
	Distinct int                `json:"distinct"` // different questions among them
	Seeds    int                `json:"seeds"`
	Figures  []quality.Estimate `json:"figures"` // means over the seeds
	// Tenths are shares of each tenth of the stream, means over the seeds.
	Tenths []Tenth `json:"tenths"`
	// Reasons is why a senior was asked, times a run, mean over the seeds.
	Reasons map[Reason]float64 `json:"senior_asks_by_reason"`
}

// Tenth is one tenth of the stream.
type Tenth struct {
	Direct  float64 `json:"direct"`         // answered directly, rightly
	Unaided float64 `json:"without_senior"` // solved without a senior
	Wrong   float64 `json:"wrong"`          // given a wrong answer directly
}

// Summarise reports runs of the same arrivals; each has a step for each arrival.
func Summarise(arrivals []Arrival, runs [][]Step, b quality.Bootstrap) Report {
	keys := map[string]bool{}
	for _, a := range arrivals {
		keys[a.Key] = true
	}
	r := Report{Arrivals: len(arrivals), Distinct: len(keys), Seeds: len(runs), Reasons: map[Reason]float64{}}
	if len(arrivals) == 0 || len(runs) == 0 {
		return r
	}
	names := []string{SeniorAsks, WrongShown, DirectLate, DirectShare, Unaided, Clicks, HeldShare}
	values := map[string][]float64{}
	for _, run := range runs {
		f := figures(run, len(keys))
		for _, name := range names {
			values[name] = append(values[name], f[name])
		}
		for _, s := range run {
			if s.Asked != "" {
				r.Reasons[s.Asked] += 1 / float64(len(runs))
			}
		}
	}
	for _, name := range names {
		r.Figures = append(r.Figures, quality.Mean(name, values[name], b))
	}
	r.Tenths = tenths(runs)
	return r
}

func figures(run []Step, distinct int) map[string]float64 {
	late := run[len(run)/2:]
	solved, clicks := 0, 0
	for _, s := range run {
		if s.Asked == "" {
			solved++
			clicks += s.Clicks
		}
	}
	return map[string]float64{
		SeniorAsks:  share(run, asked) * float64(len(run)) / float64(distinct),
		WrongShown:  share(run, wrong),
		DirectLate:  share(late, direct),
		DirectShare: share(run, direct),
		Unaided:     share(run, unaided),
		HeldShare:   share(run, held),
		Clicks:      float64(clicks) / float64(max(1, solved)),
	}
}

func asked(s Step) bool   { return s.Asked != "" }
func unaided(s Step) bool { return s.Asked == "" }
func wrong(s Step) bool   { return s.Wrong }
func held(s Step) bool    { return s.Held }
func direct(s Step) bool  { return s.Direct }

func share(steps []Step, is func(Step) bool) float64 {
	n := 0
	for _, s := range steps {
		if is(s) {
			n++
		}
	}
	return float64(n) / float64(max(1, len(steps)))
}

func tenths(runs [][]Step) []Tenth {
	const parts = 10
	out := make([]Tenth, parts)
	n := float64(len(runs))
	for _, run := range runs {
		for i := range out {
			part := run[i*len(run)/parts : (i+1)*len(run)/parts]
			out[i].Direct += share(part, direct) / n
			out[i].Unaided += share(part, unaided) / n
			out[i].Wrong += share(part, wrong) / n
		}
	}
	return out
}
