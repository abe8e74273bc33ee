package finder

import (
	"cmp"
	"context"
	"slices"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

const (
	// clearly is how many times the odds of a text alone must be those of the text
	// with what it follows, for the text to begin a subject of its own.
	clearly = 4
	// fusedDepth is how far down both rankings candidates of a follow-up are taken.
	fusedDepth = 30
)

// goOn decides on a text that may go on with in.After. The text stands alone when
// alone is an answer, or clearly better than both texts together. Otherwise the two
// rankings are fused, and the entry that was just shown steps back: who asks on
// wants something else.
//
// The calibration was fitted on texts that stand alone, and promises nothing for two
// texts joined: they get a direct answer only when somebody has asked just that
// before, word for word, and confirmed it.
func (f *Finder) goOn(ctx context.Context, in knowledge.Inquiry, alone ranking) (knowledge.Finding, error) {
	cal := f.Calibration()
	joined, err := f.ranking(ctx, f.parser.Join(in.After, in.Text), in)
	if err != nil {
		return knowledge.Finding{}, err
	}
	first, both := search.Decide(alone.scored, cal), search.Decide(joined.scored, cal)
	switch {
	case both.Kind == search.Answer && joined.scored[0].Parts.Exact:
		out, err := f.finding(ctx, joined, in.Seen)
		out.Together = true
		return out, err
	case first.Kind == search.Answer:
		return f.finding(ctx, alone, in.Seen)
	}
	if back := joined.without(in.Shown); search.Decide(back.scored, cal).Kind != search.Nothing {
		alone, joined = alone.without(in.Shown), back
		first, both = search.Decide(alone.scored, cal), search.Decide(joined.scored, cal)
	}
	if first.Kind != search.Nothing && odds(first.Confidence) > clearly*odds(both.Confidence) {
		return f.finding(ctx, alone, in.Seen)
	}
	out := fused(cal, alone, joined)
	out.Confidence = both.Confidence
	return out, nil
}

func odds(p float64) float64 { return p / max(1-p, 1e-9) }

// without returns the ranking without a question.
func (r ranking) without(question string) ranking {
	r.scored = slices.DeleteFunc(slices.Clone(r.scored), func(s search.Scored) bool { return s.ID == question })
	return r
}

// fused suggests what is worth it in either ranking, by the sum of both scores.
func fused(cal search.Calibration, rankings ...ranking) knowledge.Finding {
	out := knowledge.Finding{Decision: knowledge.DecisionNothing, Together: true}
	scores, twins := map[string]float64{}, map[string]string{}
	pages := map[string]knowledge.Page{} // of what may be offered
	for _, r := range rankings {
		above(r.scored, scores, twins)
		if search.Decide(r.scored, cal).Kind == search.Nothing {
			continue
		}
		for _, s := range cal.Worth(r.scored[:min(checked, len(r.scored))]) {
			if p, ok := r.pages[s.ID]; ok {
				pages[s.ID] = p
			}
		}
	}
	for id, score := range scores {
		out.Ranked = append(out.Ranked, knowledge.Match{Brief: knowledge.Brief{ID: id}, Score: score})
	}
	slices.SortFunc(out.Ranked, func(a, b knowledge.Match) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
	})
	for _, m := range out.Ranked {
		p, ok := pages[m.ID]
		said := slices.ContainsFunc(out.Matches, func(o knowledge.Match) bool { return twins[m.ID] == o.ID || twins[o.ID] == m.ID })
		if ok && !said && len(out.Matches) < shown {
			out.Matches = append(out.Matches, knowledge.Match{Brief: p.Brief, Score: m.Score})
		}
	}
	if len(out.Matches) > 0 {
		out.Decision = knowledge.DecisionSuggest
	}
	return out
}

// above adds what the first of a ranking have more than the last of them, and notes
// which of them say nearly the same.
func above(ranked []search.Scored, scores map[string]float64, twins map[string]string) {
	ranked = ranked[:min(fusedDepth, len(ranked))]
	for _, s := range ranked {
		scores[s.ID] += s.Score - ranked[len(ranked)-1].Score
		if s.TwinOf != "" {
			twins[s.ID] = s.TwinOf
		}
	}
}
