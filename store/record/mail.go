package record

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Post implements bot.InboxTx. The ID of a row that is known already is that of
// the known one.
func (t *Tx) Post(ctx context.Context, r *bot.Row) error {
	id, err := one(ctx, t.conn, scanInt, `INSERT INTO inbox (key, chat, kind, payload, from_platform, from_external, from_name, from_chat, at, is_inner, attempts)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (key) DO NOTHING RETURNING id`,
		r.Key, string(r.Chat), r.Kind, r.Payload, r.From.Platform, r.From.External, r.From.Name, r.From.Chat, millis(r.At), bit(r.Inner), r.Attempts)
	known := errors.Is(err, knowledge.ErrNotFound)
	if known {
		id, err = one(ctx, t.conn, scanInt, `SELECT id FROM inbox WHERE key = ?`, r.Key)
	}
	if err != nil {
		return fmt.Errorf("post %s: %w", r.Kind, err)
	}
	r.ID, r.Known, t.mailed = id, known, true
	return nil
}

// NextRow implements bot.InboxTx.
func (t *Tx) NextRow(ctx context.Context, chat bot.ChatID) (bot.Row, error) {
	r, err := one(ctx, t.conn, func(rows Rows) (r bot.Row, err error) {
		var at, inner int64
		err = rows.Scan(&r.ID, &r.Key, &r.Chat, &r.Kind, &r.Payload, &r.From.Platform, &r.From.External, &r.From.Name, &r.From.Chat, &at, &inner, &r.Attempts)
		r.At, r.Inner = moment(at), inner != 0
		return r, err
	}, `SELECT id, key, chat, kind, payload, from_platform, from_external, from_name, from_chat, at, is_inner, attempts
		FROM inbox WHERE chat = ? AND done = 0 ORDER BY is_inner DESC, id LIMIT 1`, string(chat))
	if err != nil {
		return bot.Row{}, fmt.Errorf("next row of the inbox: %w", err)
	}
	return r, nil
}

// Settle implements bot.InboxTx.
func (t *Tx) Settle(ctx context.Context, id int64, at time.Time, failure string) error {
	n, err := t.conn.Exec(ctx, `UPDATE inbox SET done = 1, settled = ?, failure = ? WHERE id = ? AND done = 0`, millis(at), failure, id)
	if err == nil && n == 0 {
		_, err = one(ctx, t.conn, scanInt, `SELECT id FROM inbox WHERE id = ?`, id)
		if err == nil {
			err = knowledge.ErrConflict
		}
	}
	if err != nil {
		return fmt.Errorf("settle row %d of the inbox: %w", id, err)
	}
	return nil
}

// Failed implements bot.InboxTx.
func (t *Tx) Failed(ctx context.Context, id int64) error {
	n, err := t.conn.Exec(ctx, `UPDATE inbox SET attempts = attempts + 1 WHERE id = ?`, id)
	if err == nil && n == 0 {
		err = knowledge.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("row %d of the inbox: %w", id, err)
	}
	return nil
}

const selectDelivery = `SELECT id, key, chat, message, state, attempts, not_until, external, error, doubt, created FROM outbox`

func scanDelivery(r Rows) (d bot.Delivery, err error) {
	var message []byte
	var external string
	var notUntil, doubt, created int64
	if err := r.Scan(&d.ID, &d.Key, &d.Chat, &message, &d.State, &d.Attempts, &notUntil, &external, &d.Error, &doubt, &created); err != nil {
		return d, err
	}
	d.NotUntil, d.Doubt, d.Created = moment(notUntil), doubt != 0, moment(created)
	if external != "" {
		d.External = strings.Split(external, " ")
	}
	if err := json.Unmarshal(message, &d.Message); err != nil {
		return d, fmt.Errorf("message of delivery %d: %w", d.ID, err)
	}
	nameButtons(&d)
	return d, nil
}

// nameButtons gives the buttons their ids. They follow from the delivery's id,
// so they are computed when it is read instead of being stored.
func nameButtons(d *bot.Delivery) {
	for s := range d.Message.Sections {
		buttons := d.Message.Sections[s].Buttons
		for b := range buttons {
			buttons[b].ID = bot.ButtonID(d.ID, s, b)
		}
	}
}

// PutDelivery implements bot.OutboxTx. When the key is known already, d becomes
// what is stored under it. An update leaves key, chat and time of creation.
func (t *Tx) PutDelivery(ctx context.Context, d *bot.Delivery) error {
	if err := t.putDelivery(ctx, d); err != nil {
		return fmt.Errorf("put delivery %d: %w", d.ID, err)
	}
	return nil
}

