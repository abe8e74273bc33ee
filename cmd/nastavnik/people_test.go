package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Doctor names those whom questions do not reach, and why, and says what to do.
func TestDoctorNamesWhoCannotBeReached(t *testing.T) {
	c := emptyCLI(t)
	wantState(t, c.diagnose(0), "people", partOK, "ещё некого")
	c.must("person", "add", "Иван")
	wantState(t, c.diagnose(0), "people", partWarning, "person add ИМЯ --senior")
	c.must("person", "add", "Анна К.", "--senior", "--hours", "пн-пт 9-18")
	wantState(t, c.diagnose(0), "people", partOK, "сеньоров: 1")

	c.desk(time.Now(), func(ctx context.Context, d knowledge.Desk) error {
		for _, p := range []knowledge.Person{
			{Name: "Борис", Senior: true},
			{Name: "Вера", Senior: true, Chat: "telegram:5", Unreachable: "Forbidden: bot was blocked by the user"},
			{Name: "Глеб", Senior: true, Chat: "slack:U5", Left: true},
			{Name: "Дана", Senior: true, Chat: "slack:U6", Hours: "когда получится"},
		} {
			if err := d.Tx.PutPerson(ctx, &p); err != nil {
				return err
			}
			if err := d.Tx.PutTopic(ctx, knowledge.Topic{Name: "Тема " + p.Name, Seniors: []int64{p.ID}}); err != nil {
				return err
			}
		}
		return nil
	})
	t.Setenv("NASTAVNIK_SENIOR_HOURS", "9-18")
	t.Setenv("NASTAVNIK_SENIOR_HOLIDAYS", "01-01..12-31")
	found := c.diagnose(0)
	for _, says := range []string{
		"Борис: написать нельзя, боту ещё не писал", `person invite "Борис"`, "Вера: написать нельзя, заблокировал бота",
		"Глеб больше не работает", "Дана: рабочие часы не читаются",
		"тема «Тема Борис»", "тема «Тема Вера»", "тема «Тема Глеб»", "senior.holidays", "Анна К.: рабочего времени нет",
	} {
		wantState(t, found, "people", partWarning, says)
	}
	for _, not := range []string{"тема «Тема Дана»", "Анна К.: написать"} {
		if strings.Contains(found["people"].Problem, not) {
			t.Errorf("doctor says %q of what is well:\n%s", not, found["people"].Problem)
		}
	}
}

