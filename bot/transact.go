package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// decide handles one event within a transaction: state, messages, changes of
// the knowledge base, mail and late work are stored together or not at all.
func (r *Runner) decide(ctx context.Context, tx Tx, row Row, body Body) error {
	c, err := tx.Conversation(ctx, row.Chat)
	if err != nil {
		return err
	}
	e := Event{ID: row.ID, Key: row.Key, Chat: row.Chat, At: r.Now(), From: row.From, Body: body}
	if e.Person, err = r.whose(ctx, tx, &c, e); err != nil {
		return err
	}
	if err := fillIn(ctx, tx, &e); err != nil {
		return err
	}
	s, err := readState(c)
	if err != nil {
		return err
	}
	w := &work{tx: tx, clerk: newClerk(tx, e, r.Learning, r.Decider.manner.Routing), e: e}
	if s, err = r.settle(ctx, w, s); err != nil {
		return err
	}
	if c.State, err = json.Marshal(s); err != nil {
		return err
	}
	c.Person = e.Person.ID
	if err := tx.PutConversation(ctx, c); err != nil {
		return err
	}
	return postMail(ctx, tx, fmt.Sprintf("%d", row.ID), w.clerk.mail, e.At)
}

// settle decides on the event, and on the results of the commands that follow from it.
func (r *Runner) settle(ctx context.Context, w *work, s State) (State, error) {
	queue := []Body{w.e.Body}
	for len(queue) > 0 {
		e := w.e
		e.Body, queue = queue[0], queue[1:]
		var actions []Action
		s, actions = r.Decider.Decide(s, e)
		for _, a := range actions {
			result, err := w.perform(ctx, a)
			if err != nil {
				return s, err
			}
			if result != nil {
				queue = append(queue, result)
			}
		}
	}
	return s, nil
}

// whose returns the person of a chat: who wrote, else whose chat it was before.
func (r *Runner) whose(ctx context.Context, tx Tx, c *Conversation, e Event) (knowledge.Person, error) {
	if e.From.External != "" {
		return tx.Identify(ctx, e.From, e.At)
	}
	if c.Person != 0 {
		return tx.Person(ctx, c.Person)
	}
	// Mail to somebody who has never written: the chat is theirs by their identity.
	return tx.Identify(ctx, knowledge.Identity{Platform: e.Chat.Platform(), External: e.Chat.External(), Name: e.Chat.External(), Chat: string(e.Chat.Room())}, e.At)
}

// fillIn looks up what an event refers to.
func fillIn(ctx context.Context, tx Tx, e *Event) error {
	switch b := e.Body.(type) {
	case Said:
		d, err := repliedTo(ctx, tx, e.Chat, b)
		if err == nil && d.Chat == e.Chat {
			e.About = d.Message.About
		}
		return ignoreNotFound(err)
	case Pressed:
		b, err := findButton(ctx, tx, e.Chat, b)
		e.Body = b
		return err
	case Filled:
		var err error
		b.Pressed, err = findButton(ctx, tx, e.Chat, b.Pressed)
		e.Body = b
		return err
	}
	return nil
}

// repliedTo returns the delivery that a message replies to.
func repliedTo(ctx context.Context, tx Tx, chat ChatID, b Said) (Delivery, error) {
	switch {
	case b.ReplyTo != 0:
		return tx.Delivery(ctx, b.ReplyTo)
	case b.Answers != "":
		return tx.DeliverySentAs(ctx, chat.Room(), b.Answers)
	}
	return Delivery{}, nil
}

// findButton looks up the button that was pressed in a chat.
func findButton(ctx context.Context, tx Tx, chat ChatID, b Pressed) (Pressed, error) {
	delivery, section, button, ok := parseButtonID(b.ID)
	if !ok {
		return b, nil
	}
	d, err := tx.Delivery(ctx, delivery)
	if err != nil {
		return b, ignoreNotFound(err)
	}
	// Only the chat that was shown a button may press it.
	if b.Foreign = d.Chat != chat; b.Foreign || section < 0 || section >= len(d.Message.Sections) {
		return b, nil
	}
	s := d.Message.Sections[section]
	if button < 0 || button >= len(s.Buttons) {
		return b, nil
	}
	b.Button = &s.Buttons[button]
	b.Taken, err = tx.Taken(ctx, delivery, section)
	return b, err
}

