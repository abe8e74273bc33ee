// Package postgres is the record of truth in PostgreSQL, for any number of
// replicas of the bot.
//
// Transactions that write go one by one, as on the embedded store: an advisory
// lock that ends with them. So the rules of the domain need no locks of their own,
// and numbers of the sequence of changes are visible in their order. Reads see
// one consistent state and hold up nobody.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/store/record"
)

// Queue keeps late work in the database; package late has one.
type Queue interface {
	// Insert stores jobs, and the questions to index, in tx.
	Insert(ctx context.Context, tx pgx.Tx, jobs []bot.Job, index []string) error
	// Versions returns the version of the queue's tables, 0 when there are none,
	// and the one that this program needs.
	Versions(ctx context.Context, db *pgxpool.Pool) (current, target int, err error)
	// Migrate brings the queue's tables up to date.
	Migrate(ctx context.Context, db *pgxpool.Pool) error
}

// Options say which database to open.
type Options struct {
	DSN   string // of the role that runs: postgres://… or key=value
	Owner string // of the role that migrates; "" for the same
	Pool  int    // connections at most; 0: 10
	Queue Queue
	Log   *slog.Logger // nil for none
}

// defaultPool is enough for eight chats at once, and late work.
const defaultPool = 10

// Store is an open database. It is safe for concurrent use.
type Store struct {
	pool    *pgxpool.Pool
	queue   Queue
	log     *slog.Logger
	turn    chan struct{} // holds one token; who has it writes
	dollars dollars
	limits  limits
}

var _ bot.Store = (*Store)(nil)

// Open connects to a database whose schema is that of this program. It changes
// nothing: an error wraps ErrOlder when the schema has still to be migrated,
// migrations.ErrNewer when a newer program has been here, and knowledge.ErrAway,
// ErrRefused, ErrNoDatabase or ErrEncoding for what its message says.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Queue == nil {
		return nil, errors.New("open database: no queue given")
	}
	pool, err := connect(ctx, o.DSN, o.Pool)
	if err != nil {
		return nil, err
	}
	s := &Store{pool: pool, queue: o.Queue, log: o.Log, turn: make(chan struct{}, 1), limits: defaultLimits()}
	s.turn <- struct{}{}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.check(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// check refuses a database that this program must not work with.
func (s *Store) check(ctx context.Context) error {
	schema, err := status(ctx, s.pool, s.queue)
	if err != nil {
		return err
	}
	if n := schema.Pending(); n > 0 {
		return fmt.Errorf("схема базы PostgreSQL старее программы, шагов не хватает: %d; выполните nastavnik migrate up: %w", n, ErrOlder)
	}
	return nil
}

// connect opens a pool and makes sure that the database is there and keeps
// Russian whole.
func connect(ctx context.Context, dsn string, size int) (*pgxpool.Pool, error) {
	c, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		// The error of the parser may quote the string, password and all.
		return nil, fmt.Errorf("адрес базы postgres.dsn не разобрать: нужен вид postgres://роль:пароль@узел:5432/база: %w", ErrDSN)
	}
	c.MaxConns = int32(defaultPool)
	if size > 0 {
		c.MaxConns = int32(size)
	}
	c.ConnConfig.RuntimeParams["application_name"] = "nastavnik"
	c.ConnConfig.AfterConnect = forgetTheLost
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, explain("open", err)
	}
	var encoding string
	if err := pool.QueryRow(ctx, `SHOW server_encoding`).Scan(&encoding); err != nil {
		pool.Close()
		return nil, explain("open", err)
	}
	if encoding != "UTF8" {
		pool.Close()
		return nil, fmt.Errorf("база PostgreSQL в кодировке %s, а нужна UTF8: создайте другую (createdb --encoding=UTF8 --template=template0): %w", encoding, ErrEncoding)
	}
	return pool, nil
}

// Close closes the connections. What is running is waited for.
func (s *Store) Close() error {
	s.pool.Close()
	return nil
}

// writeLock is the advisory lock of who writes: "nast" in ASCII.
const writeLock = 0x6e617374

// beginWrite takes its turn in the same round trip in which it begins. Statements
// of a READ COMMITTED transaction see what was committed before they began, so
// after the lock they see all that others have written.
func beginWrite() pgx.TxOptions {
	return pgx.TxOptions{BeginQuery: fmt.Sprintf("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT pg_advisory_xact_lock(%d)", writeLock)}
}

// Write implements bot.Store. It must not be called inside a Write: the inner one
// would wait for the outer.
func (s *Store) Write(ctx context.Context, fn func(bot.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("begin to write: %w", err)
	}
	// Those of this process wait here, without holding a connection each.
	select {
	case <-s.turn:
	case <-ctx.Done():
		return fmt.Errorf("begin to write: %w", ctx.Err())
	}
	defer func() { s.turn <- struct{}{} }()
	tx, err := s.begin(ctx, s.limits.turn, beginWrite())
	if err != nil {
		return explain("begin to write", err)
	}
	defer rollback(ctx, tx) // after a commit there is nothing to roll back
	t := record.New(&conn{tx: tx, dollars: &s.dollars, within: s.limits.statement}, func(ctx context.Context, jobs []bot.Job, index []string) error {
		jobs, index = cleanLate(jobs, index)
		return s.queue.Insert(ctx, tx, jobs, index)
	})
	if err := fn(t); err != nil {
		return explain("", err)
	}
	if err := t.Finish(ctx); err != nil {
		return explain("write", err)
	}
	if err := s.announce(ctx, tx, t); err != nil {
		return explain("write", err)
	}
	return explain("commit", within(ctx, s.limits.statement, tx.Commit))
}

// begin begins a transaction, which may wait that long for its turn.
func (s *Store) begin(ctx context.Context, limit time.Duration, o pgx.TxOptions) (tx pgx.Tx, err error) {
	err = within(ctx, limit, func(ctx context.Context) error {
		tx, err = s.pool.BeginTx(ctx, o)
		return err
	})
	return tx, err
}

// rollback ends a transaction that was not committed; the error is that of whoever
// did not commit it.
func rollback(ctx context.Context, tx pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)
	defer cancel()
	_ = tx.Rollback(ctx)
}

// beginRead begins a transaction that sees one state and cannot write.
func beginRead() pgx.TxOptions {
	return pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
}

// Read implements bot.Store. Everything that writes fails.
func (s *Store) Read(ctx context.Context, fn func(bot.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("begin to read: %w", err)
	}
	tx, err := s.begin(ctx, s.limits.statement, beginRead())
	if err != nil {
		return explain("begin to read", err)
	}
	defer rollback(ctx, tx)
	return explain("", fn(record.New(&conn{tx: tx, dollars: &s.dollars, within: s.limits.statement}, nil)))
}

// Changed returns a number that is another one after anybody has committed a
// change of what is searched.
func (s *Store) Changed(ctx context.Context) (uint64, error) {
	var n int64
	if err := s.value(ctx, `SELECT COALESCE(MAX(seq), 0) FROM changes`, &n); err != nil {
		return 0, explain("look for changes", err)
	}
	return uint64(n), nil
}

// Check tells the server's version, and whether it can be reached at all.
func (s *Store) Check(ctx context.Context) (version string, err error) {
	return version, explain("", s.value(ctx, `SHOW server_version`, &version))
}

// value reads one value.
func (s *Store) value(ctx context.Context, query string, into any) error {
	return within(ctx, s.limits.statement, func(ctx context.Context) error { return s.pool.QueryRow(ctx, query).Scan(into) })
}

// Pool is the store's connections, for the workers of late work.
func (s *Store) Pool() *pgxpool.Pool { return s.pool }
