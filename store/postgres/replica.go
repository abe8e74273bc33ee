package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/nastavnik-bot/nastavnik/bot"
)

// Classes of advisory locks, the first of two keys; the second is the hash of a
// name. They end with the session that holds them, however its process dies.
const (
	chatLocks    = 0x6e01 // who handles a chat
	replicaLocks = 0x6e02 // which processes live
	leadLocks    = 0x6e03 // who does what only one may do
)

const (
	// heartbeat is how often a session is asked whether it still holds what it
	// holds, and how long at most it may take to say so.
	heartbeat = time.Second
	// answerWithin bounds a question to a session: a connection through a dead
	// network may hang for minutes.
	answerWithin = 3 * time.Second
)

// Replica is one of the bot's processes on the database, as long as it lives. It
// holds its locks on a session of its own, so that they end with it.
type Replica struct {
	name   string
	config *pgx.ConnConfig
	pool   *pgxpool.Pool
	log    *slog.Logger

	mu   sync.Mutex
	conn *pgx.Conn // nil while there is none
	era  int       // of the connection: locks of an earlier one are gone
}

// Join makes this process a replica of the bot. Run keeps it one: a replica of which
// the server hears nothing for a quarter of a minute is taken to be gone. Close must
// be called when it stops.
func (s *Store) Join(ctx context.Context) (*Replica, error) {
	r := &Replica{name: "nastavnik-" + uuid.NewString(), config: s.pool.Config().ConnConfig.Copy(), pool: s.pool, log: s.log}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.session(ctx); err != nil {
		return nil, explain("join", err)
	}
	return r, nil
}

// Name is like that of no other replica.
func (r *Replica) Name() string { return r.name }

// session returns the connection that holds the locks, a new one if the old has
// been lost. The caller holds mu.
func (r *Replica) session(ctx context.Context) (*pgx.Conn, error) {
	if r.conn != nil && !r.conn.IsClosed() {
		return r.conn, nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	c, err := pgx.ConnectConfig(ctx, r.config)
	if err != nil {
		return nil, err
	}
	if _, err = c.Exec(ctx, endWhenSilent); err == nil {
		_, err = c.Exec(ctx, `SELECT pg_advisory_lock($1, hashtext($2))`, replicaLocks, r.name)
	}
	if err != nil {
		_ = c.Close(ctx)
		return nil, err
	}
	r.conn, r.era = c, r.era+1
	return c, nil
}

// ask runs a query of one truth value on the session.
func (r *Replica) ask(ctx context.Context, c *pgx.Conn, query string, args ...any) (yes bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	err = c.QueryRow(ctx, query, args...).Scan(&yes)
	return yes, err
}

// Claim implements bot.Claims: until the claim is released no other replica
// handles the chat. It does not wait; ok is false when another has it.
func (r *Replica) Claim(ctx context.Context, chat bot.ChatID) (release func(), ok bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.session(ctx)
	if err != nil {
		return nil, false, explain("claim a chat", err)
	}
	ok, err = r.ask(ctx, c, `SELECT pg_try_advisory_lock($1, hashtext($2))`, chatLocks, string(chat))
	if err != nil || !ok {
		return nil, false, explain("claim a chat", err)
	}
	era := r.era
	return func() { r.release(context.WithoutCancel(ctx), chat, era) }, true, nil
}

func (r *Replica) release(ctx context.Context, chat bot.ChatID, era int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if era != r.era || r.conn == nil || r.conn.IsClosed() {
		return // it ended with its session
	}
	if _, err := r.ask(ctx, r.conn, `SELECT pg_advisory_unlock($1, hashtext($2))`, chatLocks, string(chat)); err != nil {
		r.log.WarnContext(ctx, "releasing a chat failed, its session ends", "err", err)
		_ = r.conn.Close(ctx) // ends the lock, too
	}
}

// Gone returns those of the names whose replicas have ended.
func (r *Replica) Gone(ctx context.Context, names []string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	rows, err := r.pool.Query(ctx, `SELECT name FROM unnest($2::text[]) AS name WHERE NOT EXISTS (
		SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = $1::bigint::oid
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
			AND objid = (hashtext(name)::bigint & 4294967295)::oid)`, int64(replicaLocks), names)
	if err != nil {
		return nil, explain("look for replicas that are gone", err)
	}
	gone, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return gone, explain("look for replicas that are gone", err)
}

// Run keeps the session alive, and makes a new one when it is lost, until ctx
// ends; wake is called when any process has left something to handle.
func (r *Replica) Run(ctx context.Context, wake func()) error {
	var listening sync.WaitGroup
	listening.Go(func() { r.listen(ctx, wake) })
	defer listening.Wait()
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	lost := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := r.beat(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && !lost {
			r.log.WarnContext(ctx, "the session of this replica is lost, others may take over", "err", err)
		}
		if err == nil && lost {
			r.log.InfoContext(ctx, "this replica has a session again")
		}
		lost = err != nil
	}
}

func (r *Replica) beat(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.session(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if err := c.Ping(ctx); err != nil {
		_ = c.Close(ctx)
		return err
	}
	return nil
}

// Close ends the session, and with it every lock.
func (r *Replica) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conn == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	if err := r.conn.Close(ctx); err != nil {
		return fmt.Errorf("close the session of a replica: %w", err)
	}
	return nil
}
