package knowledge_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Everybody who waits gets the reply, and everybody's words find it.
func TestReplyReachesAllWhoWait(t *testing.T) {
	f := open(t)
	anna := f.person("Анна", true)
	ivan, petr, olga := f.person("Иван", false), f.person("Пётр", false), f.person("Ольга", false)
	first := f.send(f.ask(ivan, "как продлить триал").ID)
	if first.Senior.ID != anna || first.Joined || first.Already {
		t.Fatalf("sent %+v", first)
	}
	q := first.Question.ID
	f.wantStatus(q, knowledge.AwaitingSenior, knowledge.NotClosed)

	second := f.join(f.ask(petr, "продление пробного периода").ID, q)
	if !second.Joined || second.Escalation.ID != first.Escalation.ID || len(second.Waiters) != 2 {
		t.Fatalf("joined %+v", second)
	}
	if again := f.send(f.ask(petr, "как продлить триал").ID); !again.Already {
		t.Error("somebody who waits is told that they wait only now")
	}
	f.join(f.ask(olga, "пробный период ещё").ID, q)
	f.do(func(d knowledge.Desk) error {
		_, changed, err := d.Hide(context.Background(), q, olga)
		if !changed {
			t.Error("the name was hidden before")
		}
		return err
	})

	r := f.reply(first.Escalation.ID, anna, "Напишите в отдел продаж.")
	if want := []string{"Иван", "Пётр", ""}; !slices.Equal(r.Names, want) {
		t.Errorf("told %q, want %q", r.Names, want)
	}
	f.wantStatus(q, knowledge.InKnowledgeBase, knowledge.NotClosed)
	if got, want := f.phrasings(q), []string{"как продлить триал", "продление пробного периода", "пробный период ещё"}; !slices.Equal(got, want) {
		t.Errorf("phrasings %q, want %q", got, want)
	}
	if err := f.try(func(d knowledge.Desk) error {
		_, err := d.Reply(context.Background(), first.Escalation.ID, anna, "Ещё раз")
		return err
	}); !errors.Is(err, knowledge.ErrConflict) {
		t.Errorf("a second reply to the same escalation: %v", err)
	}
	if q := f.question(q); q.Answer.Version != 1 || q.Answer.ByName != "Анна" {
		t.Errorf("answer %+v", q.Answer)
	}
}

// What one asker no longer needs, another may.
func TestPickKeepsWhatOthersNeed(t *testing.T) {
	f := open(t)
	f.person("Анна", true)
	f.entry("kb1", "Как выставить счёт?")
	ivan, petr := f.person("Иван", false), f.person("Пётр", false)
	pick := func(ask int64) {
		f.do(func(d knowledge.Desk) error {
			_, err := d.Pick(context.Background(), ask, "kb1")
			return err
		})
	}
	first, second := f.ask(ivan, "счёт клиенту", "kb1"), f.ask(petr, "Счёт клиенту?", "kb1")
	if first.Question != second.Question {
		t.Fatalf("the same words opened %s and %s", first.Question, second.Question)
	}
	pick(first.ID)
	f.wantStatus(first.Question, knowledge.Unanswered, knowledge.NotClosed)
	pick(second.ID)
	f.wantStatus(first.Question, knowledge.Unanswered, knowledge.PickedExisting)

	// Who waits for a senior's reply may still look at an entry.
	third := f.ask(ivan, "счёт на аванс", "kb1")
	sent := f.send(third.ID)
	pick(third.ID)
	f.wantStatus(sent.Question.ID, knowledge.AwaitingSenior, knowledge.NotClosed)
	f.look(func(tx bot.Tx) error {
		a, err := tx.Ask(context.Background(), third.ID)
		if a.Question != sent.Question.ID {
			t.Errorf("the ask belongs to %s now, and its asker waits for %s", a.Question, sent.Question.ID)
		}
		return err
	})
}

