package knowledge

import (
	"context"
	"fmt"
)

// Absorb makes one entry of two: the wordings of a question whose answer is kept out of
// the base find another entry from now on, and those who have got its answer are told
// when that of the entry changes. The question ends with that. The error wraps
// ErrInvalid when the question is in the base itself, or the entry is not.
func (d Desk) Absorb(ctx context.Context, question, entry string) error {
	if err := d.absorb(ctx, question, entry); err != nil {
		return fmt.Errorf("absorb question %s into %s: %w", question, entry, err)
	}
	return nil
}

func (d Desk) absorb(ctx context.Context, question, entry string) error {
	q, err := d.Tx.Question(ctx, question)
	if err != nil {
		return err
	}
	to, err := d.Tx.Question(ctx, entry)
	if err != nil {
		return err
	}
	if q.Status.Answered() || !to.Status.Answered() || q.ID == to.ID {
		return ErrInvalid
	}
	wordings, err := d.Tx.Phrasings(ctx, []string{q.ID})
	if err != nil {
		return err
	}
	for _, p := range wordings {
		if err := d.phrase(ctx, Phrasing{Question: to.ID, Text: p.Text, Origin: SeniorSaid, Person: p.Person}, 0); err != nil {
			return err
		}
	}
	if err := d.leadAnswered(ctx, q.ID, to); err != nil {
		return err
	}
	q.Closed = PickedExisting
	return d.Tx.PutQuestion(ctx, &q)
}

// leadAnswered makes those who have got the answer of a question ones who have got
// that of an entry.
func (d Desk) leadAnswered(ctx context.Context, question string, to Question) error {
	all, err := d.Tx.Waiters(ctx, question)
	if err != nil {
		return err
	}
	for _, w := range all {
		if w.State != WaitAnswered {
			continue
		}
		w.Answer = to.Answer.ID
		if err := d.lead(ctx, w, to.ID); err != nil {
			return err
		}
	}
	return nil
}
