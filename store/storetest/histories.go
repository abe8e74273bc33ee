package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/bot"
)

// testHistories plays random histories of the chats' mail on the store and on a
// model that is plain lists, and compares what they hold after every step.
func testHistories(t *testing.T, s bot.Store) {
	history := 0
	rapid.Check(t, func(t *rapid.T) {
		history++
		m := &mail{store: s, prefix: fmt.Sprintf("h%d", history)}
		t.Repeat(map[string]func(*rapid.T){
			"post":    m.post,
			"settle":  m.settle,
			"fail":    m.fail,
			"deliver": m.deliver,
			"advance": m.advance,
			"undo":    m.undo,
			"":        m.compare,
		})
	})
}

// mail is the model. Histories share the store and tell their chats and keys by
// a prefix.
type mail struct {
	store  bot.Store
	prefix string
	rows   []modelRow
	out    []bot.Delivery
}

type modelRow struct {
	bot.Row
	done bool
}

func (m *mail) chats() []bot.ChatID {
	return []bot.ChatID{bot.NewChat(m.prefix, "аня"), bot.NewChat(m.prefix, "боря")}
}

func (m *mail) key(t *rapid.T) string {
	return fmt.Sprintf("%s/%d", m.prefix, rapid.IntRange(0, 12).Draw(t, "key"))
}

func (m *mail) post(t *rapid.T) {
	r := bot.Row{
		Key: m.key(t), Chat: rapid.SampledFrom(m.chats()).Draw(t, "chat"), Kind: "said",
		Payload: []byte(rapid.StringMatching(`\{"text":"[а-яё ]{0,9}"\}`).Draw(t, "payload")),
		Inner:   rapid.Bool().Draw(t, "inner"), At: noon(),
	}
	got := post(t, m.store, r)
	i := slices.IndexFunc(m.rows, func(old modelRow) bool { return old.Key == r.Key })
	if i < 0 {
		m.rows = append(m.rows, modelRow{Row: got})
		return
	}
	equal(t, "the id of a known key", got.ID, m.rows[i].ID)
}

func (m *mail) settle(t *rapid.T) {
	if len(m.rows) == 0 {
		t.Skip("no rows")
	}
	i := rapid.IntRange(0, len(m.rows)-1).Draw(t, "row")
	write(t, m.store, func(ctx context.Context, tx bot.Tx) error { return tx.Settle(ctx, m.rows[i].ID, noon(), "") })
	m.rows[i].done = true
}

func (m *mail) fail(t *rapid.T) {
	if len(m.rows) == 0 {
		t.Skip("no rows")
	}
	i := rapid.IntRange(0, len(m.rows)-1).Draw(t, "row")
	write(t, m.store, func(ctx context.Context, tx bot.Tx) error { return tx.Failed(ctx, m.rows[i].ID) })
	m.rows[i].Attempts++
}

func (m *mail) deliver(t *rapid.T) {
	d := bot.Delivery{
		Key: m.key(t), Chat: rapid.SampledFrom(m.chats()).Draw(t, "chat"), State: bot.DeliveryPending,
		Message: bot.Message{Text: rapid.StringMatching(`[а-яё ]{0,9}`).Draw(t, "text")}, NotUntil: m.due(t),
	}
	got := deliver(t, m.store, d)
	i := slices.IndexFunc(m.out, func(old bot.Delivery) bool { return old.Key == d.Key })
	if i < 0 {
		m.out = append(m.out, got)
		return
	}
	equal(t, "what is stored under a known key", got, m.out[i])
}

func (m *mail) due(t *rapid.T) time.Time {
	return rapid.SampledFrom([]time.Time{{}, noon(), noon().Add(time.Hour)}).Draw(t, "due")
}

// advance sends, gives up or postpones any delivery, even one that is not next.
func (m *mail) advance(t *rapid.T) {
	if len(m.out) == 0 {
		t.Skip("no deliveries")
	}
	d := &m.out[rapid.IntRange(0, len(m.out)-1).Draw(t, "delivery")]
	d.State = rapid.SampledFrom([]bot.DeliveryState{bot.DeliveryPending, bot.DeliverySent, bot.DeliveryDead}).Draw(t, "state")
	d.NotUntil = m.due(t)
	d.Attempts++
	deliver(t, m.store, *d)
}

// undo does a bit of everything in a transaction that fails.
func (m *mail) undo(t *rapid.T) {
	refuse(t, m.store, errUndo, func(ctx context.Context, tx bot.Tx) error {
		for _, chat := range m.chats() {
			r := bot.Row{Key: m.prefix + "/undone/" + string(chat), Chat: chat, Kind: "said"}
			d := bot.Delivery{Key: r.Key, Chat: chat, State: bot.DeliveryPending}
			if err := tx.Post(ctx, &r); err != nil {
				return err
			}
			if err := tx.PutDelivery(ctx, &d); err != nil {
				return err
			}
		}
		for _, r := range m.rows {
			if err := tx.Settle(ctx, r.ID, noon(), ""); err != nil {
				return err
			}
		}
		return errUndo
	})
}

// compare is run after every step.
func (m *mail) compare(t *rapid.T) {
	var busy []bot.ChatID
	for _, chat := range m.chats() {
		row, head, sent := m.nextRow(chat), m.nextDelivery(chat), m.sent(chat)
		equal(t, "next row", nextRow(t, m.store, chat), row)
		equal(t, "next delivery", nextDelivery(t, m.store, chat), head)
		equal(t, "sent", read(t, m.store, func(ctx context.Context, tx bot.Tx) ([]bot.Delivery, error) {
			return tx.Deliveries(ctx, chat, 0, 0)
		}), sent)
		if row.ID != 0 || head.ID != 0 && !head.NotUntil.After(noon()) {
			busy = append(busy, chat)
		}
	}
	all := read(t, m.store, func(ctx context.Context, tx bot.Tx) ([]bot.ChatID, error) { return tx.BusyChats(ctx, noon()) })
	others := func(c bot.ChatID) bool { return !strings.HasPrefix(string(c), m.prefix+":") }
	equal(t, "busy chats", slices.DeleteFunc(all, others), busy)
}

func (m *mail) nextRow(chat bot.ChatID) bot.Row {
	var next bot.Row
	for _, r := range m.rows {
		if r.Chat == chat && !r.done && (next.ID == 0 || r.Inner && !next.Inner) {
			next = r.Row
		}
	}
	return next
}

func (m *mail) nextDelivery(chat bot.ChatID) bot.Delivery {
	for _, d := range m.out {
		if d.Chat == chat && d.State == bot.DeliveryPending {
			return d
		}
	}
	return bot.Delivery{}
}

func (m *mail) sent(chat bot.ChatID) []bot.Delivery {
	var out []bot.Delivery
	for _, d := range m.out {
		if d.Chat == chat && d.State == bot.DeliverySent {
			out = append(out, d)
		}
	}
	return out
}
