package bottest

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/store/postgres"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
	"github.com/nastavnik-bot/nastavnik/store/sqlite/sqlitetest"
)

// record is a store that a stage opens and closes.
type record interface {
	bot.Store
	Close() error
}

// openRecord opens the store in a folder or at the address of a PostgreSQL.
func openRecord(ctx context.Context, where string, late *lateWork) (record, error) {
	if !strings.HasPrefix(where, "postgres://") {
		o := sqlite.Options{Dir: filepath.Join(where, "data"), Queue: embeddedLate{late}}
		if err := sqlitetest.Fill(ctx, o.Dir, o.Queue); err != nil {
			return nil, err
		}
		return sqlite.Open(ctx, o)
	}
	o := postgres.Options{DSN: where, Queue: serverLate{late}}
	if _, err := postgres.Migrate(ctx, o); err != nil {
		return nil, err
	}
	return postgres.Open(ctx, o)
}

// embeddedLate and serverLate are the late work of a script as the stores' queues
// of River. They have no tables, and no vectors to index.
type (
	embeddedLate struct{ *lateWork }
	serverLate   struct{ *lateWork }
)

// Insert implements sqlite.Queue.
func (l embeddedLate) Insert(_ context.Context, _ *sql.Tx, jobs []bot.Job, _ []string) error {
	l.add(jobs)
	return nil
}

// Versions implements sqlite.Queue.
func (embeddedLate) Versions(context.Context, *sql.DB) (current, target int, err error) {
	return 1, 1, nil
}

// Migrate implements sqlite.Queue.
func (embeddedLate) Migrate(context.Context, *sql.DB) error { return nil }

// Insert implements postgres.Queue.
func (l serverLate) Insert(_ context.Context, _ pgx.Tx, jobs []bot.Job, _ []string) error {
	l.add(jobs)
	return nil
}

// Versions implements postgres.Queue.
func (serverLate) Versions(context.Context, *pgxpool.Pool) (current, target int, err error) {
	return 1, 1, nil
}

// Migrate implements postgres.Queue.
func (serverLate) Migrate(context.Context, *pgxpool.Pool) error { return nil }
