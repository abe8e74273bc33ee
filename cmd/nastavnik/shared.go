package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/finder"
	"github.com/nastavnik-bot/nastavnik/store/milvus"
)

// openShared opens the index on a server, nil where vectors are kept in memory. The
// server may be away.
func (a *app) openShared(ctx context.Context, e knowledge.Embedder) (*milvus.Index, error) {
	if a.cfg.Milvus.Address == "" || e == nil {
		return nil, nil
	}
	m := a.cfg.Milvus
	return milvus.Open(ctx, milvus.Options{
		Address: m.Address, User: m.User, Password: m.Password.Reveal(), TLS: m.TLS,
		Name: m.Collection, Embedder: e.Name(), Dim: e.Dim(), Log: a.log,
	})
}

// admitShared refuses to work with an index that holds the vectors of somebody else or
// of another model: what is near in it means nothing. One that is away or empty is no
// reason to stop: there are the words.
func (a *app) admitShared(ctx context.Context) error {
	if a.shared == nil {
		return nil
	}
	_, err := a.shared.Check(ctx)
	if errors.Is(err, milvus.ErrForeign) || errors.Is(err, milvus.ErrOtherEmbedder) || errors.Is(err, knowledge.ErrInvalid) {
		return err
	}
	if err != nil && ctx.Err() == nil {
		a.log.WarnContext(ctx, "no search by vectors for now", "err", err)
	}
	return nil
}

const (
	// lookAtIndex is how often the replica that keeps the shared index looks whether it
	// is there.
	lookAtIndex = 5 * time.Second
	// verifyAt is the hour of the night at which all of it is compared.
	verifyAt = 3
)

// keepShared brings the shared index in line with the record: in the beginning, every
// night, and whenever it has been away, wiped or lost. One replica does it.
func (a *app) keepShared(ctx context.Context, p post) error {
	if a.shared == nil {
		return nil
	}
	return p.lead(ctx, "index", func(ctx context.Context) error {
		failed := errNotYet // why the index is not known to be whole; nil: it was
		next := time.Now()
		for {
			_, err := a.shared.Check(ctx)
			if failed != nil || err != nil || !time.Now().Before(next) {
				failed = a.mendShared(ctx, failed)
				next = nextHour(time.Now().In(a.cfg.Location()), verifyAt)
			}
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(lookAtIndex):
			}
		}
	})
}

// refillAtOnce is how many questions are written into a new index at once.
const refillAtOnce = 200

// nextHour is when it is that hour again.
func nextHour(now time.Time, hour int) time.Time {
	at := time.Date(now.Year(), now.Month(), now.Day(), hour, 0, 0, 0, now.Location())
	if !at.After(now) {
		at = at.AddDate(0, 0, 1)
	}
	return at
}

// mendShared verifies and repairs the shared index. An error means that it has to be
// tried again; the log hears of it unless it is what failed before.
func (a *app) mendShared(ctx context.Context, before error) error {
	v, err := a.find.Verify(ctx)
	if err == nil && !v.OK() {
		a.log.InfoContext(ctx, "repairing the index", "missing", v.Missing, "outdated", v.Outdated, "orphaned", v.Orphaned)
		if err = a.index(ctx, v.Wrong, nil); err == nil {
			a.log.InfoContext(ctx, "the index is in line with the record", "questions", len(v.Wrong))
		}
	}
	// Whether it is away is logged by the index itself, once.
	if err != nil && ctx.Err() == nil && !errors.Is(err, knowledge.ErrAway) && fmt.Sprint(err) != fmt.Sprint(before) {
		a.log.WarnContext(ctx, "repairing the index failed, trying again", "err", err)
	}
	return err
}

// rebuild is refill in one process at a time: two would fill one collection. What was
// written into the old index during the swap is written once more.
func (a *app) rebuild(ctx context.Context) (v verified, err error) {
	p, err := a.store.join(ctx, "index rebuild")
	if err != nil {
		return v, err
	}
	defer func() { _ = p.leave() }()
	err = p.lead(ctx, "rebuild", func(ctx context.Context) error {
		if v, err = a.refill(ctx); err != nil {
			return err
		}
		last, err := a.find.Verify(ctx)
		if err != nil {
			return err
		}
		return a.index(ctx, last.Wrong, nil)
	})
	if err == nil {
		err = ctx.Err() // who was interrupted while waiting has done nothing
	}
	return v, err
}

// refill makes the shared index anew, beside the one that serves, and lets it serve.
func (a *app) refill(ctx context.Context) (v verified, err error) {
	target, err := a.shared.Begin(ctx)
	if err != nil {
		return v, err
	}
	filler, err := newFinder(finder.Options{Record: record{a.store}, Index: target, Embedder: a.vectors, Log: a.log})
	if err != nil {
		return v, err
	}
	// What changes meanwhile is wrong in the next comparison, and less each time.
	for range 10 {
		found, err := filler.Verify(ctx)
		if err != nil {
			return v, err
		}
		v.Verification = found
		if found.OK() {
			break
		}
		progress := a.progress("Векторы", len(found.Wrong))
		done := 0
		for portion := range slices.Chunk(found.Wrong, refillAtOnce) {
			if err := filler.IndexQuestions(ctx, portion); err != nil {
				return v, err
			}
			done += len(portion)
			progress(done)
		}
		v.repaired += len(found.Wrong)
	}
	if !v.OK() {
		return v, fmt.Errorf("база меняется быстрее, чем переиндексируется (не сходится вопросов: %d): повторите, когда станет тише — готовое не пропадёт: %w", len(v.Wrong), knowledge.ErrConflict)
	}
	return v, target.Swap(ctx)
}
