// Package record is the record of truth in SQL: what SQLite and PostgreSQL
// share of it. Tx implements the bot's and the domain's transactions over any
// connection that can run a statement; a package named after a database
// connects, migrates, begins and commits.
//
// The SQL stands beside the method that runs it and is what both databases
// understand: ON CONFLICT, RETURNING, "?" for a parameter (see Dollar), whole
// milliseconds for times, 0 and 1 for truth, and nothing that folds case: both
// databases' lower() leaves Cyrillic alone or asks the locale, so words are
// folded in Go.
package record

import (
	"context"
	"errors"
	"fmt"

	"github.com/nastavnik-bot/nastavnik/bot"
)

// Conn runs SQL inside one transaction. It translates the database's errors: a
// violated reference wraps knowledge.ErrNotFound, a key that exists already
// knowledge.ErrConflict, a value that a table refuses knowledge.ErrInvalid.
type Conn interface {
	// Exec runs a statement and returns how many rows it has changed.
	Exec(ctx context.Context, query string, args ...any) (changed int64, err error)
	Query(ctx context.Context, query string, args ...any) (Rows, error)
}

// Rows is the result of a query; *sql.Rows is one.
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

// Late stores late work in the same transaction: jobs, and the questions to
// index again.
type Late func(ctx context.Context, jobs []bot.Job, index []string) error

// errReadOnly is what a write inside Store.Read gets where the database itself
// would not notice.
var errReadOnly = errors.New("write in a transaction for reading")

// Tx is one transaction. It is not safe for concurrent use.
type Tx struct {
	conn Conn
	late Late
	// What Finish has still to store: questions whose rows have changed, those
	// and others whose index entries have, and late work.
	versioned map[string]bool
	changed   map[string]bool
	index     []string // the keys of versioned, in order
	changes   []string // the keys of changed, in order
	jobs      []bot.Job
	mailed    bool // something was put into the inbox or the outbox
}

var _ bot.Tx = (*Tx)(nil)

// New begins the record's side of a transaction; late is nil in one that only
// reads. A writing transaction must call Finish before it commits.
func New(conn Conn, late Late) *Tx {
	return &Tx{conn: conn, late: late, versioned: map[string]bool{}, changed: map[string]bool{}}
}

// Finish stores what is stored once for a transaction, however often it was
// asked for: a change of every question changed, one set of indexing jobs for
// all of them, and late work.
func (t *Tx) Finish(ctx context.Context) error {
	if err := t.writeChanges(ctx); err != nil {
		return err
	}
	if len(t.jobs) == 0 && len(t.index) == 0 {
		return nil
	}
	if err := t.late(ctx, t.jobs, t.index); err != nil {
		return fmt.Errorf("store %d jobs and %d questions to index: %w", len(t.jobs), len(t.index), err)
	}
	return nil
}

// Mailed reports whether the transaction has left something in the inbox or the
// outbox that somebody has to handle.
func (t *Tx) Mailed() bool { return t.mailed }

// Schedule implements bot.ScheduleTx. The job is stored by Finish.
func (t *Tx) Schedule(_ context.Context, j bot.Job) error {
	if t.late == nil {
		return fmt.Errorf("schedule: %w", errReadOnly)
	}
	t.jobs = append(t.jobs, j)
	return nil
}
