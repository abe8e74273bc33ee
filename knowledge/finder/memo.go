package finder

import (
	"context"
	"sync"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// memoSize is how many questions' vectors are remembered: a question is often
// searched for again at once, to find what is related, open or proven.
const memoSize = 512

// memo remembers the vectors of the latest questions. It forgets by halves: at
// memoSize the older half goes.
type memo struct {
	mu         sync.Mutex
	young, old map[string][]float32
}

func newMemo() *memo { return &memo{young: map[string][]float32{}} }

func (m *memo) get(ctx context.Context, e knowledge.Embedder, text string) ([]float32, error) {
	m.mu.Lock()
	v, ok := m.young[text]
	if !ok {
		v, ok = m.old[text]
	}
	m.mu.Unlock()
	if ok {
		m.put(text, v)
		return v, nil
	}
	vs, err := e.Embed(ctx, knowledge.QueryText, []string{text})
	if err != nil {
		return nil, err
	}
	m.put(text, vs[0])
	return vs[0], nil
}

func (m *memo) put(text string, v []float32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.young) >= memoSize/2 {
		m.old, m.young = m.young, map[string][]float32{}
	}
	m.young[text] = v
}
