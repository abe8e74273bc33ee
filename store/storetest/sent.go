package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// testSent: deliveries are found by where they came to and by what became of them.
func testSent(t *testing.T, s bot.Store) {
	sent := func(key string, chat bot.ChatID, external ...string) bot.Delivery {
		return deliver(t, s, update(t, s, bot.Delivery{Key: key, Chat: chat, State: bot.DeliveryPending, Created: noon()}, bot.DeliverySent, external...))
	}
	known := func(room bot.ChatID, external string) bot.Delivery {
		return read(t, s, func(ctx context.Context, tx bot.Tx) (bot.Delivery, error) {
			return found(tx.DeliverySentAs(ctx, room, external))
		})
	}
	parts := sent("parts", "slack:C1/10.0/U1", "11.5", "12.5")
	other := sent("other", "slack:C2/10.0/U1", "11.5")
	t.Run("by each of its ids, within its room", func(t *testing.T) {
		equal(t, "the first part", known("slack:C1", "11.5"), parts)
		equal(t, "the second part", known("slack:C1", "12.5"), parts)
		equal(t, "the same id elsewhere", known("slack:C2", "11.5"), other)
		equal(t, "an unknown id", known("slack:C1", "99.9"), bot.Delivery{})
	})
	t.Run("a changed message keeps its id", func(t *testing.T) {
		change := sent("change", "slack:C1/10.0/U1", "12.5")
		equal(t, "the changed part", known("slack:C1", "12.5"), change)
		equal(t, "the other part", known("slack:C1", "11.5"), parts)
	})
	t.Run("by its key", func(t *testing.T) {
		got := read(t, s, func(ctx context.Context, tx bot.Tx) (bot.Delivery, error) { return tx.DeliveryByKey(ctx, "parts") })
		equal(t, "delivery", got, parts)
		refuse(t, s, knowledge.ErrNotFound, func(ctx context.Context, tx bot.Tx) error { _, err := tx.DeliveryByKey(ctx, "нет"); return err })
	})
	t.Run("doubt is kept", func(t *testing.T) {
		d := deliver(t, s, bot.Delivery{Key: "doubt", Chat: "slack:C3", State: bot.DeliveryPending, Doubt: true, Created: noon()})
		equal(t, "delivery", nextDelivery(t, s, "slack:C3"), d)
		d.Doubt = false
		deliver(t, s, d)
		equal(t, "when it is over", nextDelivery(t, s, "slack:C3").Doubt, false)
	})
	t.Run("lists page", func(t *testing.T) {
		var dead []bot.Delivery
		for _, key := range []string{"d1", "d2", "d3"} {
			dead = append(dead, deliver(t, s, bot.Delivery{Key: key, Chat: "slack:U9", State: bot.DeliveryDead, Error: "нет такого", Created: noon()}))
		}
		list := func(f bot.DeliveryFilter) []bot.Delivery {
			return read(t, s, func(ctx context.Context, tx bot.Tx) ([]bot.Delivery, error) { return tx.FindDeliveries(ctx, f) })
		}
		equal(t, "the first page", list(bot.DeliveryFilter{State: bot.DeliveryDead, Limit: 2}), dead[:2])
		equal(t, "the second", list(bot.DeliveryFilter{State: bot.DeliveryDead, After: dead[1].ID, Limit: 2}), dead[2:])
		equal(t, "of a chat", list(bot.DeliveryFilter{Chat: "slack:C2/10.0/U1"}), []bot.Delivery{other})
	})
}

// update stores a delivery and returns it as it is to become.
func update(t *testing.T, s bot.Store, d bot.Delivery, state bot.DeliveryState, external ...string) bot.Delivery {
	t.Helper()
	d = deliver(t, s, d)
	d.State, d.External = state, external
	return d
}

func testPauses(t *testing.T, s bot.Store) {
	l := bot.Limit{Key: "room", Every: time.Second, Burst: 3}
	pause := func(until time.Time) {
		write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.Pause(ctx, l, until) })
	}
	reserve := func(now time.Time) time.Time {
		t.Helper()
		var at time.Time
		write(t, s, func(ctx context.Context, tx bot.Tx) (err error) {
			at, err = tx.Reserve(ctx, now, []bot.Limit{l})
			return err
		})
		return at
	}
	until := noon().Add(time.Minute)
	pause(until)
	equal(t, "while it is paused", reserve(noon()), until)
	pause(noon().Add(time.Second))
	equal(t, "a shorter pause changes nothing", reserve(noon()), until)
	equal(t, "afterwards", reserve(until), until)
	equal(t, "no burst is left over", reserve(until).After(until), true)
}
