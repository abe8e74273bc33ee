package knowledge

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// searched reports whether the words of an ask were looked for: only then does
// what the person did say anything about them.
func searched(a Ask) bool {
	switch a.Decision {
	case DecisionAnswer, DecisionSuggest, DecisionNothing:
		return FoldText(a.Text) != ""
	case DecisionDetail, DecisionOpened:
	}
	return false
}

// judge stores what the asker's act says about whether the words of the ask mean
// an entry. Entries that are no search results are not judged. Who says again
// what has been undone is not counted again.
func (d Desk) judge(ctx context.Context, a Ask, entry string, outcome Outcome) error {
	if !searched(a) {
		return nil
	}
	q, err := d.Tx.Question(ctx, entry)
	if errors.Is(err, ErrNotFound) || err == nil && !q.Status.Answered() {
		return nil
	}
	if err != nil {
		return err
	}
	was, err := d.verdict(ctx, entry, a)
	if err != nil {
		return err
	}
	v := Verdict{Question: entry, Wording: a.Text, Person: a.Person, Outcome: outcome, Ask: a.ID, At: d.Now}.after(was)
	if v.Outcome == was.Outcome && v.Void == was.Void && !was.At.Before(q.Answer.Created) {
		return nil // said already, of this answer
	}
	return d.putVerdict(ctx, v)
}

// after returns a verdict as it is after another one of the same person.
func (v Verdict) after(was Verdict) Verdict {
	if was.For() && v.For() {
		v.Void = was.Void
		if was.Outcome == Helped {
			v.Outcome = Helped // which says more than a pick
		}
	}
	return v
}

// putVerdict stores a verdict, with a step when it is worth one.
func (d Desk) putVerdict(ctx context.Context, v Verdict) error {
	if err := d.Tx.PutVerdict(ctx, &v); err != nil {
		return err
	}
	kind := map[Outcome]StepKind{Rejected: StepRefused, Helped: StepHelped, NotHelped: StepNotHelped}[v.Outcome]
	if kind == "" || v.Void {
		return nil
	}
	return d.step(ctx, Step{Question: v.Question, Kind: kind, Person: v.Person, Text: v.Wording, Ref: v.ID})
}

// verdict returns what the asker has said before about the words of an ask and
// an entry; zero when nothing.
func (d Desk) verdict(ctx context.Context, entry string, a Ask) (Verdict, error) {
	all, err := d.Tx.Verdicts(ctx, []string{entry})
	if err != nil {
		return Verdict{}, err
	}
	fold := FoldText(a.Text)
	for _, v := range all {
		if v.Person == a.Person && FoldText(v.Wording) == fold {
			return v, nil
		}
	}
	return Verdict{}, nil
}

// shown returns the candidates of an ask that its asker has seen.
func shown(a Ask) []Candidate {
	switch {
	case a.Decision == DecisionSuggest, a.Outcome == NotHelped, a.Outcome == Picked:
		return a.Candidates // the five are offered after «Не помогло», too
	case a.Decision == DecisionAnswer:
		return a.Candidates[:min(1, len(a.Candidates))]
	}
	return nil
}

// reject stores that the asker has refused everything that was shown.
func (d Desk) reject(ctx context.Context, a Ask) error {
	for _, c := range shown(a) {
		if err := d.judge(ctx, a, c.Question, Rejected); err != nil {
			return fmt.Errorf("reject: %w", err)
		}
	}
	return nil
}

// lesson returns what people's choices of the words of an ask teach, nil while
// too few have said so. What somebody has decided against is not taught again.
func (d Desk) lesson(ctx context.Context, a Ask, entry string) (*Lesson, error) {
	if !searched(a) {
		return nil, nil
	}
	enough, err := d.enough(ctx, entry, FoldText(a.Text))
	if err != nil || !enough {
		return nil, err
	}
	known, err := d.phrasing(ctx, entry, a.Text)
	if err != nil || known.ID != 0 {
		return nil, err
	}
	reviews, err := d.Tx.Reviews(ctx, entry, false)
	if err != nil {
		return nil, err
	}
	for _, r := range reviews {
		if FoldText(r.Wording) == FoldText(a.Text) && (r.Decided.IsZero() || !r.Accepted) {
			return nil, nil
		}
	}
	return &Lesson{Question: entry, Wording: a.Text, Origin: PickedSo, Person: a.Person, Ask: a.ID}, nil
}