func TestCancel(t *testing.T) {
	f := open(t)
	f.person("Анна", true)
	ivan, petr := f.person("Иван", false), f.person("Пётр", false)
	sent := f.send(f.ask(ivan, "где столовая").ID)
	q := sent.Question.ID
	f.join(f.ask(petr, "где обедать").ID, q)
	cancel := func(who int64) (w knowledge.Withdrawn, err error) {
		err = f.try(func(d knowledge.Desk) (err error) {
			w, err = d.CancelWait(context.Background(), q, who)
			return err
		})
		return w, err
	}
	if w, err := cancel(ivan); err != nil || w.Left != 1 {
		t.Fatalf("%+v, %v", w, err)
	}
	f.wantStatus(q, knowledge.AwaitingSenior, knowledge.NotClosed)
	if _, err := cancel(ivan); !errors.Is(err, knowledge.ErrNotFound) {
		t.Errorf("cancelled twice: %v", err)
	}
	if w, err := cancel(petr); err != nil || w.Left != 0 {
		t.Fatalf("%+v, %v", w, err)
	}
	f.wantStatus(q, knowledge.Unanswered, knowledge.Cancelled)
	if err := f.try(func(d knowledge.Desk) error {
		_, err := d.Reply(context.Background(), sent.Escalation.ID, sent.Senior.ID, "Первый этаж")
		return err
	}); !errors.Is(err, knowledge.ErrConflict) {
		t.Errorf("a reply to what was cancelled: %v", err)
	}
	// Asked again it is a new question.
	if again := f.send(f.ask(ivan, "где столовая").ID); again.Question.ID == q || again.Joined {
		t.Errorf("asked again: %+v", again)
	}
}

// The senior with the fewest open questions gets the next one; a topic's own
// seniors come first; nobody gets their own question.
func TestRouting(t *testing.T) {
	f := open(t)
	anna, boris := f.person("Анна", true), f.person("Борис", true)
	ivan := f.person("Иван", false)
	var got []int64
	for i := range 4 {
		got = append(got, f.send(f.ask(ivan, fmt.Sprint("вопрос номер ", i)).ID).Senior.ID)
	}
	if want := []int64{anna, boris, anna, boris}; !slices.Equal(got, want) {
		t.Errorf("questions went to %v, want %v", got, want)
	}
	if s := f.send(f.ask(anna, "спрашивает Анна").ID); s.Senior.ID != boris {
		t.Errorf("Анна's question went to %d", s.Senior.ID)
	}
	topic := f.ask(ivan, "про деньги")
	f.do(func(d knowledge.Desk) error {
		if err := d.Tx.(interface {
			PutTopic(context.Context, knowledge.Topic) error
		}).PutTopic(context.Background(), knowledge.Topic{Name: "Деньги", Seniors: []int64{boris}}); err != nil {
			return err
		}
		q, err := d.Tx.Question(context.Background(), topic.Question)
		if err != nil {
			return err
		}
		q.Topic = "Деньги"
		return d.Tx.PutQuestion(context.Background(), &q)
	})
	if s := f.send(topic.ID); s.Senior.ID != boris {
		t.Errorf("a question about money went to %d, want %d: it is Борис's topic though he has more to do", s.Senior.ID, boris)
	}
}

// With no senior a question waits for the first, but never for its own asker.
func TestNoSenior(t *testing.T) {
	f := open(t)
	ivan, anna := f.person("Иван", false), f.person("Анна", false)
	one, two := f.send(f.ask(ivan, "первый вопрос").ID), f.send(f.ask(anna, "второй вопрос").ID)
	if one.Senior.ID != 0 || two.Senior.ID != 0 {
		t.Fatal("there is a senior")
	}
	f.wantStatus(one.Question.ID, knowledge.AwaitingSenior, knowledge.NotClosed)
	add := func(id int64) (out []string) {
		f.do(func(d knowledge.Desk) error {
			p, err := d.Tx.Person(context.Background(), id)
			if err != nil {
				return err
			}
			p.Senior = true
			assigned, err := d.AddPerson(context.Background(), &p)
			for _, a := range assigned {
				out = append(out, a.Question.Text)
			}
			return err
		})
		return out
	}
	if got := add(anna); !slices.Equal(got, []string{"первый вопрос"}) {
		t.Errorf("Анна got %q", got)
	}
	if got := add(f.person("Борис", false)); !slices.Equal(got, []string{"второй вопрос"}) {
		t.Errorf("Борис got %q", got)
	}
}

