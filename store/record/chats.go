package record

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Conversation implements bot.ChatTx.
func (t *Tx) Conversation(ctx context.Context, chat bot.ChatID) (bot.Conversation, error) {
	c, err := one(ctx, t.conn, func(r Rows) (c bot.Conversation, err error) {
		err = r.Scan(&c.Chat, &c.Person, &c.State, &c.Version, &c.Read)
		return c, err
	}, `SELECT chat, person, state, version, read_upto FROM conversations WHERE chat = ?`, string(chat))
	if errors.Is(err, knowledge.ErrNotFound) {
		return bot.Conversation{Chat: chat}, nil
	}
	if err != nil {
		return bot.Conversation{}, fmt.Errorf("conversation: %w", err)
	}
	return c, nil
}

// PutConversation implements bot.ChatTx: it stores c as the version after
// c.Version. What has been read is left to MarkRead.
func (t *Tx) PutConversation(ctx context.Context, c bot.Conversation) error {
	query, args := `UPDATE conversations SET person = ?, state = ?, version = version + 1 WHERE chat = ? AND version = ?`,
		[]any{c.Person, c.State, string(c.Chat), c.Version}
	if c.Version == 0 {
		query = `INSERT INTO conversations (person, state, chat, version) VALUES (?, ?, ?, ? + 1)
			ON CONFLICT (chat) DO UPDATE SET person = excluded.person, state = excluded.state, version = excluded.version
			WHERE conversations.version = 0`
	}
	n, err := t.conn.Exec(ctx, query, args...)
	if err == nil && n == 0 {
		err = knowledge.ErrConflict
	}
	if err != nil {
		return fmt.Errorf("put conversation after version %d: %w", c.Version, err)
	}
	return nil
}

// MarkRead implements bot.ChatTx. It never goes back.
func (t *Tx) MarkRead(ctx context.Context, chat bot.ChatID, delivery int64) error {
	_, err := t.conn.Exec(ctx, `INSERT INTO conversations (chat, read_upto) VALUES (?, ?)
		ON CONFLICT (chat) DO UPDATE SET read_upto = excluded.read_upto WHERE conversations.read_upto < excluded.read_upto`, string(chat), delivery)
	if err != nil {
		return fmt.Errorf("mark delivery %d as read: %w", delivery, err)
	}
	return nil
}

// Taken implements bot.ChatTx.
func (t *Tx) Taken(ctx context.Context, delivery int64, section int) (string, error) {
	label, err := one(ctx, t.conn, scanText, `SELECT label FROM choices WHERE delivery = ? AND section = ?`, delivery, section)
	if err != nil && !errors.Is(err, knowledge.ErrNotFound) {
		return "", fmt.Errorf("choice in delivery %d: %w", delivery, err)
	}
	return label, nil
}

// Take implements bot.ChatTx. The first choice stays.
func (t *Tx) Take(ctx context.Context, delivery int64, section int, label string) error {
	_, err := t.conn.Exec(ctx, `INSERT INTO choices (delivery, section, label) VALUES (?, ?, ?) ON CONFLICT (delivery, section) DO NOTHING`, delivery, section, label)
	if err != nil {
		return fmt.Errorf("take a choice in delivery %d: %w", delivery, err)
	}
	return nil
}

// BusyChats implements bot.ChatTx, in the order of their ids. A chat whose
// oldest pending delivery is not due has no delivery due: nothing overtakes it.
func (t *Tx) BusyChats(ctx context.Context, now time.Time) ([]bot.ChatID, error) {
	out, err := list(ctx, t.conn, scanText, `SELECT chat FROM inbox WHERE done = 0
		UNION SELECT o.chat FROM outbox o WHERE o.state = 'pending' AND o.not_until <= ?
			AND o.id = (SELECT MIN(id) FROM outbox WHERE state = 'pending' AND chat = o.chat)
		ORDER BY chat`, millis(now))
	if err != nil {
		return nil, fmt.Errorf("busy chats: %w", err)
	}
	chats := make([]bot.ChatID, len(out))
	for i, chat := range out {
		chats[i] = bot.ChatID(chat)
	}
	return chats, nil
}

// Backlog implements bot.ChatTx. Each count reads an index of what it counts and of
// nothing else.
func (t *Tx) Backlog(ctx context.Context) (bot.Backlog, error) {
	b, err := one(ctx, t.conn, func(r Rows) (b bot.Backlog, err error) {
		var oldest int64
		err = r.Scan(&b.Inbox, &oldest, &b.Pending, &b.Dead)
		b.Oldest = moment(oldest)
		return b, err
	}, `SELECT COUNT(*), COALESCE(MIN(at), 0),
		(SELECT COUNT(*) FROM outbox WHERE state = 'pending'), (SELECT COUNT(*) FROM outbox WHERE state = 'dead')
		FROM inbox WHERE done = 0`)
	if err != nil {
		return b, fmt.Errorf("backlog: %w", err)
	}
	return b, nil
}
