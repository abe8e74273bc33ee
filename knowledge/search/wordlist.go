package search

import _ "embed"

// wordFilters are Bloom filters, as gen_language.go wrote them, each of Russian and
// then of English: the frequent words, and rarer ones.
//
//go:embed words.bin
var wordFilters string

// The shape of the filters (Bloom 1970): of words that are not in it the first lets
// pass 1.6 %, the second 2 %.
const (
	filterBits   = 1 << 19
	rareBits     = 1 << 21
	filterProbes = 5
)

// wordList knows the words of a language, and now and then one too many.
type wordList struct{ bits string }

// The lists of a language, for Russian; English has the next of each.
func frequentWords(lang int) wordList { return filterAt(lang*filterBits, filterBits) }
func rareWords(lang int) wordList     { return filterAt(2*filterBits+lang*rareBits, rareBits) }

func filterAt(bit, size int) wordList { return wordList{wordFilters[bit/8 : (bit+size)/8]} }

// has reports whether a folded word is in the list.
func (l wordList) has(word string) bool {
	h := uint64(fnvOffset)
	for _, r := range word {
		h = mix(h, r)
	}
	size := uint64(len(l.bits)) * 8
	for probe := range uint64(filterProbes) {
		at := (h>>32 + probe*(h&0xffffffff|1)) % size
		if l.bits[at/8]&(1<<(at%8)) == 0 {
			return false
		}
	}
	return true
}

// language is what is known of the looks of one language.
type language struct {
	chars charModel
	words wordList // the frequent ones
	rare  wordList // words that are less frequent
}

func russianLanguage() language { return newLanguage(0, russianChars()) }

func englishLanguage() language { return newLanguage(1, englishChars()) }

func newLanguage(number int, chars charModel) language {
	return language{chars, frequentWords(number), rareWords(number)}
}

// knows reports whether a folded word is one of the language: a frequent one, or a
// rare one that is no common misspelling.
func (l language) knows(word string) bool { return l.words.has(word) || l.rare.has(word) }

// listed is what a word's being frequent in its language adds, in nats, to what
// its letters say.
const listed = 3.0

// likely returns a score like ln p of folded text, higher for what the language
// is known to contain.
func (l language) likely(folded string) float64 {
	score := l.chars.score(folded)
	for _, w := range words(folded, maxQueryWords) {
		if l.words.has(w) {
			score += listed
		}
	}
	return score
}
