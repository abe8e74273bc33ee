package knowledge

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Replied is a question that has just got an answer, and who is to be told.
type Replied struct {
	Question Question
	Waiters  []Waiter     // who gets the answer, first comer first
	Names    []string     // of the waiters; "" for those who do not want to be named
	Wording  string       // the words by which the question must be found from now on
	Files    []Attachment // of its answer, oldest first
}

// Reply makes a senior's reply the answer of the escalated question. Everybody
// who waits gets it; their wordings become phrasings. The error wraps
// ErrConflict when somebody else was first; Replied.Question is then theirs.
func (d Desk) Reply(ctx context.Context, escalation, senior int64, text string) (Replied, error) {
	e, q, err := d.held(ctx, escalation, senior)
	if err != nil {
		return Replied{Question: q}, err
	}
	if err := d.endEscalations(ctx, e.Question); err != nil {
		return Replied{}, err
	}
	return d.answer(ctx, q, senior, text)
}

// held returns an escalation that the senior still has to settle.
func (d Desk) held(ctx context.Context, escalation, senior int64) (Escalation, Question, error) {
	e, err := d.Tx.Escalation(ctx, escalation)
	if err != nil {
		return e, Question{}, fmt.Errorf("escalation %d: %w", escalation, err)
	}
	q, err := d.Tx.Question(ctx, e.Question)
	if err != nil {
		return e, q, fmt.Errorf("escalation %d: %w", escalation, err)
	}
	if e.State != EscalationOpen || e.Senior != senior {
		return e, q, fmt.Errorf("escalation %d is %s: %w", escalation, e.State, ErrConflict)
	}
	return e, q, nil
}

// Answer gives a question an answer by hand, in whatever state it is: those who
// wait get it, and those who got an older version are told. An empty author
// name is filled in from the person.
func (d Desk) Answer(ctx context.Context, question string, author int64, text string) (Replied, error) {
	q, err := d.Tx.Question(ctx, question)
	if err != nil {
		return Replied{}, err
	}
	if q.Status.Answered() {
		return d.Revise(ctx, question, author, text)
	}
	if err := d.endEscalations(ctx, q.ID); err != nil {
		return Replied{}, err
	}
	return d.answer(ctx, q, author, text)
}

func (d Desk) answer(ctx context.Context, q Question, author int64, text string) (Replied, error) {
	d.By = author
	a, err := d.newVersion(ctx, q, author, text)
	if err != nil {
		return Replied{}, err
	}
	if err := q.Status.To(InKnowledgeBase); err != nil {
		return Replied{}, err
	}
	if err := d.settleHeld(ctx, q.ID); err != nil {
		return Replied{}, err
	}
	q.Answer, q.Status, q.Closed = a, InKnowledgeBase, NotClosed
	if err := d.Tx.PutQuestion(ctx, &q); err != nil {
		return Replied{}, err
	}
	return d.deliver(ctx, q, q, AskedSo)
}

func (d Desk) newVersion(ctx context.Context, q Question, author int64, text string) (Answer, error) {
	text, err := CleanText(text, MaxAnswerRunes)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Question: q.ID, Text: text, Author: author, Created: d.Now}
	if author != 0 {
		p, err := d.Tx.Person(ctx, author)
		if err != nil {
			return a, err
		}
		a.ByName = p.Name
	}
	if err := d.Tx.PutAnswer(ctx, &a); err != nil {
		return a, err
	}
	if err := d.KeepFiles(ctx, q.Answer, a); err != nil {
		return a, err
	}
	return a, d.step(ctx, Step{Question: q.ID, Kind: StepAnswered, Person: author, Text: text, Was: q.Answer.Text, Ref: a.ID})
}

// replied is what is told of an answer, before anybody is.
func (d Desk) replied(ctx context.Context, q Question, wording string) (r Replied, err error) {
	r = Replied{Question: q, Wording: wording}
	r.Files, err = d.Tx.Attachments(ctx, AttachmentFilter{Answers: one(q.Answer.ID)})
	return r, err
}

// deliver gives the answer of entry to everybody who waits for q, and keeps
// their wordings as phrasings of entry.
func (d Desk) deliver(ctx context.Context, q, entry Question, origin Origin) (Replied, error) {
	out, err := d.replied(ctx, entry, q.Text)
	if err != nil {
		return out, err
	}
	all, err := d.Tx.Waiters(ctx, q.ID)
	if err != nil {
		return out, err
	}
	if len(all) == 0 && q.ID != entry.ID {
		err = d.phrase(ctx, Phrasing{Question: entry.ID, Text: q.Text, Origin: origin}, 0)
	}
	for _, w := range all {
		if w.State != Waiting {
			continue
		}
		w.State, w.Answer = WaitAnswered, entry.Answer.ID
		if err := d.Tx.PutWaiter(ctx, w); err != nil {
			return out, err
		}
		if err := d.phrase(ctx, Phrasing{Question: entry.ID, Text: w.Text, Origin: origin, Person: w.Person}, w.Ask); err != nil {
			return out, err
		}
		name, err := d.nameOf(ctx, w)
		if err != nil {
			return out, err
		}
		out.Waiters, out.Names = append(out.Waiters, w), append(out.Names, name)
		if q.ID == entry.ID {
			continue
		}
		if err := d.lead(ctx, w, entry.ID); err != nil {
			return out, err
		}
	}
	return out, err
}

