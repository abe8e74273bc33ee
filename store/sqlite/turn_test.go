package sqlite

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Several writers without a break leave the database free for long enough, often
// enough; those with breaks of their own are not held up.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns()
		stop := time.Now().Add(20 * time.Second)
		var free, lastPause time.Time // since when nobody writes; when others last had their turn
		pauses := 0
		free, lastPause = time.Now(), time.Now()
		var writers sync.WaitGroup
		for range 3 {
			writers.Go(func() {
				for time.Now().Before(stop) {
					if err := turns.begin(t.Context()); err != nil {
						t.Error(err)
						return
					}
					now := time.Now()
					if now.Sub(free) >= turnPause {
						lastPause = now
						pauses++
					}
					if since := now.Sub(lastPause); since > turnLength+100*time.Millisecond {
						t.Errorf("nobody else could write for %v", since)
					}
					time.Sleep(7 * time.Millisecond)
					free = time.Now()
					turns.end()
				}
			})
		}
		writers.Wait()
		time.Sleep(time.Second)
		if pauses < 20 {
			t.Errorf("%d pauses in 20 s", pauses)
		}
		for range 100 {
			begun := time.Now()
			if err := turns.begin(t.Context()); err != nil {
				t.Fatal(err)
			}
			if waited := time.Since(begun); waited > 0 {
				t.Errorf("a writer who makes breaks waited %v", waited)
			}
			turns.end()
			time.Sleep(turnPause + time.Millisecond)
		}
	})
}

func TestTurnsEndWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns()
		if err := turns.begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		hurry, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := turns.begin(hurry); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waiting for another writer: %v", err)
		}
		turns.begun = time.Now().Add(-time.Hour)
		turns.end()
		cancelled, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := turns.begin(cancelled); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("in the pause: %v", err)
		}
		if err := turns.begin(t.Context()); err != nil {
			t.Errorf("after those who gave up: %v", err)
		}
	})
}
