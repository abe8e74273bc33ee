package record

import (
	"context"
	"fmt"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

const selectAsk = `SELECT id, person, chat, text, asked, decision, confidence, question, outcome FROM asks`

func scanAsk(r Rows) (a knowledge.Ask, err error) {
	var asked int64
	err = r.Scan(&a.ID, &a.Person, &a.Chat, &a.Text, &asked, &a.Decision, &a.Confidence, &a.Question, &a.Outcome)
	a.Asked = moment(asked)
	return a, err
}

// PutAsk implements knowledge.AskTx. An ask without an ID is refused with
// knowledge.ErrInvalid: it is that of the event that began it.
func (t *Tx) PutAsk(ctx context.Context, a knowledge.Ask) error {
	if a.ID == 0 {
		return fmt.Errorf("put ask without an id: %w", knowledge.ErrInvalid)
	}
	if err := t.putAsk(ctx, a); err != nil {
		return fmt.Errorf("put ask %d: %w", a.ID, err)
	}
	return nil
}

func (t *Tx) putAsk(ctx context.Context, a knowledge.Ask) error {
	_, err := t.conn.Exec(ctx, `INSERT INTO asks (id, person, chat, text, asked, decision, confidence, question, outcome)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET person = excluded.person, chat = excluded.chat, text = excluded.text, asked = excluded.asked,
			decision = excluded.decision, confidence = excluded.confidence, question = excluded.question, outcome = excluded.outcome`,
		a.ID, a.Person, a.Chat, a.Text, millis(a.Asked), string(a.Decision), a.Confidence, a.Question, string(a.Outcome))
	if err != nil {
		return err
	}
	if _, err := t.conn.Exec(ctx, `DELETE FROM candidates WHERE ask = ?`, a.ID); err != nil {
		return err
	}
	rows := make([][]any, len(a.Candidates))
	for place, c := range a.Candidates {
		rows[place] = []any{a.ID, place, c.Question, c.Rank, c.Score}
	}
	return insertRows(ctx, t.conn, `INSERT INTO candidates (ask, place, question, rank, score)`, rows, "")
}

// Ask implements knowledge.AskTx.
func (t *Tx) Ask(ctx context.Context, id int64) (knowledge.Ask, error) {
	a, err := one(ctx, t.conn, scanAsk, selectAsk+" WHERE id = ?", id)
	if err != nil {
		return knowledge.Ask{}, fmt.Errorf("ask %d: %w", id, err)
	}
	asks := []knowledge.Ask{a}
	if err := t.withCandidates(ctx, asks); err != nil {
		return knowledge.Ask{}, fmt.Errorf("ask %d: %w", id, err)
	}
	return asks[0], nil
}

// Asks implements knowledge.AskTx.
func (t *Tx) Asks(ctx context.Context, person int64, question string, limit int) ([]knowledge.Ask, error) {
	var w where
	if person != 0 {
		w.add("person = ?", person)
	}
	if question != "" {
		w.add("question = ?", question)
	}
	query := selectAsk + w.String() + " ORDER BY id DESC" + w.limit(limit)
	asks, err := list(ctx, t.conn, scanAsk, query, w.args...)
	if err == nil {
		err = t.withCandidates(ctx, asks)
	}
	if err != nil {
		return nil, fmt.Errorf("asks: %w", err)
	}
	return asks, nil
}

// withCandidates fills in the candidates of asks.
func (t *Tx) withCandidates(ctx context.Context, asks []knowledge.Ask) error {
	ids := make([]int64, len(asks))
	places := make(map[int64]int, len(asks))
	for i, a := range asks {
		ids[i], places[a.ID] = a.ID, i
	}
	type row struct {
		ask int64
		knowledge.Candidate
	}
	scan := func(r Rows) (c row, err error) {
		err = r.Scan(&c.ask, &c.Question, &c.Rank, &c.Score)
		return c, err
	}
	return chunks(ids, func(in string, args []any) error {
		found, err := list(ctx, t.conn, scan, `SELECT ask, question, rank, score FROM candidates WHERE ask IN `+in+` ORDER BY ask, place`, args...)
		for _, c := range found {
			a := &asks[places[c.ask]]
			a.Candidates = append(a.Candidates, c.Candidate)
		}
		return err
	})
}