// undelivered stores messages, one of which was given up.
func (c cli) undelivered() {
	c.t.Helper()
	a := c.app()
	defer func() { _ = a.close() }()
	ctx := c.t.Context()
	if err := a.store.Write(ctx, func(tx bot.Tx) error {
		if _, err := tx.Identify(ctx, knowledge.Identity{Platform: "console", External: "анна к", Name: "Анна К.", Chat: "console:анна к"}, time.Now()); err != nil {
			return err
		}
		for _, d := range []bot.Delivery{
			{Key: "1", Chat: "console:анна к", State: bot.DeliverySent, Message: bot.Message{Text: "Первое"}},
			{Key: "2", Chat: "console:анна к", State: bot.DeliveryDead, Attempts: 12, Error: "Forbidden: bot was blocked by the user", Message: bot.Message{Text: "Второе, " + strings.Repeat("длинное ", 10)}},
			{Key: "3", Chat: "telegram:-100/7/5", State: bot.DeliveryDead, Error: "чат удалён", Doubt: true, Message: bot.Message{Text: "Третье"}},
		} {
			d.Created = time.Now().Add(-3 * time.Hour)
			if err := tx.PutDelivery(ctx, &d); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		c.t.Fatal(err)
	}
}

// What did not get through is listed with the reason, and tried again when asked.
func TestDeliveries(t *testing.T) {
	c := newCLI(t)
	if text := c.must("delivery", "list"); text != "Таких сообщений нет.\n" {
		t.Errorf("before any: %s", text)
	}
	c.undelivered()
	wantState(t, c.diagnose(0), "deliveries", partWarning, "не дошло сообщений: 2")
	text := c.must("delivery", "list", "--state", "не дошло", "--limit", "1")
	for _, part := range []string{"Анна К.", "терминал", "3 ч", "12", "blocked", "Второе, длинное", "Дальше: --after 2"} {
		if !strings.Contains(text, part) {
			t.Errorf("the list has no %q:\n%s", part, text)
		}
	}
	if text = c.must("delivery", "list", "--after", "2"); strings.Contains(text, "Второе") || !strings.Contains(text, "могло дойти") || !strings.Contains(text, "-100/7/5") {
		t.Errorf("the next page:\n%s", text)
	}
	var list []deliveryJSON
	decode(t, c.must("delivery", "list", "--state", "dead", "--json"), &list)
	if len(list) != 2 || list[0].Platform != "console" || list[0].To != "Анна К." || list[0].Reason == "" || len([]rune(list[0].Begins)) > beginning || list[0].Text != "" {
		t.Errorf("the list: %+v", list)
	}
	var one deliveryJSON
	decode(t, c.must("delivery", "show", "2", "--json"), &one)
	if !strings.HasPrefix(one.Text, "Второе, длинное") {
		t.Errorf("one: %+v", one)
	}
	if text = c.must("delivery", "show", "2"); !strings.Contains(text, "Причина: Forbidden") || !strings.Contains(text, "длинное длинное длинное длинное длинное длинное") {
		t.Errorf("one:\n%s", text)
	}
	for _, wrong := range [][]string{{"list", "--state", "скоро"}, {"retry"}, {"retry", "2", "--all"}, {"retry", "второе"}, {"show", "x"}} {
		if r := c.run(append([]string{"delivery"}, wrong...)...); r.code != exitUsage {
			t.Errorf("delivery %v: exit %d, %s", wrong, r.code, r.err)
		}
	}
	for _, refused := range []string{"1", "99"} {
		if r := c.run("delivery", "retry", refused); r.code != exitFailed || !strings.Contains(r.err, "nastavnik delivery") {
			t.Errorf("retry %s: exit %d, %s", refused, r.code, r.err)
		}
	}
	c.must("delivery", "retry", "2")
	decode(t, c.must("delivery", "show", "2", "--json"), &one)
	if one.State != bot.DeliveryPending || one.Attempts != 0 {
		t.Errorf("to be tried again: %+v", one)
	}
	if text = c.must("delivery", "retry", "--all"); text != "Будет отправлено ещё раз: 1.\n" {
		t.Error(text)
	}
}

// A running bot takes up what is to be tried again.
func TestRetryWakesTheBot(t *testing.T) {
	c := newCLI(t)
	c.undelivered()
	b := c.startBot()
	c.must("delivery", "retry", "2")
	eventually(t, "the message is sent", func() bool {
		var one deliveryJSON
		decode(t, c.must("delivery", "show", "2", "--json"), &one)
		return one.State == bot.DeliverySent
	})
	b.kill()
}

// An author who is known is not somebody else, and is written to where they were.
func TestAuthorsAreFoundByName(t *testing.T) {
	c := newCLI(t)
	c.must("import", c.file("kb.jsonl", threeEntries))
	var anna knowledge.Person
	c.desk(time.Now(), func(ctx context.Context, d knowledge.Desk) (err error) {
		anna, err = d.Tx.Identify(ctx, knowledge.Identity{Platform: "slack", External: "U1", Name: "Анна К.", Chat: "slack:U1"}, d.Now)
		return err
	})
	c.must("question", "answer", "deal-owner", "--text", "Иначе.", "--by", "анна к")
	c.must("question", "answer", "deal-owner", "--text", "Ещё иначе.", "--by", "Борис")
	var people []personJSON
	decode(t, c.must("person", "list", "--json"), &people)
	if len(people) != 2 || people[0].ID != anna.ID || people[0].Reached != "slack" || people[1].Name != "Борис" {
		t.Errorf("people: %+v", people)
	}
	c.must("person", "add", "Анна К.", "--senior")
	decode(t, c.must("person", "show", "Анна К.", "--json"), &people[0])
	if people[0].Reached != "slack" || !people[0].Senior {
		t.Errorf("a senior by name: %+v", people[0])
	}
}