// enough reports whether as many people as the settings ask for say that a
// wording means an entry, and more than say that it does not.
func (d Desk) enough(ctx context.Context, entry, fold string) (bool, error) {
	verdicts, err := d.Tx.Verdicts(ctx, []string{entry})
	if err != nil {
		return false, err
	}
	helped, chosen, against := 0, 0, 0
	for _, v := range verdicts {
		switch {
		case v.Void || FoldText(v.Wording) != fold:
		case v.Outcome == Helped:
			helped++
			chosen++
		case v.For():
			chosen++
		default:
			against++
		}
	}
	l := d.Learning.WithDefaults()
	taught := l.Helped > 0 && helped >= l.Helped || l.Picks > 0 && chosen >= l.Picks
	return taught && chosen > against, nil
}

// phrasing returns a question's phrasing with these words; zero when there is none.
func (d Desk) phrasing(ctx context.Context, question, wording string) (Phrasing, error) {
	all, err := d.Tx.Phrasings(ctx, []string{question})
	if err != nil {
		return Phrasing{}, err
	}
	fold := FoldText(wording)
	if i := slices.IndexFunc(all, func(p Phrasing) bool { return FoldText(p.Text) == fold }); i >= 0 {
		return all[i], nil
	}
	return Phrasing{}, nil
}

// Learn makes a lesson a phrasing. One that the question has already changes
// nothing.
func (d Desk) Learn(ctx context.Context, l Lesson) error {
	if l.Origin == "" {
		l.Origin = PickedSo
	}
	d.By = 0 // a rule of the bot learns it
	return d.phrase(ctx, Phrasing{Question: l.Question, Text: l.Wording, Origin: l.Origin, Person: l.Person}, l.Ask)
}

// phrase adds a phrasing, with a step that names the ask whose words it is.
func (d Desk) phrase(ctx context.Context, p Phrasing, ask int64) error {
	p.Created = d.Now
	added, err := d.Tx.PutPhrasing(ctx, p)
	if err != nil || !added {
		return err
	}
	return d.step(ctx, Step{Question: p.Question, Kind: StepPhrasing, Text: p.Text, Was: string(p.Origin), Ref: ask})
}

// Unlearn takes a wording from a question by undoing the step that added it. One
// without a step, that came with an import, gets it now. It returns the step.
// The error wraps ErrNotFound when the question has no such wording, ErrInvalid
// when it is the question's own text.
func (d Desk) Unlearn(ctx context.Context, question, wording string, by int64) (Step, error) {
	d.By = by
	p, err := d.phrasing(ctx, question, wording)
	if err != nil {
		return Step{}, err
	}
	if p.ID == 0 {
		return Step{}, fmt.Errorf("wording %q of question %s: %w", wording, question, ErrNotFound)
	}
	steps, err := d.Tx.Steps(ctx, question, 0, 0)
	if err != nil {
		return Step{}, err
	}
	slices.Reverse(steps)
	for _, s := range steps {
		if !s.Undone && adds(s, FoldText(wording)) {
			return d.Undo(ctx, s.ID, by)
		}
	}
	s := Step{Question: question, Kind: StepPhrasing, At: p.Created, Person: p.Person, Text: p.Text, Was: string(p.Origin)}
	if err := d.Tx.PutStep(ctx, &s); err != nil {
		return s, err
	}
	return d.Undo(ctx, s.ID, by)
}

// adds reports whether a step has added a wording.
func adds(s Step, fold string) bool {
	switch s.Kind {
	case StepPhrasing:
		return FoldText(s.Text) == fold
	case StepDecided:
		return s.Text == decidedFor && s.Was != "" && FoldText(s.Was) == fold
	default:
		return false
	}
}
