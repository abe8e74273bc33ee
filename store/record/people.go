package record

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

const selectPerson = `SELECT p.id, p.name, p.senior, p.admin, p.chat, p.created FROM persons p`

func scanPerson(r Rows) (p knowledge.Person, err error) {
	var senior, admin, created int64
	err = r.Scan(&p.ID, &p.Name, &senior, &admin, &p.Chat, &created)
	p.Senior, p.Admin, p.Created = senior != 0, admin != 0, moment(created)
	return p, err
}

// Person implements knowledge.PersonTx.
func (t *Tx) Person(ctx context.Context, id int64) (knowledge.Person, error) {
	p, err := one(ctx, t.conn, scanPerson, selectPerson+" WHERE p.id = ?", id)
	if err != nil {
		return knowledge.Person{}, fmt.Errorf("person %d: %w", id, err)
	}
	return p, nil
}

// PutPerson implements knowledge.PersonTx: it inserts a person without an ID,
// filling it in, or updates the one with it.
func (t *Tx) PutPerson(ctx context.Context, p *knowledge.Person) error {
	if p.ID == 0 {
		id, err := one(ctx, t.conn, scanInt, `INSERT INTO persons (name, senior, admin, chat, created) VALUES (?, ?, ?, ?, ?) RETURNING id`,
			p.Name, bit(p.Senior), bit(p.Admin), p.Chat, millis(p.Created))
		if err != nil {
			return fmt.Errorf("put person: %w", err)
		}
		p.ID = id
		return nil
	}
	n, err := t.conn.Exec(ctx, `UPDATE persons SET name = ?, senior = ?, admin = ?, chat = ?, created = ? WHERE id = ?`,
		p.Name, bit(p.Senior), bit(p.Admin), p.Chat, millis(p.Created), p.ID)
	if err == nil && n == 0 {
		err = knowledge.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("put person %d: %w", p.ID, err)
	}
	return nil
}

// Identify implements knowledge.PersonTx. The name that a person has here stays
// when a platform shows another.
func (t *Tx) Identify(ctx context.Context, i knowledge.Identity, now time.Time) (knowledge.Person, error) {
	p, err := t.identify(ctx, i, now)
	if err != nil {
		return knowledge.Person{}, fmt.Errorf("identify on %s: %w", i.Platform, err)
	}
	return p, nil
}

func (t *Tx) identify(ctx context.Context, i knowledge.Identity, now time.Time) (knowledge.Person, error) {
	if i.Platform == "" || i.External == "" {
		return knowledge.Person{}, fmt.Errorf("identity without a platform or an id: %w", knowledge.ErrInvalid)
	}
	p, err := one(ctx, t.conn, scanPerson, selectPerson+` JOIN identities i ON i.person = p.id WHERE i.platform = ? AND i.external = ?`, i.Platform, i.External)
	if errors.Is(err, knowledge.ErrNotFound) {
		p = knowledge.Person{Name: cmp.Or(i.Name, i.External), Chat: i.Chat, Created: now}
		if err := t.PutPerson(ctx, &p); err != nil {
			return p, err
		}
		_, err = t.conn.Exec(ctx, `INSERT INTO identities (platform, external, person, name, chat) VALUES (?, ?, ?, ?, ?)`,
			i.Platform, i.External, p.ID, i.Name, i.Chat)
		return p, err
	}
	if err != nil {
		return p, err
	}
	_, err = t.conn.Exec(ctx, `UPDATE identities SET name = ?, chat = ? WHERE platform = ? AND external = ? AND (name <> ? OR chat <> ?)`,
		i.Name, i.Chat, i.Platform, i.External, i.Name, i.Chat)
	if err != nil || i.Chat == "" || i.Chat == p.Chat {
		return p, err
	}
	p.Chat = i.Chat
	return p, t.PutPerson(ctx, &p)
}

// People implements knowledge.PersonTx.
func (t *Tx) People(ctx context.Context, seniorsOnly bool) ([]knowledge.Person, error) {
	var w where
	if seniorsOnly {
		w.add("p.senior = 1")
	}
	out, err := list(ctx, t.conn, scanPerson, selectPerson+w.String()+" ORDER BY p.id")
	if err != nil {
		return nil, fmt.Errorf("people: %w", err)
	}
	return out, nil
}

// TopicSeniors implements knowledge.PersonTx. Those who are no longer seniors
// are left out.
func (t *Tx) TopicSeniors(ctx context.Context, topic string) ([]int64, error) {
	out, err := list(ctx, t.conn, scanInt, `SELECT s.person FROM topic_seniors s JOIN persons p ON p.id = s.person
		WHERE s.topic = ? AND p.senior = 1 ORDER BY s.person`, topic)
	if err != nil {
		return nil, fmt.Errorf("seniors of topic %q: %w", topic, err)
	}
	return out, nil
}

// PutTopic stores a topic with its seniors, in place of those it had.
func (t *Tx) PutTopic(ctx context.Context, topic knowledge.Topic) error {
	if topic.Name == "" {
		return fmt.Errorf("put topic without a name: %w", knowledge.ErrInvalid)
	}
	if err := t.putTopic(ctx, topic); err != nil {
		return fmt.Errorf("put topic %q: %w", topic.Name, err)
	}
	return nil
}

func (t *Tx) putTopic(ctx context.Context, topic knowledge.Topic) error {
	if _, err := t.conn.Exec(ctx, `INSERT INTO topics (name) VALUES (?) ON CONFLICT (name) DO NOTHING`, topic.Name); err != nil {
		return err
	}
	if _, err := t.conn.Exec(ctx, `DELETE FROM topic_seniors WHERE topic = ?`, topic.Name); err != nil {
		return err
	}
	for _, id := range topic.Seniors {
		_, err := t.conn.Exec(ctx, `INSERT INTO topic_seniors (topic, person) VALUES (?, ?) ON CONFLICT (topic, person) DO NOTHING`, topic.Name, id)
		if err != nil {
			return err
		}
	}
	return nil
}