func ignoreNotFound(err error) error {
	if errors.Is(err, knowledge.ErrNotFound) {
		return nil
	}
	return err
}

func readState(c Conversation) (State, error) {
	var s State
	if len(c.State) == 0 {
		return s, nil
	}
	if err := json.Unmarshal(c.State, &s); err != nil {
		return s, fmt.Errorf("state of chat %s: %w", c.Chat, err)
	}
	return s, nil
}

// work is what one event does within its transaction.
type work struct {
	tx    Tx
	clerk *clerk
	e     Event
	n     int // deliveries and queries so far, for their keys
}

func (w *work) key() string {
	w.n++
	return fmt.Sprintf("%d/%d", w.e.ID, w.n)
}

// perform does one action.
func (w *work) perform(ctx context.Context, a Action) (Body, error) {
	switch a := a.(type) {
	case Send:
		key := a.Key
		if key == "" || a.Message.Replaces != "" {
			key = w.key()
		}
		return nil, w.tx.PutDelivery(ctx, &Delivery{Key: key, Chat: w.e.Chat, Message: a.Message, State: DeliveryPending, Created: w.e.At})
	case Look:
		row, err := newRow(w.key(), w.e.Chat, a.Query, w.e.At)
		if err != nil {
			return nil, err
		}
		row.Inner = true
		return nil, w.tx.Post(ctx, &row)
	case Wake:
		row, err := newRow(w.key(), w.e.Chat, a.Body, a.At)
		if err != nil {
			return nil, err
		}
		return nil, w.tx.Schedule(ctx, Job{At: a.At, Event: &row})
	case Mark:
		return nil, w.mark(ctx, a.Button)
	case Do:
		return w.clerk.execute(ctx, a.Command)
	}
	return nil, fmt.Errorf("unknown action %T", a)
}

// mark ends the choice that a button belongs to, and shows it as chosen.
func (w *work) mark(ctx context.Context, id string) error {
	delivery, section, button, ok := parseButtonID(id)
	if !ok {
		return nil
	}
	d, err := w.tx.Delivery(ctx, delivery)
	if err != nil {
		return ignoreNotFound(err)
	}
	s := d.Message.Sections[section]
	if !s.Choice {
		return nil
	}
	label := s.Buttons[button].Label
	if err := w.tx.Take(ctx, delivery, section, label); err != nil {
		return err
	}
	return w.tx.PutDelivery(ctx, &Delivery{Key: w.key(), Chat: w.e.Chat, Message: Message{Replaces: d.Key, Chosen: label}, State: DeliveryPending, Created: w.e.At})
}

func newRow(key string, chat ChatID, b Body, at time.Time) (Row, error) {
	kind, payload, err := Encode(b)
	return Row{Key: key, Chat: chat, Kind: kind, Payload: payload, At: at}, err
}

// Post stores what an adapter heard, all of it or nothing. It returns after the
// commit: the platform may be told then that the events have been taken.
func Post(ctx context.Context, s Store, events ...Event) error {
	if len(events) == 0 {
		return nil
	}
	return s.Write(ctx, func(tx Tx) error {
		for _, e := range events {
			if err := postEvent(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// postEvent stores an event, unless it has come before.
func postEvent(ctx context.Context, tx Tx, e Event) error {
	if e.Alias != "" {
		known, err := claim(ctx, tx, e, e.Alias)
		if err != nil {
			return err
		}
		if known { // and may come again without the alias
			_, err := claim(ctx, tx, e, e.Key)
			return err
		}
	}
	row, err := newRow(e.Key, e.Chat, e.Body, e.At)
	if err != nil {
		return err
	}
	row.From = e.From
	if err := tx.Post(ctx, &row); err != nil || !row.Known || e.Again == nil {
		return err
	}
	return postEvent(ctx, tx, *e.Again)
}

// claim notes that an event has come under a key, and reports whether it had before.
// There is nothing to handle about it.
func claim(ctx context.Context, tx Tx, e Event, key string) (known bool, err error) {
	row, err := newRow(key, e.Chat, Ended{}, e.At)
	if err != nil {
		return false, err
	}
	if err := tx.Post(ctx, &row); err != nil || row.Known {
		return row.Known, err
	}
	return false, tx.Settle(ctx, row.ID, e.At, "")
}
