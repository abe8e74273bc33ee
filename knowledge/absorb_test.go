package knowledge_test

import (
	"context"
	"errors"
	"testing"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// What an entry has taken in finds the entry, and its askers hear of later versions.
func TestAbsorb(t *testing.T) {
	t.Parallel()
	f, people := crowd(t, 2)
	ctx := context.Background()
	var q knowledge.Question
	f.do(func(d knowledge.Desk) error {
		a, err := d.Record(ctx, knowledge.Ask{ID: 901, Person: people[0], Chat: "c", Text: "кто заберёт мою сделку", Decision: knowledge.DecisionNothing})
		if err != nil {
			return err
		}
		s, err := d.Escalate(ctx, a.ID, "")
		if err != nil {
			return err
		}
		r, err := d.Answer(ctx, s.Question.ID, people[1], "Коллега.")
		q = r.Question
		return err
	})
	absorb := func(question, entry string) error {
		return f.try(func(d knowledge.Desk) error { return d.Absorb(ctx, question, entry) })
	}
	if err := absorb(q.ID, "kb1"); !errors.Is(err, knowledge.ErrInvalid) {
		t.Errorf("what is in the base itself: %v", err)
	}
	f.do(func(d knowledge.Desk) error {
		_, err := d.Withdraw(ctx, q.ID)
		return err
	})
	if err := absorb("kb1", q.ID); !errors.Is(err, knowledge.ErrInvalid) {
		t.Errorf("into what is not in the base: %v", err)
	}
	if err := absorb(q.ID, "kb1"); err != nil {
		t.Fatal(err)
	}
	f.look(func(tx bot.Tx) error {
		found, err := tx.Phrasings(ctx, []string{"kb1"})
		if err != nil || found[len(found)-1].Text != q.Text {
			t.Errorf("wordings of the entry: %+v, %v", found, err)
		}
		was, err := tx.Question(ctx, q.ID)
		if was.Closed != knowledge.PickedExisting {
			t.Errorf("the question is %q", was.Closed)
		}
		return err
	})
	f.do(func(d knowledge.Desk) error {
		r, err := d.Revise(ctx, "kb1", people[1], "Иначе.")
		if len(r.Waiters) != 1 || r.Waiters[0].Person != people[0] {
			t.Errorf("told of a later version: %+v", r.Waiters)
		}
		return err
	})
}
