package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// How long Alone waits for somebody who is writing, and how often it asks.
const (
	aloneWithin = 10 * time.Second
	aloneAgain  = 100 * time.Millisecond
)

// Alone returns a session beside which nobody writes through a Store until it is
// closed: for who copies everything. The error wraps knowledge.ErrConflict when a bot
// works on the database, or something else does not stop writing.
func (s *Store) Alone(ctx context.Context) (*pgx.Conn, error) {
	if n, err := s.Replicas(ctx); err != nil {
		return nil, err
	} else if n > 0 {
		return nil, fmt.Errorf("на этой базе PostgreSQL работает бот, процессов: %d; остановите его: %w", n, knowledge.ErrConflict)
	}
	c, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig.Copy())
	if err != nil {
		return nil, explain("connect", err)
	}
	if err := aloneOn(ctx, c); err != nil {
		return nil, errors.Join(err, c.Close(context.WithoutCancel(ctx)))
	}
	return c, nil
}

func aloneOn(ctx context.Context, c *pgx.Conn) error {
	for deadline := time.Now().Add(aloneWithin); ; {
		var got bool
		if err := c.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, int64(writeLock)).Scan(&got); err != nil {
			return explain("wait for who writes", err)
		}
		if got {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("в базу PostgreSQL всё время кто-то пишет: остановите команды, которые с ней работают: %w", knowledge.ErrConflict)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(aloneAgain):
		}
	}
}

// Explain adds to an error of a session what was being done, and what an administrator
// can do about it, as the errors of a Store have it.
func Explain(doing string, err error) error { return explain(doing, err) }
