package sqlite

import (
	"context"
	"time"
)

// SQLite has no queue of writers: a process that waits looks whether the
// database is free, at last every 100 ms, and one that commits and begins again
// at once is always there before it. So who has written for a turn pauses for
// longer than that. An import loses an eighth of its speed, and only while it
// writes without a break; without the pause a bot beside it was kept from
// writing for seconds.
const (
	turnLength = 800 * time.Millisecond
	turnPause  = 110 * time.Millisecond
)

// turns lets the writers of one process go one by one, and other processes in
// between.
type turns struct {
	free  chan struct{} // holds one token; who has it writes
	begun time.Time     // of this process's turn
	ended time.Time     // of its latest transaction
}

func newTurns() *turns {
	t := &turns{free: make(chan struct{}, 1)}
	t.free <- struct{}{}
	return t
}

// begin waits until this process may write.
func (t *turns) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-t.free:
	case <-ctx.Done():
		return ctx.Err()
	}
	now := time.Now()
	switch {
	case now.Sub(t.ended) > turnPause: // there was a pause
		t.begun = now
	case now.Sub(t.begun) > turnLength:
		select {
		case <-time.After(turnPause):
			t.begun = time.Now()
		case <-ctx.Done():
			t.free <- struct{}{}
			return ctx.Err()
		}
	}
	return nil
}

// end lets the next writer begin.
func (t *turns) end() {
	t.ended = time.Now()
	t.free <- struct{}{}
}