// A time is promised only when it is known, and only replies count.
func TestUsualTime(t *testing.T) {
	f := open(t)
	anna, ivan := f.person("Анна", true), f.person("Иван", false)
	n := 0
	usual := func() time.Duration {
		n++
		s := f.send(f.ask(ivan, fmt.Sprint("пробный вопрос ", n)).ID)
		f.do(func(d knowledge.Desk) error {
			_, err := d.CancelWait(context.Background(), s.Question.ID, ivan)
			return err
		})
		return s.Usual
	}
	for i, took := range []time.Duration{time.Hour, 5 * time.Hour, 2 * time.Hour} {
		if got := usual(); got != 0 {
			t.Errorf("after %d replies %v is promised", i, got)
		}
		s := f.send(f.ask(ivan, fmt.Sprint("вопрос ", i)).ID)
		f.now = f.now.Add(took - time.Second) // reply takes one more
		f.reply(s.Escalation.ID, anna, "Ответ")
	}
	if got := usual(); got != 2*time.Hour {
		t.Errorf("usual time %v, want the median of the replies, 2h", got)
	}
}

// The same words may mean something else: then they get a question of their own.
func TestApart(t *testing.T) {
	f := open(t)
	f.person("Анна", true)
	ivan, petr := f.person("Иван", false), f.person("Пётр", false)
	one := f.send(f.ask(ivan, "не работает").ID)
	two := f.ask(petr, "не работает")
	if two.Question != one.Question.ID {
		t.Fatal("the same words opened two questions")
	}
	var s knowledge.Escalated
	f.do(func(d knowledge.Desk) (err error) {
		s, err = d.Escalate(context.Background(), two.ID, one.Question.ID)
		return err
	})
	if s.Question.ID == one.Question.ID || s.Joined || len(s.Waiters) != 1 {
		t.Errorf("%+v", s)
	}
}

// What was answered while somebody thought about it is shown, not asked again.
func TestAnsweredMeanwhile(t *testing.T) {
	f := open(t)
	anna := f.person("Анна", true)
	ivan, petr := f.person("Иван", false), f.person("Пётр", false)
	sent := f.send(f.ask(ivan, "где парковка").ID)
	late := f.ask(petr, "где парковка")
	f.reply(sent.Escalation.ID, anna, "За зданием.")
	var s knowledge.Escalated
	err := f.try(func(d knowledge.Desk) (err error) {
		s, err = d.Escalate(context.Background(), late.ID, "")
		return err
	})
	if !errors.Is(err, knowledge.ErrConflict) || s.Question.ID != sent.Question.ID {
		t.Fatalf("%+v, %v", s.Question, err)
	}
	// Who has seen the answer and still asks is passed on.
	f.do(func(d knowledge.Desk) error {
		_, err := d.Pick(context.Background(), late.ID, sent.Question.ID)
		return err
	})
	if s := f.send(late.ID); s.Question.ID == sent.Question.ID {
		t.Error("an answered question was sent to a senior again")
	}
}

// What askers have added stays with the question, whoever has it.
func TestDetails(t *testing.T) {
	f := open(t)
	anna := f.person("Анна", true)
	boris := f.person("Борис", true)
	ivan := f.person("Иван", false)
	s := f.send(f.ask(ivan, "не проходит оплата").ID)
	add := func(who int64, text string) error {
		f.asks++
		return f.try(func(d knowledge.Desk) error {
			_, err := d.AddDetail(context.Background(), knowledge.Ask{ID: f.asks, Person: who, Text: text, Question: s.Question.ID})
			return err
		})
	}
	if err := errors.Join(add(ivan, "карта Мир"), add(ivan, "ошибка 500")); err != nil {
		t.Fatal(err)
	}
	if err := add(boris, "чужое"); !errors.Is(err, knowledge.ErrNotFound) {
		t.Errorf("somebody who does not wait added something: %v", err)
	}
	f.do(func(d knowledge.Desk) error {
		a, err := d.Pass(context.Background(), s.Escalation.ID, anna, boris)
		if want := []knowledge.Detail{{Name: "Иван", Text: "карта Мир"}, {Name: "Иван", Text: "ошибка 500"}}; !slices.Equal(a.Details, want) {
			t.Errorf("Борис is told %v", a.Details)
		}
		return err
	})
}

