package bot

import (
	"context"
	"sync"
)

// attempt is one that was made to send a delivery, and what came of it.
type attempt struct {
	before, after Delivery
	limits        []Limit
	cause         error // nil when it arrived
	result        Result
	doubted       bool // it has arrived, perhaps for the second time
}

// record stores what came of an attempt; false when the chat has to wait.
func (r *Runner) record(ctx context.Context, t attempt) bool {
	// What has been sent is recorded even when the bot is being stopped: it would
	// be sent again.
	if err := r.keepOutcome(context.WithoutCancel(ctx), t.after, t.limits, t.cause); err != nil {
		r.unrecorded.put(t)
		r.Log.ErrorContext(ctx, "recording a delivery failed", "delivery", t.after.ID, "err", err)
		return false
	}
	r.unrecorded.forget(t.after.ID)
	r.Observe(Outcome{Platform: t.after.Chat.Platform(), Result: t.result, Doubt: t.doubted, Waited: r.Now().Sub(t.after.Created)})
	return t.result == Arrived || t.after.State != DeliveryPending
}

// unrecorded are attempts of this process that the record of truth does not know,
// because it was away when they ended: what they have sent is not to be sent again.
type unrecorded struct {
	mu   sync.Mutex
	last map[int64]attempt // by delivery
}

// of returns the attempt that was made on a delivery as it is recorded now.
func (u *unrecorded) of(d Delivery) (attempt, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	t, ok := u.last[d.ID]
	if ok && (len(t.before.External) != len(d.External) || t.before.Attempts != d.Attempts) {
		delete(u.last, d.ID) // others have gone on
		return attempt{}, false
	}
	return t, ok
}

func (u *unrecorded) put(t attempt) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.last == nil {
		u.last = map[int64]attempt{}
	}
	u.last[t.after.ID] = t
}

func (u *unrecorded) forget(id int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.last, id)
}
