package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

func post(t *testing.T, s bot.Store, r bot.Row) bot.Row {
	t.Helper()
	write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.Post(ctx, &r) })
	return r
}

// nextRow returns a chat's next row, or the zero one.
func nextRow(t *testing.T, s bot.Store, chat bot.ChatID) bot.Row {
	t.Helper()
	return read(t, s, func(ctx context.Context, tx bot.Tx) (bot.Row, error) {
		return found(tx.NextRow(ctx, chat))
	})
}

func testInbox(t *testing.T, s bot.Store) {
	settle := func(r bot.Row) {
		write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.Settle(ctx, r.ID, noon(), "") })
	}
	first := bot.Row{
		Key: "slack/1", Chat: "slack:D1", Kind: "said", Payload: []byte(`{"text":"как «сменить» ёлку? 🎄"}`),
		From: knowledge.Identity{Platform: "slack", External: "U1", Name: "Иван", Chat: "slack:D1"}, At: noon(),
	}
	t.Run("comes back as it went in", func(t *testing.T) {
		first = post(t, s, first)
		if first.ID == 0 {
			t.Error("no id was filled in")
		}
		equal(t, "row", nextRow(t, s, "slack:D1"), first)
	})
	t.Run("the same event twice is one", func(t *testing.T) {
		again := post(t, s, bot.Row{Key: first.Key, Chat: "slack:D2", Kind: "pressed"})
		equal(t, "the id of the second", again.ID, first.ID)
		equal(t, "that it is known", []bool{first.Known, again.Known}, []bool{false, true})
		equal(t, "the stored row", nextRow(t, s, "slack:D1"), first)
		equal(t, "the other chat", nextRow(t, s, "slack:D2"), bot.Row{})
	})
	second := post(t, s, bot.Row{Key: "slack/2", Chat: "slack:D1", Kind: "said", At: noon().Add(-time.Hour)})
	query := post(t, s, bot.Row{Key: "1/query", Chat: "slack:D1", Kind: "search", Inner: true, At: noon()})
	laterQuery := post(t, s, bot.Row{Key: "2/query", Chat: "slack:D1", Kind: "show", Inner: true, At: noon()})
	elsewhere := post(t, s, bot.Row{Key: "slack/3", Chat: "slack:D2", Kind: "said"})
	t.Run("queries go first, the rest by age", func(t *testing.T) {
		for _, want := range []bot.Row{query, laterQuery, first, second} {
			equal(t, "next", nextRow(t, s, "slack:D1"), want)
			settle(want)
		}
		equal(t, "after the last", nextRow(t, s, "slack:D1"), bot.Row{})
		equal(t, "the other chat", nextRow(t, s, "slack:D2"), elsewhere)
	})
	t.Run("a settled key stays known", func(t *testing.T) {
		again := post(t, s, bot.Row{Key: first.Key, Chat: "slack:D1", Kind: "said"})
		equal(t, "the id", again.ID, first.ID)
		equal(t, "next", nextRow(t, s, "slack:D1"), bot.Row{})
	})
	t.Run("failures are counted, and end a row when it is settled", func(t *testing.T) {
		for range 3 {
			write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.Failed(ctx, elsewhere.ID) })
		}
		equal(t, "attempts", nextRow(t, s, "slack:D2").Attempts, 3)
		write(t, s, func(ctx context.Context, tx bot.Tx) error {
			return tx.Settle(ctx, elsewhere.ID, noon(), "не разобрать")
		})
		equal(t, "next", nextRow(t, s, "slack:D2"), bot.Row{})
	})
	t.Run("what is ended stays so", func(t *testing.T) {
		ended := post(t, s, bot.Row{Key: "ended", Chat: "slack:D9", Kind: "said"})
		settle(ended)
		refuse(t, s, knowledge.ErrConflict, func(ctx context.Context, tx bot.Tx) error { return tx.Settle(ctx, ended.ID, noon(), "") })
	})
	t.Run("what does not exist is not found", func(t *testing.T) {
		refuse(t, s, knowledge.ErrNotFound, func(ctx context.Context, tx bot.Tx) error { return tx.Settle(ctx, 999, noon(), "") })
		refuse(t, s, knowledge.ErrNotFound, func(ctx context.Context, tx bot.Tx) error { return tx.Failed(ctx, 999) })
		refuse(t, s, knowledge.ErrNotFound, func(ctx context.Context, tx bot.Tx) error { _, err := tx.NextRow(ctx, "нет"); return err })
	})
}

