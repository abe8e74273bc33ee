package finder

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

// From where on an answer is much the same as another, and a question as one that was
// refused. A senior is asked then, and a question too many disturbs somebody who has
// just helped: of the demo's 5,671 pairs of different answers none has more than 0.46
// of its words in common, and none a cosine above 0.932.
const (
	repeatedWords = 0.7 // search.Query.Overlap of the answers, at least
	// repeatedMeaning are a cosine of the answers' passages and an overlap that are
	// enough together: the same told in other words.
	repeatedMeaning, meaningWords = 0.96, 0.5
	repeatedQuestion              = 0.85 // search.Query.Overlap of the questions, at least
	// tellingWords is how many different words an answer has at least: «У охраны» may
	// answer anything.
	tellingWords = 4
)

// Repeats returns the entry that an answer repeats or contradicts: one with much the
// same answer, or one whose question is much the same and which the askers have
// refused. Nil when there is none.
func (f *Finder) Repeats(ctx context.Context, p knowledge.Proposal, refused []string) (*knowledge.Page, error) {
	page, err := f.repeats(ctx, p, refused)
	if err != nil {
		return nil, fmt.Errorf("what the answer of %s repeats: %w", p.Question, err)
	}
	return page, nil
}

func (f *Finder) repeats(ctx context.Context, p knowledge.Proposal, refused []string) (*knowledge.Page, error) {
	near := slices.Clone(refused)
	for _, text := range []string{p.Text, p.Answer} {
		q, err := f.prepare(ctx, text)
		if err != nil {
			return nil, err
		}
		ranked, err := f.rank(ctx, q, f.answered, f.o.Index, false)
		if err != nil {
			return nil, err
		}
		near = append(near, idsOf(ranked[:min(neighbours, len(ranked))])...)
	}
	slices.Sort(near)
	near = slices.DeleteFunc(slices.Compact(near), func(id string) bool { return id == p.Question })
	pages, err := f.read(ctx, near)
	if err != nil || len(pages) == 0 {
		return nil, err
	}
	meant, err := f.meanings(ctx, p.Answer, pages)
	if err != nil {
		return nil, err
	}
	var best *knowledge.Page
	most := 0.0
	for _, id := range near {
		page, there := pages[id]
		if !there {
			continue
		}
		like := sameAnswer(p.Answer, page.Answer, meant[id])
		if slices.Contains(refused, id) {
			like = max(like, f.sameQuestion(p.Text, id))
		}
		if like > most {
			best, most = &page, like
		}
	}
	return best, nil
}

// sameAnswer returns how much two answers have in common when that is enough to call
// them the same, else 0.
func sameAnswer(a, b string, meaning float64) float64 {
	words := strings.Fields(knowledge.FoldText(a))
	overlap := search.Query{Words: words}.Overlap(b)
	switch {
	case knowledge.FoldText(a) == knowledge.FoldText(b):
		return 1
	case differing(words) < tellingWords || differing(strings.Fields(knowledge.FoldText(b))) < tellingWords:
		return 0
	case overlap >= repeatedWords, overlap >= meaningWords && meaning >= repeatedMeaning:
		return overlap
	}
	return 0
}

func differing(words []string) int {
	seen := map[string]bool{}
	for _, w := range words {
		seen[w] = true
	}
	return len(seen)
}

// sameQuestion returns how much a text has in common with the nearest wording of an
// entry when that is enough to call them the same, else 0.
func (f *Finder) sameQuestion(text, id string) float64 {
	f.view.RLock()
	defer f.view.RUnlock()
	e, ok := f.answered.Entry(id)
	if !ok {
		return 0
	}
	q := search.Query{Words: strings.Fields(knowledge.FoldText(text))}
	most := 0.0
	for _, wording := range e.Phrasings {
		most = max(most, q.Overlap(wording))
	}
	if most < repeatedQuestion {
		return 0
	}
	return most
}

// meanings returns the cosines of an answer and those of pages, nothing without an
// embedder: then words alone must do.
func (f *Finder) meanings(ctx context.Context, answer string, pages map[string]knowledge.Page) (map[string]float64, error) {
	out := map[string]float64{}
	if f.o.Embedder == nil {
		return out, nil
	}
	texts := []string{answer}
	var ids []string
	for id, page := range pages {
		// An embedding takes a tenth of a second: only of those that may come near.
		if (search.Query{Words: strings.Fields(knowledge.FoldText(answer))}).Overlap(page.Answer) >= meaningWords {
			ids = append(ids, id)
			texts = append(texts, page.Answer)
		}
	}
	if len(ids) == 0 {
		return out, nil
	}
	vectors, err := f.o.Embedder.Embed(ctx, knowledge.PassageText, texts)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		f.o.Log.WarnContext(ctx, "embedding for a check failed, checking by words", "err", err)
		return out, nil
	}
	for i, id := range ids {
		out[id] = cosine(vectors[0], vectors[i+1])
	}
	return out, nil
}
