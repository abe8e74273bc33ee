package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// testHistories plays random histories of the chats' mail, transactions of a few
// steps each, on the store and on a model that is plain lists, and compares what
// they hold after every transaction. Some transactions are undone.
func testHistories(t *testing.T, s bot.Store) {
	history := 0
	rapid.Check(t, func(t *rapid.T) {
		history++
		m := mail{prefix: fmt.Sprintf("h%d", history)}
		for range rapid.IntRange(1, 8).Draw(t, "transactions") {
			undone := rapid.IntRange(0, 4).Draw(t, "undone") == 0
			before := m.clone()
			err := s.Write(t.Context(), func(tx bot.Tx) error {
				for range rapid.IntRange(1, 6).Draw(t, "steps") {
					if err := m.step(t, tx); err != nil {
						return err
					}
				}
				if undone {
					return errUndo
				}
				return nil
			})
			switch {
			case undone && errors.Is(err, errUndo):
				m = before
			case err != nil:
				t.Fatalf("write: %v", err)
			}
			if err := s.Read(t.Context(), func(tx bot.Tx) error { return m.compare(t, tx) }); err != nil {
				t.Fatalf("read: %v", err)
			}
		}
	})
}

// mail is the model. Histories share the store and tell their chats and keys by
// a prefix.
type mail struct {
	prefix string
	rows   []modelRow
	out    []bot.Delivery
}

type modelRow struct {
	bot.Row
	done bool
}

func (m *mail) clone() mail {
	return mail{prefix: m.prefix, rows: slices.Clone(m.rows), out: slices.Clone(m.out)}
}

func (m *mail) chats() []bot.ChatID {
	return []bot.ChatID{bot.NewChat(m.prefix, "аня"), bot.NewChat(m.prefix, "боря")}
}

func (m *mail) chat(t *rapid.T) bot.ChatID { return rapid.SampledFrom(m.chats()).Draw(t, "chat") }

func (m *mail) key(t *rapid.T) string {
	return fmt.Sprintf("%s/%d", m.prefix, rapid.IntRange(0, 12).Draw(t, "key"))
}

func due(t *rapid.T) time.Time {
	return rapid.SampledFrom([]time.Time{{}, noon(), noon().Add(time.Hour)}).Draw(t, "due")
}

// step does one thing in the store and in the model.
func (m *mail) step(t *rapid.T, tx bot.Tx) error {
	steps := []string{"post", "deliver"}
	if len(m.rows) > 0 {
		steps = append(steps, "settle", "fail")
	}
	if len(m.out) > 0 {
		steps = append(steps, "advance")
	}
	switch rapid.SampledFrom(steps).Draw(t, "step") {
	case "post":
		return m.post(t, tx)
	case "settle":
		r := &m.rows[rapid.IntRange(0, len(m.rows)-1).Draw(t, "row")]
		err := tx.Settle(t.Context(), r.ID, noon(), "")
		if errors.Is(err, knowledge.ErrConflict) != r.done {
			t.Errorf("settled, done before: %v, the error is %v", r.done, err)
		}
		if errors.Is(err, knowledge.ErrConflict) {
			return nil
		}
		r.done = true
		return err
	case "fail":
		r := &m.rows[rapid.IntRange(0, len(m.rows)-1).Draw(t, "row")]
		r.Attempts++
		return tx.Failed(t.Context(), r.ID)
	case "deliver":
		return m.deliver(t, tx)
	default:
		return m.advance(t, tx)
	}
}

func (m *mail) post(t *rapid.T, tx bot.Tx) error {
	r := bot.Row{
		Key: m.key(t), Chat: m.chat(t), Kind: "said", Inner: rapid.Bool().Draw(t, "inner"), At: noon(),
		Payload: []byte(rapid.StringMatching(`\{"text":"[а-яё ]{0,9}"\}`).Draw(t, "payload")),
	}
	err := tx.Post(t.Context(), &r)
	i := slices.IndexFunc(m.rows, func(old modelRow) bool { return old.Key == r.Key })
	if i < 0 {
		m.rows = append(m.rows, modelRow{Row: r})
		return err
	}
	equal(t, "the id of a known key", r.ID, m.rows[i].ID)
	return err
}

func (m *mail) deliver(t *rapid.T, tx bot.Tx) error {
	d := bot.Delivery{
		Key: m.key(t), Chat: m.chat(t), State: bot.DeliveryPending, NotUntil: due(t),
		Message: bot.Message{Text: rapid.StringMatching(`[а-яё ]{0,9}`).Draw(t, "text")},
	}
	err := tx.PutDelivery(t.Context(), &d)
	i := slices.IndexFunc(m.out, func(old bot.Delivery) bool { return old.Key == d.Key })
	if i < 0 {
		m.out = append(m.out, d)
		return err
	}
	equal(t, "what is stored under a known key", d, m.out[i])
	return err
}

// advance sends, gives up or postpones any delivery, even one that is not next.
func (m *mail) advance(t *rapid.T, tx bot.Tx) error {
	d := &m.out[rapid.IntRange(0, len(m.out)-1).Draw(t, "delivery")]
	d.State = rapid.SampledFrom([]bot.DeliveryState{bot.DeliveryPending, bot.DeliverySent, bot.DeliveryDead}).Draw(t, "state")
	d.NotUntil = due(t)
	d.Attempts++
	changed := *d
	return tx.PutDelivery(t.Context(), &changed)
}

func (m *mail) compare(t *rapid.T, tx bot.Tx) error {
	var busy []bot.ChatID
	for _, chat := range m.chats() {
		row, head := m.nextRow(chat), m.nextDelivery(chat)
		gotRow, err1 := found(tx.NextRow(t.Context(), chat))
		gotHead, err2 := found(tx.NextDelivery(t.Context(), chat))
		gotSent, err3 := tx.Deliveries(t.Context(), chat, 0, 0)
		if err := errors.Join(err1, err2, err3); err != nil {
			return err
		}
		equal(t, "next row", gotRow, row)
		equal(t, "next delivery", gotHead, head)
		equal(t, "sent", gotSent, m.sent(chat))
		if row.ID != 0 || head.ID != 0 && !head.NotUntil.After(noon()) {
			busy = append(busy, chat)
		}
	}
	all, err := tx.BusyChats(t.Context(), noon())
	others := func(c bot.ChatID) bool { return !strings.HasPrefix(string(c), m.prefix+":") }
	equal(t, "busy chats", slices.DeleteFunc(all, others), busy)
	return err
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

// found makes nothing of what was not found.
func found[T any](v T, err error) (T, error) {
	if errors.Is(err, knowledge.ErrNotFound) {
		var none T
		return none, nil
	}
	return v, err
}
