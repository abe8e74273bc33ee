package bottest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/kbfile"
)

// entryAge is how long ago the answers of a conversation's base were given.
const entryAge = 10 * 24 * time.Hour

// load fills the base that a conversation begins with.
func (s *stage) load(ctx context.Context, c Conversation) error {
	if c.Base == "" {
		return nil
	}
	entries, problems, err := kbfile.Read(strings.NewReader(c.Base), baseFile, kbfile.Options{})
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return fmt.Errorf("%s: %v", baseFile, problems[0])
	}
	at := begin().Add(-entryAge)
	return s.record.Write(ctx, func(tx bot.Tx) error {
		for _, e := range entries {
			if err := putEntry(ctx, tx, e, at, slices.Contains(c.FAQ, e.ID)); err != nil {
				return fmt.Errorf("%s: %s: %w", baseFile, e.ID, err)
			}
		}
		return nil
	})
}

func putEntry(ctx context.Context, tx bot.Tx, e kbfile.Entry, at time.Time, faq bool) error {
	q := knowledge.Question{ID: e.ID, Text: e.Question, Status: knowledge.InKnowledgeBase, Topic: e.Topic, Asked: at}
	if faq {
		q.Status = knowledge.FAQ
	}
	if err := tx.PutQuestion(ctx, &q); err != nil {
		return err
	}
	for _, alias := range e.Aliases {
		if _, err := tx.PutPhrasing(ctx, knowledge.Phrasing{Question: q.ID, Text: alias, Origin: knowledge.Imported, Created: at}); err != nil {
			return err
		}
	}
	return tx.PutAnswer(ctx, &knowledge.Answer{Question: q.ID, Text: e.Answer, ByName: "Ольга Р.", Created: at})
}

// name returns whose chat it is.
func (s *stage) name(ctx context.Context, chat bot.ChatID) string {
	name := chat.Address()
	_ = s.record.Read(ctx, func(tx bot.Tx) error {
		p, err := tx.Known(ctx, knowledge.Identity{Platform: chat.Platform(), External: chat.External()})
		if err != nil {
			return err
		}
		name = p.Name
		all, err := tx.Identities(ctx, p.ID)
		if len(all) > 1 { // in which of their chats
			name += " (" + chat.Address() + ")"
		}
		return err
	})
	if chat.Shared() {
		_, room, _ := strings.Cut(string(chat.Room()), ":")
		name += " в «" + room + "»"
	}
	return name
}

// ending writes down what the conversation has left behind: the questions that
// it has made or changed, and who still waits.
func (p *player) ending(ctx context.Context) error {
	p.out.WriteString("\n=== что осталось\n")
	return p.stage.record.Read(ctx, func(tx bot.Tx) error {
		all, err := tx.Questions(ctx, knowledge.QuestionFilter{WithClosed: true})
		if err != nil {
			return err
		}
		for _, q := range all {
			if err := p.left(ctx, tx, q); err != nil {
				return err
			}
		}
		return nil
	})
}

// left writes down one question, unless it is as it was in the beginning.
func (p *player) left(ctx context.Context, tx bot.Tx, q knowledge.Question) error {
	phrasings, err := tx.Phrasings(ctx, []string{q.ID})
	if err != nil {
		return err
	}
	waiters, err := tx.Waiters(ctx, q.ID)
	if err != nil {
		return err
	}
	if q.Version == 1 && q.AskedBy == 0 {
		return nil // of the base, and nobody has touched it
	}
	status := q.Status.Title()
	if q.Closed != knowledge.NotClosed {
		status += ", " + q.Closed.Title()
	}
	fmt.Fprintf(&p.out, "«%s»: %s\n", oneLine(q.Text), status)
	for _, f := range phrasings {
		if f.Text != q.Text && f.Origin != knowledge.Imported {
			fmt.Fprintf(&p.out, "    формулировка: %s\n", oneLine(f.Text))
		}
	}
	if q.Answer.ID != 0 {
		fmt.Fprintf(&p.out, "    ответ %d (%s): %s\n", q.Answer.Version, q.Answer.ByName, oneLine(q.Answer.Text))
	}
	files, err := tx.Attachments(ctx, knowledge.AttachmentFilter{Answers: []int64{q.Answer.ID}})
	if err != nil {
		return err
	}
	for _, f := range files {
		fmt.Fprintf(&p.out, "    файл: %s\n", f.Name)
	}
	return p.waiting(ctx, tx, q, waiters)
}

func oneLine(s string) string { return strings.ReplaceAll(s, "\n", " ⏎ ") }

// waiting writes down who waits or has waited for a question, and whose turn it is.
func (p *player) waiting(ctx context.Context, tx bot.Tx, q knowledge.Question, waiters []knowledge.Waiter) error {
	for _, w := range waiters {
		who, err := tx.Person(ctx, w.Person)
		if err != nil {
			return err
		}
		state := map[knowledge.WaiterState]string{knowledge.Waiting: "ждёт", knowledge.WaitAnswered: "получил ответ", knowledge.WaitCancelled: "не ждёт больше"}[w.State]
		if w.Anonymous {
			state += ", без имени"
		}
		fmt.Fprintf(&p.out, "    %s: %s\n", who.Name, state)
	}
	open, err := tx.Escalations(ctx, knowledge.EscalationFilter{Question: q.ID, State: knowledge.EscalationOpen})
	if err != nil {
		return err
	}
	for _, e := range open {
		who, err := tx.Person(ctx, e.Senior)
		if errors.Is(err, knowledge.ErrNotFound) {
			who.Name, err = "никто", nil
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(&p.out, "    отвечает: %s\n", who.Name)
	}
	return nil
}
