package bot

import (
	"context"
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
		at, err := tx.Reserve(ctx, now, limits)
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
