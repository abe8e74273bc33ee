package knowledge_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// change changes somebody, as an administrator does.
func (f *fixture) change(id int64, change func(p *knowledge.Person)) (given []knowledge.Assignment) {
	f.t.Helper()
	f.do(func(d knowledge.Desk) error {
		p, err := d.Tx.Person(context.Background(), id)
		if err != nil {
			return err
		}
		change(&p)
		given, err = d.AddPerson(context.Background(), &p)
		return err
	})
	return given
}

func (f *fixture) topic(name string, seniors ...int64) {
	f.t.Helper()
	f.do(func(d knowledge.Desk) error {
		return d.Tx.PutTopic(context.Background(), knowledge.Topic{Name: name, Seniors: seniors})
	})
}

// about makes an ask whose question has a topic.
func (f *fixture) about(topic string, who int64, text string) knowledge.Ask {
	f.t.Helper()
	a := f.ask(who, text)
	f.do(func(d knowledge.Desk) error {
		_, err := d.SetTopic(context.Background(), a.Question, topic)
		return err
	})
	return a
}

func (f *fixture) escalation(id int64) (e knowledge.Escalation) {
	f.t.Helper()
	f.look(func(tx bot.Tx) (err error) {
		e, err = tx.Escalation(context.Background(), id)
		return err
	})
	return e
}

func (f *fixture) wantSent(s knowledge.Escalated, senior int64, reason knowledge.Reason) {
	f.t.Helper()
	if s.Senior.ID != senior || s.Escalation.Reason != reason {
		f.t.Errorf("the question «%s» is with %d (%s), want %d (%s)", s.Question.Text, s.Senior.ID, s.Escalation.Reason, senior, reason)
	}
	stored := f.escalation(s.Escalation.ID)
	if stored.Reason != reason || (senior == 0) != stored.Given.IsZero() {
		f.t.Errorf("stored: %+v", stored)
	}
}

func TestRouteByTopicLoadAndHours(t *testing.T) {
	f := open(t)
	asker := f.person("Иван", false)
	anna := f.person("Анна", true)
	f.wantSent(f.send(f.ask(asker, "один").ID), anna, knowledge.OnlyOne)
	boris, vera := f.person("Борис", true), f.person("Вера", true)
	f.wantSent(f.send(f.ask(asker, "два").ID), boris, knowledge.ByLoad)
	f.wantSent(f.send(f.ask(asker, "три").ID), vera, knowledge.ByLoad)

	f.topic("Доступ", anna, vera)
	f.wantSent(f.send(f.about("доступ", asker, "четыре").ID), anna, knowledge.ByTopic)
	f.wantSent(f.send(f.about("Доступ", asker, "пять").ID), vera, knowledge.ByTopic)
	f.wantSent(f.send(f.about("Другое", asker, "шесть").ID), boris, knowledge.ByLoad)

	// It is ten in the morning in UTC: four in the morning in New York, one in the
	// afternoon in Moscow.
	f.routing.Hours = knowledge.Schedule{Hours: hours(t, "пн-пт 9-18"), Zone: zone(t, "America/New_York")}
	f.change(vera, func(p *knowledge.Person) { p.Zone = "Europe/Moscow" })
	f.wantSent(f.send(f.ask(asker, "семь").ID), vera, knowledge.ByHours)
	f.change(boris, func(p *knowledge.Person) { p.Hours = "пн-пт 6-15" })
	f.change(vera, func(p *knowledge.Person) { p.Zone, p.Hours = "Europe/Moscow", "пн 9-10" })
	f.wantSent(f.send(f.ask(asker, "восемь").ID), boris, knowledge.ByHours) // at six, Anna at nine, Vera on Monday
	f.wantSent(f.send(f.about("Доступ", asker, "девять").ID), anna, knowledge.ByTopic)
}

func TestRouteSkipsWhoCannotAnswer(t *testing.T) {
	f := open(t)
	asker := f.person("Иван", false)
	seniors := []int64{f.person("Анна", true), f.person("Борис", true), f.person("Вера", true), f.person("Глеб", true), f.person("Дана", true)}
	f.change(seniors[0], func(p *knowledge.Person) { p.Left = true })
	f.change(seniors[1], func(p *knowledge.Person) { p.Unreachable = "blocked" })
	f.change(seniors[2], func(p *knowledge.Person) { p.Away = f.now.Add(time.Hour) })
	f.change(seniors[3], func(p *knowledge.Person) { p.Chat = "" })
	f.topic("Доступ", seniors[:4]...)
	f.wantSent(f.send(f.about("Доступ", asker, "где вход").ID), seniors[4], knowledge.OnlyOne)
	f.wantSent(f.send(f.ask(seniors[4], "как мне быть").ID), 0, knowledge.NobodyThere)

	f.now = f.now.Add(2 * time.Hour) // Vera is back
	f.wantSent(f.send(f.ask(asker, "где выход").ID), seniors[2], knowledge.ByLoad)
}

