package bot

import (
	"context"
	"sync"
	"time"
)

// limits lists what a message to a chat counts against.
func (r *Runner) limits(chat ChatID) []Limit {
	if of := r.Platforms[chat.Platform()].Limits; of != nil {
		return of(chat)
	}
	return nil
}

// reserve counts a message against limits; wait tells that it has to be tried again
// later, which is then stored.
func (r *Runner) reserve(ctx context.Context, d Delivery, limits []Limit) (wait bool, err error) {
	if len(limits) == 0 {
		return false, nil
	}
	err = r.Store.Write(ctx, func(tx Tx) error {
		now := r.Now()
		at, err := r.turn(ctx, tx, d, limits, now)
		if err != nil {
			return err
		}
		if wait = at.After(now); !wait {
			return nil
		}
		d.NotUntil = at.Add(time.Millisecond) // stores keep whole milliseconds
		if err := tx.PutDelivery(ctx, &d); err != nil {
			return err
		}
		return tx.Schedule(ctx, Job{At: d.NotUntil, Drain: d.Chat})
	})
	if err != nil && ctx.Err() == nil {
		r.Log.ErrorContext(ctx, "counting a delivery failed", "delivery", d.ID, "err", err)
	}
	return wait, err
}

// turn returns when a message may be sent: now, or when to try again.
func (r *Runner) turn(ctx context.Context, tx Tx, d Delivery, limits []Limit, now time.Time) (time.Time, error) {
	if d.NotUntil.IsZero() { // it has not waited yet: others may be before it
		if at := r.queue.behind(limits[0], now); at.After(now) {
			return at, nil
		}
	}
	at, err := tx.Reserve(ctx, now, limits)
	if err != nil || !at.After(now) {
		return at, err
	}
	return r.queue.join(limits[0], now, at), nil
}

// queue has the chats that wait for a limit which they share come one after the other:
// if all came when the first may be sent, each message would cost as many attempts as
// chats wait. It is this process's; what others take is seen by Reserve.
type queue struct {
	mu   sync.Mutex
	last map[string]time.Time // when it is the turn of the last that waits, by limit
	seen time.Time            // the latest now
}

// backSet is by how much a clock is put back at least when it is no matter of order.
const backSet = time.Minute

// look forgets the turns when the clock was put back: they are far away now.
func (q *queue) look(now time.Time) {
	now = now.Round(0) // by the clock on the wall, as turns are stored
	if now.Before(q.seen.Add(-backSet)) {
		clear(q.last)
	}
	q.seen = now
}

// behind returns the turn behind those that wait for a limit, now when nobody does.
func (q *queue) behind(l Limit, now time.Time) time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.look(now)
	if !q.last[l.Key].After(now) {
		return now
	}
	q.last[l.Key] = q.last[l.Key].Add(l.Every)
	return q.last[l.Key]
}

// join returns the turn of a message that has to wait until a time. What has to wait
// for longer than one more message takes does so for its room's own limit.
func (q *queue) join(l Limit, now, at time.Time) time.Time {
	if at.Sub(now) > l.Every {
		return at
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.look(now)
	if q.last == nil {
		q.last = map[string]time.Time{}
	}
	if next := q.last[l.Key].Add(l.Every); next.After(at) {
		at = next
	}
	q.last[l.Key] = at
	return at
}
