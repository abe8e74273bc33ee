package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/slack"
	"github.com/nastavnik-bot/nastavnik/bot/telegram"
	"github.com/nastavnik-bot/nastavnik/bot/texts"
)

// gatekeeper is a platform that takes no message too many: it notes when each came.
type gatekeeper struct {
	now func() time.Time

	mu   sync.Mutex
	came map[bot.ChatID][]time.Time
	all  []time.Time
}

// Parts implements bot.Sender.
func (*gatekeeper) Parts(bot.Dispatch) int { return 1 }

// Send implements bot.Sender.
func (g *gatekeeper) Send(_ context.Context, d bot.Dispatch) (string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.came[d.Chat] = append(g.came[d.Chat], g.now())
	g.all = append(g.all, g.now())
	return d.Name(), nil
}

// most is the greatest number of moments within a time.
func most(at []time.Time, within time.Duration) (n int) {
	for i := range at {
		end, _ := slices.BinarySearchFunc(at, at[i].Add(within), time.Time.Compare)
		n = max(n, end-i)
	}
	return n
}

// A thousand questions for fifty seniors go out as fast as the platform allows, and
// not one faster. The clock is the test's.
func TestEscalationsDrainAtTheAllowedRate(t *testing.T) {
	t.Parallel()
	const seniors, each = 50, 20
	for name, test := range map[string]struct {
		limits func(bot.ChatID) []bot.Limit
		// What the platform's documentation allows in all within a time, and to one
		// chat within ten seconds, of which short bursts may go over.
		all    int
		within time.Duration
		chat   int
		// In what time all can be sent by that.
		time time.Duration
	}{
		"slack":    {slack.New(slack.Options{}).Platform().Limits, 320, time.Minute, 13, 196 * time.Second},
		"telegram": {telegram.Limits(1), 30, time.Second, 13, 40 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCLI(t)
			a, db := c.app(), c.database()
			defer func() { _, _ = a.close(), db.Close() }()
			begun := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
			now := begun
			g := &gatekeeper{now: func() time.Time { return now }, came: map[bot.ChatID][]time.Time{}}
			catalogue, err := texts.New("ru")
			if err != nil {
				t.Fatal(err)
			}
			r := bot.NewRunner(bot.Options{
				Store: a.store, Decider: bot.NewDecider(catalogue, bot.Manner{}), Now: g.now, Workers: seniors,
				Platforms: map[string]bot.Platform{name: {Sender: g, Limits: test.limits}},
			})
			err = a.store.Write(t.Context(), func(tx bot.Tx) error {
				for i := range seniors * each {
					d := bot.Delivery{
						Key: fmt.Sprint("task/", i), Chat: bot.NewChat(name, fmt.Sprint(7000+i%seniors)), Message: bot.Message{Text: "Вопрос для вас."},
						State: bot.DeliveryPending, Created: begun,
					}
					if err := tx.PutDelivery(t.Context(), &d); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			began, rounds := time.Now(), 0
			for ; len(g.all) < seniors*each; rounds++ {
				if err := r.Settle(t.Context()); err != nil {
					t.Fatal(err)
				}
				now = now.Add(time.Millisecond)
				var next int64
				if err := db.QueryRow(`SELECT COALESCE(MIN(not_until), 0) FROM outbox WHERE state = 'pending' AND not_until > 0`).Scan(&next); err != nil {
					t.Fatal(err)
				}
				if at := time.UnixMilli(next); at.After(now) {
					now = at
				}
				if now.Sub(begun) > 2*test.time {
					t.Fatalf("only %d are sent after %v", len(g.all), now.Sub(begun))
				}
			}
			t.Logf("%d sent in %v by the clock, %d rounds in %v", len(g.all), now.Sub(begun), rounds, time.Since(began))
			if n := most(g.all, test.within); n > test.all {
				t.Errorf("%d messages within %v, at most %d are allowed", n, test.within, test.all)
			}
			half := g.all[len(g.all)/2]
			for chat, at := range g.came {
				if before, _ := slices.BinarySearchFunc(at, half, time.Time.Compare); before < each/2-2 {
					t.Errorf("%s has got %d of %d when half of all are sent: others go before", chat, before, each)
				}
				if n := most(at, 10*time.Second); n > test.chat || len(at) != each {
					t.Errorf("%s: %d messages, %d of them within 10 s", chat, len(at), n)
				}
			}
			if took := now.Sub(begun); took > test.time*11/10 {
				t.Errorf("all were sent after %v, the platform allows %v", took, test.time)
			}
		})
	}
}
