package bot

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Office does what an administrator does from outside a chat, and tells those
// whom it concerns.
type Office struct {
	Store    Store
	Now      func() time.Time
	Learning knowledge.Learning
	Routing  knowledge.Routing
	// WithoutFiles makes new versions of answers begin without the files they had.
	WithoutFiles bool
	// Guard says what an answer would disturb; with nil nobody looks.
	Guard interface {
		Disturbs(ctx context.Context, p knowledge.Proposal) ([]knowledge.Conflict, error)
	}
}

// officeDesk is the desk with what mail is looked up in.
type officeDesk struct {
	knowledge.Desk
	tx Tx
}

func (o Office) desk(tx Tx, now time.Time) officeDesk {
	return officeDesk{knowledge.Desk{Tx: tx, Now: now, Learning: o.Learning, Routing: o.Routing, WithoutFiles: o.WithoutFiles}, tx}
}

func (o Office) write(ctx context.Context, fn func(d officeDesk) ([]Mail, error)) error {
	now := o.Now()
	return o.Store.Write(ctx, func(tx Tx) error {
		mail, err := fn(o.desk(tx, now))
		if err != nil {
			return err
		}
		return postMail(ctx, tx, uuid.NewString(), mail, now)
	})
}

// Answer gives a question an answer, whatever its status. An answer that would
// change what others find reaches those who wait, and is kept out of the base for a
// decision: the question's status says so.
func (o Office) Answer(ctx context.Context, question string, author int64, text string) (r knowledge.Replied, err error) {
	conflicts, err := o.disturbs(ctx, question, text)
	if err != nil {
		return r, err
	}
	err = o.write(ctx, func(d officeDesk) ([]Mail, error) {
		before, err := d.Tx.Question(ctx, question)
		if err != nil {
			return nil, err
		}
		gone, _, err := tasksGone(ctx, d, question)
		if err != nil {
			return nil, err
		}
		if r, err = d.Answer(ctx, question, author, text); err != nil {
			return nil, err
		}
		if len(conflicts) > 0 {
			if _, err := d.Hold(ctx, knowledge.Review{Question: question, Person: author, Conflicts: conflicts}); err != nil {
				return nil, err
			}
			if r.Question, err = d.Tx.Question(ctx, question); err != nil {
				return nil, err
			}
		}
		for i := range gone {
			gone[i].By = r.Question.Answer.ByName
		}
		next, err := refilled(ctx, d, gone)
		return append(append(mailTo(gone), answerMail(r, before.Status.Answered(), false)...), next...), err
	})
	return r, err
}

