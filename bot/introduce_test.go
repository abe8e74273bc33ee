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

// crowded gives one answer, and then asks to wait; whoever does not is refused for good.
type crowded struct {
	register
	pause  time.Duration
	free   time.Time // until when it refuses
	hurt   int       // how often it was asked meanwhile
	looked int
}

func (c *crowded) ByEmail(ctx context.Context, email string) (string, error) {
	if time.Now().Before(c.free) {
		c.hurt++
		return "", fmt.Errorf("crowded: %w", &bot.SlowDownError{After: time.Until(c.free)})
	}
	c.looked++
	if c.looked%2 == 0 {
		c.free = time.Now().Add(c.pause)
		return "", fmt.Errorf("crowded: %w", &bot.SlowDownError{After: c.pause})
	}
	return c.register.ByEmail(ctx, email)
}

// More people than a platform looks up at once are looked up as it allows: those who are
// not there do not keep those behind them from being found.
func TestPeopleAreIntroducedAsFastAsAllowed(t *testing.T) {
	h := newHouse(t, nil)
	office := bot.Office{Store: h.store, Now: h.later}
	for _, email := range []string{"a@example.org", "b@example.org", "c@example.org", "anna@example.org"} {
		err := h.store.Write(t.Context(), func(tx bot.Tx) error {
			return tx.PutPerson(t.Context(), &knowledge.Person{Name: email, Email: email, Created: time.Now()})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	r := &crowded{register: register{"anna@example.org": "U7"}, pause: 20 * time.Millisecond}
	found, err := office.Introduce(t.Context(), "office", r)
	if found != 1 || err != nil || r.hurt > 0 {
		t.Errorf("%d found, %v; asked %d times though it had asked to wait", found, err, r.hurt)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	r.pause, r.looked = time.Hour, 1
	if _, err := office.Introduce(ctx, "office", r); err == nil {
		t.Error("it is stopped, and says that all were looked up")
	}
}
