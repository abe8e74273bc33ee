package record

import (
	"context"
	"fmt"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

const selectEscalation = `SELECT id, question, senior, state, reason, created, given, reminded, due, ended FROM escalations`

func scanEscalation(r Rows) (e knowledge.Escalation, err error) {
	var created, given, reminded, due, ended int64
	err = r.Scan(&e.ID, &e.Question, &e.Senior, &e.State, &e.Reason, &created, &given, &reminded, &due, &ended)
	e.Created, e.Given, e.Reminded, e.Due, e.Ended = moment(created), moment(given), moment(reminded), moment(due), moment(ended)
	return e, err
}

func escalationValues(e knowledge.Escalation) []any {
	return []any{
		e.Question, e.Senior, string(e.State), string(e.Reason), millis(e.Created), millis(e.Given), millis(e.Reminded),
		millis(e.Due), millis(e.Ended),
	}
}

// PutEscalation implements knowledge.EscalationTx.
func (t *Tx) PutEscalation(ctx context.Context, e *knowledge.Escalation) error {
	if e.ID == 0 {
		id, err := one(ctx, t.conn, scanInt, `INSERT INTO escalations (question, senior, state, reason, created, given, reminded, due, ended)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`, escalationValues(*e)...)
		if err != nil {
			return fmt.Errorf("put escalation of question %q: %w", e.Question, err)
		}
		e.ID = id
		return nil
	}
	n, err := t.conn.Exec(ctx, `UPDATE escalations SET question = ?, senior = ?, state = ?, reason = ?, created = ?, given = ?, reminded = ?,
		due = ?, ended = ? WHERE id = ?`, append(escalationValues(*e), e.ID)...)
	if err == nil && n == 0 {
		err = knowledge.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("put escalation %d: %w", e.ID, err)
	}
	return nil
}

// Escalation implements knowledge.EscalationTx.
func (t *Tx) Escalation(ctx context.Context, id int64) (knowledge.Escalation, error) {
	e, err := one(ctx, t.conn, scanEscalation, selectEscalation+" WHERE id = ?", id)
	if err != nil {
		return knowledge.Escalation{}, fmt.Errorf("escalation %d: %w", id, err)
	}
	return e, nil
}

// Escalations implements knowledge.EscalationTx.
func (t *Tx) Escalations(ctx context.Context, f knowledge.EscalationFilter) ([]knowledge.Escalation, error) {
	var w where
	if f.Question != "" {
		w.add("question = ?", f.Question)
	}
	if f.Senior != 0 {
		w.add("senior = ?", f.Senior)
	}
	if f.Unassigned {
		w.add("senior = 0")
	}
	if f.State != "" {
		w.add("state = ?", string(f.State))
	}
	query := selectEscalation + w.String() + " ORDER BY id DESC" + w.limit(f.Limit)
	out, err := list(ctx, t.conn, scanEscalation, query, w.args...)
	if err != nil {
		return nil, fmt.Errorf("escalations: %w", err)
	}
	return out, nil
}

// PutWaiter implements knowledge.WaiterTx.
func (t *Tx) PutWaiter(ctx context.Context, w knowledge.Waiter) error {
	_, err := t.conn.Exec(ctx, `INSERT INTO waiters (question, person, chat, ask, text, since, anonymous, state, answer)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (question, person) DO UPDATE SET chat = excluded.chat, ask = excluded.ask, text = excluded.text, since = excluded.since,
			anonymous = excluded.anonymous, state = excluded.state, answer = excluded.answer`,
		w.Question, w.Person, w.Chat, w.Ask, w.Text, millis(w.Since), bit(w.Anonymous), string(w.State), w.Answer)
	if err != nil {
		return fmt.Errorf("put waiter %d of question %q: %w", w.Person, w.Question, err)
	}
	return nil
}

// Waiters implements knowledge.WaiterTx. Those who came in the same millisecond
// are in the order of their asks.
func (t *Tx) Waiters(ctx context.Context, question string) ([]knowledge.Waiter, error) {
	out, err := list(ctx, t.conn, func(r Rows) (w knowledge.Waiter, err error) {
		var since, anonymous int64
		err = r.Scan(&w.Question, &w.Person, &w.Chat, &w.Ask, &w.Text, &since, &anonymous, &w.State, &w.Answer)
		w.Since, w.Anonymous = moment(since), anonymous != 0
		return w, err
	}, `SELECT question, person, chat, ask, text, since, anonymous, state, answer FROM waiters WHERE question = ? ORDER BY since, ask, person`, question)
	if err != nil {
		return nil, fmt.Errorf("waiters of question %q: %w", question, err)
	}
	return out, nil
}
