package knowledge

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"
)

// promote makes an entry a frequent question when enough people have asked it
// lately, and tells whether it did. A person's word that it is none stands.
func (d Desk) promote(ctx context.Context, q *Question) (bool, error) {
	l := d.Learning.WithDefaults()
	if l.FrequentAsks < 0 || q.Status != InKnowledgeBase {
		return false, nil
	}
	n, err := d.Tx.Askers(ctx, q.ID, d.Now.Add(-l.FrequentWithin))
	if err != nil || n < l.FrequentAsks {
		return false, err
	}
	last, err := d.lastStatus(ctx, q.ID)
	if err != nil || last.Was == string(FAQ) && last.Ref == 0 {
		return false, err
	}
	return true, d.byRule(ctx, q, FAQ, l.FrequentAsks)
}

// count looks whether an ask has made its entry a frequent question.
func (d Desk) count(ctx context.Context, a Ask) error {
	if !searched(a) {
		return nil
	}
	q, err := d.Tx.Question(ctx, a.Question)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err == nil {
		_, err = d.promote(ctx, &q)
	}
	return err
}

// byRule changes a status by the rule for frequent questions.
func (d Desk) byRule(ctx context.Context, q *Question, to Status, asks int) error {
	was := q.Status
	if err := d.move(ctx, q, to); err != nil {
		return err
	}
	d.By = 0
	return d.step(ctx, Step{Question: q.ID, Kind: StepStatus, Was: string(was), Text: string(to), Ref: int64(asks)})
}

// lastStatus returns the latest change of a question's status that stands, as a
// step; an undone step counts as a change by hand in the other direction. Zero
// when there is none.
func (d Desk) lastStatus(ctx context.Context, id string) (Step, error) {
	steps, err := d.Tx.Steps(ctx, id, 0, 0)
	if err != nil {
		return Step{}, err
	}
	var last Step
	byID := map[int64]Step{}
	for _, s := range steps {
		byID[s.ID] = s
		if s.Kind == StepUndone {
			of, times := s, 0
			for ; of.Kind == StepUndone; times++ {
				of = byID[of.Ref]
			}
			s = Step{Kind: of.Kind, Was: of.Was, Text: of.Text}
			if times%2 == 1 {
				s.Was, s.Text = s.Text, s.Was
			}
		}
		if s.Kind == StepStatus {
			last = s
		}
	}
	return last, nil
}

// Frequent brings the frequent questions up to date: those that enough people
// have asked lately become frequent, and those that the rule has made so and
// fewer than half as many have asked lately stop being it. What somebody has set
// by hand stays.
func (d Desk) Frequent(ctx context.Context) (promoted, demoted []Question, err error) {
	if d.Learning.FrequentAsks < 0 {
		return nil, nil, nil
	}
	all, err := d.Tx.Questions(ctx, QuestionFilter{Answered: true})
	if err != nil {
		return nil, nil, err
	}
	for _, q := range all {
		change, changed := d.promote, &promoted
		if q.Status == FAQ {
			change, changed = d.demote, &demoted
		}
		done, err := change(ctx, &q)
		if err != nil {
			return nil, nil, err
		}
		if done {
			*changed = append(*changed, q)
		}
	}
	return promoted, demoted, nil
}

// demote ends what the rule has begun when few ask any more.
func (d Desk) demote(ctx context.Context, q *Question) (bool, error) {
	l := d.Learning.WithDefaults()
	n, err := d.Tx.Askers(ctx, q.ID, d.Now.Add(-l.FrequentWithin))
	if err != nil || 2*n >= l.FrequentAsks {
		return false, err
	}
	last, err := d.lastStatus(ctx, q.ID)
	if err != nil || last.Text != string(FAQ) || last.Ref == 0 {
		return false, err
	}
	return true, d.byRule(ctx, q, InKnowledgeBase, l.FrequentAsks)
}

// StaleAnswer is an answer that somebody should look at again.
type StaleAnswer struct {
	Question  Question
	Age       time.Duration
	Old       bool // older than Learning.StaleAfter
	Helped    int  // people whom the current version helped
	NotHelped int  // and did not help
	Doubted   bool // the share of those is Learning.StaleShare or more
}

// Stale lists the answers to check: first those that do not help, the most
// doubtful first, then those that are old, the oldest first.
func (d Desk) Stale(ctx context.Context) ([]StaleAnswer, error) {
	l := d.Learning.WithDefaults()
	all, err := d.Tx.Questions(ctx, QuestionFilter{Answered: true})
	if err != nil {
		return nil, err
	}
	verdicts, err := d.Tx.Verdicts(ctx, nil)
	if err != nil {
		return nil, err
	}
	of := map[string][]Verdict{}
	for _, v := range verdicts {
		of[v.Question] = append(of[v.Question], v)
	}
	var out []StaleAnswer
	for _, q := range all {
		if s := judged(q, of[q.ID], d.Now, l); s.Old || s.Doubted {
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b StaleAnswer) int {
		return cmp.Or(cmp.Compare(b.share(), a.share()), cmp.Compare(b.Age, a.Age))
	})
	return out, nil
}

// judged sums up what speaks against an answer.
func judged(q Question, verdicts []Verdict, now time.Time, l Learning) StaleAnswer {
	s := StaleAnswer{Question: q, Age: now.Sub(q.Answer.Created)}
	for _, v := range verdicts {
		switch {
		case v.Void || v.At.Before(q.Answer.Created):
		case v.Outcome == Helped:
			s.Helped++
		case v.Outcome == NotHelped:
			s.NotHelped++
		}
	}
	n := s.Helped + s.NotHelped
	s.Old = s.Age >= l.StaleAfter
	s.Doubted = n > 0 && n >= l.StaleVerdicts && float64(s.NotHelped) >= l.StaleShare*float64(n)
	return s
}

// share is the share of those whom a doubted answer did not help, else 0.
func (s StaleAnswer) share() float64 {
	if !s.Doubted {
		return 0
	}
	return float64(s.NotHelped) / float64(s.Helped+s.NotHelped)
}
