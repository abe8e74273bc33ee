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
	Store Store
	Now   func() time.Time
}

func (o Office) write(ctx context.Context, fn func(d knowledge.Desk) ([]Mail, error)) error {
	now := o.Now()
	return o.Store.Write(ctx, func(tx Tx) error {
		mail, err := fn(knowledge.Desk{Tx: tx, Now: now})
		if err != nil {
			return err
		}
		return postMail(ctx, tx, uuid.NewString(), mail, now)
	})
}

// Answer gives a question an answer, whatever its status.
func (o Office) Answer(ctx context.Context, question string, author int64, text string) (r knowledge.Replied, err error) {
	err = o.write(ctx, func(d knowledge.Desk) ([]Mail, error) {
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
		for i := range gone {
			gone[i].By = r.Question.Answer.ByName
		}
		return append(mailTo(gone), answerMail(r, before.Status.Answered(), false)...), nil
	})
	return r, err
}

// SetStatus changes a question's status by hand. Those who wait for a reply that
// will not come now are told.
func (o Office) SetStatus(ctx context.Context, question string, to knowledge.Status) (q knowledge.Question, err error) {
	err = o.write(ctx, func(d knowledge.Desk) ([]Mail, error) {
		gone, waited, err := tasksGone(ctx, d, question)
		if err != nil {
			return nil, err
		}
		if q, err = d.SetStatus(ctx, question, to); err != nil || to == knowledge.AwaitingSenior {
			return nil, err
		}
		mail := mailTo(gone)
		for _, w := range waited {
			mail = append(mail, Mail{Chat: ChatID(w.Chat), Body: Dismissed{Wording: w.Text}})
		}
		return mail, nil
	})
	return q, err
}

// goneTask is what a senior is told of a question that is settled elsewhere.
type goneTask struct {
	chat string
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
func tasksGone(ctx context.Context, d knowledge.Desk, question string) (gone []goneTask, waited []knowledge.Waiter, err error) {
	open, err := d.Tx.Escalations(ctx, knowledge.EscalationFilter{Question: question, State: knowledge.EscalationOpen})
	if err != nil {
		return nil, nil, err
	}
	for _, e := range open {
		a, err := d.Assignment(ctx, e)
		if err != nil {
			return nil, nil, err
		}
		gone = append(gone, goneTask{chat: a.Senior.Chat, TaskGone: TaskGone{Escalation: e.ID, Text: a.Question.Text}})
		waited = append(waited, a.Waiters...)
	}
	return gone, waited, nil
}

// AddPerson adds or changes somebody, known by an identity, and brings the
// questions that waited for a first senior to them and their askers.
func (o Office) AddPerson(ctx context.Context, id knowledge.Identity, change func(*knowledge.Person)) (p knowledge.Person, err error) {
	err = o.write(ctx, func(d knowledge.Desk) ([]Mail, error) {
		if p, err = d.Tx.Identify(ctx, id, o.Now()); err != nil {
			return nil, err
		}
		change(&p)
		assigned, err := d.AddPerson(ctx, &p)
		if err != nil {
			return nil, err
		}
		var mail []Mail
		for _, a := range assigned {
			if p.Chat != "" {
				mail = append(mail, Mail{Chat: ChatID(p.Chat), Body: Assigned{Task: taskOf(a)}})
			}
			for _, w := range a.Waiters {
				mail = append(mail, Mail{Chat: ChatID(w.Chat), Body: HandedOn{Question: a.Question.ID, Wording: w.Text, Senior: p.Name}})
			}
		}
		return mail, nil
	})
	return p, err
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
		a, err = knowledge.Desk{Tx: tx, Now: now}.Record(ctx, knowledge.Ask{
			ID: row.ID, Person: p.ID, Chat: who.Chat, Text: text, Asked: now,
			Decision: f.Decision, Confidence: f.Confidence, Candidates: candidates(f),
		})
		return err
	})
	return a, err
}
