package finder

import (
	"context"
	"sync"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

const (
	// aroundSize is of how many questions the surroundings are remembered.
	aroundSize = 1_024
	// aroundFor is for how long: an index on a server may be written to after the
	// record has changed.
	aroundFor = 30 * time.Second
)

// surroundings remembers what the index has near questions that were shown: a few
// questions make most of the answers, and what is related to them is looked for each
// time. They are forgotten with every change of the base.
type surroundings struct {
	mu sync.Mutex
	of map[string]surrounding
}

type surrounding struct {
	hits  []knowledge.VectorHit
	until time.Time
}

func (s *surroundings) get(question string) ([]knowledge.VectorHit, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept, ok := s.of[question]
	return kept.hits, ok && time.Now().Before(kept.until)
}

func (s *surroundings) put(question string, hits []knowledge.VectorHit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil || len(s.of) >= aroundSize {
		s.of = map[string]surrounding{}
	}
	s.of[question] = surrounding{hits, time.Now().Add(aroundFor)}
}

func (s *surroundings) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of = nil
}

// lookAround begins to look for hits near a question's own vector. The caller holds the
// view until it has waited.
func (f *Finder) lookAround(ctx context.Context, question string, vector []float32) *hits {
	h := &hits{done: make(chan struct{})}
	if kept, ok := f.around.get(question); ok {
		h.near = f.hubs.near(vector, kept, nil)
		close(h.done)
		return h
	}
	go func() {
		defer close(h.done)
		found, ok, err := f.nearest(ctx, knowledge.Probe{Values: vector, K: nearestHits}, f.o.Index)
		if ok {
			f.around.put(question, found)
		}
		h.near, h.err = f.hubs.near(vector, found, nil), err
	}()
	return h
}
