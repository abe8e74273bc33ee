package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

func testAsks(t *testing.T, s bot.Store) {
	ask := knowledge.Ask{
		ID: 41, Person: 2, Chat: "console:иван", Text: "как сменить ответственного", Asked: noon(),
		Decision: knowledge.DecisionSuggest, Confidence: 0.4375, Question: "q1",
		Candidates: []knowledge.Candidate{{Question: "б", Rank: 1, Score: 0.9}, {Question: "а", Rank: 2, Score: 0.1}},
	}
	get := func(id int64) knowledge.Ask {
		return read(t, s, func(ctx context.Context, tx bot.Tx) (knowledge.Ask, error) { return tx.Ask(ctx, id) })
	}
	put := func(a knowledge.Ask) {
		write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.PutAsk(ctx, a) })
	}
	t.Run("comes back as it went in", func(t *testing.T) {
		put(ask)
		equal(t, "ask", get(41), ask)
	})
	t.Run("is replaced with its candidates", func(t *testing.T) {
		ask.Outcome, ask.Question = knowledge.Picked, "б"
		ask.Candidates = []knowledge.Candidate{{Question: "в", Rank: 1, Score: 1}}
		put(ask)
		equal(t, "ask", get(41), ask)
	})
	t.Run("without an id is refused", func(t *testing.T) {
		refuse(t, s, knowledge.ErrInvalid, func(ctx context.Context, tx bot.Tx) error { return tx.PutAsk(ctx, knowledge.Ask{Text: "Вопрос"}) })
	})
	t.Run("what does not exist is not found", func(t *testing.T) {
		refuse(t, s, knowledge.ErrNotFound, func(ctx context.Context, tx bot.Tx) error {
			_, err := tx.Ask(ctx, 999)
			return err
		})
	})
	put(knowledge.Ask{ID: 43, Person: 3, Text: "третий", Question: "б", Decision: knowledge.DecisionNothing})
	put(knowledge.Ask{ID: 42, Person: 2, Text: "второй", Question: "г", Decision: knowledge.DecisionAnswer, Candidates: []knowledge.Candidate{{Question: "г", Rank: 1, Score: 1}}})
	for _, c := range []struct {
		name     string
		person   int64
		question string
		limit    int
		want     []int64
	}{
		{"all, newest first", 0, "", 0, []int64{43, 42, 41}},
		{"of a person", 2, "", 0, []int64{42, 41}},
		{"on a question", 0, "б", 0, []int64{43, 41}},
		{"of a person on a question", 2, "б", 0, []int64{41}},
		{"the newest", 0, "", 2, []int64{43, 42}},
		{"none", 9, "", 0, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Ask, error) {
				return tx.Asks(ctx, c.person, c.question, c.limit)
			})
			var got []int64
			for _, a := range found {
				got = append(got, a.ID)
				if a.ID == 41 {
					equal(t, "the ask in a list", a, ask)
				}
			}
			equal(t, "ids", got, c.want)
		})
	}
}

