package bot_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// forgetful is a platform during whose sending the database goes away for a while.
type forgetful struct {
	postOffice

	store *absent
	away  int // for how many transactions
}

func (f *forgetful) Send(ctx context.Context, d bot.Dispatch) (string, error) {
	external, err := f.postOffice.Send(ctx, d)
	f.store.away, f.away = f.away, 0
	return external, err
}

// absent is a store that is away for a number of transactions.
type absent struct {
	bot.Store

	away int
}

func (a *absent) Write(ctx context.Context, fn func(bot.Tx) error) error {
	if a.away > 0 {
		a.away--
		return fmt.Errorf("write: %w", knowledge.ErrAway)
	}
	return a.Store.Write(ctx, fn)
}

// What has been sent while the database was away is recorded when it is back, and not
// sent again.
func TestWhatCouldNotBeRecordedIsNotSentAgain(t *testing.T) {
	for name, c := range map[string]struct {
		parts int
		fail  []error
		want  []string
	}{
		"arrived":          {1, nil, []string{"first.0", "next.0"}},
		"a part of it":     {2, nil, []string{"first.0", "first.1", "next.0", "next.1"}},
		"may have arrived": {1, []error{errors.Join(fmt.Errorf("reset: %w", knowledge.ErrAway), bot.ErrDoubt)}, []string{"first.0", "first.0", "next.0"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := &forgetful{postOffice: postOffice{parts: c.parts, fail: c.fail}, away: 5}
			h := newOffice(t, &p.postOffice, func(o *bot.Options) {
				p.store = &absent{Store: o.Store}
				o.Store, o.Platforms["office"] = p.store, bot.Platform{Sender: p}
			})
			h.puts("first", "office:a", bot.Message{Text: "1"})
			h.puts("next", "office:a", bot.Message{Text: "2"})
			h.pass(0)
			h.pass(time.Minute)
			same(t, "tried", p.attempts(), c.want)
			if d := h.delivery("first"); d.State != bot.DeliverySent || len(d.External) != c.parts {
				t.Errorf("it is %s as %q", d.State, d.External)
			}
			if c.fail != nil && !p.tried[1].Doubt {
				t.Error("that it may have arrived is forgotten")
			}
		})
	}
}

// A clock that is put back, as of a machine that woke up with a wrong one, does not
// hold up what people write from then on.
func TestAClockThatIsPutBack(t *testing.T) {
	p := &postOffice{}
	h := newOffice(t, p, func(o *bot.Options) {
		o.Platforms["office"] = bot.Platform{Sender: p, Limits: func(c bot.ChatID) []bot.Limit {
			return []bot.Limit{{Key: "office", Every: 10 * time.Second, Burst: 1}, {Key: string(c.Room()), Every: time.Second, Burst: 5}}
		}}
	})
	for _, chat := range []bot.ChatID{"office:a", "office:b", "office:c"} {
		h.puts(string(chat), chat, bot.Message{Text: "1"})
	}
	h.pass(0)
	h.pass(-time.Hour)
	h.puts("new", "office:d", bot.Message{Text: "2"})
	h.pass(time.Second)
	h.pass(20 * time.Second)
	same(t, "sent", p.attempts(), []string{"office:a.0", "new.0"})
}
