package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

func testLimits(t *testing.T, s bot.Store) {
	reserve := func(now time.Time, limits ...bot.Limit) time.Time {
		t.Helper()
		var at time.Time
		write(t, s, func(ctx context.Context, tx bot.Tx) (err error) {
			at, err = tx.Reserve(ctx, now, limits)
			return err
		})
		return at
	}
	t.Run("a burst, then one at a time", func(t *testing.T) {
		l := bot.Limit{Key: "burst", Every: time.Second, Burst: 3}
		for range 3 {
			equal(t, "of the burst", reserve(noon(), l), noon())
		}
		equal(t, "after it", reserve(noon(), l), noon().Add(time.Second))
		equal(t, "asked again too early", reserve(noon().Add(time.Second/2), l), noon().Add(time.Second))
		equal(t, "at its time", reserve(noon().Add(time.Second), l), noon().Add(time.Second))
		equal(t, "and the next", reserve(noon().Add(time.Second), l), noon().Add(2*time.Second))
		equal(t, "after a long pause", reserve(noon().Add(time.Hour), l), noon().Add(time.Hour))
	})
	t.Run("all of them or none", func(t *testing.T) {
		slow, fast := bot.Limit{Key: "slow", Every: time.Minute, Burst: 1}, bot.Limit{Key: "fast", Every: time.Second, Burst: 1}
		equal(t, "both", reserve(noon(), slow, fast), noon())
		later := noon().Add(10 * time.Second)
		equal(t, "the slower one decides", reserve(later, fast, slow), noon().Add(time.Minute))
		equal(t, "and nothing was counted of the other", reserve(later, fast), later)
	})
	t.Run("a clock that is put back holds nothing up", func(t *testing.T) {
		l := bot.Limit{Key: "clock", Every: time.Second, Burst: 2}
		for range 2 {
			reserve(noon().Add(time.Hour), l)
		}
		equal(t, "by another clock that is a little behind", reserve(noon().Add(time.Hour-time.Second), l), noon().Add(time.Hour+time.Second))
		for range 2 {
			equal(t, "an hour before", reserve(noon(), l), noon())
		}
		equal(t, "after the burst", reserve(noon(), l), noon().Add(time.Second))
	})
	t.Run("what is no limit is refused", func(t *testing.T) {
		for _, l := range []bot.Limit{{}, {Key: "k", Burst: 1}, {Key: "k", Every: time.Second}} {
			refuse(t, s, knowledge.ErrInvalid, func(ctx context.Context, tx bot.Tx) error {
				_, err := tx.Reserve(ctx, noon(), []bot.Limit{l})
				return err
			})
		}
	})
	t.Run("never more than allowed", func(t *testing.T) { testNeverMore(t, s) })
}

// testNeverMore: in any stretch of time there are at most Burst and one for each
// Every of it.
func testNeverMore(t *testing.T, s bot.Store) {
	n := 0
	rapid.Check(t, func(r *rapid.T) {
		n++
		l := bot.Limit{Key: fmt.Sprintf("rapid%d", n), Every: time.Duration(rapid.IntRange(1, 5000).Draw(r, "every")) * time.Millisecond, Burst: rapid.IntRange(1, 5).Draw(r, "burst")}
		now, done := noon(), []time.Time(nil)
		for range rapid.IntRange(1, 20).Draw(r, "asks") {
			now = now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(r, "pause")) * time.Millisecond)
			err := s.Write(t.Context(), func(tx bot.Tx) error {
				at, err := tx.Reserve(t.Context(), now, []bot.Limit{l})
				if err == nil && at.Equal(now) {
					done = append(done, now)
				}
				return err
			})
			if err != nil {
				r.Fatal(err)
			}
		}
		for i := range done {
			for j := i; j < len(done); j++ {
				if most := l.Burst + int(done[j].Sub(done[i])/l.Every); j-i+1 > most {
					r.Fatalf("%d within %v, at most %d: %v", j-i+1, done[j].Sub(done[i]), most, done)
				}
			}
		}
	})
}
