package finder

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

const (
	// shareAtOnce is of how many questions vectors are written in one step: each asks
	// the server once for all that has been written, which takes a while.
	shareAtOnce = 200
	// shareAgain is how often a step is repeated because its questions have changed
	// meanwhile; the late work of the change itself does it all the same.
	shareAgain = 5
)

// share brings a shared index in line with the record as far as the questions go. New
// vectors are written before old ones are deleted, so that a question is never
// missing; then the record is looked at again: what somebody else has written
// meanwhile, and already indexed, must not be put back to what it was.
func (f *Finder) share(ctx context.Context, ids []string) error {
	if !f.o.Shared {
		return nil
	}
	for portion := range slices.Chunk(ids, shareAtOnce) {
		for range shareAgain {
			written, err := f.shareOnce(ctx, portion)
			if err != nil {
				return err
			}
			if portion, err = f.outdated(ctx, portion, written); err != nil {
				return err
			}
			if len(portion) == 0 {
				break
			}
		}
		if len(portion) > 0 {
			return fmt.Errorf("%d questions change faster than they are indexed: %w", len(portion), knowledge.ErrConflict)
		}
	}
	return nil
}

// shareOnce writes what the record has of the questions, and returns their versions.
func (f *Finder) shareOnce(ctx context.Context, ids []string) (versions map[string]int64, err error) {
	var rows []knowledge.Vector
	var keep []knowledge.VectorKey
	versions = map[string]int64{}
	err = f.o.Record.View(ctx, func(tx knowledge.Tx) error {
		s, err := f.load(ctx, tx, ids)
		for _, q := range s.questions {
			versions[q.ID] = q.Version
			if q.Status.Answered() {
				rows = append(rows, s.rows(q)...)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, v := range rows {
		keep = append(keep, v.Key)
	}
	if err := f.o.Index.Upsert(ctx, rows); err != nil {
		return nil, err
	}
	return versions, f.o.Index.DeleteQuestions(ctx, ids, keep...)
}

// outdated returns those of the questions whose versions are others by now.
func (f *Finder) outdated(ctx context.Context, ids []string, versions map[string]int64) ([]string, error) {
	now := map[string]int64{}
	err := f.o.Record.View(ctx, func(tx knowledge.Tx) error {
		found, err := tx.Questions(ctx, knowledge.QuestionFilter{IDs: ids})
		for _, q := range found {
			now[q.ID] = q.Version
		}
		return err
	})
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return now[id] == versions[id] }), err
}

// Verification says how a shared index compares with the record.
type Verification struct {
	Questions int // that should be found by vectors
	Vectors   int // that they should have
	// Missing, Outdated and Orphaned are vectors that are not there, that are older
	// than their questions, and that belong to nothing in the record.
	Missing, Outdated, Orphaned int
	// Wrong are the ids of the questions concerned, sorted.
	Wrong []string
}

// OK reports whether the index is in line with the record.
func (v Verification) OK() bool { return v.Missing+v.Outdated+v.Orphaned == 0 }

// Verify compares a shared index with the record, by id and version, both ways. To
// repair it, give Wrong to IndexQuestions. Without an embedder, or with an index in
// memory, which follows the record by itself, there is nothing to compare.
func (f *Finder) Verify(ctx context.Context) (Verification, error) {
	var v Verification
	if !f.o.Shared || f.o.Embedder == nil {
		return v, nil
	}
	// First: what is indexed afterwards is at worst indexed once more.
	indexed, err := f.o.Index.Stamps(ctx)
	if err != nil {
		return v, fmt.Errorf("verify the index: %w", err)
	}
	var s snapshot
	err = f.o.Record.View(ctx, func(tx knowledge.Tx) error {
		s, err = f.loadWords(ctx, tx, nil)
		return err
	})
	if err != nil {
		return v, fmt.Errorf("verify the index: %w", err)
	}
	wrong := map[string]bool{}
	for _, q := range s.questions {
		if q.Status.Answered() {
			v.compare(q, s.textsOf(q), indexed, wrong)
		}
	}
	for _, stamp := range indexed { // what compare has left
		v.Orphaned++
		wrong[stamp.Question] = true
	}
	v.Wrong = slices.Sorted(maps.Keys(wrong))
	return v, nil
}

// compare takes the vectors of a question out of those that are indexed.
func (v *Verification) compare(q knowledge.Question, texts []text, indexed map[knowledge.VectorKey]knowledge.Stamp, wrong map[string]bool) {
	v.Questions++
	for _, t := range texts {
		v.Vectors++
		stamp, ok := indexed[t.key]
		switch {
		case !ok:
			v.Missing++
			wrong[q.ID] = true
		case stamp.Question != q.ID || stamp.Version != q.Version:
			v.Outdated++
			wrong[q.ID] = true
			wrong[stamp.Question] = true
		}
		delete(indexed, t.key)
	}
}
