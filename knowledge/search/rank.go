package search

import (
	"cmp"
	"maps"
	"slices"
)

// NearKind says what a vector hit is the vector of.
type NearKind int

// The kinds of vectors.
const (
	Phrasing NearKind = iota // a wording of the question
	Passage                  // its answer, embedded as [PassageText] says
	Centre                   // the mean of its wordings, where it has several
)

// Near is one hit of the vector index.
type Near struct {
	Question string // ID of its entry
	Kind     NearKind
	// Similarity is the cosine to the query, −1 to 1. It may come with a correction
	// for hubs, if the weights and the calibration were fitted with it.
	Similarity float64
}

// Weights fuse the parts of a score. They belong to an embedder, because each
// spreads its cosines over another range.
type Weights struct {
	Vector  float64 `json:"vector"`
	Passage float64 `json:"passage"`
	Lexical         // beside vectors
	Alone   Lexical `json:"alone"` // where no vectors are at hand
	// Hub is the share of a vector's nearness to everyday questions, as far as it is
	// above HubZero, that is taken off its similarities; see [Weights.HubCorrection].
	Hub     float64 `json:"hub"`
	HubZero float64 `json:"hub_zero"`
	// Centre is the share of the centre in the similarity of a question that has one;
	// the best phrasing has the rest. The more wordings a question has, the likelier is
	// one of them near by chance, and the better is their mean known.
	Centre float64 `json:"centre"`
}

// HubCorrection returns what to take off every similarity of a vector whose nearness
// to everyday questions, a mean cosine, is given: what is near to everything says
// little when it is near (as with CSLS, Conneau et al., "Word Translation Without
// Parallel Data", 2018, §2.3, but against a pool of unrelated texts). It may be
// negative.
func (w Weights) HubCorrection(nearness float64) float64 { return w.Hub * (nearness - w.HubZero) }

// Lexical are the weights of the parts that come from words.
type Lexical struct {
	Chars float64 `json:"chars"`
	Words float64 `json:"words"`
	Whole float64 `json:"whole"`
}

// Parts explain a score. A similarity that the vector index did not return is
// taken as the lowest that it did return of that kind.
type Parts struct {
	Vector   float64 // cosine of the best phrasing and of the centre, see [Weights]; 0 without vectors
	Passage  float64 // best cosine of the answer; 0 without such vectors
	Chars    float64 // best TF-IDF cosine of character n-grams of a phrasing, 0–1
	Words    float64 // best BM25 of a phrasing, the query's best entry having 1
	Whole    float64 // BM25 of question and answer, the query's best entry having 1
	Coverage float64 // share of the query's idf that the best phrasing holds, 0–1
	// Depth is the BM25 of question and answer as a share of what no text can reach,
	// 0–1: how much of the query the entry speaks of, words that the whole base lacks
	// included. Where Whole is 1 for the best entry of any query, this tells a good
	// one.
	Depth   float64
	Exact   bool    // a phrasing is the query but for case, ё, spacing and marks
	Refused bool    // people said that it does not answer this very wording
	Doubt   float64 // Entry.Doubt: log odds by which it is trusted less
	Among   int     // how many questions the base has; 0: not known
}

// Scored is one question of a ranking.
type Scored struct {
	ID    string
	Score float64
	// Meaning is what the vectors give of Score; the rest is what the words give.
	Meaning float64
	Parts   Parts
	// TwinOf is the ID of a question that ranks higher and says nearly the same;
	// empty if there is none. Only the first twelve are compared.
	TwinOf string
}

const (
	// pool is how many questions each way of searching by words adds to those that
	// the vectors found.
	pool = 50
	// leastRanked is how many questions a ranking has at least, if the base has them.
	leastRanked = 10
	// gramBudget bounds how many postings of n-grams are read to choose candidates.
	gramBudget = 30_000
	// twinDepth is how far down the ranking near-duplicates are looked for.
	twinDepth = 12
	// twinCosine is the character cosine of canonical phrasings above which two
	// questions say nearly the same.
	twinCosine = 0.85
)

// scratch is the working memory of one Rank.
type scratch struct {
	words, cover, chars, whole accumulator
	slots                      accumulator // of entries, for one of the others at a time
	vector                     tfidf       // of the query, later of a document
}

func (s *scratch) reset() {
	s.words.reset()
	s.cover.reset()
	s.chars.reset()
	s.whole.reset()
	s.slots.reset()
	s.vector.reset()
}

// Rank orders the questions that may be meant, the best first and equal scores by
// ID. Candidates are the questions of near and the best by words; the best
// phrasing speaks for its question. Hits of unknown questions are ignored. Without
// near the weights w.Alone apply. There are ten or more if the base has them, though
// the last may have nothing of the query.
func (l *Lexicon) Rank(q Query, near []Near, w Weights) []Scored {
	return l.RankWhile(q, func() []Near { return near }, w)
}

// RankWhile is Rank for hits that are still being looked for: near, which waits for
// them, is called when the words have been searched.
func (l *Lexicon) RankWhile(q Query, near func() []Near, w Weights) []Scored {
	l.mu.RLock()
	defer l.mu.RUnlock()
	s := l.scratch.Get().(*scratch)
	defer func() { s.reset(); l.scratch.Put(s) }()

	m := l.match(q, s)
	vectors := l.gather(near(), w.Centre)
	slots := l.candidates(s, vectors)
	if len(slots) > 0 || len(q.Words) > 0 {
		slots = l.fillUp(slots)
	}
	out := make([]Scored, len(slots))
	var bestWords, bestWhole float64
	for i, slot := range slots {
		out[i] = Scored{ID: l.items[slot].entry.ID, Parts: l.parts(slot, m, s)}
		bestWords = max(bestWords, out[i].Parts.Words)
		bestWhole = max(bestWhole, out[i].Parts.Whole)
	}
	for i, slot := range slots {
		p := &out[i].Parts
		p.Words, p.Whole = ratio(p.Words, bestWords), ratio(p.Whole, bestWhole)
		vectors.fill(p, slot)
		if l.items[slot].bare() {
			p.Passage = p.Vector // it has none, which must not count against it
		}
		out[i].Meaning = w.meaning(*p, vectors)
		out[i].Score = out[i].Meaning + w.words(*p, vectors)
	}
	l.judge(q, slots, out)
	slices.SortFunc(out, Better)
	l.markTwins(out, &s.vector)
	return out
}

