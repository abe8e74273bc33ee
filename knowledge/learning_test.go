package knowledge_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

func TestStandingOf(t *testing.T) {
	answered := time.Date(2026, 3, 12, 10, 0, 0, 0, time.UTC)
	q := knowledge.Question{ID: "a", Text: "Где ёлка?", Answer: knowledge.Answer{ID: 2, Created: answered}}
	verdict := func(person int64, o knowledge.Outcome, wording string) knowledge.Verdict {
		return knowledge.Verdict{Question: "a", Person: person, Outcome: o, Wording: wording, At: answered.Add(time.Hour)}
	}
	old := verdict(1, knowledge.NotHelped, "где ель")
	old.At = answered.Add(-time.Hour)
	void := verdict(1, knowledge.Rejected, "где ель")
	void.Void = true
	foreign := verdict(1, knowledge.Rejected, "где ель")
	foreign.Question = "b"
	for name, c := range map[string]struct {
		verdicts []knowledge.Verdict
		refused  []string
		doubt    float64
	}{
		"nobody has said anything": {},
		"one refuses":              {verdicts: []knowledge.Verdict{verdict(1, knowledge.Rejected, "Где ель?")}, refused: []string{"Где ель?"}},
		"one refuses, one picks": {verdicts: []knowledge.Verdict{
			verdict(1, knowledge.Rejected, "где ель"), verdict(2, knowledge.Picked, "Где ель"),
		}},
		"two refuse, one picks": {verdicts: []knowledge.Verdict{
			verdict(2, knowledge.Picked, "где ель"), verdict(1, knowledge.Rejected, "где ель"), verdict(3, knowledge.NotHelped, "где ель"),
		}, refused: []string{"где ель"}, doubt: math.Log(2)},
		"each wording by itself": {verdicts: []knowledge.Verdict{
			verdict(1, knowledge.Rejected, "сосна"), verdict(2, knowledge.Helped, "где ель"), verdict(1, knowledge.Rejected, "берёза"),
		}, refused: []string{"сосна", "берёза"}},
		"more helped than not":               {verdicts: []knowledge.Verdict{verdict(1, knowledge.NotHelped, "ель"), verdict(2, knowledge.Helped, "ель"), verdict(3, knowledge.Helped, "ель")}},
		"an older answer did not help":       {verdicts: []knowledge.Verdict{old}},
		"undone":                             {verdicts: []knowledge.Verdict{void}},
		"another question":                   {verdicts: []knowledge.Verdict{foreign}},
		"its own text, and what it has":      {verdicts: []knowledge.Verdict{verdict(1, knowledge.Rejected, "где елка"), verdict(1, knowledge.Rejected, "куда дели ёлку")}},
		"its own text did not help, though":  {verdicts: []knowledge.Verdict{verdict(1, knowledge.NotHelped, "где елка"), verdict(2, knowledge.NotHelped, "где елка")}, doubt: math.Log(3)},
		"«Не помогло» of the current answer": {verdicts: []knowledge.Verdict{verdict(1, knowledge.NotHelped, "где ель")}, refused: []string{"где ель"}, doubt: math.Log(2)},
	} {
		t.Run(name, func(t *testing.T) {
			s := knowledge.StandingOf(q, []knowledge.Phrasing{{Question: "a", Text: "Куда дели ёлку?"}}, c.verdicts)
			if !slices.Equal(s.Refused, c.refused) || math.Abs(s.Doubt-c.doubt) > 1e-12 {
				t.Errorf("refused %q, doubt %v, want %q, %v", s.Refused, s.Doubt, c.refused, c.doubt)
			}
		})
	}
}

func TestLearningDefaults(t *testing.T) {
	want := knowledge.Learning{
		Picks: 2, Helped: 1, FrequentAsks: 5, FrequentWithin: 30 * 24 * time.Hour,
		StaleAfter: 180 * 24 * time.Hour, StaleShare: 0.3, StaleVerdicts: 3,
	}
	if got := (knowledge.Learning{}).WithDefaults(); got != want {
		t.Errorf("defaults %+v, want %+v", got, want)
	}
	set := knowledge.Learning{Picks: -1, Helped: 7, FrequentAsks: -1, FrequentWithin: 1, StaleAfter: 2, StaleShare: 1, StaleVerdicts: 9}
	if got := set.WithDefaults(); got != set {
		t.Errorf("what is set became %+v", got)
	}
}
