package record

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// maxSkew is how far the clocks of replicas may be apart.
const maxSkew = time.Minute

// Reserve implements bot.LimitTx by the generic cell rate algorithm (ITU-T I.371):
// a limit is one time, that at which its bucket will be full again. It is stored with a
// minus when the limit was paused: otherwise no bucket needs longer to be full than its
// burst takes, and what says so was written before a clock was put back.
func (t *Tx) Reserve(ctx context.Context, now time.Time, limits []bot.Limit) (time.Time, error) {
	full := make([]int64, len(limits)) // in microseconds: limits are finer than a store's times
	wait := now
	for i, l := range limits {
		if l.Key == "" || l.Every <= 0 || l.Burst < 1 {
			return now, fmt.Errorf("limit %+v: %w", l, knowledge.ErrInvalid)
		}
		at, err := one(ctx, t.conn, scanInt, `SELECT full_at FROM limits WHERE key = ?`, l.Key)
		if err != nil && !errors.Is(err, knowledge.ErrNotFound) {
			return now, fmt.Errorf("limit %s: %w", l.Key, err)
		}
		if at > now.Add(time.Duration(l.Burst)*l.Every+maxSkew).UnixMicro() {
			at = 0
		}
		full[i] = max(at, -at, now.UnixMicro())
		if free := time.UnixMicro(full[i]).Add(-time.Duration(l.Burst-1) * l.Every); free.After(wait) {
			wait = free
		}
	}
	if wait.After(now) {
		return wait, nil
	}
	for i, l := range limits {
		_, err := t.conn.Exec(ctx, `INSERT INTO limits (key, full_at) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET full_at = excluded.full_at`,
			l.Key, full[i]+l.Every.Microseconds())
		if err != nil {
			return now, fmt.Errorf("limit %s: %w", l.Key, err)
		}
	}
	return now, nil
}

// Pause implements bot.LimitTx.
func (t *Tx) Pause(ctx context.Context, l bot.Limit, until time.Time) error {
	full := until.Add(time.Duration(max(l.Burst, 1)-1) * l.Every).UnixMicro()
	_, err := t.conn.Exec(ctx, `INSERT INTO limits (key, full_at) VALUES (?, ?)
		ON CONFLICT (key) DO UPDATE SET full_at = excluded.full_at WHERE -excluded.full_at > ABS(limits.full_at)`, l.Key, -full)
	if err != nil {
		return fmt.Errorf("pause %s: %w", l.Key, err)
	}
	return nil
}
