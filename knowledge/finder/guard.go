package finder

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/search"
	"github.com/nastavnik-bot/nastavnik/knowledge/vector"
)

const (
	// neighbours is how many entries near each proposed wording are looked at.
	neighbours = 10
	// replayed is how many of their wordings, the nearest to what is proposed, are
	// asked again: searching stands still for as long as that takes.
	replayed = 60
)

// Disturbs returns the wordings that find the right question now and would not any
// more if the proposal went live: phrasings of the entries near it, and words that
// people have confirmed. Nothing is written.
func (f *Finder) Disturbs(ctx context.Context, p knowledge.Proposal) ([]knowledge.Conflict, error) {
	out, err := f.disturbs(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("what %s would disturb: %w", p.Question, err)
	}
	return out, nil
}

func (f *Finder) disturbs(ctx context.Context, p knowledge.Proposal) ([]knowledge.Conflict, error) {
	if err := f.Sync(ctx); err != nil {
		return nil, err
	}
	added, err := f.prepareAll(ctx, textsOf(p))
	if err != nil {
		return nil, err
	}
	near, err := f.neighbours(ctx, p.Question, added)
	if err != nil || len(near) == 0 {
		return nil, err
	}
	asked, err := f.confirmed(ctx, near)
	if err != nil {
		return nil, err
	}
	wordings := make([]string, len(asked))
	for i, c := range asked {
		wordings[i] = c.wording
	}
	queries, err := f.prepareAll(ctx, wordings)
	if err != nil {
		return nil, err
	}
	for i := range asked {
		asked[i].query = queries[i]
	}
	asked = nearestTo(added, asked)
	passage, err := f.passage(ctx, p)
	if err != nil {
		return nil, err
	}
	proposal := proposed{Proposal: p, added: added, passage: passage}
	if proposal.off, err = f.hubs.of(ctx, proposal.vectors()); err != nil {
		return nil, err
	}
	if proposal.centres, err = f.centreWith(ctx, p, added); err != nil {
		return nil, err
	}
	return f.replay(ctx, proposal, asked)
}

