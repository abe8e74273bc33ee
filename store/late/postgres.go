package late

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// lookForGone is how often replicas look for jobs of one that has been killed.
// River's own rescue waits an hour, longer than any job may take.
const lookForGone = 3 * time.Second

// PostgresQueue stores jobs in PostgreSQL. It is safe for concurrent use.
type PostgresQueue struct{ queue[pgx.Tx] }

// Postgres returns a queue for PostgreSQL that logs to log.
func Postgres(log *slog.Logger) (*PostgresQueue, error) {
	q, err := newQueue(riverpgxv5.New(nil), log)
	return &PostgresQueue{q}, err
}

// Versions returns the version of the queue's tables, 0 when there are none, and
// the version that this program needs.
func (q *PostgresQueue) Versions(ctx context.Context, db *pgxpool.Pool) (current, target int, err error) {
	m, err := migrator(riverpgxv5.New(db), q.log)
	if err != nil {
		return 0, 0, err
	}
	var there bool
	err = db.QueryRow(ctx, `SELECT to_regclass('river_migration') IS NOT NULL`).Scan(&there)
	if err == nil && there {
		err = db.QueryRow(ctx, `SELECT COALESCE(MAX(version), 0) FROM river_migration`).Scan(&current)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("version of the queue's tables: %w", err)
	}
	return current, newestVersion(m), nil
}

// Migrate brings the queue's tables up to date. Racing processes must be kept
// apart by the caller.
func (q *PostgresQueue) Migrate(ctx context.Context, db *pgxpool.Pool) error {
	return migrateUp(ctx, riverpgxv5.New(db), q.log)
}

// Replicas tells the bot's processes apart.
type Replicas interface {
	// Name is this process's, like that of no other.
	Name() string
	// Gone returns those of the names whose processes have ended.
	Gone(ctx context.Context, names []string) ([]string, error)
}

// Workers returns workers that do nothing before Start. Any number of replicas may
// have theirs on one database: River hands out every job once, and what a killed
// replica was doing the others take over within some seconds.
func (q *PostgresQueue) Workers(db *pgxpool.Pool, h Handler, r Replicas) (*Workers, error) {
	c := config(q.log, h)
	c.ID = r.Name()
	client, err := river.NewClient(riverpgxv5.New(db), c)
	if err != nil {
		return nil, fmt.Errorf("workers of late work: %w", err)
	}
	return &Workers{
		client:   client,
		takeBack: func(ctx context.Context) error { return takeBackGone(ctx, db, r) },
		again:    lookForGone,
		log:      q.log,
	}, nil
}

// takeBackGone makes ready what replicas that are gone were running.
func takeBackGone(ctx context.Context, db *pgxpool.Pool, r Replicas) error {
	const by = `attempted_by[array_upper(attempted_by, 1)]`
	rows, err := db.Query(ctx, `SELECT DISTINCT `+by+` FROM river_job WHERE state = 'running' AND `+by+` IS NOT NULL`)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(names) == 0 {
		return err
	}
	gone, err := r.Gone(ctx, names)
	if err != nil || len(gone) == 0 {
		return err
	}
	_, err = db.Exec(ctx, `UPDATE river_job SET state = 'available' WHERE state = 'running' AND `+by+` = ANY($1)`, gone)
	return err
}
