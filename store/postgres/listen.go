package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nastavnik-bot/nastavnik/store/record"
)

// channel is that of PostgreSQL's notifications: somebody has left something to
// handle.
const channel = "nastavnik"

// listenAgain is how long to wait before another attempt to listen. Meanwhile the
// runner looks by itself.
const listenAgain = time.Second

// announce tells all replicas, when the transaction commits, that it has left
// something to handle.
func (s *Store) announce(ctx context.Context, tx pgx.Tx, t *record.Tx) error {
	if !t.Mailed() {
		return nil
	}
	_, err := tx.Exec(ctx, `NOTIFY `+channel)
	return err
}

// listen calls wake at every announcement, until ctx ends.
func (r *Replica) listen(ctx context.Context, wake func()) {
	for ctx.Err() == nil {
		err := r.listenOnce(ctx, wake)
		if ctx.Err() != nil {
			return
		}
		r.log.DebugContext(ctx, "listening failed, looking for mail by polling", "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(listenAgain):
		}
	}
}

func (r *Replica) listenOnce(ctx context.Context, wake func()) error {
	c, err := pgx.ConnectConfig(ctx, r.config)
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx))
	if _, err := c.Exec(ctx, `LISTEN `+channel); err != nil {
		return err
	}
	wake() // what came before
	for {
		if _, err := c.WaitForNotification(ctx); err != nil {
			return err
		}
		wake()
	}
}
