package finder

import (
	"context"
	"math"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/search"
	"github.com/nastavnik-bot/nastavnik/knowledge/vector"
)

// centre is the mean of the vectors of a question's wordings, scaled to length 1,
// and what is taken off its similarities as of a hub. The zero centre is none.
type centre struct {
	values []float32
	off    float64
}

// centreOf returns the centre of vectors: none for fewer than two, and for those that
// cancel out.
func centreOf(vectors [][]float32) centre {
	if len(vectors) < 2 {
		return centre{}
	}
	sum := make([]float32, len(vectors[0]))
	for _, v := range vectors {
		for i := range sum {
			sum[i] += v[i]
		}
	}
	length := float32(math.Sqrt(float64(vector.Dot(sum, sum))))
	if length < 1e-6 {
		return centre{}
	}
	for i := range sum {
		sum[i] /= length
	}
	return centre{values: sum}
}

// centresOf returns the centres of the questions that vectors belong to.
func centresOf(vectors []knowledge.Vector) map[string]centre {
	wordings := map[string][][]float32{}
	for _, v := range vectors {
		if v.Kind == knowledge.QueryText {
			wordings[v.Question] = append(wordings[v.Question], v.Values)
		}
	}
	out := map[string]centre{}
	for id, of := range wordings {
		if c := centreOf(of); c.values != nil {
			out[id] = c
		}
	}
	return out
}

// correct finds out what is taken off the similarities of centres.
func (h *hubs) correct(ctx context.Context, centres map[string]centre) error {
	ids := make([]string, 0, len(centres))
	values := make([][]float32, 0, len(centres))
	for id, c := range centres {
		if c.values != nil {
			ids, values = append(ids, id), append(values, c.values)
		}
	}
	off, err := h.of(ctx, values)
	if err != nil {
		return err
	}
	for i, id := range ids {
		c := centres[id]
		c.off = off[i]
		centres[id] = c
	}
	return nil
}

// central returns, for the questions of hits that have a centre, how near that is to
// the query. Changed centres stand before those that are known.
func (h *hubs) central(query []float32, hits []knowledge.VectorHit, changed map[string]centre) []search.Near {
	var out []search.Near
	seen := map[string]bool{}
	for _, hit := range hits {
		if seen[hit.Question] {
			continue
		}
		seen[hit.Question] = true
		c, ok := changed[hit.Question]
		if !ok {
			c = h.centres[hit.Question]
		}
		if c.values != nil {
			out = append(out, search.Near{Question: hit.Question, Kind: search.Centre, Similarity: float64(vector.Dot(query, c.values)) - c.off})
		}
	}
	return out
}
