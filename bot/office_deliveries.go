package bot

import (
	"context"
	"fmt"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// SetTopic says what a question is about; see knowledge.Desk.SetTopic.
func (o Office) SetTopic(ctx context.Context, question, topic string) (q knowledge.Question, err error) {
	err = o.write(ctx, func(d officeDesk) ([]Mail, error) {
		q, err = d.SetTopic(ctx, question, topic)
		return nil, err
	})
	return q, err
}

// Retry makes a delivery that was given up be tried again, at once and as often as a
// new one; a running bot is woken. The error wraps knowledge.ErrConflict for one that
// has not been given up.
func (o Office) Retry(ctx context.Context, id int64) (d Delivery, err error) {
	now := o.Now()
	err = o.Store.Write(ctx, func(tx Tx) error {
		if d, err = tx.Delivery(ctx, id); err != nil {
			return err
		}
		if d.State != DeliveryDead {
			return fmt.Errorf("retry delivery %d, which is %s: %w", id, d.State, knowledge.ErrConflict)
		}
		d.State, d.Attempts, d.NotUntil = DeliveryPending, 0, time.Time{}
		if err := tx.PutDelivery(ctx, &d); err != nil {
			return err
		}
		return tx.Schedule(ctx, Job{At: now, Drain: d.Chat})
	})
	return d, err
}
