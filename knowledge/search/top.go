package search

import (
	"cmp"
	"math"
	"slices"
)

// at returns the sum of a document, 0 for those beyond the ones seen.
func (a *accumulator) at(doc uint32) float32 {
	if int(doc) >= len(a.sum) {
		return 0
	}
	return a.sum[doc]
}

// best is an entry among the best of one way of searching.
type best struct {
	slot  uint32
	score float32
}

// top returns the slots of the pool entries with the highest sums. Documents
// belong to owner[doc], or are slots themselves if owner is nil. With length the
// sums are inner products, divided by the root of the document's length: a bound
// that does not depend on the rest of the base, as the true norm would.
func (l *Lexicon) top(a *accumulator, owner []uint32, length []float32) []uint32 {
	found := make([]best, 0, min(2*pool, len(a.touched)))
	var last *best // the worst that is kept, once there are enough
	for _, doc := range a.touched {
		b := best{doc, a.sum[doc]}
		if length != nil {
			b.score /= float32(math.Sqrt(float64(length[doc])))
		}
		if last != nil && b.score < last.score {
			continue
		}
		if owner != nil {
			b.slot = owner[doc]
		}
		if last != nil && l.better(b, *last) >= 0 {
			continue
		}
		if found = append(found, b); len(found) >= 4*pool {
			found = l.keepBest(found)
			if len(found) == pool {
				worst := found[pool-1]
				last = &worst
			}
		}
	}
	found = l.keepBest(found)
	slots := make([]uint32, len(found))
	for i, b := range found {
		slots[i] = b.slot
	}
	return slots
}

// better orders by score, and by ID where scores are equal.
func (l *Lexicon) better(a, b best) int {
	switch { // scores are never NaN, which cmp.Compare would care for
	case a.score > b.score:
		return -1
	case a.score < b.score:
		return 1
	}
	return cmp.Compare(l.items[a.slot].entry.ID, l.items[b.slot].entry.ID)
}

// keepBest returns the best pool entries, each with its best document only.
func (l *Lexicon) keepBest(found []best) []best {
	slices.SortFunc(found, l.better)
	out := found[:0]
	for _, b := range found {
		if len(out) == pool {
			break
		}
		if !slices.ContainsFunc(out, func(o best) bool { return o.slot == b.slot }) {
			out = append(out, b)
		}
	}
	return out
}

// vectorHits are the best similarities of each kind by slot.
type vectorHits struct {
	phrasing, passage             map[uint32]float64
	lowestPhrasing, lowestPassage float64
}

// gather sorts the hits of the vector index by entry.
func (l *Lexicon) gather(near []Near) vectorHits {
	v := vectorHits{phrasing: map[uint32]float64{}, passage: map[uint32]float64{}}
	v.lowestPhrasing, v.lowestPassage = math.Inf(1), math.Inf(1)
	for _, n := range near {
		slot, ok := l.slots[n.Question]
		if !ok || math.IsNaN(n.Similarity) || math.IsInf(n.Similarity, 0) {
			continue
		}
		hits, lowest := v.phrasing, &v.lowestPhrasing
		if n.Kind == Passage {
			hits, lowest = v.passage, &v.lowestPassage
		}
		similarity := max(-1, min(1, n.Similarity))
		*lowest = min(*lowest, similarity)
		if old, ok := hits[slot]; !ok || similarity > old {
			hits[slot] = similarity
		}
	}
	return v
}

// fill sets the vector parts of an entry.
func (v vectorHits) fill(p *Parts, slot uint32) {
	p.Vector = similarityOf(v.phrasing, slot, v.lowestPhrasing)
	p.Passage = similarityOf(v.passage, slot, v.lowestPassage)
}

func similarityOf(hits map[uint32]float64, slot uint32, lowest float64) float64 {
	if s, ok := hits[slot]; ok {
		return s
	}
	if len(hits) == 0 {
		return 0
	}
	return lowest
}

// markTwins finds near-duplicates among the first of a ranking.
func (l *Lexicon) markTwins(ranked []Scored, v *tfidf) {
	head := ranked[:min(len(ranked), twinDepth)]
	for i, s := range head {
		if s.TwinOf != "" || !l.canonical(s.ID, v) {
			continue
		}
		for j := i + 1; j < len(head); j++ {
			if head[j].TwinOf == "" && l.alike(s.ID, head[j].ID) && l.likeness(v, head[j].ID) >= twinCosine {
				head[j].TwinOf = s.ID
			}
		}
	}
}

// alike reports whether two canonical phrasings are of nearly one length, without
// which they cannot be near-duplicates.
func (l *Lexicon) alike(a, b string) bool {
	pa, pb := l.items[l.slots[a]].phrasings, l.items[l.slots[b]].phrasings
	if len(pa) == 0 || len(pb) == 0 {
		return false
	}
	la, lb := l.chars.length[pa[0]], l.chars.length[pb[0]]
	return min(la, lb) >= 0.6*max(la, lb)
}

// canonical fills v with the character vector of an entry's canonical phrasing; it
// is false if there is none.
func (l *Lexicon) canonical(id string, v *tfidf) bool {
	phrasings := l.items[l.slots[id]].phrasings
	if len(phrasings) == 0 {
		return false
	}
	l.chars.ofDoc(phrasings[0], v)
	return true
}

// likeness is the character cosine of v and the canonical phrasing of an entry.
func (l *Lexicon) likeness(v *tfidf, id string) float64 {
	phrasings := l.items[l.slots[id]].phrasings
	if len(phrasings) == 0 {
		return 0
	}
	return l.chars.cosine(v, phrasings[0])
}