func deliver(t *testing.T, s bot.Store, d bot.Delivery) bot.Delivery {
	t.Helper()
	write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.PutDelivery(ctx, &d) })
	return d
}

// nextDelivery returns a chat's next delivery, or the zero one.
func nextDelivery(t *testing.T, s bot.Store, chat bot.ChatID) bot.Delivery {
	t.Helper()
	return read(t, s, func(ctx context.Context, tx bot.Tx) (bot.Delivery, error) {
		return found(tx.NextDelivery(ctx, chat))
	})
}

func testOutbox(t *testing.T, s bot.Store) {
	button := func(label string) bot.Button {
		return bot.Button{Label: label, Press: bot.Press{Verb: bot.OpenEntry, Ask: 5, Question: "q1", Text: "ёлка"}}
	}
	first := bot.Delivery{
		Key: "5/answer", Chat: "slack:D1", State: bot.DeliveryPending, Created: noon(), NotUntil: noon().Add(time.Minute), Attempts: 1, Error: "тайм-аут",
		Message: bot.Message{Text: "Ответ **готов** 🎉", About: 3, Replaces: "4/answer", Chosen: "Да", Sections: []bot.Section{
			{Title: "Похожие вопросы", Buttons: []bot.Button{button("Первый"), button("Второй")}},
			{Buttons: []bot.Button{button("Помогло")}, Choice: true},
		}},
	}
	get := func(id int64) bot.Delivery {
		return read(t, s, func(ctx context.Context, tx bot.Tx) (bot.Delivery, error) { return tx.Delivery(ctx, id) })
	}
	t.Run("gets its id and those of its buttons", func(t *testing.T) {
		first = deliver(t, s, first)
		if first.ID == 0 {
			t.Fatal("no id was filled in")
		}
		for section, buttons := range first.Message.Sections {
			for i, b := range buttons.Buttons {
				equal(t, "the id of a button", b.ID, bot.ButtonID(first.ID, section, i))
			}
		}
		equal(t, "stored", get(first.ID), first)
	})
	t.Run("the same key twice is one", func(t *testing.T) {
		again := deliver(t, s, bot.Delivery{Key: first.Key, Chat: "slack:D2", State: bot.DeliverySent, Message: bot.Message{Text: "другой"}})
		equal(t, "the second", again, first)
		equal(t, "stored", get(first.ID), first)
	})
	second := deliver(t, s, bot.Delivery{Key: "6/answer", Chat: "slack:D1", State: bot.DeliveryPending, Message: bot.Message{Text: "Второй"}})
	third := deliver(t, s, bot.Delivery{Key: "7/answer", Chat: "slack:D1", State: bot.DeliveryPending, Message: bot.Message{Text: "Третий"}})
	elsewhere := deliver(t, s, bot.Delivery{Key: "8/answer", Chat: "slack:D2", State: bot.DeliveryPending, Message: bot.Message{Text: "Чужой"}})
	t.Run("the oldest goes first, due or not", func(t *testing.T) {
		equal(t, "next", nextDelivery(t, s, "slack:D1"), first)
		first.State, first.External, first.Attempts, first.Error, first.NotUntil = bot.DeliverySent, []string{"1700.5"}, 2, "", time.Time{}
		equal(t, "updated", deliver(t, s, first), first)
		equal(t, "stored", get(first.ID), first)
		equal(t, "next after it was sent", nextDelivery(t, s, "slack:D1"), second)
		second.State, second.Error = bot.DeliveryDead, "чата больше нет"
		deliver(t, s, second)
		equal(t, "next after it was given up", nextDelivery(t, s, "slack:D1"), third)
		equal(t, "next of the other chat", nextDelivery(t, s, "slack:D2"), elsewhere)
	})
	t.Run("those sent are listed, oldest first", func(t *testing.T) {
		third.State = bot.DeliverySent
		deliver(t, s, third)
		list := func(after int64, limit int) []bot.Delivery {
			return read(t, s, func(ctx context.Context, tx bot.Tx) ([]bot.Delivery, error) {
				return tx.Deliveries(ctx, "slack:D1", after, limit)
			})
		}
		equal(t, "all", list(0, 0), []bot.Delivery{first, third})
		equal(t, "a page", list(0, 1), []bot.Delivery{first})
		equal(t, "the next page", list(first.ID, 1), []bot.Delivery{third})
		equal(t, "after the last", list(third.ID, 1), nil)
	})
	t.Run("what does not exist is not found", func(t *testing.T) {
		refuse(t, s, knowledge.ErrNotFound, func(ctx context.Context, tx bot.Tx) error { _, err := tx.Delivery(ctx, 999); return err })
		refuse(t, s, knowledge.ErrNotFound, func(ctx context.Context, tx bot.Tx) error { _, err := tx.NextDelivery(ctx, "нет"); return err })
		refuse(t, s, knowledge.ErrNotFound, func(ctx context.Context, tx bot.Tx) error {
			return tx.PutDelivery(ctx, &bot.Delivery{ID: 999, Key: "x", Chat: "c", State: bot.DeliverySent})
		})
	})
}

