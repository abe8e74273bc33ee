package search

import (
	"runtime"
	"slices"
	"sync"
)

// prepared is an entry cut into its terms, and where they go.
type prepared struct {
	entry     Entry
	phrasings [][]string // words
	grams     [][]uint64 // by phrasing
	answer    []string   // words
	refused   []uint64   // exactKey of each refused wording

	slot  uint32
	docs  []uint32   // by phrasing
	stems [][]uint64 // by phrasing
	whole []uint64   // stems of all phrasings and the answer
}

// prepare cuts entries into terms on all processors. Entries without an ID, and
// those that a later one replaces, are left out.
func prepare(entries []Entry) []prepared {
	last := make(map[string]int, len(entries))
	for i, e := range entries {
		last[e.ID] = i
	}
	out := make([]prepared, 0, len(last))
	for i, e := range entries {
		if e.ID != "" && last[e.ID] == i {
			e.Phrasings = slices.Clone(e.Phrasings)
			out = append(out, prepared{entry: e})
		}
	}
	const batch = 64
	var wg sync.WaitGroup
	tickets := make(chan struct{}, runtime.GOMAXPROCS(0))
	for part := range slices.Chunk(out, batch) {
		tickets <- struct{}{}
		wg.Go(func() {
			for i := range part {
				part[i].cut()
			}
			<-tickets
		})
	}
	wg.Wait()
	return out
}

func (p *prepared) cut() {
	for _, phrasing := range p.entry.Phrasings {
		tokens := phrasingWords(phrasing)
		p.phrasings = append(p.phrasings, tokens)
		p.grams = append(p.grams, grams(tokens))
	}
	p.answer = answerWords(p.entry.Answer)
	for _, wording := range p.entry.Refused {
		p.refused = append(p.refused, exactKey(phrasingWords(wording)))
	}
}
