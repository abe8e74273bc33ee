package record

import (
	"context"
	"fmt"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// TopicSeniors implements knowledge.PersonTx. Those who are no longer seniors
// or have left are left out.
func (t *Tx) TopicSeniors(ctx context.Context, topic string) ([]int64, error) {
	out, err := list(ctx, t.conn, scanInt, `SELECT s.person FROM topic_seniors s JOIN persons p ON p.id = s.person
		WHERE s.topic = ? AND p.senior = 1 AND p.gone = 0 ORDER BY s.person`, topic)
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

// Topics implements knowledge.TopicTx.
func (t *Tx) Topics(ctx context.Context) ([]knowledge.Topic, error) {
	type row struct {
		topic  string
		person int64
	}
	rows, err := list(ctx, t.conn, func(r Rows) (o row, err error) {
		err = r.Scan(&o.topic, &o.person)
		return o, err
	}, `SELECT n.name, COALESCE(s.person, 0) FROM (SELECT name FROM topics UNION SELECT topic FROM questions WHERE topic <> '') n
		LEFT JOIN topic_seniors s ON s.topic = n.name ORDER BY n.name, s.person`)
	if err != nil {
		return nil, fmt.Errorf("topics: %w", err)
	}
	var out []knowledge.Topic
	for _, o := range rows {
		if n := len(out); n == 0 || out[n-1].Name != o.topic {
			out = append(out, knowledge.Topic{Name: o.topic})
		}
		if o.person != 0 {
			last := &out[len(out)-1]
			last.Seniors = append(last.Seniors, o.person)
		}
	}
	return out, nil
}

// DeleteTopic implements knowledge.TopicTx.
func (t *Tx) DeleteTopic(ctx context.Context, name string) error {
	n, err := t.conn.Exec(ctx, `DELETE FROM topics WHERE name = ?`, name)
	if err == nil && n == 0 {
		err = knowledge.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("delete topic %q: %w", name, err)
	}
	return nil
}
