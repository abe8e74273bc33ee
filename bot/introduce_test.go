package bot_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// register knows some addresses.
type register map[string]string

func (r register) ByEmail(_ context.Context, email string) (string, error) {
	id, ok := r[email]
	if !ok {
		return "", fmt.Errorf("nobody has it: %w", knowledge.ErrNotFound)
	}
	return id, nil
}

// Who is known by an e-mail address alone is found on the platform, and gets what has waited.
func TestPeopleAreIntroduced(t *testing.T) {
	p := &postOffice{}
	h := newHouse(t, nil)
	h.move(p, func(o *bot.Options) {
		o.Now = h.later
		o.Platforms["test"] = bot.Platform{Sender: h}
	})
	h.says("иван", "куда девать старые визитки")
	h.presses("иван", "Нет моего вопроса")
	office := bot.Office{Store: h.store, Now: h.later}
	for _, email := range []string{"anna@example.org", "nobody@example.org"} {
		err := h.store.Write(t.Context(), func(tx bot.Tx) error {
			return tx.PutPerson(t.Context(), &knowledge.Person{Name: email, Email: email, Senior: true, Created: time.Now()})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second time nobody is left to be found
		if _, err := office.Introduce(t.Context(), "office", register{"anna@example.org": "U7"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.runner.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(p.tried) == 0 || p.tried[0].Chat != "office:U7" {
		t.Fatalf("the question that waited did not come: %+v", p.tried)
	}
	err := h.store.Read(t.Context(), func(tx bot.Tx) error {
		seniors, err := tx.People(t.Context(), true)
		if len(seniors) != 2 || seniors[0].Chat != "office:U7" || seniors[1].Chat != "" {
			t.Errorf("seniors: %+v", seniors)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
