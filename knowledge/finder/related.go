package finder

import (
	"context"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

const (
	// askedNext is how many of the questions that people asked next are looked at.
	askedNext = 20
	// askedMost is what being asked next adds at most to closeness, which with a
	// common topic is 1.25: what people do says more than what words have in common.
	askedMost = 1.5
	// askedHalf is how many times a question must have been asked next to gain half
	// of that: once may be chance.
	askedHalf = 3
)

// related returns questions that are useful after one that is shown, without
// those in seen.
func (f *Finder) related(ctx context.Context, p knowledge.Page, seen []string) ([]knowledge.Brief, error) {
	o := search.RelatedOptions{Exclude: map[string]bool{}}
	for _, id := range seen {
		o.Exclude[id] = true
	}
	var vector []float32
	var err error
	if o.Boost, vector, err = f.known(ctx, p); err != nil {
		return nil, err
	}
	if f.o.Embedder != nil && vector == nil {
		v, err := f.queries.get(ctx, f.o.Embedder, p.Text)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err == nil {
			vector = v
		}
	}
	scored, err := f.rankRelated(ctx, p.ID, vector, o)
	if err != nil {
		return nil, err
	}
	pages, err := f.read(ctx, idsOf(scored))
	if err != nil {
		return nil, err
	}
	var out []knowledge.Brief
	for _, s := range scored {
		if r, ok := pages[s.ID]; ok {
			out = append(out, r.Brief)
		}
	}
	return out, nil
}

// known reads what the record knows of a page that leads on from it: what is added
// to the closeness of the questions that people asked next, and the vector of its
// own text, nil when there is none yet.
func (f *Finder) known(ctx context.Context, p knowledge.Page) (boost map[string]float64, vector []float32, err error) {
	boost = map[string]float64{}
	err = f.o.Record.View(ctx, func(tx knowledge.Tx) error {
		next, err := tx.AskedNext(ctx, p.ID, askedNext)
		for id, n := range next {
			boost[id] = askedMost * float64(n) / float64(n+askedHalf)
		}
		if err != nil || f.o.Embedder == nil {
			return err
		}
		// Embedding it again would take longer than all the rest.
		hash := knowledge.TextHash(knowledge.QueryText, p.Text)
		vectors, err := tx.Embeddings(ctx, f.o.Embedder.Name(), []string{hash})
		vector = vectors[hash]
		return err
	})
	return boost, vector, err
}

func (f *Finder) rankRelated(ctx context.Context, question string, vector []float32, o search.RelatedOptions) ([]search.Scored, error) {
	f.view.RLock()
	defer f.view.RUnlock()
	hits := f.lookAround(ctx, question, vector)
	o.Later = hits.wait
	found := f.answered.Related(question, f.weights, o)
	hits.wait() // a question that is gone has nothing related, and was not waited for
	return found, hits.err
}
