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
}

// Lexical are the weights of the parts that come from words.
type Lexical struct {
	Chars float64 `json:"chars"`
	Words float64 `json:"words"`
	Whole float64 `json:"whole"`
}

// Parts explain a score. A similarity that the vector index did not return is
// taken as the lowest that it did return of that kind.
type Parts struct {
	Vector   float64 // best cosine of a phrasing; 0 without vectors
	Passage  float64 // best cosine of the answer; 0 without such vectors
	Chars    float64 // best TF-IDF cosine of character n-grams of a phrasing, 0–1
	Words    float64 // best BM25 of a phrasing, the query's best entry having 1
	Whole    float64 // BM25 of question and answer, the query's best entry having 1
	Coverage float64 // share of the query's idf that the best phrasing holds, 0–1
	Exact    bool    // a phrasing is the query but for case, ё, spacing and marks
	Refused  bool    // people said that it does not answer this very wording
	Doubt    float64 // Entry.Doubt: log odds by which it is trusted less
}

// Scored is one question of a ranking.
type Scored struct {
	ID    string
	Score float64
	Parts Parts
	// TwinOf is the ID of a question that ranks higher and says nearly the same;
	// empty if there is none. Only the first twelve are compared.
	TwinOf string
}

const (
	// pool is how many questions each way of searching by words adds to those that
	// the vectors found.
	pool = 50
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
	vector                     tfidf // of the query, later of a document
}

func (s *scratch) reset() {
	s.words.reset()
	s.cover.reset()
	s.chars.reset()
	s.whole.reset()
	s.vector.reset()
}

// Rank orders the questions that may be meant, the best first and equal scores by
// ID. Candidates are the questions of near and the best by words; the best
// phrasing speaks for its question. Hits of unknown questions are ignored. Without
// near the weights w.Alone apply.
func (l *Lexicon) Rank(q Query, near []Near, w Weights) []Scored {
	l.mu.RLock()
	defer l.mu.RUnlock()
	s := l.scratch.Get().(*scratch)
	defer func() { s.reset(); l.scratch.Put(s) }()

	m := l.match(q, s)
	vectors := l.gather(near)
	slots := l.candidates(s, vectors)
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
		out[i].Score = w.score(*p, vectors)
	}
	l.judge(q, slots, out)
	slices.SortFunc(out, func(a, b Scored) int {
		return cmp.Or(ahead(b.Parts.Refused, a.Parts.Refused), ahead(a.Parts.Exact, b.Parts.Exact),
			cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
	})
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
		for _, key := range keys {
			p.Exact = p.Exact || slices.Contains(l.exact[key], slot)
			p.Refused = p.Refused || slices.Contains(it.refused, key)
		}
	}
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

func (w Weights) score(p Parts, v vectorHits) float64 {
	if len(v.phrasing) == 0 && len(v.passage) == 0 {
		return w.Alone.Chars*p.Chars + w.Alone.Words*p.Words + w.Alone.Whole*p.Whole
	}
	passage := p.Passage
	if len(v.passage) == 0 { // answers have no vectors (yet): the scale must stay
		passage = p.Vector
	}
	return w.Vector*p.Vector + w.Passage*passage + w.Chars*p.Chars + w.Words*p.Words + w.Whole*p.Whole
}

// match is what the words of a query gave, beside the sums in the scratch memory.
type match struct {
	coverage float64 // idf of the whole query
}

func (l *Lexicon) match(q Query, s *scratch) match {
	hashes := make([]uint64, len(q.Stems))
	for i, stem := range q.Stems {
		hashes[i] = hashWord(stem)
	}
	terms := l.words.look(hashes)
	l.words.bm25(terms, &s.words)
	m := match{coverage: l.words.cover(terms, &s.cover)}
	l.whole.bm25(l.whole.look(hashes), &s.whole)
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
	out = append(out, l.top(&s.words, l.owner, nil)...)
	out = append(out, l.top(&s.chars, l.owner, l.chars.length)...)
	out = append(out, l.top(&s.whole, nil, nil)...)
	slices.Sort(out)
	return slices.Compact(out)
}
