package bot_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// waiting returns what is to be handled of a chat, by key, and ends it.
func (h *house) waiting(chat bot.ChatID) (keys []string) {
	h.t.Helper()
	for {
		var row bot.Row
		err := h.store.Write(h.t.Context(), func(tx bot.Tx) (err error) {
			if row, err = tx.NextRow(h.t.Context(), chat); err != nil {
				return err
			}
			return tx.Settle(h.t.Context(), row.ID, h.later(), "")
		})
		if err != nil {
			return keys
		}
		keys = append(keys, row.Key)
	}
}

// A platform may tell the same thing under two keys, and tell of a change as if it
// were new.
func TestPostKnowsWhatCameBefore(t *testing.T) {
	t.Parallel()
	said := func(key, alias string) bot.Event {
		return bot.Event{Key: key, Alias: alias, Chat: "test:1", Body: bot.Said{Text: key}}
	}
	again := func(key string) bot.Event {
		e, edited := said(key, ""), said(key+"/edited", "")
		e.Again = &edited
		return e
	}
	for name, c := range map[string]struct {
		come []bot.Event
		want []string
	}{
		"twice":                            {[]bot.Event{said("a", ""), said("a", "")}, []string{"a"}},
		"twice under an alias":             {[]bot.Event{said("a", "x"), said("a", "x")}, []string{"a"}},
		"two keys of one alias":            {[]bot.Event{said("a", "x"), said("b", "x")}, []string{"a"}},
		"the second key without the alias": {[]bot.Event{said("a", "x"), said("b", "x"), said("b", "")}, []string{"a"}},
		"first without the alias":          {[]bot.Event{said("a", ""), said("a", "x"), said("b", "x")}, []string{"a"}},
		"other aliases":                    {[]bot.Event{said("a", "x"), said("b", "y")}, []string{"a", "b"}},
		"a change of what came":            {[]bot.Event{said("a", "x"), again("a"), again("a")}, []string{"a", "a/edited"}},
		"a change of what never came":      {[]bot.Event{again("a")}, []string{"a"}},
	} {
		for how, post := range map[string]func(*house, []bot.Event) error{
			"at once": func(h *house, events []bot.Event) error {
				return bot.Reception{Store: h.store}.Post(t.Context(), events...)
			},
			"one by one": func(h *house, events []bot.Event) error {
				for _, e := range events {
					if err := (bot.Reception{Store: h.store}).Post(t.Context(), e); err != nil {
						return err
					}
				}
				return nil
			},
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				h := newHouse(t, nil)
				if err := post(h, c.come); err != nil {
					t.Fatal(err)
				}
				if got := h.waiting("test:1"); !slices.Equal(got, c.want) {
					t.Errorf("to be handled are %q, want %q", got, c.want)
				}
			})
		}
	}
}

// What a form begins with, and a button as it was shown, are there before anything is
// decided; a start page is for who may use the bot.
func TestReceptionLooksUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	r := bot.Reception{Store: h.store, Now: h.later}
	d := bot.Delivery{Key: "m", Chat: "test:1", State: bot.DeliverySent, Message: bot.Message{Sections: []bot.Section{{Choice: true, Buttons: []bot.Button{
		{Label: "Изменить", Press: bot.Press{Verb: bot.EditAnswer, Question: "q"}}, {Label: "Дописать", Press: bot.Press{Verb: bot.AddDetails, Question: "q"}},
	}}}}}
	err := h.store.Write(t.Context(), func(tx bot.Tx) error {
		if err := tx.PutQuestion(t.Context(), &knowledge.Question{ID: "q", Text: "Где «отчёт»?", Status: knowledge.FAQ, Topic: "Отчёты"}); err != nil {
			return err
		}
		if err := tx.PutQuestion(t.Context(), &knowledge.Question{ID: "p", Text: "Где касса?", Status: knowledge.FAQ}); err != nil {
			return err
		}
		if err := tx.PutAnswer(t.Context(), &knowledge.Answer{Question: "q", Text: "**Там**"}); err != nil {
			return err
		}
		for _, name := range []string{"Отчёты", "Касса"} {
			if err := tx.PutTopic(t.Context(), knowledge.Topic{Name: name}); err != nil {
				return err
			}
		}
		return tx.PutDelivery(t.Context(), &d)
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.Button(t.Context(), bot.ButtonID(d.ID, 0, 0))
	if err != nil || b.Chat != "test:1" || b.Label != "Изменить" || b.Taken != "" {
		t.Fatalf("the button is %+v, %v", b, err)
	}
	if f, err := r.Form(t.Context(), b.Button); err != nil || f.Text != "**Там**" || f.Title != "Где „отчёт“?" {
		t.Errorf("its form begins with %+v, %v", f, err)
	}
	if b, err = r.Button(t.Context(), bot.ButtonID(d.ID, 0, 1)); err != nil {
		t.Fatal(err)
	}
	if f, err := r.Form(t.Context(), b.Button); err != nil || f.Text != "" || f.Title == "" {
		t.Errorf("the other form begins with %+v, %v", f, err)
	}
	topic := bot.Button{Press: bot.Press{Verb: bot.ChooseTopic, Question: "q"}}
	if f, err := r.Form(t.Context(), topic); err != nil || f.Text != "" || !slices.Equal(f.Topics, []string{"Касса", "Отчёты"}) {
		t.Errorf("the form of a topic begins with %+v, %v", f, err)
	}
	for _, id := range []string{"", "zz", "1.0", bot.ButtonID(d.ID, 0, 2), bot.ButtonID(d.ID, 1, 0), bot.ButtonID(d.ID, -1, 0), bot.ButtonID(d.ID, 0, -1), bot.ButtonID(d.ID+9, 0, 0)} {
		if _, err := r.Button(t.Context(), id); !isNotFound(err) {
			t.Errorf("button %q: %v", id, err)
		}
	}

	who := knowledge.Identity{Platform: "test", External: "1", Chat: "test:1"}
	page, err := r.Home(t.Context(), who)
	if err != nil || len(page.FAQ) != 2 || page.FAQ[0].Topic != "Отчёты" || page.FAQ[1].Topic != "" || len(page.Mine) != 0 || page.Stranger {
		t.Errorf("the start page is %+v, %v", page, err)
	}
	r.Admits = func(knowledge.Person, knowledge.Identity) bool { return false }
	if page, err = r.Home(t.Context(), who); err != nil || !page.Stranger || len(page.FAQ) != 0 {
		t.Errorf("a stranger's start page is %+v, %v", page, err)
	}
}

func isNotFound(err error) bool { return errors.Is(err, knowledge.ErrNotFound) }
