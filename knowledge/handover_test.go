package knowledge_test

import (
	"context"
	"errors"
	"testing"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

func (f *fixture) handOver(escalation int64, why knowledge.Reason) (a knowledge.Assignment) {
	f.t.Helper()
	f.do(func(d knowledge.Desk) (err error) {
		a, err = d.HandOver(context.Background(), escalation, why)
		return err
	})
	return a
}

func (f *fixture) wantAssigned(a knowledge.Assignment, from, to int64, reason knowledge.Reason) {
	f.t.Helper()
	if a.Senior.ID != to || a.From.ID != from || a.Escalation.Reason != reason {
		f.t.Errorf("it went from %q to %q (%s), want from %d to %d (%s)", a.From.Name, a.Senior.Name, a.Escalation.Reason, from, to, reason)
	}
}

// A question that nobody answers goes to the seniors of its topic one after the other,
// then to the others, then to an administrator, and stays there.
func TestHandOverGoesRound(t *testing.T) {
	f := open(t)
	f.routing.Limit = 5
	asker := f.person("Иван", false)
	anna, boris, vera := f.person("Анна", true), f.person("Борис", true), f.person("Вера", true)
	head := f.person("Глава", false)
	f.change(head, func(p *knowledge.Person) { p.Admin = true })
	f.topic("Доступ", boris, vera)
	s := f.send(f.about("Доступ", asker, "где вход").ID)
	f.wantSent(s, boris, knowledge.ByTopic)
	id := s.Escalation.ID
	for _, to := range []struct{ from, to int64 }{{boris, vera}, {vera, anna}, {anna, head}} {
		a := f.handOver(id, knowledge.HandedOver)
		f.wantAssigned(a, to.from, to.to, knowledge.HandedOver)
		if len(a.Waiters) != 1 || a.Exhausted {
			t.Errorf("handed over: %+v", a)
		}
		if was := f.escalation(id); was.State != knowledge.EscalationPassed {
			t.Errorf("the one before is %s", was.State)
		}
		id = a.Escalation.ID
	}
	a := f.handOver(id, knowledge.HandedOver)
	if !a.Exhausted || a.Senior.ID != head || a.Escalation.ID != id {
		t.Errorf("in the end it is with %q, exhausted %t", a.Senior.Name, a.Exhausted)
	}
	f.reply(id, head, "Через парадную.")
	err := f.try(func(d knowledge.Desk) error {
		_, err := d.HandOver(context.Background(), id, knowledge.HandedOver)
		return err
	})
	if !errors.Is(err, knowledge.ErrConflict) {
		t.Errorf("what is answered is handed over: %v", err)
	}
	if err := f.try(func(d knowledge.Desk) error {
		_, err := d.Remind(context.Background(), id, head)
		return err
	}); !errors.Is(err, knowledge.ErrConflict) {
		t.Errorf("who has answered is reminded: %v", err)
	}
}

// Nobody gets more than they may by others' silence, and nobody is asked what they
// asked themselves.
func TestHandOverKeepsToTheLimit(t *testing.T) {
	f := open(t)
	f.routing.Limit = 1
	asker, anna, boris := f.person("Иван", false), f.person("Анна", true), f.person("Борис", true)
	first := f.send(f.ask(asker, "один").ID)
	f.wantSent(first, anna, knowledge.ByLoad)
	f.wantSent(f.send(f.ask(asker, "два").ID), boris, knowledge.ByLoad)
	if a := f.handOver(first.Escalation.ID, knowledge.HandedOver); !a.Exhausted || a.Senior.ID != anna {
		t.Errorf("with Boris full it is with %q", a.Senior.Name)
	}
	a := f.handOver(first.Escalation.ID, knowledge.WasUnreachable)
	f.wantAssigned(a, anna, 0, knowledge.Queued)
	if !a.Exhausted {
		t.Error("it waits in the queue, and somebody has it")
	}
}

func TestRemindedIsKept(t *testing.T) {
	f := open(t)
	asker, anna := f.person("Иван", false), f.person("Анна", true)
	s := f.send(f.ask(asker, "где вход").ID)
	f.do(func(d knowledge.Desk) error {
		_, err := d.Remind(context.Background(), s.Escalation.ID, anna)
		return err
	})
	if e := f.escalation(s.Escalation.ID); !e.Reminded.Equal(f.now) {
		t.Errorf("reminded %s, want %s", e.Reminded, f.now)
	}
}

func (f *fixture) unreachable(who int64, chat string) (out []knowledge.Assignment) {
	f.t.Helper()
	f.do(func(d knowledge.Desk) (err error) {
		out, err = d.Unreachable(context.Background(), who, chat, "blocked")
		return err
	})
	return out
}

func (f *fixture) get(id int64) (p knowledge.Person) {
	f.t.Helper()
	f.look(func(tx bot.Tx) (err error) {
		p, err = tx.Person(context.Background(), id)
		return err
	})
	return p
}

// A senior who blocks the bot loses their questions to others, and gets new ones again
// by writing.
func TestUnreachableSenior(t *testing.T) {
	f := open(t)
	asker, anna := f.person("Иван", false), f.person("Анна", true)
	one, two := f.send(f.ask(asker, "один").ID), f.send(f.ask(asker, "два").ID)
	if out := f.unreachable(anna, "test:elsewhere"); len(out) != 0 || !f.get(anna).Reachable() {
		t.Errorf("of a chat that is not hers: %+v", out)
	}
	boris := f.person("Борис", true)
	out := f.unreachable(anna, "test:Анна")
	if len(out) != 2 {
		t.Fatalf("handed over: %+v", out)
	}
	f.wantAssigned(out[0], anna, boris, knowledge.WasUnreachable)
	if out[0].Question.ID != one.Question.ID || out[1].Question.ID != two.Question.ID {
		t.Error("they come in another order than they did")
	}
	if p := f.get(anna); p.Unreachable != "blocked" || p.Reachable() {
		t.Errorf("she is %+v", p)
	}
	out = f.unreachable(boris, "")
	if len(out) != 2 || !out[0].Exhausted {
		t.Fatalf("with nobody left: %+v", out)
	}
	f.wantAssigned(out[0], boris, 0, knowledge.NobodyThere)
	f.person("Анна", true) // she writes
	if e := f.escalation(out[0].Escalation.ID); e.Senior != anna || e.Reason != knowledge.FromQueue {
		t.Errorf("it is with %d: %s", e.Senior, e.Reason)
	}
}

// Who blocks the bot on one platform is written to on another.
func TestUnreachableOnOnePlatform(t *testing.T) {
	f := open(t)
	asker, anna := f.person("Иван", false), f.person("Анна", true)
	f.person("Борис", true)
	s := f.send(f.ask(asker, "один").ID)
	f.do(func(d knowledge.Desk) error {
		return d.Tx.Link(context.Background(), knowledge.Identity{Platform: "other", External: "A", Chat: "other:A"}, anna)
	})
	out := f.unreachable(anna, "test:Анна")
	if len(out) != 1 || out[0].Escalation.ID != s.Escalation.ID {
		t.Fatalf("to be sent again: %+v", out)
	}
	f.wantAssigned(out[0], anna, anna, knowledge.ByLoad)
	if p := f.get(anna); p.Chat != "other:A" || !p.Reachable() {
		t.Errorf("she is %+v", p)
	}
	if out = f.unreachable(anna, "test:Анна"); len(out) != 0 || !f.get(anna).Reachable() {
		t.Errorf("told twice: %+v", out)
	}
	if out = f.unreachable(anna, "other:A"); len(out) != 1 || out[0].Senior.Name != "Борис" {
		t.Errorf("shut out on both: %+v", out)
	}
}

func TestLeave(t *testing.T) {
	f := open(t)
	asker, anna, boris := f.person("Иван", false), f.person("Анна", true), f.person("Борис", true)
	f.change(anna, func(p *knowledge.Person) { p.Admin = true })
	f.topic("Доступ", anna)
	asked := f.send(f.about("Доступ", asker, "где вход").ID)
	alone := f.send(f.ask(anna, "где отпуск").ID)
	shared := f.send(f.ask(anna, "где столовая").ID)
	f.join(f.ask(asker, "где обед").ID, shared.Question.ID)
	var out knowledge.Departure
	f.do(func(d knowledge.Desk) (err error) {
		out, err = d.Leave(context.Background(), anna)
		return err
	})
	if p := f.get(anna); !p.Left || p.Admin || p.Admitted || p != out.Person {
		t.Errorf("she is %+v", p)
	}
	if len(out.HandedOver) != 1 || out.HandedOver[0].Question.ID != asked.Question.ID {
		t.Fatalf("handed over: %+v", out.HandedOver)
	}
	f.wantAssigned(out.HandedOver[0], anna, boris, knowledge.HasLeft)
	if len(out.Withdrawn) != 2 || out.Withdrawn[0].Left != 0 || out.Withdrawn[1].Left != 1 {
		t.Errorf("withdrawn: %+v", out.Withdrawn)
	}
	f.wantStatus(alone.Question.ID, knowledge.Unanswered, knowledge.Cancelled)
	f.wantStatus(shared.Question.ID, knowledge.AwaitingSenior, knowledge.NotClosed)
}

// Who is no senior any more is rid of their questions.
func TestNoSeniorAnyMore(t *testing.T) {
	f := open(t)
	asker, anna, boris := f.person("Иван", false), f.person("Анна", true), f.person("Борис", true)
	s := f.send(f.ask(asker, "где вход").ID)
	f.wantSent(s, anna, knowledge.ByLoad)
	out := f.change(anna, func(p *knowledge.Person) { p.Senior = false })
	if len(out) != 1 || out[0].Question.ID != s.Question.ID {
		t.Fatalf("handed over: %+v", out)
	}
	f.wantAssigned(out[0], anna, boris, knowledge.HasLeft)
}

// What the company says later does not reach who has left.
func TestLeaversAreToldNothing(t *testing.T) {
	f := open(t)
	asker, anna := f.person("Иван", false), f.person("Анна", true)
	s := f.send(f.ask(asker, "где вход").ID)
	f.reply(s.Escalation.ID, anna, "Слева.")
	f.do(func(d knowledge.Desk) error {
		_, err := d.Leave(context.Background(), asker)
		return err
	})
	f.do(func(d knowledge.Desk) error {
		r, err := d.Revise(context.Background(), s.Question.ID, anna, "Справа.")
		if len(r.Waiters) != 0 {
			t.Errorf("told: %+v", r.Waiters)
		}
		return err
	})
}

func TestAssignByHand(t *testing.T) {
	f := open(t)
	f.routing.Limit = 1
	asker, anna, boris := f.person("Иван", false), f.person("Анна", true), f.person("Борис", false)
	f.send(f.ask(asker, "один").ID)
	s := f.send(f.ask(asker, "два").ID)
	f.wantSent(s, 0, knowledge.Queued)
	assign := func(question string, to int64) (a knowledge.Assignment, err error) {
		err = f.try(func(d knowledge.Desk) (err error) {
			a, err = d.Assign(context.Background(), question, to)
			return err
		})
		return a, err
	}
	a, err := assign(s.Question.ID, anna) // over her limit
	if err != nil || a.Escalation.ID != s.Escalation.ID {
		t.Errorf("from the queue: %+v, %v", a, err)
	}
	f.wantAssigned(a, 0, anna, knowledge.ByHand)
	if a, err = assign(s.Question.ID, boris); err != nil {
		t.Error(err)
	}
	f.wantAssigned(a, anna, boris, knowledge.ByHand)
	if _, err = assign(s.Question.ID, asker); !errors.Is(err, knowledge.ErrInvalid) {
		t.Errorf("to who asked: %v", err)
	}
	f.change(anna, func(p *knowledge.Person) { p.Unreachable = "blocked" })
	if _, err = assign(s.Question.ID, anna); !errors.Is(err, knowledge.ErrInvalid) {
		t.Errorf("to who cannot be reached: %v", err)
	}
	if _, err = assign(f.ask(asker, "три").Question, boris); !errors.Is(err, knowledge.ErrConflict) {
		t.Errorf("what nobody has sent: %v", err)
	}
}

func TestTopicOfAQuestion(t *testing.T) {
	f := open(t)
	asker := f.person("Иван", false)
	a := f.ask(asker, "где вход")
	f.topic("Доступ в здание")
	set := func(topic string) error {
		return f.try(func(d knowledge.Desk) error {
			_, err := d.SetTopic(context.Background(), a.Question, topic)
			return err
		})
	}
	for given, want := range map[string]string{" доступ в ЗДАНИЕ ": "Доступ в здание", "Новая": "Новая", " ": ""} {
		if err := set(given); err != nil || f.question(a.Question).Topic != want {
			t.Errorf("%q: %q, %v", given, f.question(a.Question).Topic, err)
		}
	}
	if err := set("очень длинная тема, которая не помещается ни на одну кнопку на свете"); !errors.Is(err, knowledge.ErrInvalid) {
		t.Errorf("too long: %v", err)
	}
	if err := set("Доступ в здание"); err != nil {
		t.Fatal(err)
	}
	f.do(func(d knowledge.Desk) error {
		steps, err := d.Tx.Steps(context.Background(), a.Question, 0, 0)
		if err != nil {
			return err
		}
		_, err = d.Undo(context.Background(), steps[len(steps)-1].ID, 0)
		return err
	})
	if got := f.question(a.Question).Topic; got == "Доступ в здание" {
		t.Errorf("the undone topic is %q", got)
	}
}
