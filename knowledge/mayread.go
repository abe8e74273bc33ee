package knowledge

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// MayRead reports whether somebody may have a file.
//
// A file of an answer that the base gives is for everybody whom the bot knows.
// One of an answer that the base does not give, an older version among them, is
// for those who have to do with the question: who asked it first, those who wait
// for it or got its answer, the seniors who were asked, and the author. One of
// an ask is for the asker, and as long as the ask is with a senior, for the
// seniors who were asked since and for those who wait for the same reply.
// Administrators see everything, strangers and who has left nothing.
func (d Desk) MayRead(ctx context.Context, person int64, a Attachment) (bool, error) {
	may, err := d.mayRead(ctx, person, a)
	if err != nil {
		return false, fmt.Errorf("who may read file %d: %w", a.ID, err)
	}
	return may, nil
}

func (d Desk) mayRead(ctx context.Context, person int64, a Attachment) (bool, error) {
	p, err := d.Tx.Person(ctx, person)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	switch {
	case p.Left:
		return false, nil
	case p.Admin || a.Author != 0 && a.Author == person:
		return true, nil
	case a.Ask != 0:
		return d.mayReadOfAsk(ctx, person, a)
	case a.Answer != 0:
		return d.mayReadOfAnswer(ctx, person, a)
	}
	return false, nil
}

func (d Desk) mayReadOfAnswer(ctx context.Context, person int64, a Attachment) (bool, error) {
	q, err := d.Tx.Question(ctx, a.Question)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if q.Status.Answered() && q.Answer.ID == a.Answer || q.AskedBy == person {
		return true, nil
	}
	waiters, err := d.Tx.Waiters(ctx, q.ID)
	if err != nil {
		return false, err
	}
	if slices.ContainsFunc(waiters, func(w Waiter) bool { return w.Person == person && w.State != WaitCancelled }) {
		return true, nil
	}
	asked, err := d.Tx.Escalations(ctx, EscalationFilter{Question: q.ID, Senior: person, Limit: 1})
	return len(asked) > 0, err
}

func (d Desk) mayReadOfAsk(ctx context.Context, person int64, a Attachment) (bool, error) {
	ask, err := d.Tx.Ask(ctx, a.Ask)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil || ask.Person == person {
		return err == nil, err
	}
	waiters, err := d.Tx.Waiters(ctx, ask.Question)
	if err != nil {
		return false, err
	}
	// An ask that search settled leads to a question as well; nobody there has
	// been told of it.
	sent := slices.ContainsFunc(waiters, func(w Waiter) bool { return w.Person == ask.Person && w.State != WaitCancelled })
	if !sent {
		return false, nil
	}
	if slices.ContainsFunc(waiters, func(w Waiter) bool { return w.Person == person && w.State == Waiting }) {
		return true, nil
	}
	escalations, err := d.Tx.Escalations(ctx, EscalationFilter{Question: ask.Question, Senior: person})
	return slices.ContainsFunc(escalations, func(e Escalation) bool {
		return e.Ended.IsZero() || !e.Ended.Before(ask.Asked)
	}), err
}
