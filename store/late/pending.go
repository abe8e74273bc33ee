package late

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// notDone are the states of jobs that have still to be done. A running one is that of
// a process which has ended, as long as there is no bot.
const notDone = `('available', 'pending', 'retryable', 'running', 'scheduled')`

// Pending returns the late work that has still to be done, oldest first, in the form in
// which Insert takes it. There must be no bot meanwhile.
func (q *SQLiteQueue) Pending(ctx context.Context, tx *sql.Tx) (jobs []bot.Job, index []string, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT kind, json(args), CAST(ROUND(unixepoch(scheduled_at, 'subsec') * 1000) AS INTEGER)
		FROM river_job WHERE state IN `+notDone+` ORDER BY id`)
	if err != nil {
		return nil, nil, fmt.Errorf("read late work: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var w waiting
	for rows.Next() {
		var kind, args string
		var at int64
		if err := rows.Scan(&kind, &args, &at); err != nil {
			return nil, nil, fmt.Errorf("read late work: %w", err)
		}
		if err := w.add(kind, args, at); err != nil {
			return nil, nil, err
		}
	}
	return w.jobs, w.index, rows.Err()
}

// Pending returns the late work that has still to be done, oldest first, in the form in
// which Insert takes it. There must be no bot meanwhile.
func (q *PostgresQueue) Pending(ctx context.Context, tx pgx.Tx) (jobs []bot.Job, index []string, err error) {
	rows, err := tx.Query(ctx, `SELECT kind, args::text, (EXTRACT(EPOCH FROM scheduled_at) * 1000)::bigint
		FROM river_job WHERE state IN `+notDone+` ORDER BY id`)
	if err != nil {
		return nil, nil, fmt.Errorf("read late work: %w", err)
	}
	var w waiting
	var kind, args string
	var at int64
	_, err = pgx.ForEachRow(rows, []any{&kind, &args, &at}, func() error { return w.add(kind, args, at) })
	return w.jobs, w.index, err
}

// waiting collects late work that is not done; each question to index once.
type waiting struct {
	jobs  []bot.Job
	index []string
	known map[string]bool
}

func (w *waiting) add(kind, args string, at int64) error {
	when := time.UnixMilli(at).UTC()
	switch kind {
	case PostEvent{}.Kind():
		var p PostEvent
		if err := json.Unmarshal([]byte(args), &p); err != nil {
			return fmt.Errorf("late work of kind %s: %w", kind, err)
		}
		row := p.Row()
		w.jobs = append(w.jobs, bot.Job{At: when, Event: &row})
	case DrainChat{}.Kind():
		var d DrainChat
		if err := json.Unmarshal([]byte(args), &d); err != nil {
			return fmt.Errorf("late work of kind %s: %w", kind, err)
		}
		w.jobs = append(w.jobs, bot.Job{At: when, Drain: bot.ChatID(d.Chat)})
	case IndexQuestions{}.Kind():
		var i IndexQuestions
		if err := json.Unmarshal([]byte(args), &i); err != nil {
			return fmt.Errorf("late work of kind %s: %w", kind, err)
		}
		w.addIndex(i.IDs)
	default:
		return fmt.Errorf("late work of kind %q, which this program does not know: %w", kind, knowledge.ErrInvalid)
	}
	return nil
}

func (w *waiting) addIndex(ids []string) {
	if w.known == nil {
		w.known = map[string]bool{}
	}
	for _, id := range ids {
		if !w.known[id] {
			w.known[id] = true
			w.index = append(w.index, id)
		}
	}
}