// disturbs returns what an answer would change for others.
func (o Office) disturbs(ctx context.Context, question, answer string) ([]knowledge.Conflict, error) {
	if o.Guard == nil {
		return nil, nil
	}
	var p knowledge.Proposal
	err := o.Store.Read(ctx, func(tx Tx) error {
		q, err := tx.Question(ctx, question)
		if err != nil {
			return err
		}
		p = knowledge.Proposal{Question: q.ID, Text: q.Text, Answer: answer}
		if q.Status.Answered() {
			return nil
		}
		phrasings, err := tx.Phrasings(ctx, []string{q.ID})
		if err != nil {
			return err
		}
		for _, f := range phrasings {
			if knowledge.FoldText(f.Text) != knowledge.FoldText(q.Text) {
				p.Wordings = append(p.Wordings, f.Text)
			}
		}
		waiting, err := waitersWordings(ctx, tx, q)
		p.Wordings = append(p.Wordings, waiting...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return o.Guard.Disturbs(ctx, p)
}

// Attach adds a file to the current answer of a question.
func (o Office) Attach(ctx context.Context, question string, by int64, a knowledge.Attachment) (out knowledge.Attachment, err error) {
	err = o.write(ctx, func(d officeDesk) ([]Mail, error) {
		d.By = by
		out, err = d.Attach(ctx, question, a)
		return nil, err
	})
	return out, err
}

// Detach makes a new version of an answer without one of its files; those who got
// an older one by a senior's reply are told.
func (o Office) Detach(ctx context.Context, attachment, by int64) (r knowledge.Replied, err error) {
	err = o.write(ctx, func(d officeDesk) ([]Mail, error) {
		if r, err = d.Detach(ctx, attachment, by); err != nil {
			return nil, err
		}
		return answerMail(r, true, false), nil
	})
	return r, err
}

// SetStatus changes a question's status by hand. Those who wait for a reply that
// will not come now are told.
func (o Office) SetStatus(ctx context.Context, question string, to knowledge.Status) (q knowledge.Question, err error) {
	err = o.write(ctx, func(d officeDesk) ([]Mail, error) {
		gone, waited, err := tasksGone(ctx, d, question)
		if err != nil {
			return nil, err
		}
		if q, err = d.SetStatus(ctx, question, to); err != nil || to == knowledge.AwaitingSenior {
			return nil, err
		}
		mail := mailTo(gone)
		for _, w := range waited {
			mail = append(mail, Mail{Chat: ChatID(w.Chat), Body: Dismissed{Wording: w.Text, Ask: w.Ask}})
		}
		next, err := refilled(ctx, d, gone)
		return append(mail, next...), err
	})
	return q, err
}

// Undo takes a step of a question's history back; those who got an answer by a
// senior's reply are told when it is another one now. It returns the step that
// says so: with its id the undoing is undone.
func (o Office) Undo(ctx context.Context, step, by int64) (undoing knowledge.Step, err error) {
	err = o.write(ctx, func(d officeDesk) ([]Mail, error) {
		s, err := d.Tx.Step(ctx, step)
		if err != nil {
			return nil, err
		}
		return changing(ctx, d, s.Question, func() error {
			if _, err = d.Undo(ctx, step, by); err != nil {
				return err
			}
			undoing, err = lastStep(ctx, d, s.Question)
			return err
		})
	})
	return undoing, err
}

// Unlearn takes a wording from a question; see Undo for what it returns.
func (o Office) Unlearn(ctx context.Context, question, wording string, by int64) (undoing knowledge.Step, err error) {
	err = o.write(ctx, func(d officeDesk) ([]Mail, error) {
		if _, err := d.Unlearn(ctx, question, wording, by); err != nil {
			return nil, err
		}
		undoing, err = lastStep(ctx, d, question)
		return nil, err
	})
	return undoing, err
}

func lastStep(ctx context.Context, d officeDesk, question string) (knowledge.Step, error) {
	steps, err := d.Tx.Steps(ctx, question, 0, 0)
	if err != nil || len(steps) == 0 {
		return knowledge.Step{}, err
	}
	return steps[len(steps)-1], nil
}

// changing does something to a question, and returns the mail to those who have
// its answer, when that is another one afterwards.
func changing(ctx context.Context, d officeDesk, question string, do func() error) ([]Mail, error) {
	before, err := d.Tx.Question(ctx, question)
	if err != nil {
		return nil, err
	}
	if err := do(); err != nil {
		return nil, err
	}
	after, err := d.Tx.Question(ctx, question)
	if err != nil || after.Answer.ID == before.Answer.ID {
		return nil, err
	}
	r, err := d.Retell(ctx, after)
	if err != nil {
		return nil, err
	}
	return answerMail(r, true, false), nil
}

// Decide lets what was held back go live, or keeps it out.
func (o Office) Decide(ctx context.Context, review, by int64, accept bool) (r knowledge.Review, q knowledge.Question, err error) {
	err = o.write(ctx, func(d officeDesk) ([]Mail, error) {
		r, q, err = d.DecideReview(ctx, review, by, accept)
		return nil, err
	})
	return r, q, err
}

// goneTask is what a senior is told of a question that is settled elsewhere.
type goneTask struct {
	chat   string
	senior int64
	TaskGone
}

func mailTo(gone []goneTask) []Mail {
	var out []Mail
	for _, g := range gone {
		if g.chat != "" {
			out = append(out, Mail{Chat: ChatID(g.chat), Body: g.TaskGone})
		}
	}
	return out
}

// tasksGone returns who has to answer a question, and who waits for it.
func tasksGone(ctx context.Context, d officeDesk, question string) (gone []goneTask, waited []knowledge.Waiter, err error) {
	open, err := d.Tx.Escalations(ctx, knowledge.EscalationFilter{Question: question, State: knowledge.EscalationOpen})
	if err != nil {
		return nil, nil, err
	}
	for _, e := range open {
		a, err := d.Assignment(ctx, e)
		if err != nil {
			return nil, nil, err
		}
		chat, err := taskChat(ctx, d.tx, e.ID, a.Senior)
		if err != nil {
			return nil, nil, err
		}
		gone = append(gone, goneTask{chat: chat, senior: a.Senior.ID, TaskGone: TaskGone{Escalation: e.ID, Text: a.Question.Text}})
		waited = append(waited, a.Waiters...)
	}
	return gone, waited, nil
}

// RecordAsk stores an ask that was made outside a chat, with what search found.
func (o Office) RecordAsk(ctx context.Context, who knowledge.Identity, text string, f knowledge.Finding) (a knowledge.Ask, err error) {
	now := o.Now()
	err = o.Store.Write(ctx, func(tx Tx) error {
		p, err := tx.Identify(ctx, who, now)
		if err != nil {
			return err
		}
		// The inbox gives the number and keeps what came in.
		row, err := newRow(uuid.NewString(), ChatID(who.Chat), Said{Text: text}, now)
		if err != nil {
			return err
		}
		row.From = who
		if err := tx.Post(ctx, &row); err != nil {
			return err
		}
		if err := tx.Settle(ctx, row.ID, now, ""); err != nil {
			return err
		}
		a, err = o.desk(tx, now).Record(ctx, knowledge.Ask{
			ID: row.ID, Person: p.ID, Chat: who.Chat, Text: text, Asked: now,
			Decision: f.Decision, Confidence: f.Confidence, Candidates: candidates(f),
		})
		return err
	})
	return a, err
}