// centreWith returns the centre that the proposal's question would have.
func (f *Finder) centreWith(ctx context.Context, p knowledge.Proposal, added []query) (map[string]centre, error) {
	var wordings [][]float32
	if _, answered := f.answered.Entry(p.Question); answered { // it keeps the wordings that it has
		if p.Text != "" {
			added = added[1:] // which is one of them
		}
		err := f.o.Record.View(ctx, func(tx knowledge.Tx) error {
			s, err := f.load(ctx, tx, []string{p.Question})
			for _, q := range s.questions {
				for _, v := range s.rows(q) {
					if v.Kind == knowledge.QueryText {
						wordings = append(wordings, v.Values)
					}
				}
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	for _, q := range added {
		if q.vector != nil {
			wordings = append(wordings, q.vector)
		}
	}
	centres := map[string]centre{p.Question: centreOf(wordings)}
	return centres, f.hubs.correct(ctx, centres)
}

func textsOf(p knowledge.Proposal) []string {
	if p.Text == "" {
		return p.Wordings
	}
	return append([]string{p.Text}, p.Wordings...)
}

// proposed is a proposal with its vectors.
type proposed struct {
	knowledge.Proposal
	added   []query
	passage []float32 // of question and new answer; nil without one
	off     []float64 // what is taken off the similarities of each of vectors
	centres map[string]centre
}

// vectors returns those of the added wordings and, last, of the passage, as far as
// they are there.
func (p proposed) vectors() [][]float32 {
	var out [][]float32
	for _, q := range p.added {
		if q.vector != nil {
			out = append(out, q.vector)
		}
	}
	if p.passage != nil {
		out = append(out, p.passage)
	}
	return out
}

// confirmation is a wording that is known to mean a question.
type confirmation struct {
	wording  string
	question string
	query    query
}

// prepareAll prepares texts as a search does, embedding them together.
func (f *Finder) prepareAll(ctx context.Context, texts []string) ([]query, error) {
	out := make([]query, len(texts))
	var missing []string
	for i, t := range texts {
		out[i].words = f.parser.Parse(t)
		missing = append(missing, out[i].words.Text)
	}
	if f.o.Embedder == nil || len(texts) == 0 {
		return out, nil
	}
	vectors, err := f.o.Embedder.Embed(ctx, knowledge.QueryText, missing)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		// Words alone still tell most of it.
		f.o.Log.WarnContext(ctx, "embedding for a check failed, checking by words", "err", err)
		return out, nil
	}
	for i := range out {
		out[i].vector = vectors[i]
	}
	return out, nil
}

// neighbours returns the entries that the proposed wordings find, but its own.
func (f *Finder) neighbours(ctx context.Context, own string, added []query) ([]string, error) {
	var out []string
	for _, q := range added {
		ranked, err := f.rank(ctx, q, f.answered, f.o.Index, false)
		if err != nil {
			return nil, err
		}
		for _, s := range ranked[:min(neighbours, len(ranked))] {
			if s.ID != own && !slices.Contains(out, s.ID) {
				out = append(out, s.ID)
			}
		}
	}
	return out, nil
}

// confirmed returns the wordings that are known to mean the questions.
func (f *Finder) confirmed(ctx context.Context, questions []string) ([]confirmation, error) {
	var out []confirmation
	seen := map[string]bool{}
	add := func(question, wording string) {
		if key := question + "\x00" + knowledge.FoldText(wording); !seen[key] {
			seen[key] = true
			out = append(out, confirmation{wording: wording, question: question})
		}
	}
	err := f.o.Record.View(ctx, func(tx knowledge.Tx) error {
		phrasings, err := tx.Phrasings(ctx, questions)
		if err != nil {
			return err
		}
		for _, p := range phrasings {
			add(p.Question, p.Text)
		}
		verdicts, err := tx.Verdicts(ctx, questions)
		for _, v := range verdicts {
			if v.For() && !v.Void {
				add(v.Question, v.Wording)
			}
		}
		return err
	})
	return out, err
}

// nearestTo keeps the confirmations that are nearest to the proposed wordings.
func nearestTo(added []query, asked []confirmation) []confirmation {
	if len(asked) <= replayed {
		return asked
	}
	nearness := make(map[string]float64, len(asked))
	for _, c := range asked {
		best := -1.0
		for _, q := range added {
			best = max(best, cosine(q.vector, c.query.vector))
		}
		nearness[c.wording] = best
	}
	asked = slices.Clone(asked)
	slices.SortStableFunc(asked, func(a, b confirmation) int {
		return cmp.Compare(nearness[b.wording], nearness[a.wording])
	})
	return asked[:replayed]
}

// cosine is that of two vectors of length 1; −1 where one is missing.
func cosine(a, b []float32) float64 {
	if len(a) == 0 || len(a) != len(b) {
		return -1
	}
	return float64(vector.Dot(a, b))
}

// passage embeds the proposed answer.
func (f *Finder) passage(ctx context.Context, p knowledge.Proposal) ([]float32, error) {
	if f.o.Embedder == nil {
		return nil, nil
	}
	title := p.Text
	if title == "" {
		title = f.titleOf(p.Question)
	}
	text := search.PassageText(title, p.Answer)
	if text == "" {
		return nil, nil
	}
	vs, err := f.o.Embedder.Embed(ctx, knowledge.PassageText, []string{text})
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		f.o.Log.WarnContext(ctx, "embedding for a check failed, checking by words", "err", err)
		return nil, nil
	}
	return vs[0], nil
}

// replay asks the wordings with and without the proposal. Searches wait meanwhile:
// the words of the proposal are put into the lexicon and taken out again.
func (f *Finder) replay(ctx context.Context, p proposed, asked []confirmation) ([]knowledge.Conflict, error) {
	f.view.Lock()
	defer f.view.Unlock()
	hits := make([][]search.Near, len(asked))
	right := make([]bool, len(asked))
	for i, c := range asked {
		var err error
		if hits[i], err = f.near(ctx, knowledge.Probe{Values: c.query.vector, K: nearestHits}, f.o.Index); err != nil {
			return nil, err
		}
		first, alone := top(f.answered.Rank(c.query.words, hits[i], f.weights))
		right[i] = alone && first == c.question
	}
	old, had := f.answered.Entry(p.Question)
	f.answered.Put(p.entry(old))
	defer func() {
		if f.answered.Remove(p.Question); had {
			f.answered.Put(old)
		}
	}()
	var out []knowledge.Conflict
	for i, c := range asked {
		if !right[i] {
			continue // it was not found before either
		}
		first, alone := top(f.answered.Rank(c.query.words, p.joined(c.query.vector, hits[i]), f.weights))
		if first == c.question && alone {
			continue
		}
		out = append(out, knowledge.Conflict{
			Wording: c.wording,
			Was:     knowledge.Brief{ID: c.question, Text: f.titleOf(c.question)},
			Now:     knowledge.Brief{ID: p.Question, Text: f.titleOf(p.Question)},
		})
	}
	return out, nil
}

// top returns the first of a ranking, and whether no other has the very words too.
func top(ranked []search.Scored) (id string, alone bool) {
	if len(ranked) == 0 {
		return "", false
	}
	return ranked[0].ID, len(ranked) == 1 || !ranked[1].Parts.Exact
}

func (f *Finder) titleOf(question string) string {
	if e, ok := f.answered.Entry(question); ok && len(e.Phrasings) > 0 {
		return e.Phrasings[0]
	}
	return ""
}

// entry returns an entry with what is proposed for it.
func (p proposed) entry(e search.Entry) search.Entry {
	e.ID = p.Question
	if p.Text != "" {
		e.Phrasings = append([]string{p.Text}, e.Phrasings...)
	}
	e.Phrasings = append(e.Phrasings, p.Wordings...)
	if p.Answer != "" {
		e.Answer = p.Answer
	}
	return e
}

// joined adds the proposal to what the index has near a vector. Its old answer, if
// there is one, gives way to the new.
func (p proposed) joined(vector []float32, hits []search.Near) []search.Near {
	if len(vector) == 0 {
		return hits
	}
	out := make([]search.Near, 0, len(hits)+len(p.added)+1)
	for _, h := range hits {
		own := h.Question == p.Question
		if own && h.Kind == search.Centre || own && h.Kind == search.Passage && p.passage != nil {
			continue
		}
		out = append(out, h)
	}
	if c := p.centres[p.Question]; c.values != nil {
		out = append(out, search.Near{Question: p.Question, Kind: search.Centre, Similarity: cosine(vector, c.values) - c.off})
	}
	vectors := p.vectors()
	for i, v := range vectors {
		n := search.Near{Question: p.Question, Kind: search.Phrasing, Similarity: cosine(vector, v) - p.off[i]}
		if p.passage != nil && i == len(vectors)-1 {
			n.Kind = search.Passage
		}
		out = append(out, n)
	}
	return out
}