func testChats(t *testing.T, s bot.Store) {
	get := func(chat bot.ChatID) bot.Conversation {
		return read(t, s, func(ctx context.Context, tx bot.Tx) (bot.Conversation, error) { return tx.Conversation(ctx, chat) })
	}
	put := func(c bot.Conversation) func(context.Context, bot.Tx) error {
		return func(ctx context.Context, tx bot.Tx) error { return tx.PutConversation(ctx, c) }
	}
	t.Run("a new chat has nothing but its id", func(t *testing.T) {
		equal(t, "conversation", get("console:новый"), bot.Conversation{Chat: "console:новый"})
	})
	t.Run("a version follows the one that was read", func(t *testing.T) {
		write(t, s, put(bot.Conversation{Chat: "console:иван", Person: 4, State: []byte(`{"greeted":true}`)}))
		c := get("console:иван")
		equal(t, "stored", c, bot.Conversation{Chat: "console:иван", Person: 4, State: []byte(`{"greeted":true}`), Version: 1})
		c.State = []byte(`{}`)
		write(t, s, put(c))
		equal(t, "the next version", get("console:иван").Version, 2)
		for _, version := range []int64{0, 1, 3} {
			c.Version = version
			refuse(t, s, knowledge.ErrConflict, put(c))
		}
		refuse(t, s, knowledge.ErrConflict, put(bot.Conversation{Chat: "console:никто", Version: 1}))
	})
	t.Run("what was read is remembered apart", func(t *testing.T) {
		mark := func(chat bot.ChatID, delivery int64) {
			write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.MarkRead(ctx, chat, delivery) })
		}
		mark("console:терминал", 7)
		equal(t, "of a chat without a state", get("console:терминал"), bot.Conversation{Chat: "console:терминал", Read: 7})
		write(t, s, put(bot.Conversation{Chat: "console:терминал", State: []byte(`{}`), Read: 99}))
		equal(t, "after the state was stored", get("console:терминал"), bot.Conversation{Chat: "console:терминал", State: []byte(`{}`), Version: 1, Read: 7})
		mark("console:терминал", 9)
		mark("console:терминал", 8)
		equal(t, "after an older one came late", get("console:терминал").Read, 9)
		equal(t, "the version", get("console:терминал").Version, 1)
	})
	t.Run("the first choice of a section stays", func(t *testing.T) {
		d := deliver(t, s, bot.Delivery{Key: "choice", Chat: "c", State: bot.DeliverySent})
		taken := func(section int) string {
			return read(t, s, func(ctx context.Context, tx bot.Tx) (string, error) { return tx.Taken(ctx, d.ID, section) })
		}
		equal(t, "before", taken(0), "")
		for _, label := range []string{"Помогло", "Не помогло"} {
			write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.Take(ctx, d.ID, 0, label) })
		}
		equal(t, "after", taken(0), "Помогло")
		equal(t, "another section", taken(1), "")
		refuse(t, s, knowledge.ErrNotFound, func(ctx context.Context, tx bot.Tx) error { return tx.Take(ctx, 999, 0, "Да") })
	})
	t.Run("those with something to do are busy", func(t *testing.T) { testBusyChats(t, s) })
}