// judge marks the questions that have the very words of the query, with or
// without its greetings, and those that people refused for them.
func (l *Lexicon) judge(q Query, slots []uint32, out []Scored) {
	var keys []uint64
	for _, tokens := range [][]string{q.Words, phrasingWords(q.Raw)} {
		if len(tokens) > 0 {
			keys = append(keys, exactKey(tokens))
		}
	}
	for i, slot := range slots {
		it := &l.items[slot]
		p := &out[i].Parts
		p.Doubt = it.entry.Doubt
		p.Among = len(l.slots)
		for _, key := range keys {
			p.Exact = p.Exact || slices.Contains(l.exact[key], slot)
			p.Refused = p.Refused || slices.Contains(it.refused, key)
		}
	}
}

// Better is the order of a ranking: what people refused comes last, the very words
// first, then what scores more; equal scores by ID. It is negative when a is better.
func Better(a, b Scored) int {
	return cmp.Or(ahead(b.Parts.Refused, a.Parts.Refused), ahead(a.Parts.Exact, b.Parts.Exact),
		cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
}

// ahead puts the one that has it before the one that has it not.
func ahead(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

// meaning is what the vectors give of a score, 0 without any.
func (w Weights) meaning(p Parts, v vectorHits) float64 {
	if v.none() {
		return 0
	}
	passage := p.Passage
	if len(v.passage) == 0 { // answers have no vectors (yet): the scale must stay
		passage = p.Vector
	}
	return w.Vector*p.Vector + w.Passage*passage
}

// words is what the words give of a score.
func (w Weights) words(p Parts, v vectorHits) float64 {
	of := w.Lexical
	if v.none() {
		of = w.Alone
	}
	return of.Chars*p.Chars + of.Words*p.Words + of.Whole*p.Whole
}

func (v vectorHits) none() bool { return len(v.phrasing) == 0 && len(v.passage) == 0 }

// match is what the words of a query gave, beside the sums in the scratch memory.
type match struct {
	coverage float64 // idf of the whole query
	deepest  float64 // BM25 that no text can reach
}

func (l *Lexicon) match(q Query, s *scratch) match {
	hashes := make([]uint64, len(q.Stems))
	for i, stem := range q.Stems {
		hashes[i] = hashWord(stem)
	}
	terms := l.words.look(hashes)
	l.words.bm25(terms, &s.words)
	m := match{coverage: l.words.cover(terms, &s.cover)}
	terms = l.whole.look(hashes)
	l.whole.bm25(terms, &s.whole)
	for _, t := range terms {
		m.deepest += t.idf * (bm25K1 + 1)
	}
	n := l.chars.look(grams(q.Words))
	l.chars.dot(n, gramBudget, &s.chars)
	l.chars.ofQuery(n, &s.vector)
	return m
}

// parts reads the sums of one entry; Words and Whole are still raw.
func (l *Lexicon) parts(slot uint32, m match, s *scratch) Parts {
	var p Parts
	for _, doc := range l.items[slot].phrasings {
		p.Words = max(p.Words, float64(s.words.at(doc)))
		p.Coverage = max(p.Coverage, ratio(float64(s.cover.at(doc)), m.coverage))
		p.Chars = max(p.Chars, l.chars.cosine(&s.vector, doc))
	}
	p.Whole = float64(s.whole.at(slot))
	p.Depth = ratio(p.Whole, m.deepest)
	return p
}

func ratio(a, b float64) float64 {
	if b <= 0 {
		return 0
	}
	return min(1, a/b)
}

// candidates returns slots, those of the vectors and the best by words.
func (l *Lexicon) candidates(s *scratch, v vectorHits) []uint32 {
	out := make([]uint32, 0, len(v.phrasing)+len(v.passage)+3*pool)
	out = slices.AppendSeq(out, maps.Keys(v.phrasing))
	out = slices.AppendSeq(out, maps.Keys(v.passage))
	l.bySlot(&s.words, nil, &s.slots)
	out = l.top(out, &s.slots)
	l.bySlot(&s.chars, l.chars.root, &s.slots)
	out = l.top(out, &s.slots)
	out = l.top(out, &s.whole)
	slices.Sort(out)
	return slices.Compact(out)
}

// fillUp adds to sorted slots, if they are very few, those of the first IDs of the
// base: a ranking is a ranking even where nothing fits.
func (l *Lexicon) fillUp(slots []uint32) []uint32 {
	missing := min(leastRanked, len(l.slots)) - len(slots)
	if missing <= 0 {
		return slots
	}
	byID := func(a, b uint32) int { return cmp.Compare(l.items[a].entry.ID, l.items[b].entry.ID) }
	var more []uint32
	for _, slot := range l.slots {
		if _, found := slices.BinarySearch(slots, slot); found {
			continue
		}
		if len(more) == missing && byID(slot, more[missing-1]) > 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(more, slot, byID)
		more = slices.Insert(more, at, slot)
		more = more[:min(missing, len(more))]
	}
	return append(slots, more...)
}
