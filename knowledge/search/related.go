package search

import (
	"cmp"
	"maps"
	"slices"
)

// RelatedOptions say which questions go with one that was shown.
type RelatedOptions struct {
	// Near are the vector hits of the shown question's own canonical phrasing;
	// without them words alone decide.
	Near []Near
	// Later is for hits that are still being looked for: it stands in for Near, waits
	// for them, and is called at most once.
	Later func() []Near
	// Exclude are questions not to offer again: those already shown in the dialogue.
	Exclude map[string]bool
	// Boost adds to a question's closeness, which is 0 to 1 without it, as for those
	// that people asked next in the same conversation. They are offered even where
	// nothing else makes them close.
	Boost map[string]float64
	// Limit is how many to return; 0 means 3.
	Limit int
}

const (
	defaultRelated = 3
	// paraphrase is the character cosine above which a question says the same.
	paraphrase = 0.7
	// sameTopic is what being of the shown question's topic adds to closeness.
	sameTopic = 0.25
	// spread is the λ of maximal marginal relevance (Carbonell and Goldstein 1998).
	spread = 0.7
	// relatedPool is how many of the closest are spread out.
	relatedPool = 40
)

// Related returns questions that are useful after shown: close to it and of its
// topic if it has one, but neither paraphrases of it nor of one another. The best
// comes first; there may be fewer than asked for. An unknown question has none.
func (l *Lexicon) Related(shown string, w Weights, o RelatedOptions) []Scored {
	if o.Limit <= 0 {
		o.Limit = defaultRelated
	}
	l.mu.RLock()
	slot, ok := l.slots[shown]
	var entry Entry
	if ok {
		entry = l.items[slot].entry
	}
	l.mu.RUnlock()
	if !ok || len(entry.Phrasings) == 0 {
		return nil
	}
	near := o.Later
	if near == nil {
		near = func() []Near { return o.Near }
	}
	ranked := l.RankWhile(plainQuery(entry.Phrasings[0]), near, w)
	l.mu.RLock()
	defer l.mu.RUnlock()
	if _, ok := l.slots[shown]; !ok {
		return nil // removed meanwhile
	}
	return l.spreadOut(l.relatives(entry, ranked, o), o.Limit)
}

// plainQuery is a stored text as a query, which needs no repair.
func plainQuery(text string) Query {
	q := Query{Raw: Clean(text)}
	q.Text = q.Raw
	q.Words = words(fold(q.Text), maxQueryWords)
	q.Stems = stems(q.Words)
	return q
}

// relatives scores what may be offered by closeness, 0 to 1, plus topic and boost.
func (l *Lexicon) relatives(shown Entry, ranked []Scored, o RelatedOptions) []Scored {
	var out []Scored
	var hi, lo float64
	ranked = withBoosted(ranked, o.Boost)
	same := l.paraphrases(shown.ID, ranked)
	for _, s := range ranked {
		if _, ok := l.slots[s.ID]; !ok || s.ID == shown.ID || o.Exclude[s.ID] || same[s.ID] {
			continue
		}
		if len(out) == 0 {
			hi, lo = s.Score, s.Score
		}
		lo = min(lo, s.Score)
		hi = max(hi, s.Score)
		out = append(out, s)
	}
	for i := range out {
		out[i].Score = ratio(out[i].Score-lo, hi-lo) + o.Boost[out[i].ID]
		if topic := l.items[l.slots[out[i].ID]].entry.Topic; topic != "" && topic == shown.Topic {
			out[i].Score += sameTopic
		}
	}
	slices.SortFunc(out, func(a, b Scored) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
	})
	return out[:min(len(out), relatedPool)]
}

// withBoosted adds, as far as anything, what is boosted and not ranked.
func withBoosted(ranked []Scored, boost map[string]float64) []Scored {
	far := 0.0
	missing := maps.Clone(boost)
	for i, s := range ranked {
		delete(missing, s.ID)
		if i == 0 || s.Score < far {
			far = s.Score
		}
	}
	for id := range missing {
		ranked = append(ranked, Scored{ID: id, Score: far})
	}
	return ranked
}

// paraphrases returns those of ranked that say much the same as a wording of shown.
func (l *Lexicon) paraphrases(shown string, ranked []Scored) map[string]bool {
	out := map[string]bool{}
	var v tfidf
	for _, doc := range l.items[l.slots[shown]].phrasings {
		l.chars.ofDoc(doc, &v)
		for _, s := range ranked {
			if _, ok := l.slots[s.ID]; ok && l.likeness(&v, s.ID) >= paraphrase {
				out[s.ID] = true
			}
		}
	}
	return out
}

// spreadOut picks by maximal marginal relevance.
func (l *Lexicon) spreadOut(from []Scored, limit int) []Scored {
	var picked []Scored
	var v tfidf
	nearest := make(map[string]float64, len(from)) // likeness to the nearest picked
	for len(picked) < limit {
		best, bestGain := -1, 0.0
		for i, s := range from {
			gain := spread*s.Score - (1-spread)*nearest[s.ID]
			if nearest[s.ID] < paraphrase && (best < 0 || gain > bestGain) {
				best, bestGain = i, gain
			}
		}
		if best < 0 {
			break
		}
		picked = append(picked, from[best])
		from = slices.Delete(from, best, best+1)
		l.canonical(picked[len(picked)-1].ID, &v)
		for _, s := range from {
			nearest[s.ID] = max(nearest[s.ID], l.likeness(&v, s.ID))
		}
	}
	return picked
}
