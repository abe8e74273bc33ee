package bot

import (
	"context"
	"time"
)

// Limits are how fast a platform may be sent to, by all replicas together. A zero
// Every is no limit.
type Limits struct {
	Total Limit // its Key is filled in
	Chat  Limit // of each chat
}

// of lists the limits that a message to a chat counts against.
func (l Limits) of(chat ChatID) []Limit {
	var out []Limit
	add := func(limit Limit, key string) {
		if limit.Every > 0 {
			limit.Key, limit.Burst = key, max(1, limit.Burst)
			out = append(out, limit)
		}
	}
	add(l.Total, "send/"+chat.Platform())
	add(l.Chat, "send/"+string(chat))
	return out
}

// reserve counts a delivery against its platform's limits; wait tells that it has to
// be tried again later, which is then stored.
func (r *Runner) reserve(ctx context.Context, d Delivery) (wait bool, err error) {
	limits := r.Limits[d.Chat.Platform()].of(d.Chat)
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