func (t *Tx) putDelivery(ctx context.Context, d *bot.Delivery) error {
	message, err := json.Marshal(d.Message)
	if err != nil {
		return err
	}
	if d.ID != 0 {
		n, err := t.conn.Exec(ctx, `UPDATE outbox SET message = ?, state = ?, attempts = ?, not_until = ?, external = ?, error = ?, doubt = ? WHERE id = ?`,
			message, string(d.State), d.Attempts, millis(d.NotUntil), strings.Join(d.External, " "), d.Error, bit(d.Doubt), d.ID)
		if err == nil && n == 0 {
			err = knowledge.ErrNotFound
		}
		if err == nil {
			nameButtons(d)
			err = t.noteSent(ctx, *d)
		}
		return err
	}
	id, err := one(ctx, t.conn, scanInt, `INSERT INTO outbox (key, chat, message, state, attempts, not_until, external, error, doubt, created)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (key) DO NOTHING RETURNING id`,
		d.Key, string(d.Chat), message, string(d.State), d.Attempts, millis(d.NotUntil), strings.Join(d.External, " "), d.Error, bit(d.Doubt), millis(d.Created))
	if errors.Is(err, knowledge.ErrNotFound) {
		*d, err = one(ctx, t.conn, scanDelivery, selectDelivery+" WHERE key = ?", d.Key)
		return err
	}
	if err != nil {
		return err
	}
	d.ID, t.mailed = id, true
	nameButtons(d)
	return nil
}

// noteSent keeps under which ids the platform knows a delivery. A message that has
// been changed keeps its id: it is that of the latest delivery then.
func (t *Tx) noteSent(ctx context.Context, d bot.Delivery) error {
	for _, external := range d.External {
		if external == "" {
			continue
		}
		_, err := t.conn.Exec(ctx, `INSERT INTO sent_messages (room, external, delivery) VALUES (?, ?, ?)
			ON CONFLICT (room, external) DO UPDATE SET delivery = excluded.delivery`, string(d.Chat.Room()), external, d.ID)
		if err != nil {
			return err
		}
	}
	return nil
}

// NextDelivery implements bot.OutboxTx.
func (t *Tx) NextDelivery(ctx context.Context, chat bot.ChatID) (bot.Delivery, error) {
	d, err := one(ctx, t.conn, scanDelivery, selectDelivery+" WHERE chat = ? AND state = 'pending' ORDER BY id LIMIT 1", string(chat))
	if err != nil {
		return bot.Delivery{}, fmt.Errorf("next delivery: %w", err)
	}
	return d, nil
}

// Delivery implements bot.OutboxTx.
func (t *Tx) Delivery(ctx context.Context, id int64) (bot.Delivery, error) {
	d, err := one(ctx, t.conn, scanDelivery, selectDelivery+" WHERE id = ?", id)
	if err != nil {
		return bot.Delivery{}, fmt.Errorf("delivery %d: %w", id, err)
	}
	return d, nil
}

// Deliveries implements bot.OutboxTx.
func (t *Tx) Deliveries(ctx context.Context, chat bot.ChatID, after int64, limit int) ([]bot.Delivery, error) {
	var w where
	w.add("chat = ? AND state = 'sent' AND id > ?", string(chat), after)
	query := selectDelivery + w.String() + " ORDER BY id" + w.limit(limit)
	out, err := list(ctx, t.conn, scanDelivery, query, w.args...)
	if err != nil {
		return nil, fmt.Errorf("deliveries: %w", err)
	}
	return out, nil
}

// FindDeliveries implements bot.OutboxList.
func (t *Tx) FindDeliveries(ctx context.Context, f bot.DeliveryFilter) ([]bot.Delivery, error) {
	var w where
	w.add("id > ?", f.After)
	if f.State != "" {
		w.add("state = ?", string(f.State))
	}
	if f.Chat != "" {
		w.add("chat = ?", string(f.Chat))
	}
	query := selectDelivery + w.String() + " ORDER BY id" + w.limit(f.Limit)
	out, err := list(ctx, t.conn, scanDelivery, query, w.args...)
	if err != nil {
		return nil, fmt.Errorf("find deliveries: %w", err)
	}
	return out, nil
}

// DeliveryByKey implements bot.OutboxList.
func (t *Tx) DeliveryByKey(ctx context.Context, key string) (bot.Delivery, error) {
	d, err := one(ctx, t.conn, scanDelivery, selectDelivery+" WHERE key = ?", key)
	if err != nil {
		return bot.Delivery{}, fmt.Errorf("delivery %s: %w", key, err)
	}
	return d, nil
}

// DeliverySentAs implements bot.OutboxList.
func (t *Tx) DeliverySentAs(ctx context.Context, room bot.ChatID, external string) (bot.Delivery, error) {
	id, err := one(ctx, t.conn, scanInt, `SELECT delivery FROM sent_messages WHERE room = ? AND external = ?`, string(room), external)
	if err != nil {
		return bot.Delivery{}, fmt.Errorf("delivery sent as %s: %w", external, err)
	}
	return t.Delivery(ctx, id)
}
