package record

import (
	"context"
	"fmt"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// PutAttachment implements knowledge.FileTx.
func (t *Tx) PutAttachment(ctx context.Context, a *knowledge.Attachment) error {
	id, err := one(ctx, t.conn, scanInt, `INSERT INTO attachments (answer, ask, content, media, size, name, author, created)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
		owner(a.Answer), owner(a.Ask), a.Key, a.Media, a.Size, a.Name, a.Author, millis(a.Created))
	if err != nil {
		return fmt.Errorf("put attachment: %w", err)
	}
	stored, err := t.Attachment(ctx, id)
	if err != nil {
		return err
	}
	a.ID, a.Question = id, stored.Question
	if a.Answer != 0 {
		t.mark(a.Question)
	}
	return nil
}

// owner is nothing for 0: an attachment has one owner, and a reference to it.
func owner(id int64) any {
	if id == 0 {
		return nil
	}
	return id
}

const selectAttachment = `SELECT f.id, COALESCE(f.answer, 0), COALESCE(f.ask, 0), COALESCE(a.question, k.question, ''),
	f.content, f.media, f.size, f.name, f.author, f.created
	FROM attachments f LEFT JOIN answers a ON a.id = f.answer LEFT JOIN asks k ON k.id = f.ask`

func scanAttachment(r Rows) (a knowledge.Attachment, err error) {
	var created int64
	err = r.Scan(&a.ID, &a.Answer, &a.Ask, &a.Question, &a.Key, &a.Media, &a.Size, &a.Name, &a.Author, &created)
	a.Created = moment(created)
	return a, err
}

// Attachment implements knowledge.FileTx.
func (t *Tx) Attachment(ctx context.Context, id int64) (knowledge.Attachment, error) {
	a, err := one(ctx, t.conn, scanAttachment, selectAttachment+" WHERE f.id = ?", id)
	if err != nil {
		return a, fmt.Errorf("attachment %d: %w", id, err)
	}
	return a, nil
}

// Attachments implements knowledge.FileTx.
func (t *Tx) Attachments(ctx context.Context, f knowledge.AttachmentFilter) ([]knowledge.Attachment, error) {
	var found []knowledge.Attachment
	take := func(column string) func(in string, args []any) error {
		return func(in string, args []any) error {
			some, err := list(ctx, t.conn, scanAttachment, selectAttachment+" WHERE f."+column+" IN "+in, args...)
			found = append(found, some...)
			return err
		}
	}
	if err := chunks(f.Answers, take("answer")); err != nil {
		return nil, fmt.Errorf("attachments of answers: %w", err)
	}
	if err := chunks(f.Asks, take("ask")); err != nil {
		return nil, fmt.Errorf("attachments of asks: %w", err)
	}
	if f.Current {
		some, err := list(ctx, t.conn, scanAttachment, selectAttachment+" JOIN questions q ON q.answer = f.answer")
		if err != nil {
			return nil, fmt.Errorf("attachments of current answers: %w", err)
		}
		found = append(found, some...)
	}
	return inOrder(found, func(a knowledge.Attachment) int64 { return a.ID }, 0), nil
}

// KeysInUse implements knowledge.FileTx.
func (t *Tx) KeysInUse(ctx context.Context, keys []string) (map[string]bool, error) {
	out := map[string]bool{}
	err := chunks(keys, func(in string, args []any) error {
		some, err := list(ctx, t.conn, scanText, `SELECT DISTINCT content FROM attachments WHERE content IN `+in, args...)
		for _, key := range some {
			out[key] = true
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("keys in use: %w", err)
	}
	return out, nil
}
