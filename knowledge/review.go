package knowledge

import (
	"context"
	"fmt"
	"time"
)

// The texts of StepDecided.
const (
	decidedFor     = "accepted"
	decidedAgainst = "refused"
)

// Hold keeps a phrasing or an answer out of the base until somebody decides. A
// held answer leaves the base as Withdraw takes it out; who got it keeps it.
// What waits for a decision already is returned as it is. The error wraps
// ErrInvalid when there is nothing that it would disturb.
func (d Desk) Hold(ctx context.Context, r Review) (Review, error) {
	if len(r.Conflicts) == 0 {
		return r, fmt.Errorf("hold %q of question %s: %w: no conflicts", r.Wording, r.Question, ErrInvalid)
	}
	q, err := d.Tx.Question(ctx, r.Question)
	if err != nil {
		return r, fmt.Errorf("hold: %w", err)
	}
	open, err := d.Tx.Reviews(ctx, q.ID, true)
	if err != nil {
		return r, err
	}
	for _, o := range open {
		if FoldText(o.Wording) == FoldText(r.Wording) {
			return o, nil
		}
	}
	r.ID, r.Created, r.Decided, r.By, r.Accepted = 0, d.Now, time.Time{}, 0, false
	if err := d.Tx.PutReview(ctx, &r); err != nil {
		return r, err
	}
	if r.Wording == "" && q.Status.Answered() {
		if err := d.move(ctx, &q, Unanswered); err != nil {
			return r, err
		}
	}
	d.By = 0 // a rule of the bot holds it, not who has caused that
	return r, d.step(ctx, Step{Question: q.ID, Kind: StepHeld, Text: r.Wording, Ref: r.ID})
}

// DecideReview lets what was held go live, or keeps it out for good. The
// question is returned as it is then. The error wraps ErrConflict when it has
// been decided already; the review says how.
func (d Desk) DecideReview(ctx context.Context, id, by int64, accept bool) (Review, Question, error) {
	r, err := d.Tx.Review(ctx, id)
	if err != nil {
		return r, Question{}, err
	}
	q, err := d.Tx.Question(ctx, r.Question)
	if err != nil {
		return r, q, err
	}
	if !r.Decided.IsZero() {
		return r, q, refuse(ErrConflict, "решение %d уже есть: %s", r.ID, choose(r.Accepted, "взято в базу", "не взято в базу"))
	}
	if err := d.decide(ctx, &r, by, accept); err != nil {
		return r, q, err
	}
	step := Step{Question: q.ID, Kind: StepDecided, Person: by, Text: choose(accept, decidedFor, decidedAgainst), Was: r.Wording, Ref: r.ID}
	if err := d.step(ctx, step); err != nil {
		return r, q, err
	}
	q, err = d.Tx.Question(ctx, r.Question)
	return r, q, err
}

// decide gives a decision its effect.
func (d Desk) decide(ctx context.Context, r *Review, by int64, accept bool) error {
	r.Decided, r.By, r.Accepted = d.Now, by, accept
	if err := d.Tx.PutReview(ctx, r); err != nil || !accept {
		return err
	}
	if r.Wording != "" {
		_, err := d.Tx.PutPhrasing(ctx, Phrasing{Question: r.Question, Text: r.Wording, Origin: PickedSo, Person: r.Person, Created: d.Now})
		return err
	}
	q, err := d.Tx.Question(ctx, r.Question)
	if err != nil || q.Status.Answered() {
		return err
	}
	if q.Closed != AnsweredPrivately {
		return refuse(ErrConflict, "вопрос %s с тех пор закрыт или снова задан: «%s»", q.ID, q.Status.Title())
	}
	return d.move(ctx, &q, InKnowledgeBase)
}

// turnDecision opens a review again, taking back what the decision has changed,
// or decides it as before.
func (d Desk) turnDecision(ctx context.Context, s Step, back bool) error {
	r, err := d.Tx.Review(ctx, s.Ref)
	if err != nil {
		return err
	}
	if !r.Decided.IsZero() != back {
		return refuse(ErrConflict, "решение %d с тех пор %s", r.ID, choose(back, "снова открыто", "принято заново"))
	}
	if !back {
		return d.decide(ctx, &r, d.By, s.Text == decidedFor)
	}
	if r.Accepted {
		if err := d.takeOut(ctx, r); err != nil {
			return err
		}
	}
	r.Decided, r.By, r.Accepted = time.Time{}, 0, false
	return d.Tx.PutReview(ctx, &r)
}

// takeOut takes what was accepted out of the base.
func (d Desk) takeOut(ctx context.Context, r Review) error {
	if r.Wording != "" {
		return d.forget(ctx, r.Question, r.Wording)
	}
	q, err := d.Tx.Question(ctx, r.Question)
	if err != nil {
		return err
	}
	if !q.Status.Answered() {
		return refuse(ErrConflict, "ответа и так уже нет в базе")
	}
	return d.move(ctx, &q, Unanswered)
}

// HeldAnswers returns the open reviews of a question's answer.
func (d Desk) HeldAnswers(ctx context.Context, question string) ([]Review, error) {
	open, err := d.Tx.Reviews(ctx, question, true)
	if err != nil {
		return nil, err
	}
	var out []Review
	for _, r := range open {
		if r.Wording == "" {
			out = append(out, r)
		}
	}
	return out, nil
}

// settleHeld accepts what is held of an answer that somebody has put into the
// base by another way: with a new version, or by its status.
func (d Desk) settleHeld(ctx context.Context, question string) error {
	held, err := d.HeldAnswers(ctx, question)
	if err != nil {
		return err
	}
	for _, r := range held {
		r.Decided, r.By, r.Accepted = d.Now, d.By, true
		if err := d.Tx.PutReview(ctx, &r); err != nil {
			return err
		}
		if err := d.step(ctx, Step{Question: question, Kind: StepDecided, Text: decidedFor, Ref: r.ID}); err != nil {
			return err
		}
	}
	return nil
}