// lead notes that what somebody waited for is an entry: they are told when its
// answer changes, their ask has led to it, and that they refused it before does
// not count.
func (d Desk) lead(ctx context.Context, w Waiter, entry string) error {
	w.Question = entry
	if err := d.Tx.PutWaiter(ctx, w); err != nil {
		return err
	}
	if err := d.void(ctx, entry, w.Text, rejected, true); err != nil {
		return err
	}
	a, err := d.Tx.Ask(ctx, w.Ask)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	a.Question = entry
	return d.Tx.PutAsk(ctx, a)
}

// Revise adds a version to an answer. Everybody who got an older one of this
// question by a senior's reply is returned. An answer that was kept out of the
// base stays out.
func (d Desk) Revise(ctx context.Context, question string, author int64, text string) (Replied, error) {
	q, err := d.Tx.Question(ctx, question)
	if err != nil {
		return Replied{}, err
	}
	if q.Answer, err = d.newVersion(ctx, q, author, text); err != nil {
		return Replied{}, err
	}
	if err := d.Tx.PutQuestion(ctx, &q); err != nil {
		return Replied{}, err
	}
	return d.Retell(ctx, q)
}

// Retell returns everybody who got another version of the question's answer by a
// senior's reply than the current one, which they have from now on.
func (d Desk) Retell(ctx context.Context, q Question) (Replied, error) {
	out, err := d.replied(ctx, q, q.Text)
	if err != nil {
		return out, err
	}
	all, err := d.Tx.Waiters(ctx, q.ID)
	if err != nil {
		return out, err
	}
	for _, w := range all {
		if w.State != WaitAnswered || w.Answer == q.Answer.ID {
			continue
		}
		w.Answer = q.Answer.ID
		if err := d.Tx.PutWaiter(ctx, w); err != nil {
			return out, err
		}
		p, err := d.Tx.Person(ctx, w.Person)
		if err != nil {
			return out, err
		}
		if p.Left {
			continue // what is the company's is not theirs any more
		}
		name, err := d.nameOf(ctx, w)
		if err != nil {
			return out, err
		}
		out.Waiters, out.Names = append(out.Waiters, w), append(out.Names, name)
	}
	return out, nil
}

// PointTo settles an escalation by an entry that the base has already: those
// who wait get its answer, and their wordings find it from now on.
func (d Desk) PointTo(ctx context.Context, escalation, senior int64, entry string) (Replied, error) {
	_, q, err := d.held(ctx, escalation, senior)
	if err != nil {
		return Replied{Question: q}, err
	}
	to, err := d.Tx.Question(ctx, entry)
	if err != nil {
		return Replied{}, err
	}
	if !to.Status.Answered() {
		return Replied{}, fmt.Errorf("point to %s: %w: it has no answer", entry, ErrInvalid)
	}
	d.By = senior
	if err := d.close(ctx, q, PickedExisting); err != nil {
		return Replied{}, err
	}
	return d.deliver(ctx, q, to, SeniorSaid)
}

// Dismiss closes an escalated question as not a matter for the bot. Those who
// waited are returned.
func (d Desk) Dismiss(ctx context.Context, escalation, senior int64) (Assignment, error) {
	e, q, err := d.held(ctx, escalation, senior)
	if err != nil {
		return Assignment{Question: q}, err
	}
	a, err := d.Assignment(ctx, e)
	if err != nil {
		return a, err
	}
	if err := d.endWaiting(ctx, q.ID); err != nil {
		return a, err
	}
	d.By = senior
	return a, d.close(ctx, q, OffTopic)
}

// Pass hands an escalation to another senior. The error wraps ErrInvalid when they
// cannot be reached.
func (d Desk) Pass(ctx context.Context, escalation, senior, to int64) (Assignment, error) {
	e, q, err := d.held(ctx, escalation, senior)
	if err != nil {
		return Assignment{Question: q}, err
	}
	p, err := d.Tx.Person(ctx, to)
	if err != nil {
		return Assignment{}, err
	}
	if !p.Reachable() {
		return Assignment{Question: q}, fmt.Errorf("pass escalation %d to person %d, who cannot be reached: %w", escalation, p.ID, ErrInvalid)
	}
	d.By = senior
	n, err := d.succeed(ctx, e, choice{p.ID, PassedOn})
	if err != nil {
		return Assignment{}, err
	}
	return d.assignedFrom(ctx, n, senior)
}

// Postpone puts an escalation back until due; it stays with the senior.
func (d Desk) Postpone(ctx context.Context, escalation, senior int64, delay time.Duration) (Assignment, error) {
	e, q, err := d.held(ctx, escalation, senior)
	if err != nil {
		return Assignment{Question: q}, err
	}
	e.Due = d.Now.Add(delay)
	if err := d.Tx.PutEscalation(ctx, &e); err != nil {
		return Assignment{}, err
	}
	return d.Assignment(ctx, e)
}
