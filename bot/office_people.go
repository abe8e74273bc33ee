package bot

import (
	"context"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// AddPerson adds or changes somebody, known by an identity, and brings the
// questions of the queue that are theirs to them and their askers.
func (o Office) AddPerson(ctx context.Context, id knowledge.Identity, change func(*knowledge.Person)) (p knowledge.Person, err error) {
	err = o.write(ctx, func(d officeDesk) ([]Mail, error) {
		if p, err = d.Tx.Identify(ctx, id, o.Now()); err != nil {
			return nil, err
		}
		change(&p)
		given, err := d.AddPerson(ctx, &p)
		if err != nil {
			return nil, err
		}
		return givenMail(ctx, d.tx, given)
	})
	return p, err
}

// ChangePerson changes somebody who is known already, and brings the questions of the
// queue that are theirs by that to them and their askers.
func (o Office) ChangePerson(ctx context.Context, person int64, change func(*knowledge.Person)) (p knowledge.Person, err error) {
	err = o.write(ctx, func(d officeDesk) ([]Mail, error) {
		if p, err = d.Tx.Person(ctx, person); err != nil {
			return nil, err
		}
		change(&p)
		given, err := d.AddPerson(ctx, &p)
		if err != nil {
			return nil, err
		}
		return givenMail(ctx, d.tx, given)
	})
	return p, err
}

// Assign gives a question that waits for a senior to one by hand, and tells whom it
// concerns; see knowledge.Desk.Assign for the errors.
func (o Office) Assign(ctx context.Context, question string, to, by int64) (a knowledge.Assignment, err error) {
	err = o.write(ctx, func(d officeDesk) ([]Mail, error) {
		gone, _, err := tasksGone(ctx, d, question)
		if err != nil {
			return nil, err
		}
		d.By = by
		if a, err = d.Assign(ctx, question, to); err != nil {
			return nil, err
		}
		if len(gone) == 1 && gone[0].senior == a.Senior.ID {
			return nil, nil // it is with them already
		}
		mail, err := givenMail(ctx, d.tx, []knowledge.Assignment{a})
		if err != nil {
			return nil, err
		}
		for i := range gone {
			gone[i].To = a.Senior.Name
		}
		next, err := refilled(ctx, d, gone)
		return append(append(mailTo(gone), mail...), next...), err
	})
	return a, err
}

// Leave notes that somebody has left the company, and tells whom it concerns.
func (o Office) Leave(ctx context.Context, person int64) (out knowledge.Departure, err error) {
	err = o.write(ctx, func(d officeDesk) ([]Mail, error) {
		if out, err = d.Leave(ctx, person); err != nil {
			return nil, err
		}
		if out.HandedOver, err = givenOut(ctx, d.Desk, out.HandedOver); err != nil {
			return nil, err
		}
		mail, err := givenMail(ctx, d.tx, out.HandedOver)
		if err != nil {
			return nil, err
		}
		var gone []goneTask
		for _, w := range out.Withdrawn {
			if w.Left > 0 || w.Senior.ID == 0 {
				continue
			}
			chat, err := taskChat(ctx, d.tx, w.Escalation.ID, w.Senior)
			if err != nil {
				return nil, err
			}
			gone = append(gone, goneTask{chat: chat, senior: w.Senior.ID, TaskGone: TaskGone{Escalation: w.Escalation.ID, Text: w.Question.Text}})
		}
		next, err := refilled(ctx, d, gone)
		return append(append(mail, mailTo(gone)...), next...), err
	})
	return out, err
}

// GiveOut gives what waits in the queue to the seniors who can get it now, and tells
// them and the askers. It is for when time alone has made somebody free.
func (o Office) GiveOut(ctx context.Context) (given []knowledge.Assignment, err error) {
	err = o.write(ctx, func(d officeDesk) ([]Mail, error) {
		if given, err = d.GiveOut(ctx); err != nil {
			return nil, err
		}
		return givenMail(ctx, d.tx, given)
	})
	return given, err
}

// refilled gives the seniors who are rid of questions the next ones of the queue.
func refilled(ctx context.Context, d officeDesk, gone []goneTask) ([]Mail, error) {
	var out []Mail
	for _, g := range gone {
		if g.senior == 0 {
			continue
		}
		given, err := d.Refill(ctx, g.senior)
		if err != nil {
			return nil, err
		}
		mail, err := givenMail(ctx, d.tx, given)
		if err != nil {
			return nil, err
		}
		out = append(out, mail...)
	}
	return out, nil
}
