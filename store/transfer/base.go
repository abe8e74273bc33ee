package transfer

import (
	"context"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
)

// Base is one of the two databases of a copy, held so that nobody else writes to it.
type Base struct{ db database }

// Close lets others write again.
func (b *Base) Close() error { return b.db.close() }

// reader reads one consistent state of a database.
type reader interface {
	// rows calls fn for the rows of a table in the order of their keys, after a key
	// unless it is nil, and limit of them at most unless it is 0.
	rows(ctx context.Context, t table, after []any, limit int, fn func(row []any) error) error
	// count counts the rows of a table.
	count(ctx context.Context, t table) (int64, error)
	// last returns the last number that the database has given to a row of the table.
	last(ctx context.Context, t table) (int64, error)
	// pending returns the late work that has still to be done.
	pending(ctx context.Context) (jobs []bot.Job, index []string, err error)
	// identity tells the database from any other, and is the same as long as it lives.
	identity(ctx context.Context) (string, error)
	// noted returns how far a table has come; false when nothing is noted.
	noted(ctx context.Context, name string) (note, bool, error)
}

// writer writes in one transaction, and reads what it has written.
type writer interface {
	reader
	insert(ctx context.Context, t table, rows [][]any) error
	// schedule stores late work.
	schedule(ctx context.Context, jobs []bot.Job, index []string) error
	// number makes the database number the next row of a table beyond n.
	number(ctx context.Context, t table, n int64) error
	note(ctx context.Context, n note) error
	clear(ctx context.Context, table string) error
	// forget removes all notes, and all late work.
	forget(ctx context.Context) error
}

// database is a database that is held.
type database interface {
	tables(ctx context.Context) ([]table, error)
	// fit refuses a target whose role may not do all that is needed.
	fit(ctx context.Context, tables []table) error
	read(ctx context.Context, fn func(reader) error) error
	write(ctx context.Context, fn func(writer) error) error
	explain(err error) error
	close() error
}

// note is how far a table has come.
type note struct {
	name   string
	source string // the identity of the source, of the whole
	last   string // the key of the last row, see encodeKey
	copied int64
	done   int64 // milliseconds since 1970 UTC; 0 while it is unfinished
}

// Names of notes that are none of a table.
const (
	whole = ""
	queue = "river_job"
)

func (n note) doneAt() time.Time { return time.UnixMilli(n.done) }
