package late

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
)

// SQLiteQueue stores jobs in the embedded database. It is safe for concurrent use.
type SQLiteQueue struct{ queue[*sql.Tx] }

// SQLite returns a queue for the embedded database that logs to log.
func SQLite(log *slog.Logger) (*SQLiteQueue, error) {
	q, err := newQueue(riversqlite.New(nil), log)
	return &SQLiteQueue{q}, err
}

// Versions returns the version of the queue's tables in db, 0 when there are
// none, and the version that this program needs. River's own way to ask refuses
// versions that it does not know.
func (q *SQLiteQueue) Versions(ctx context.Context, db *sql.DB) (current, target int, err error) {
	m, err := migrator(riversqlite.New(db), q.log)
	if err != nil {
		return 0, 0, err
	}
	var tables int
	err = db.QueryRowContext(ctx, `SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = 'river_migration'`).Scan(&tables)
	if err == nil && tables > 0 {
		err = db.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) FROM river_migration`).Scan(&current)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("version of the queue's tables: %w", err)
	}
	return current, newestVersion(m), nil
}

// Migrate brings the queue's tables in db up to date. Racing processes must be
// kept apart by the caller.
func (q *SQLiteQueue) Migrate(ctx context.Context, db *sql.DB) error {
	return migrateUp(ctx, riversqlite.New(db), q.log)
}

// Workers returns workers on db, the connection that the store writes with:
// River expects a pool of one. They do nothing before Start, which only the
// process that holds the bot's lock may call: jobs that another process has left
// running are taken to be those of a killed one, and done again.
func (q *SQLiteQueue) Workers(db *sql.DB, h Handler) (*Workers, error) {
	c := config(q.log, h)
	c.PollOnly = true // the driver's notifications are a table polled 20 times a second
	client, err := river.NewClient(riversqlite.New(db), c)
	if err != nil {
		return nil, fmt.Errorf("workers of late work: %w", err)
	}
	return &Workers{client: client, takeBack: func(ctx context.Context) error { return takeBackAll(ctx, db) }}, nil
}

// takeBackAll makes ready what a killed process was running, and what is due by
// now or soon: River's scheduler begins only after it has been elected.
func takeBackAll(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, `UPDATE river_job SET state = 'available'
		WHERE state = 'running' OR (state IN ('scheduled', 'retryable') AND scheduled_at <= datetime('now', 'subsec', ?))`,
		fmt.Sprintf("+%d seconds", soon/time.Second))
	return err
}