func testBusyChats(t *testing.T, s bot.Store) {
	busy := func() []bot.ChatID {
		return read(t, s, func(ctx context.Context, tx bot.Tx) ([]bot.ChatID, error) { return tx.BusyChats(ctx, noon()) })
	}
	equal(t, "at first", busy(), nil)
	row := post(t, s, bot.Row{Key: "busy", Chat: "b:row", Kind: "said"})
	deliver(t, s, bot.Delivery{Key: "both", Chat: "b:row", State: bot.DeliveryPending})
	deliver(t, s, bot.Delivery{Key: "due", Chat: "a:due", State: bot.DeliveryPending, NotUntil: noon()})
	deliver(t, s, bot.Delivery{Key: "later", Chat: "c:later", State: bot.DeliveryPending, NotUntil: noon().Add(time.Millisecond)})
	deliver(t, s, bot.Delivery{Key: "behind", Chat: "c:later", State: bot.DeliveryPending})
	deliver(t, s, bot.Delivery{Key: "sent", Chat: "d:sent", State: bot.DeliverySent})
	equal(t, "each once, none whose oldest delivery must wait", busy(), []bot.ChatID{"a:due", "b:row"})
	write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.Settle(ctx, row.ID, noon(), "") })
	equal(t, "with a delivery left", busy(), []bot.ChatID{"a:due", "b:row"})
}

func testBacklog(t *testing.T, s bot.Store) {
	backlog := func() bot.Backlog {
		return read(t, s, func(ctx context.Context, tx bot.Tx) (bot.Backlog, error) { return tx.Backlog(ctx) })
	}
	equal(t, "of an empty store", backlog(), bot.Backlog{})
	later := post(t, s, bot.Row{Key: "b/2", Chat: "slack:D2", Kind: "said", At: noon()})
	oldest := post(t, s, bot.Row{Key: "b/1", Chat: "slack:D1", Kind: "said", At: noon().Add(-time.Minute)})
	for i, state := range []bot.DeliveryState{bot.DeliveryPending, bot.DeliveryPending, bot.DeliverySent, bot.DeliveryDead} {
		deliver(t, s, bot.Delivery{Key: fmt.Sprintf("b/%d/out", i), Chat: "slack:D1", State: state, Created: noon(), NotUntil: noon().Add(time.Hour)})
	}
	equal(t, "with both rows", backlog(), bot.Backlog{Inbox: 2, Oldest: noon().Add(-time.Minute), Pending: 2, Dead: 1})
	settle := func(id int64, failure string) {
		write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.Settle(ctx, id, noon(), failure) })
	}
	settle(oldest.ID, "не разобрать")
	equal(t, "without the oldest", backlog(), bot.Backlog{Inbox: 1, Oldest: noon(), Pending: 2, Dead: 1})
	settle(later.ID, "")
	equal(t, "with nothing to handle", backlog(), bot.Backlog{Pending: 2, Dead: 1})
}
