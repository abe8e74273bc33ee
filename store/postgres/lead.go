package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// leadAgain is how often a replica asks for a lead that another one has.
const leadAgain = time.Second

// errLost says that the lead's session has gone.
var errLost = errors.New("the lead is lost")

// Lead runs fn in one replica at a time, of all that call it with the same name:
// the one that polls a platform, for example. The others wait, and one of them
// begins when the leader has ended, been killed or lost the database; fn's context
// ends in the last case. Lead returns when ctx ends, or with fn's error or nil
// when fn ends by itself.
func (r *Replica) Lead(ctx context.Context, name string, fn func(ctx context.Context) error) error {
	for {
		led, err := r.leadOnce(ctx, name, fn)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was stopped, whatever came of that
		}
		if led && !errors.Is(err, errLost) {
			return err
		}
		if err != nil {
			r.log.WarnContext(ctx, "no lead for now", "lead", name, "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(leadAgain):
		}
	}
}

// leadOnce runs fn if nobody else leads. The lock has a session of its own, whose
// loss is noticed by asking it.
func (r *Replica) leadOnce(ctx context.Context, name string, fn func(ctx context.Context) error) (led bool, err error) {
	connect, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	c, err := pgx.ConnectConfig(connect, r.config)
	if err != nil {
		return false, explain("lead", err)
	}
	defer func() { // ends the lock
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)
		defer cancel()
		_ = c.Close(closing)
	}()
	if _, err := c.Exec(connect, endWhenSilent); err != nil {
		return false, explain("lead", err)
	}
	if led, err = r.ask(ctx, c, `SELECT pg_try_advisory_lock($1, hashtext($2))`, leadLocks, name); err != nil || !led {
		return false, explain("lead", err)
	}
	r.log.InfoContext(ctx, "this replica leads", "lead", name)
	leading, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	done := make(chan error, 1)
	go func() { done <- fn(leading) }()
	return true, guardLead(context.WithoutCancel(ctx), c, stop, done)
}

// guardLead waits for the end of done, and calls stop when the session is lost.
func guardLead(ctx context.Context, c *pgx.Conn, stop context.CancelCauseFunc, done <-chan error) error {
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-tick.C:
		}
		ping, cancel := context.WithTimeout(ctx, answerWithin)
		err := c.Ping(ping)
		cancel()
		if err != nil {
			stop(errLost)
			return errors.Join(errLost, err, <-done)
		}
	}
}
