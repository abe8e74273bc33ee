package finder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/everyday"
	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

// hubs knows how near to everyday questions each vector of the base is, and takes
// that off similarities; and the centres of questions with several wordings. Whoever
// changes it holds the finder's view for writing.
type hubs struct {
	pool    *everyday.Pool // nil: nothing is taken off
	weights search.Weights
	off     map[string][]hub  // by question
	centres map[string]centre // by question
}

// hub is a vector that the record has, and what is taken off its similarities.
type hub struct {
	key     knowledge.VectorKey
	version int64 // of its question
	off     float64
}

// holds reports whether a hit is of this vector as the record has it. The text of a
// phrasing stays what it is under its key; an answer's does not.
func (h hub) holds(hit knowledge.VectorHit) bool {
	return h.key == hit.Key && (hit.Kind != knowledge.PassageText || h.version == hit.Version)
}

// newHubs returns the hubs for an embedder, nil for none. There are everyday vectors of the
// built-in one only; the similarities of another stay as they are, and so does what
// has been fitted with them.
func newHubs(e knowledge.Embedder, w search.Weights, log *slog.Logger) *hubs {
	h := &hubs{weights: w, off: map[string][]hub{}, centres: map[string]centre{}}
	if e == nil {
		return h
	}
	pool, err := everyday.Load(e.Name(), e.Dim())
	switch {
	case err == nil:
		h.pool = pool
	case !errors.Is(err, everyday.ErrNoVectors):
		// The search is a little worse, no reason to stop it.
		log.Warn("similarities are not corrected for hubs", "err", err)
	}
	return h
}

// learn takes in vectors that go into an index.
func (h *hubs) learn(ctx context.Context, vectors []knowledge.Vector) error {
	values := make([][]float32, len(vectors))
	for i, v := range vectors {
		values[i] = v.Values
	}
	off, err := h.of(ctx, values)
	if err != nil {
		return err
	}
	centres := centresOf(vectors)
	if err := h.correct(ctx, centres); err != nil {
		return err
	}
	for _, v := range vectors { // what was known of the question is of older vectors
		delete(h.off, v.Question)
		delete(h.centres, v.Question)
	}
	maps.Copy(h.centres, centres)
	for i, v := range vectors {
		h.off[v.Question] = append(h.off[v.Question], hub{v.Key, v.Version, off[i]})
	}
	return nil
}

// of returns what is to be taken off the similarities of vectors.
func (h *hubs) of(ctx context.Context, vectors [][]float32) ([]float64, error) {
	off := make([]float64, len(vectors))
	if h.pool == nil {
		return off, nil
	}
	nearness, err := h.pool.Nearness(ctx, vectors)
	if err != nil {
		return nil, fmt.Errorf("hubs: %w", err)
	}
	for i, n := range nearness {
		off[i] = h.weights.HubCorrection(n)
	}
	return off, nil
}

// forget drops what is known of questions.
func (h *hubs) forget(questions []string) {
	for _, id := range questions {
		delete(h.off, id)
		delete(h.centres, id)
	}
}

// near shows hits of the index to the ranking, corrected, together with the centres
// of their questions. Hits that the record does not have, or no longer so, are left
// out: an index on a server lags behind it, or runs ahead. Changed are centres that are not what they are in the base; nil
// for none.
func (h *hubs) near(query []float32, hits []knowledge.VectorHit, changed map[string]centre) []search.Near {
	out := make([]search.Near, 0, len(hits))
	for _, hit := range hits {
		of := h.off[hit.Question]
		at := slices.IndexFunc(of, func(known hub) bool { return known.holds(hit) })
		if at < 0 {
			continue
		}
		n := search.Near{Question: hit.Question, Similarity: hit.Similarity - of[at].off}
		if hit.Kind == knowledge.PassageText {
			n.Kind = search.Passage
		}
		out = append(out, n)
	}
	return append(out, h.central(query, hits, changed)...)
}
