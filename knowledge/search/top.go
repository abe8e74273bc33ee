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

// bySlot gathers in s the best sum of the documents of each entry, those of entry
// owner[doc]. With root the sums are inner products, divided by the root of the
// document's length: a bound that does not depend on the rest of the base, as the
// true norm would.
func (l *Lexicon) bySlot(a *accumulator, root []float32, s *accumulator) {
	s.reset()
	s.grow(len(l.items))
	sum, touched := s.sum, s.touched
	for _, doc := range a.touched {
		score, slot := a.sum[doc], l.owner[doc]
		if root != nil {
			score /= root[doc]
		}
		if sum[slot] == 0 {
			touched = append(touched, slot)
		}
		sum[slot] = max(sum[slot], score)
	}
	s.touched = touched
}

// top appends the slots of the pool entries with the highest sums.
func (l *Lexicon) top(out []uint32, a *accumulator) []uint32 {
	var heap [pool]best // the worst on top
	kept := heap[:0]
	for _, slot := range a.touched {
		b := best{slot, a.sum[slot]}
		switch {
		case len(kept) < pool:
			if kept = append(kept, b); len(kept) == pool {
				slices.SortFunc(kept, func(a, b best) int { return l.better(b, a) }) // a heap
			}
		case b.score >= kept[0].score && l.better(b, kept[0]) < 0:
			l.replaceWorst(kept, b)
		}
	}
	for _, b := range kept {
		out = append(out, b.slot)
	}
	return out
}

// replaceWorst puts b into a heap in the place of its top.
func (l *Lexicon) replaceWorst(heap []best, b best) {
	i := 0
	for {
		child := 2*i + 1
		if child >= len(heap) {
			break
		}
		if child+1 < len(heap) && l.better(heap[child+1], heap[child]) > 0 {
			child++
		}
		if l.better(b, heap[child]) > 0 {
			break
		}
		heap[i] = heap[child]
		i = child
	}
	heap[i] = b
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

// vectorHits are the best similarities of each kind by slot.
type vectorHits struct {
	phrasing, passage, centre     map[uint32]float64
	lowestPhrasing, lowestPassage float64
	share                         float64 // of the centre
}

// gather sorts the hits of the vector index by entry.
func (l *Lexicon) gather(near []Near, share float64) vectorHits {
	v := vectorHits{phrasing: map[uint32]float64{}, passage: map[uint32]float64{}, centre: map[uint32]float64{}, share: share}
	v.lowestPhrasing, v.lowestPassage = math.Inf(1), math.Inf(1)
	for _, n := range near {
		slot, ok := l.slots[n.Question]
		if !ok || math.IsNaN(n.Similarity) || math.IsInf(n.Similarity, 0) {
			continue
		}
		similarity := max(-1, min(1, n.Similarity))
		hits, lowest := v.phrasing, &v.lowestPhrasing
		switch n.Kind {
		case Passage:
			hits, lowest = v.passage, &v.lowestPassage
		case Centre:
			v.centre[slot] = similarity
			continue
		case Phrasing:
		}
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
	if c, ok := v.centre[slot]; ok {
		p.Vector += v.share * (c - p.Vector)
	}
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