func testEscalations(t *testing.T, s bot.Store) {
	entries(t, s, "a", "b")
	var all []knowledge.Escalation
	for _, e := range []knowledge.Escalation{
		{Question: "a", Senior: 1, State: knowledge.EscalationPassed, Created: noon(), Ended: noon().Add(time.Minute)},
		{Question: "a", Senior: 2, State: knowledge.EscalationOpen, Reason: knowledge.ByTopic, Created: noon(), Given: noon().Add(time.Second), Reminded: noon().Add(time.Minute)},
		{Question: "b", State: knowledge.EscalationOpen, Created: noon()},
		{Question: "b", Senior: 2, State: knowledge.EscalationDone, Created: noon()},
	} {
		write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.PutEscalation(ctx, &e) })
		if e.ID == 0 {
			t.Fatal("no id was filled in")
		}
		all = append(all, e)
	}
	get := func(id int64) knowledge.Escalation {
		return read(t, s, func(ctx context.Context, tx bot.Tx) (knowledge.Escalation, error) { return tx.Escalation(ctx, id) })
	}
	equal(t, "the first", get(all[0].ID), all[0])
	t.Run("is updated by its id", func(t *testing.T) {
		e := all[1]
		e.Due = noon().Add(time.Hour)
		write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.PutEscalation(ctx, &e) })
		equal(t, "the id", e.ID, all[1].ID)
		all[1] = e
		equal(t, "updated", get(e.ID), e)
	})
	for _, c := range []struct {
		name   string
		filter knowledge.EscalationFilter
		want   []int // indices in all
	}{
		{"all, newest first", knowledge.EscalationFilter{}, []int{3, 2, 1, 0}},
		{"of a question", knowledge.EscalationFilter{Question: "a"}, []int{1, 0}},
		{"of a senior", knowledge.EscalationFilter{Senior: 2}, []int{3, 1}},
		{"open ones of a senior", knowledge.EscalationFilter{Senior: 2, State: knowledge.EscalationOpen}, []int{1}},
		{"open ones that nobody has", knowledge.EscalationFilter{Unassigned: true, State: knowledge.EscalationOpen}, []int{2}},
		{"the newest", knowledge.EscalationFilter{Limit: 1}, []int{3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var want []knowledge.Escalation
			for _, i := range c.want {
				want = append(want, all[i])
			}
			got := read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Escalation, error) {
				return tx.Escalations(ctx, c.filter)
			})
			equal(t, "escalations", got, want)
		})
	}
	t.Run("what does not exist is not found", func(t *testing.T) {
		for _, fn := range []func(context.Context, bot.Tx) error{
			func(ctx context.Context, tx bot.Tx) error { _, err := tx.Escalation(ctx, 999); return err },
			func(ctx context.Context, tx bot.Tx) error {
				return tx.PutEscalation(ctx, &knowledge.Escalation{ID: 999, Question: "a", State: knowledge.EscalationOpen})
			},
			func(ctx context.Context, tx bot.Tx) error {
				return tx.PutEscalation(ctx, &knowledge.Escalation{Question: "нет такого", State: knowledge.EscalationOpen})
			},
		} {
			refuse(t, s, knowledge.ErrNotFound, fn)
		}
	})
}

func testWaiters(t *testing.T, s bot.Store) {
	entries(t, s, "a")
	first, second, third := person(t, s, knowledge.Person{Name: "Аня"}), person(t, s, knowledge.Person{Name: "Боря"}), person(t, s, knowledge.Person{Name: "Вера"})
	waiters := []knowledge.Waiter{
		{Question: "a", Person: second, Chat: "console:боря", Ask: 8, Text: "Как же?", Since: noon(), State: knowledge.Waiting},
		{Question: "a", Person: first, Chat: "console:аня", Ask: 9, Text: "Как?", Since: noon(), Anonymous: true, State: knowledge.Waiting},
		{Question: "a", Person: third, Chat: "console:вера", Ask: 7, Text: "Ну как?", Since: noon().Add(time.Second), State: knowledge.Waiting},
	}
	get := func(question string) []knowledge.Waiter {
		return read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Waiter, error) { return tx.Waiters(ctx, question) })
	}
	write(t, s, func(ctx context.Context, tx bot.Tx) error {
		return errors.Join(tx.PutWaiter(ctx, waiters[2]), tx.PutWaiter(ctx, waiters[1]), tx.PutWaiter(ctx, waiters[0]))
	})
	equal(t, "first comer first", get("a"), waiters)
	waiters[0].State, waiters[0].Answer, waiters[0].Anonymous = knowledge.WaitAnswered, 5, true
	write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.PutWaiter(ctx, waiters[0]) })
	equal(t, "one for each question and person", get("a"), waiters)
	equal(t, "of another question", get("b"), nil)
	t.Run("for what does not exist is refused", func(t *testing.T) {
		for _, w := range []knowledge.Waiter{
			{Question: "нет такого", Person: first, State: knowledge.Waiting},
			{Question: "a", Person: 999, State: knowledge.Waiting},
		} {
			refuse(t, s, knowledge.ErrNotFound, func(ctx context.Context, tx bot.Tx) error { return tx.PutWaiter(ctx, w) })
		}
	})
}
