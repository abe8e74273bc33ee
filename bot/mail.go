package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Mail is an event for another chat.
type Mail struct {
	Chat ChatID
	Body Body
}

func postMail(ctx context.Context, tx Tx, prefix string, mail []Mail, at time.Time) error {
	for i, m := range mail {
		row, err := newRow(fmt.Sprintf("%s/mail%d", prefix, i), m.Chat, m.Body, at)
		if err != nil {
			return err
		}
		if err := tx.Post(ctx, &row); err != nil {
			return err
		}
	}
	return nil
}

// outbox is what the mail has to be looked up in.
type mailTx interface {
	knowledge.Tx
	OutboxList
}

// taskChat returns the chat in which a senior has an escalation: the one where its
// message is, else the one to write to.
func taskChat(ctx context.Context, tx mailTx, escalation int64, senior knowledge.Person) (string, error) {
	if senior.ID == 0 {
		return "", nil
	}
	known, err := tx.Identities(ctx, senior.ID)
	if err != nil {
		return "", err
	}
	for _, i := range known {
		if i.Chat == "" || i.Chat == senior.Chat {
			continue
		}
		_, err := tx.DeliveryByKey(ctx, taskKey(escalation, ChatID(i.Chat)))
		if err == nil {
			if _, err := tx.DeliveryByKey(ctx, taskKey(escalation, ChatID(senior.Chat))); errors.Is(err, knowledge.ErrNotFound) {
				return i.Chat, nil
			}
			return senior.Chat, nil
		}
		if !errors.Is(err, knowledge.ErrNotFound) {
			return "", err
		}
	}
	return senior.Chat, nil
}

// givenOut gives what nobody of a list could be given to whoever has room for it, and
// returns the list as it is then, with whatever else has been given out.
func givenOut(ctx context.Context, d knowledge.Desk, moved []knowledge.Assignment) ([]knowledge.Assignment, error) {
	if !slices.ContainsFunc(moved, func(a knowledge.Assignment) bool { return a.Senior.ID == 0 }) {
		return moved, nil
	}
	given, err := d.GiveOut(ctx)
	if err != nil {
		return nil, err
	}
	out := slices.DeleteFunc(slices.Clone(moved), func(a knowledge.Assignment) bool {
		return slices.ContainsFunc(given, func(g knowledge.Assignment) bool { return g.Escalation.ID == a.Escalation.ID })
	})
	return append(out, given...), nil
}

// givenMail is what is told when questions have come to be with somebody else, or with
// the same senior elsewhere.
func givenMail(ctx context.Context, tx mailTx, given []knowledge.Assignment) ([]Mail, error) {
	var out []Mail
	for _, a := range given {
		if a.Exhausted && a.Senior.ID != 0 {
			continue // it is with whom it was
		}
		if a.Senior.Chat != "" {
			task, err := taskOf(ctx, tx, a)
			if err != nil {
				return nil, err
			}
			out = append(out, Mail{Chat: ChatID(a.Senior.Chat), Body: Assigned{Task: task}})
		}
		if a.From.ID == a.Senior.ID && a.From.ID != 0 {
			continue
		}
		for _, w := range a.Waiters {
			out = append(out, Mail{Chat: ChatID(w.Chat), Body: HandedOn{Question: a.Question.ID, Wording: w.Text, Senior: a.Senior.Name, Ask: w.Ask}})
		}
	}
	return out, nil
}

// answerMail is what those who wait for an answer are told.
func answerMail(r knowledge.Replied, changed, pointed bool) []Mail {
	q := r.Question
	page := knowledge.Page{Brief: knowledge.Brief{ID: q.ID, Text: q.Text}, Answer: q.Answer.Text, By: q.Answer.ByName, Updated: q.Answer.Created, Files: r.Files}
	var out []Mail
	for _, w := range r.Waiters {
		out = append(out, Mail{Chat: ChatID(w.Chat), Body: AnswerCame{Ask: w.Ask, Wording: w.Text, Page: page, Changed: changed, Pointed: pointed}})
	}
	return out
}

// taskOf gathers what a senior is shown of an assignment.
func taskOf(ctx context.Context, tx knowledge.Tx, a knowledge.Assignment) (Task, error) {
	t := Task{Escalation: a.Escalation.ID, Question: a.Question.ID, Text: a.Question.Text, Names: a.Names, Rejected: a.Rejected, Since: a.Escalation.Created}
	if len(a.Waiters) > 0 {
		t.Since = a.Waiters[0].Since
	}
	for i, w := range a.Waiters {
		if a.Names[i] == "" {
			t.Teams = append(t.Teams, "")
			continue
		}
		p, err := tx.Person(ctx, w.Person)
		if err != nil {
			return t, err
		}
		t.Teams = append(t.Teams, p.Team)
	}
	for _, d := range a.Details {
		t.Details = append(t.Details, Addition{Name: d.Name, Text: d.Text})
	}
	asks, err := asksBehind(ctx, tx, a)
	if err != nil || len(asks) == 0 {
		return t, err
	}
	files, err := tx.Attachments(ctx, knowledge.AttachmentFilter{Asks: asks})
	t.Files = attached(files)
	return t, err
}

// asksBehind returns what those who wait have asked and added.
func asksBehind(ctx context.Context, tx knowledge.Tx, a knowledge.Assignment) (asks []int64, err error) {
	waits := map[int64]bool{}
	for _, w := range a.Waiters {
		waits[w.Person] = true
		asks = append(asks, w.Ask)
	}
	if len(a.Details) == 0 {
		return asks, nil
	}
	all, err := tx.Asks(ctx, 0, a.Question.ID, 0)
	for _, ask := range all {
		if waits[ask.Person] && ask.Decision == knowledge.DecisionDetail {
			asks = append(asks, ask.ID)
		}
	}
	return asks, err
}
