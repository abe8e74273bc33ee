// Package sqlite is the record of truth in one file: SQLite, in pure Go.
//
// Any number of processes may have the database open. A transaction that writes
// takes the write lock when it begins (BEGIN IMMEDIATE), so that it never has to
// be repeated, and waits for others a minute, or until its context ends. Inside a
// process writes share one connection, which River uses as well, and reads
// have a few of their own that cannot write. Every commit is on the disk when
// it returns (synchronous=FULL).
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver named "sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/store/record"
)

// FileName is the name of the database in its data folder.
const FileName = "nastavnik.db"

// readAtOnce is how many connections read at once. More would not help: what a
// page of work reads is in memory, and there are as many processors.
const readAtOnce = 4

// busyTimeout is how long a statement waits for another process that writes, in
// milliseconds; the end of its context ends the wait sooner. The longest
// transaction of this program is a portion of an import, under a second.
const busyTimeout = "60000"

// Queue keeps late work in the database; package late has one.
type Queue interface {
	// Insert stores jobs, and the questions to index, in tx.
	Insert(ctx context.Context, tx *sql.Tx, jobs []bot.Job, index []string) error
	// Versions returns the version of the queue's tables, 0 when there are
	// none, and the one that this program needs.
	Versions(ctx context.Context, db *sql.DB) (current, target int, err error)
	// Migrate brings the queue's tables up to date.
	Migrate(ctx context.Context, db *sql.DB) error
}

// NoQueue is a Queue for a store without late work: what is to be done late is
// dropped, and no tables are made.
type NoQueue struct{}

// Insert implements Queue.
func (NoQueue) Insert(context.Context, *sql.Tx, []bot.Job, []string) error { return nil }

// Versions implements Queue: the tables are always up to date.
func (NoQueue) Versions(context.Context, *sql.DB) (current, target int, err error) { return 0, 0, nil }

// Migrate implements Queue.
func (NoQueue) Migrate(context.Context, *sql.DB) error { return nil }

// Options say which database to open.
type Options struct {
	Dir   string // the data folder; made when it does not exist
	Queue Queue
	Log   *slog.Logger // nil for none
}

func (o Options) path() string { return filepath.Join(o.Dir, FileName) }

// Store is an open database. It is safe for concurrent use.
type Store struct {
	path   string
	queue  Queue
	log    *slog.Logger
	writer *sql.DB // one connection
	turns  *turns
	reader *readers
	watch  *sql.Conn // a connection that Changed has for itself
	change *sql.Stmt // prepared on it
}

var _ bot.Store = (*Store)(nil)

// Open opens the database of a data folder, and makes it or brings its schema up
// to date when that is needed. An error wraps migrations.ErrNewer when a newer
// program has been here, ErrDamaged when the file is no whole database, and
// ErrUnwritable when the folder cannot be written to.
func Open(ctx context.Context, o Options) (*Store, error) {
	s, err := connect(ctx, o)
	if err != nil {
		return nil, err
	}
	if _, err := s.migrate(ctx); err != nil {
		return nil, errors.Join(s.explain("open", err), s.Close())
	}
	db, err := sql.Open("sqlite", dsn(s.path, url.Values{"_pragma": {"query_only(1)"}}))
	if err != nil {
		return nil, errors.Join(s.explain("open", err), s.Close())
	}
	db.SetMaxOpenConns(readAtOnce + 1)
	db.SetMaxIdleConns(readAtOnce + 1)
	s.reader = newReaders(db, readAtOnce)
	if s.watch, err = db.Conn(ctx); err != nil {
		return nil, errors.Join(s.explain("open", err), s.Close())
	}
	if s.change, err = s.watch.PrepareContext(ctx, `PRAGMA data_version`); err != nil {
		return nil, errors.Join(s.explain("open", err), s.Close())
	}
	return s, nil
}