// An entry of the base answers for a question: its words find the entry, and a
// new version reaches those who got the old one.
func TestPointTo(t *testing.T) {
	f := open(t)
	anna, ivan := f.person("Анна", true), f.person("Иван", false)
	f.entry("kb1", "Как передать сделки?")
	s := f.send(f.ask(ivan, "менеджер уволился").ID)
	f.do(func(d knowledge.Desk) error {
		r, err := d.PointTo(context.Background(), s.Escalation.ID, anna, "kb1")
		if r.Question.ID != "kb1" || !slices.Equal(r.Names, []string{"Иван"}) {
			t.Errorf("%+v", r)
		}
		return err
	})
	f.wantStatus(s.Question.ID, knowledge.Unanswered, knowledge.PickedExisting)
	if got := f.phrasings("kb1"); !slices.Contains(got, "менеджер уволился") {
		t.Errorf("phrasings %q", got)
	}
	f.do(func(d knowledge.Desk) error {
		r, err := d.Revise(context.Background(), "kb1", anna, "Иначе")
		if len(r.Waiters) != 1 || r.Waiters[0].Person != ivan {
			t.Errorf("told of the new version: %+v", r.Waiters)
		}
		return err
	})
}

// An answer that was kept out of the base stays out when it is changed.
func TestWithdraw(t *testing.T) {
	f := open(t)
	anna, ivan := f.person("Анна", true), f.person("Иван", false)
	s := f.send(f.ask(ivan, "почему нет премии").ID)
	f.reply(s.Escalation.ID, anna, "План не выполнен.")
	q := s.Question.ID
	f.do(func(d knowledge.Desk) error {
		if _, err := d.Withdraw(context.Background(), q); err != nil {
			return err
		}
		_, err := d.Revise(context.Background(), q, anna, "План выполнен не весь.")
		return err
	})
	f.wantStatus(q, knowledge.Unanswered, knowledge.AnsweredPrivately)
	if err := f.try(func(d knowledge.Desk) error {
		_, err := d.SetStatus(context.Background(), q, knowledge.FAQ)
		return err
	}); !errors.Is(err, knowledge.ErrTransition) {
		t.Errorf("a withdrawn answer became frequent: %v", err)
	}
	f.do(func(d knowledge.Desk) error {
		_, err := d.Restore(context.Background(), q)
		return err
	})
	f.wantStatus(q, knowledge.InKnowledgeBase, knowledge.NotClosed)
	if q := f.question(q); q.Answer.Version != 2 {
		t.Errorf("answer %+v", q.Answer)
	}
}

// An administrator who takes a question off the senior's desk leaves nobody waiting.
func TestSetStatus(t *testing.T) {
	f := open(t)
	f.person("Анна", true)
	ivan := f.person("Иван", false)
	s := f.send(f.ask(ivan, "где архив").ID)
	set := func(to knowledge.Status) error {
		return f.try(func(d knowledge.Desk) error {
			_, err := d.SetStatus(context.Background(), s.Question.ID, to)
			return err
		})
	}
	if err := set(knowledge.InKnowledgeBase); !errors.Is(err, knowledge.ErrInvalid) {
		t.Errorf("in the base without an answer: %v", err)
	}
	if err := set(knowledge.Unanswered); err != nil {
		t.Fatal(err)
	}
	f.look(func(tx bot.Tx) error {
		waiters, err := tx.Waiters(context.Background(), s.Question.ID)
		if len(waiters) != 1 || waiters[0].State != knowledge.WaitCancelled {
			t.Errorf("waiters %+v", waiters)
		}
		return err
	})
	if err := set(knowledge.AwaitingSenior); !errors.Is(err, knowledge.ErrInvalid) {
		t.Errorf("sent to a senior by hand: %v", err)
	}
}
