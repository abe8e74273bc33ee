package finder

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// vectorsAtOnce is of how many questions the first loading reads the vectors at a
// time: those of all of them would be in memory twice.
const vectorsAtOnce = 500

// textsAtOnce is of how many questions at least a goroutine takes the texts.
const textsAtOnce = 50

// loadAll takes in everything, the first time. Words are indexed while vectors are
// read.
func (f *Finder) loadAll(ctx context.Context) error {
	f.view.Lock()
	defer f.view.Unlock()
	var s snapshot
	err := f.o.Record.View(ctx, func(tx knowledge.Tx) error {
		seq, err := tx.LastChange(ctx)
		if err != nil {
			return err
		}
		if s, err = f.loadWords(ctx, tx, nil); err != nil {
			return err
		}
		f.seq = seq
		f.cal.Store(s.calibration)
		return f.takeAll(ctx, tx, s)
	})
	if err == nil {
		return nil
	}
	// Half of it must not stay: what is gone from the record when this is tried
	// again would never leave.
	ids := make([]string, len(s.questions))
	for i, q := range s.questions {
		ids[i] = q.ID
	}
	return errors.Join(err, f.remove(context.WithoutCancel(ctx), ids))
}

// takeAll takes in the words of a snapshot and, portion by portion, its vectors.
func (f *Finder) takeAll(ctx context.Context, tx knowledge.Tx, s snapshot) error {
	var words sync.WaitGroup
	words.Go(func() { f.putWords(s) })
	defer words.Wait()
	return f.eachPortion(ctx, tx, s, func(portion snapshot) error { return f.putVectors(ctx, portion) })
}

// eachPortion calls fn for portions of a snapshot with their vectors; never without
// an embedder.
func (f *Finder) eachPortion(ctx context.Context, tx knowledge.Tx, s snapshot, fn func(portion snapshot) error) error {
	if f.o.Embedder == nil {
		return nil
	}
	for questions := range slices.Chunk(s.questions, vectorsAtOnce) {
		portion := snapshot{questions: questions, phrasings: s.phrasings}
		if err := f.loadVectors(ctx, tx, &portion); err != nil {
			return err
		}
		if err := fn(portion); err != nil {
			return err
		}
	}
	return nil
}

// textsInParts returns what is embedded of every question of a snapshot, on all
// processors: cleaning and hashing take longer than reading.
func (s snapshot) textsInParts() map[string][]text {
	texts := make([][]text, len(s.questions))
	var wg sync.WaitGroup
	size := max(textsAtOnce, (len(texts)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	for begin := 0; begin < len(texts); begin += size {
		wg.Go(func() {
			for i := begin; i < min(begin+size, len(texts)); i++ {
				texts[i] = s.textsOf(s.questions[i])
			}
		})
	}
	wg.Wait()
	out := make(map[string][]text, len(texts))
	for i, q := range s.questions {
		out[q.ID] = texts[i]
	}
	return out
}