// connect opens the connection that writes, without looking at the schema.
func connect(ctx context.Context, o Options) (*Store, error) {
	if o.Dir == "" || o.Queue == nil {
		return nil, errors.New("open database: no data folder or no queue given")
	}
	s := &Store{path: o.path(), queue: o.Queue, log: o.Log, turns: newTurns()}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("папку данных %s нельзя создать: %w: %w", o.Dir, ErrUnwritable, err)
	}
	var err error
	s.writer, err = sql.Open("sqlite", dsn(s.path, url.Values{
		"_txlock": {"immediate"},
		"_pragma": {"synchronous(FULL)", "cache_size(-8192)", "journal_size_limit(67108864)"},
	}))
	if err != nil {
		return nil, s.explain("open", err)
	}
	s.writer.SetMaxOpenConns(1)
	s.writer.SetMaxIdleConns(1)
	s.writer.SetConnMaxLifetime(0)
	// Reading the schema finds out what opening a file does not.
	if _, err := s.writer.ExecContext(ctx, `SELECT COUNT(*) FROM sqlite_schema`); err != nil {
		return nil, errors.Join(s.explain("open", err), s.Close())
	}
	return s, nil
}

// dsn names the database to the driver. The path is escaped: a folder may be
// called "что? #1".
func dsn(path string, options url.Values) string {
	options["_pragma"] = append(options["_pragma"], "busy_timeout("+busyTimeout+")", "foreign_keys(1)")
	return "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath() + "?" + options.Encode()
}

// Close closes the database. What is running is waited for.
func (s *Store) Close() error {
	var all []error
	if s.change != nil {
		all = append(all, s.change.Close())
	}
	if s.watch != nil {
		all = append(all, s.watch.Close())
	}
	if s.reader != nil {
		all = append(all, s.reader.close())
	}
	// Last: the last connection to close writes the log back into the file.
	all = append(all, s.writer.Close())
	if err := errors.Join(all...); err != nil {
		return fmt.Errorf("close database: %w", err)
	}
	return nil
}

// Write implements bot.Store. It must not be called inside a Write or a Read of
// the same process: the inner one would wait for the outer.
func (s *Store) Write(ctx context.Context, fn func(bot.Tx) error) error {
	if err := s.turns.begin(ctx); err != nil {
		return fmt.Errorf("begin to write: %w", err)
	}
	defer s.turns.end()
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return s.explain("begin to write", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back, and else the error is fn's
	t := record.New(newConn(tx), func(ctx context.Context, jobs []bot.Job, index []string) error {
		return s.queue.Insert(ctx, tx, jobs, index)
	})
	if err := fn(t); err != nil {
		return s.explain("", err)
	}
	if err := t.Finish(ctx); err != nil {
		return s.explain("write", err)
	}
	if err := tx.Commit(); err != nil {
		return s.explain("commit", err)
	}
	return nil
}

// Read implements bot.Store. Everything that writes fails.
func (s *Store) Read(ctx context.Context, fn func(bot.Tx) error) error {
	err := s.reader.view(ctx, func(c *conn) error { return fn(record.New(c, nil)) })
	if primary(err) == lib.SQLITE_READONLY {
		return fmt.Errorf("write in a transaction for reading: %w", err) // a mistake of the program, not of the disk
	}
	return s.explain("", err)
}

// Changed returns a number that is another one after anybody, in this process or
// another, has committed something. It takes some microseconds: ask often.
func (s *Store) Changed(ctx context.Context) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	var n uint64
	// Not interrupted by ctx, as in conn: it takes some microseconds.
	if err := s.change.QueryRowContext(context.WithoutCancel(ctx)).Scan(&n); err != nil {
		return 0, s.explain("look for changes", err)
	}
	return n, nil
}

// Check tells the library's version, and whether the file can be read.
func (s *Store) Check(ctx context.Context) (version string, err error) {
	// By a reader: they have taken all connections that there are.
	err = s.reader.view(ctx, func(c *conn) error {
		rows, err := c.Query(ctx, `SELECT sqlite_version() FROM (SELECT COUNT(*) FROM questions)`)
		if err != nil {
			return err
		}
		for rows.Next() {
			err = rows.Scan(&version)
		}
		return errors.Join(err, rows.Err(), rows.Close())
	})
	return version, s.explain("check", err)
}

// WriteDB is the connection that writes, for the workers of late work.
func (s *Store) WriteDB() *sql.DB { return s.writer }