// At most as many as a senior may have are given out; the others wait in their order,
// and those of the senior's own topics come first.
func TestQueue(t *testing.T) {
	f := open(t)
	f.routing.Limit = 2
	asker, anna := f.person("Иван", false), f.person("Анна", true)
	var sent []knowledge.Escalated
	for i := range 6 {
		sent = append(sent, f.send(f.about(fmt.Sprint("тема ", i), asker, fmt.Sprint("вопрос ", i)).ID))
	}
	f.wantSent(sent[1], anna, knowledge.OnlyOne)
	f.wantSent(sent[2], 0, knowledge.Queued)
	next := func(senior int64) (a knowledge.Assignment, ok bool) {
		f.do(func(d knowledge.Desk) (err error) {
			a, ok, err = d.NextQueued(context.Background(), senior)
			return err
		})
		return a, ok
	}
	if a, ok := next(anna); ok {
		t.Errorf("Anna has two and gets %+v", a)
	}
	f.topic("тема 4", anna)
	f.reply(sent[0].Escalation.ID, anna, "Ответ")
	a, ok := next(anna)
	if !ok || a.Question.ID != sent[4].Question.ID || a.Escalation.Reason != knowledge.FromQueue || a.Escalation.Given.IsZero() || a.Escalation.Created.Equal(a.Escalation.Given) {
		t.Errorf("of her topic Anna gets %+v (%t)", a, ok)
	}
	f.reply(sent[1].Escalation.ID, anna, "Ответ")
	if a, ok := next(anna); !ok || a.Question.ID != sent[2].Question.ID {
		t.Errorf("Anna gets %+v (%t), want the oldest", a, ok)
	}
	boris := f.person("Борис", false)
	if a, ok := next(boris); ok {
		t.Errorf("who is no senior gets %+v", a)
	}
	given := f.change(boris, func(p *knowledge.Person) { p.Senior = true })
	if len(given) != 2 || given[0].Question.ID != sent[3].Question.ID || given[1].Question.ID != sent[5].Question.ID {
		t.Errorf("a new senior gets %+v", given)
	}
}

func TestGiveOutWhenSeveralAreFree(t *testing.T) {
	f := open(t)
	f.routing.Limit = 2
	asker := f.person("Иван", false)
	var sent []knowledge.Escalated
	for i := range 5 {
		sent = append(sent, f.send(f.ask(asker, fmt.Sprint("вопрос ", i)).ID))
	}
	var seniors []int64
	for _, name := range []string{"Анна", "Борис"} {
		id := f.person(name, false)
		f.do(func(d knowledge.Desk) error {
			p, err := d.Tx.Person(context.Background(), id)
			if err != nil {
				return err
			}
			p.Senior = true
			return d.Tx.PutPerson(context.Background(), &p)
		})
		seniors = append(seniors, id)
	}
	var given []knowledge.Assignment
	f.do(func(d knowledge.Desk) (err error) {
		given, err = d.GiveOut(context.Background())
		return err
	})
	if len(given) != 4 {
		t.Fatalf("given out: %+v", given)
	}
	for i, a := range given {
		if a.Question.ID != sent[i].Question.ID || a.Senior.ID != seniors[i%2] {
			t.Errorf("%d: «%s» goes to %s", i, a.Question.Text, a.Senior.Name)
		}
	}
	if e := f.escalation(sent[4].Escalation.ID); e.Senior != 0 {
		t.Errorf("the fifth is with %d", e.Senior)
	}
}

func TestRemindersByWorkingHours(t *testing.T) {
	r := knowledge.Routing{
		Hours:  knowledge.Schedule{Hours: hours(t, "пн-пт 9-18"), Zone: zone(t, "Europe/Moscow"), Holidays: days(t, "2026-03-13")},
		Remind: 4 * time.Hour, HandOver: 8 * time.Hour,
	}
	from := time.Date(2026, 3, 12, 16, 0, 0, 0, zone(t, "Europe/Moscow")) // a Thursday, before a holiday and a weekend
	anna := knowledge.Person{}
	omsk := knowledge.Person{Zone: "Asia/Omsk", Hours: "сб 9-18"}
	for _, c := range []struct {
		what string
		got  time.Time
		want string
	}{
		{"remind", r.RemindAt(anna, from), "2026-03-16 11:00"},
		{"hand over", r.HandOverAt(anna, from), "2026-03-16 15:00"},
		{"remind who works on Saturdays further east", r.RemindAt(omsk, from), "2026-03-14 10:00"},
	} {
		if got := c.got.In(from.Location()).Format("2006-01-02 15:04"); got != c.want {
			t.Errorf("%s at %s, want %s", c.what, got, c.want)
		}
	}
	if never := (knowledge.Routing{}); !never.RemindAt(anna, from).IsZero() || !never.HandOverAt(anna, from).IsZero() {
		t.Error("without times there is nothing to wait for")
	}
}
