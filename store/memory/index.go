// Package memory is a vector index in the memory of one process: exact, because
// every vector is compared with the query. Ten thousand vectors of 384 numbers
// take about a millisecond, so it needs no approximation up to some hundred
// thousand.
//
// It keeps nothing. Who opens it loads it from the record of truth and follows
// the changes there.
package memory

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Index implements knowledge.Index.
type Index struct {
	dim int

	mu sync.RWMutex
	// Row i is entries[i] with the dim numbers from values[i*dim] on. Rows are in
	// no order: a row that goes is replaced by the last.
	entries []entry
	values  []float32
	rows    map[knowledge.VectorKey]int
	keys    map[string][]knowledge.VectorKey // of each question
	topics  map[string]int32                 // numbers of the topics seen
}

var _ knowledge.Index = (*Index)(nil)

type entry struct {
	key      knowledge.VectorKey
	kind     knowledge.EmbedKind
	question string
	topic    int32
	version  int64
}

// New returns an empty index for vectors of dim numbers. The error wraps
// knowledge.ErrInvalid when dim is not positive.
func New(dim int) (*Index, error) {
	if dim <= 0 {
		return nil, fmt.Errorf("index of %d dimensions: %w", dim, knowledge.ErrInvalid)
	}
	return &Index{
		dim:    dim,
		rows:   map[knowledge.VectorKey]int{},
		keys:   map[string][]knowledge.VectorKey{},
		topics: map[string]int32{},
	}, nil
}

// check refuses vectors that cannot be compared.
func (x *Index) check(values []float32) error {
	if len(values) != x.dim {
		return fmt.Errorf("vector of %d numbers in an index of %d: %w", len(values), x.dim, knowledge.ErrInvalid)
	}
	for _, v := range values {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("vector with a number that is not finite: %w", knowledge.ErrInvalid)
		}
	}
	return nil
}

// Upsert implements knowledge.Index. The values are copied. When one vector is
// refused none is written.
func (x *Index) Upsert(ctx context.Context, vectors []knowledge.Vector) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, v := range vectors {
		if err := x.check(v.Values); err != nil {
			return fmt.Errorf("index %s of question %q: %w", v.Key, v.Question, err)
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, v := range vectors {
		x.put(v)
	}
	return nil
}

func (x *Index) put(v knowledge.Vector) {
	topic, ok := x.topics[v.Topic]
	if !ok {
		topic = int32(len(x.topics))
		x.topics[v.Topic] = topic
	}
	e := entry{key: v.Key, kind: v.Kind, question: v.Question, topic: topic, version: v.Version}
	row, ok := x.rows[v.Key]
	if !ok {
		x.rows[v.Key] = len(x.entries)
		x.entries = append(x.entries, e)
		x.values = append(x.values, v.Values...)
		x.keys[v.Question] = append(x.keys[v.Question], v.Key)
		return
	}
	if old := x.entries[row].question; old != v.Question {
		x.forget(old, v.Key)
		x.keys[v.Question] = append(x.keys[v.Question], v.Key)
	}
	x.entries[row] = e
	copy(x.values[row*x.dim:], v.Values)
}

// forget takes a key from a question's list.
func (x *Index) forget(question string, key knowledge.VectorKey) {
	left := slices.DeleteFunc(x.keys[question], func(k knowledge.VectorKey) bool { return k == key })
	if len(left) == 0 {
		delete(x.keys, question)
		return
	}
	x.keys[question] = left
}

// DeleteQuestions implements knowledge.Index.
func (x *Index) DeleteQuestions(ctx context.Context, questions []string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, question := range questions {
		for _, key := range x.keys[question] {
			x.remove(x.rows[key])
		}
		delete(x.keys, question)
	}
	return nil
}

// remove takes out one row and puts the last in its place.
func (x *Index) remove(row int) {
	last := len(x.entries) - 1
	delete(x.rows, x.entries[row].key)
	if row != last {
		x.entries[row] = x.entries[last]
		copy(x.values[row*x.dim:(row+1)*x.dim], x.values[last*x.dim:])
		x.rows[x.entries[row].key] = row
	}
	x.entries[last] = entry{} // lets go of its strings
	x.entries, x.values = x.entries[:last], x.values[:last*x.dim]
}

// Versions implements knowledge.Index. A question whose vectors were written
// under different versions is indexed under the oldest of them.
func (x *Index) Versions(ctx context.Context) (map[string]int64, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	out := make(map[string]int64, len(x.keys))
	for _, e := range x.entries {
		if version, ok := out[e.question]; !ok || e.version < version {
			out[e.question] = e.version
		}
	}
	return out, nil
}
