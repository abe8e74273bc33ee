package search

import (
	"slices"
	"strings"
	"sync"
)

// Entry is what is searched of one stored question.
type Entry struct {
	ID    string // unique, not empty
	Topic string // empty: none
	// Phrasings are the wordings of the question, the canonical one first. Without
	// any the entry is found by its answer alone.
	Phrasings []string
	Answer    string // its text without markup; empty: none
	// Refused are wordings that people said it does not answer: for them it comes
	// last and is not given directly.
	Refused []string
	// Doubt lowers the confidence in it, in log odds; 0 is none.
	Doubt float64
}

// Lexicon scores questions by their words and holds what [Lexicon.Rank] and
// [Lexicon.Related] need to know of them. It changes at any time, entry by entry,
// and always ranks as if it had just been built from the entries it holds. It is
// safe for concurrent use: any number of readers, one writer at a time.
type Lexicon struct {
	mu sync.RWMutex

	slots map[string]uint32 // by entry ID
	items []item            // by slot
	owner []uint32          // slot, by phrasing number
	idle  []uint32          // slots that are free
	loose []uint32          // phrasing numbers that are free

	words *inverted // stems of phrasings, a document each
	chars *inverted // character n-grams of phrasings, a document each
	whole *inverted // stems of question and answer, a document per slot

	vocabulary vocabulary
	exact      map[uint64][]uint32 // normalised phrasing → slots
	scratch    sync.Pool
}

// item is an entry and where its parts are indexed.
type item struct {
	entry     Entry
	phrasings []uint32 // document numbers in words and chars
	refused   []uint64 // exactKey of each refused wording
}

// bare reports that the entry has no passage; see [PassageText].
func (it *item) bare() bool {
	return it.entry.Answer == "" || len(it.entry.Phrasings) > 0 && it.entry.Answer == it.entry.Phrasings[0]
}

// NewLexicon returns an empty lexicon.
func NewLexicon() *Lexicon {
	l := &Lexicon{
		slots: map[string]uint32{},
		words: newInverted(), chars: newInverted(), whole: newInverted(),
		vocabulary: newVocabulary(),
		exact:      map[uint64][]uint32{},
	}
	l.scratch.New = func() any { return new(scratch) }
	return l
}

// Len returns how many entries the lexicon holds.
func (l *Lexicon) Len() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return len(l.slots)
}

// Entry returns the entry with the ID as it was put.
func (l *Lexicon) Entry(id string) (Entry, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	slot, ok := l.slots[id]
	if !ok {
		return Entry{}, false
	}
	e := l.items[slot].entry
	e.Phrasings = slices.Clone(e.Phrasings)
	return e, true
}

// Put stores entries, each replacing the one with its ID; of several with one ID
// the last holds. Entries without an ID are ignored.
func (l *Lexicon) Put(entries ...Entry) {
	prepared := prepare(entries)
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range prepared {
		l.remove(prepared[i].entry.ID)
		l.place(&prepared[i])
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for _, p := range prepared {
			for i, doc := range p.docs {
				l.chars.add(doc, p.grams[i])
			}
		}
	})
	for _, p := range prepared {
		for i, doc := range p.docs {
			l.words.add(doc, p.stems[i])
		}
		l.whole.add(p.slot, p.whole)
	}
	wg.Wait()
	l.refresh()
}

// Remove takes entries out; unknown IDs are ignored.
func (l *Lexicon) Remove(ids ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		l.remove(id)
	}
	l.refresh()
}

func (l *Lexicon) refresh() {
	l.words.refresh()
	l.chars.refresh()
	l.whole.refresh()
}

// WordCount implements [Vocabulary].
func (l *Lexicon) WordCount(word string) int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.vocabulary.count(word)
}

// StemForm implements [Vocabulary].
func (l *Lexicon) StemForm(stem string) (form string, count int) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.vocabulary.best(stem)
}

// place gives an entry its numbers and makes its words known.
func (l *Lexicon) place(p *prepared) {
	p.slot = take(&l.idle, len(l.items))
	if int(p.slot) == len(l.items) {
		l.items = append(l.items, item{})
	}
	for _, tokens := range p.phrasings {
		doc := take(&l.loose, len(l.owner))
		if int(doc) == len(l.owner) {
			l.owner = append(l.owner, 0)
		}
		l.owner[doc] = p.slot
		p.docs = append(p.docs, doc)
		hashes := l.vocabulary.learn(tokens)
		p.stems = append(p.stems, hashes)
		p.whole = append(p.whole, hashes...)
		key := exactKey(tokens)
		l.exact[key] = append(l.exact[key], p.slot)
	}
	p.whole = append(p.whole, l.vocabulary.learn(p.answer)...)
	l.items[p.slot] = item{entry: p.entry, phrasings: p.docs, refused: p.refused}
	l.slots[p.entry.ID] = p.slot
}

func (l *Lexicon) remove(id string) {
	slot, ok := l.slots[id]
	if !ok {
		return
	}
	it := l.items[slot]
	for i, phrasing := range it.entry.Phrasings {
		tokens := phrasingWords(phrasing)
		l.vocabulary.forget(tokens)
		l.words.remove(it.phrasings[i])
		l.chars.remove(it.phrasings[i])
		l.loose = append(l.loose, it.phrasings[i])
		l.forgetExact(exactKey(tokens), slot)
	}
	l.vocabulary.forget(answerWords(it.entry.Answer))
	l.whole.remove(slot)
	l.items[slot] = item{}
	l.idle = append(l.idle, slot)
	delete(l.slots, id)
}

func (l *Lexicon) forgetExact(key uint64, slot uint32) {
	at := slices.Index(l.exact[key], slot)
	if left := slices.Delete(l.exact[key], at, at+1); len(left) > 0 {
		l.exact[key] = left
	} else {
		delete(l.exact, key)
	}
}

// take returns a free number, or next.
func take(free *[]uint32, next int) uint32 {
	if n := len(*free); n > 0 {
		number := (*free)[n-1]
		*free = (*free)[:n-1]
		return number
	}
	return uint32(next)
}

const (
	// maxPhrasingWords and maxAnswerWords bound what is indexed of one text.
	maxPhrasingWords = 128
	maxAnswerWords   = 3000
)

func phrasingWords(s string) []string { return words(fold(clean(s, maxTextRunes)), maxPhrasingWords) }

func answerWords(s string) []string { return words(fold(clean(s, maxAnswerRunes)), maxAnswerWords) }

// exactKey is the same for texts that differ in case, ё, spacing and punctuation only.
func exactKey(tokens []string) uint64 { return hashWord(strings.Join(tokens, " ")) }
