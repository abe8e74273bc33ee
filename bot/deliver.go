package bot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

const (
	// maxBackoff bounds the wait between two attempts to send.
	maxBackoff = 10 * time.Minute
	// maxSends is how often sending is tried before it is given up, which takes about an
	// hour: longer, and what comes after it in the chat would wait too.
	maxSends = 12
)

// Drain sends a chat's deliveries in their order, until one must be tried
// again later.
func (r *Runner) Drain(ctx context.Context, chat ChatID) {
	for ctx.Err() == nil {
		d, err := r.nextDispatch(ctx, chat)
		if err != nil {
			if !errors.Is(err, knowledge.ErrNotFound) && !errors.Is(err, knowledge.ErrAway) && ctx.Err() == nil {
				r.Log.ErrorContext(ctx, "reading the outbox failed", "conversation", chat, "err", err)
			}
			return
		}
		if d.NotUntil.After(r.Now()) || !r.deliver(ctx, d) {
			return
		}
	}
}

// nextDispatch returns what of a chat is to be sent next, with what it refers to.
func (r *Runner) nextDispatch(ctx context.Context, chat ChatID) (d Dispatch, err error) {
	err = r.Store.Read(ctx, func(tx Tx) error {
		next, err := tx.NextDelivery(ctx, chat)
		if err != nil {
			return err
		}
		d = Dispatch{Delivery: next, Part: len(next.External), Under: next.Message.Under}
		if key := next.Message.Beneath; key != "" {
			of, err := tx.DeliveryByKey(ctx, key)
			if err := ignoreNotFound(err); err != nil {
				return err
			}
			if len(of.External) > 0 && of.Chat == chat {
				d.Under = of.External[0]
			}
		}
		return changed(ctx, tx, &d)
	})
	return d, err
}

// changed looks up the message that a dispatch changes.
func changed(ctx context.Context, tx Tx, d *Dispatch) error {
	if d.Message.Replaces == "" {
		return nil
	}
	of, err := tx.DeliveryByKey(ctx, d.Message.Replaces)
	if err != nil {
		return ignoreNotFound(err)
	}
	d.Of, d.Taken = &of, map[int]string{}
	for i, s := range of.Message.Sections {
		if !s.Choice {
			continue
		}
		label, err := tx.Taken(ctx, of.ID, i)
		if err != nil {
			return err
		}
		if label != "" {
			d.Taken[i] = label
		}
	}
	return nil
}

// deliver sends one dispatch and records what came of it; false when the chat has to wait.
func (r *Runner) deliver(ctx context.Context, d Dispatch) bool {
	if t, ok := r.unrecorded.of(d.Delivery); ok {
		return r.record(ctx, t)
	}
	t := attempt{before: d.Delivery, limits: r.limits(d.Chat)}
	if wait, err := r.reserve(ctx, d.Delivery, t.limits); err != nil || wait {
		return false
	}
	sender := r.Platforms[d.Chat.Platform()].Sender
	d.Doubt = d.Doubt || d.Created.Before(r.since)
	doubted := d.Doubt
	external, err := r.send(ctx, sender, d)
	if err != nil && ctx.Err() != nil && !errors.Is(err, ErrDoubt) {
		return false
	}
	t.cause, t.result = err, r.judge(&d, external, err, sender)
	t.after, t.doubted = d.Delivery, doubted && t.result == Arrived
	if err == nil {
		r.outages.over(d.Chat.Platform())
	} else {
		r.Log.Log(ctx, r.outages.level(d.Chat.Platform(), err), "sending failed", "conversation", d.Chat, "delivery", d.ID, "attempt", d.Attempts, "state", d.State, "err", err)
	}
	return r.record(ctx, t)
}

// send sends a dispatch, unless it changes what was never seen.
func (r *Runner) send(ctx context.Context, s Sender, d Dispatch) (external string, err error) {
	if d.Message.Chosen != "" && (d.Of == nil || d.Of.State != DeliverySent) {
		return "", nil
	}
	err = r.unbroken(ctx, func() error {
		external, err = s.Send(ctx, d)
		return err
	})
	return external, err
}

// judge notes in the delivery what came of an attempt.
func (r *Runner) judge(d *Dispatch, external string, err error, s Sender) Result {
	now := r.Now()
	d.Doubt = errors.Is(err, ErrDoubt)
	if err == nil {
		d.External, d.Error, d.NotUntil = append(d.External, external), "", time.Time{}
		if d.Message.Chosen != "" || len(d.External) >= s.Parts(*d) {
			d.State = DeliverySent
		}
		return Arrived
	}
	d.Error = err.Error()
	switch {
	case slowDown(err) > 0:
		d.NotUntil = now.Add(slowDown(err))
		return TooFast
	case errors.Is(err, ErrUndeliverable):
		d.State = DeliveryDead
		return GivenUp
	case errors.Is(err, knowledge.ErrAway):
		d.NotUntil = now.Add(min(maxPause, max(2*time.Second, now.Sub(d.Created)/4)))
		return PlatformAway
	}
	if d.Attempts++; d.Attempts >= maxSends {
		d.State = DeliveryDead
		return GivenUp
	}
	d.NotUntil = now.Add(min(maxBackoff, time.Second<<min(d.Attempts, 16)))
	return Failed
}

// slowDown returns for how long a platform wants to be left alone, 0 when it does not say so.
func slowDown(err error) time.Duration {
	if busy, ok := errors.AsType[*SlowDownError](err); ok {
		return max(busy.After, time.Second)
	}
	return 0
}

// keepOutcome stores a delivery after an attempt, and what follows from it.
func (r *Runner) keepOutcome(ctx context.Context, d Delivery, limits []Limit, cause error) error {
	return r.Store.Write(ctx, func(tx Tx) error {
		if slow := slowDown(cause); slow > 0 && len(limits) > 0 {
			if err := tx.Pause(ctx, limits[len(limits)-1], r.Now().Add(slow)); err != nil {
				return err
			}
		}
		if err := tx.PutDelivery(ctx, &d); err != nil {
			return err
		}
		switch {
		case d.State == DeliveryPending && !d.NotUntil.IsZero():
			return tx.Schedule(ctx, Job{At: d.NotUntil, Drain: d.Chat})
		case d.State == DeliveryDead:
			return r.bury(ctx, tx, d, cause)
		}
		return nil
	})
}

// bury tells the chat of a delivery that it will not be sent.
func (r *Runner) bury(ctx context.Context, tx Tx, d Delivery, cause error) error {
	row, err := newRow(fmt.Sprintf("dead/%d/%d", d.ID, r.Now().UnixMilli()), d.Chat, Undelivered{
		Delivery: d.ID, About: d.Message.About, Reason: d.Error, Unreachable: errors.Is(cause, ErrUnreachable),
	}, r.Now())
	if err != nil {
		return err
	}
	return tx.Post(ctx, &row)
}
