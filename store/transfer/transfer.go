// Package transfer copies everything from one record of truth into another: from the
// embedded database into PostgreSQL, and back.
//
// It knows no table by name. What there is to copy is read from the catalogues of both
// databases, and a difference between them is an error: a table of tomorrow is copied
// or refused, never forgotten. Tables go in the order of their references, rows in the
// order of their primary keys, a portion and the note of how far it came in one
// transaction. So a copy that was killed goes on where it was.
package transfer

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Errors that callers tell apart; the errors that wrap them say in Russian what to do.
var (
	// ErrNotEmpty says that the target holds something that did not come from here.
	ErrNotEmpty = errors.New("target is not empty")
	// ErrOtherSource says that the target holds an unfinished copy of something else.
	ErrOtherSource = errors.New("unfinished copy of another source")
	// ErrSchemas says that the two databases do not have the same tables.
	ErrSchemas = errors.New("schemas differ")
	// ErrDiffers says that what has arrived is not what was sent.
	ErrDiffers = errors.New("copy differs")
	// ErrDone says that the copy has been finished before; see DoneError.
	ErrDone = errors.New("copied already")
)

// DoneError says when the copy was finished.
type DoneError struct{ At time.Time }

// Error implements error.
func (e *DoneError) Error() string {
	return fmt.Sprintf("%v at %s", ErrDone, e.At.Format(time.RFC3339))
}

// Unwrap makes errors.Is(err, ErrDone) true.
func (e *DoneError) Unwrap() error { return ErrDone }

// Stage is what a copy is doing.
type Stage int

// The stages.
const (
	Copying   Stage = iota // rows into the target
	Verifying              // rows of both, once each
)

// Options say how to copy.
type Options struct {
	// Portion is how many rows go in one transaction; 0: 2,000. Large rows go in
	// smaller portions.
	Portion int
	// Progress hears how many rows of how many are through a stage; nil for nobody.
	Progress func(stage Stage, done, total int64)
	// Files copies the contents of attachments, named by their keys, which the databases
	// do not hold; it is called when all rows are there, and again when it was
	// interrupted. nil for nothing.
	Files func(ctx context.Context, contents []string) error
	Now   func() time.Time // nil: time.Now
}

const (
	portionRows  = 2_000
	portionBytes = 8 << 20
)

// TableReport is what became of a table.
type TableReport struct {
	Name string
	Rows int64  // in it now
	New  int64  // that came in this run
	Sum  string // SHA-256 of all its rows, the same on both sides
}

// Report is what a copy has done.
type Report struct {
	Tables  []TableReport
	Jobs    int   // late work: events at a time, chats to wake
	Index   int   // questions to index
	Cleaned int64 // texts with bytes that PostgreSQL cannot store, which were left out
	Resumed bool  // an earlier run had begun
}

// Rows returns how many rows are in all tables.
func (r Report) Rows() (n int64) {
	for _, t := range r.Tables {
		n += t.Rows
	}
	return n
}

// Copy copies everything and verifies it. When it is interrupted, the same call goes on
// from there. The error wraps ErrDone when the copy has been finished before, and
// ErrNotEmpty, ErrOtherSource, ErrSchemas or ErrDiffers.
func Copy(ctx context.Context, from, to *Base, o Options) (Report, error) {
	if o.Portion <= 0 {
		o.Portion = portionRows
	}
	if o.Progress == nil {
		o.Progress = func(Stage, int64, int64) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &copying{from: from.db, to: to.db, o: o}
	r, err := c.run(ctx)
	return r, to.db.explain(err)
}

// Restart removes from the target what an unfinished copy has brought, so that Copy
// begins again. A target that holds anything else is not touched: the error wraps
// ErrNotEmpty.
func Restart(ctx context.Context, from, to *Base) error {
	tables, err := plan(ctx, from.db, to.db)
	if err != nil {
		return to.db.explain(err)
	}
	err = to.db.write(ctx, func(w writer) error {
		whole, begun, err := w.noted(ctx, whole)
		switch {
		case err != nil:
			return err
		case !begun:
			return fmt.Errorf("незаконченной копии здесь нет, стирать нечего: %w", ErrNotEmpty)
		case whole.done != 0:
			return fmt.Errorf("копия сюда закончена, с этой базой уже могли работать — стирать её нельзя; для новой копии создайте другую базу: %w", ErrNotEmpty)
		}
		for i := len(tables) - 1; i >= 0; i-- { // those that refer to others first
			if err := w.clear(ctx, tables[i].name); err != nil {
				return err
			}
		}
		return w.forget(ctx)
	})
	return to.db.explain(err)
}
