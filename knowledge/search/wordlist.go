package search

import _ "embed"

// wordFilters are two Bloom filters, of the frequent words of Russian and of
// English, as gen_language.go wrote them.
//
//go:embed words.bin
var wordFilters string

// The shape of a filter: about 1.6 % of words that are not in it pass (Bloom 1970).
const (
	filterBits   = 1 << 19
	filterProbes = 5
)

// wordList knows the frequent words of a language, and now and then one too many.
type wordList struct{ bits string }

func russianWords() wordList { return wordList{wordFilters[:filterBits/8]} }

func englishWords() wordList { return wordList{wordFilters[len(wordFilters)-filterBits/8:]} }

// has reports whether a folded word is frequent in the language.
func (l wordList) has(word string) bool {
	h := uint64(fnvOffset)
	for _, r := range word {
		h = mix(h, r)
	}
	for probe := range uint64(filterProbes) {
		at := (h>>32 + probe*(h&0xffffffff|1)) % filterBits
		if l.bits[at/8]&(1<<(at%8)) == 0 {
			return false
		}
	}
	return true
}

// language is what is known of the looks of one language.
type language struct {
	chars charModel
	words wordList
}

func russianLanguage() language { return language{russianChars(), russianWords()} }

func englishLanguage() language { return language{englishChars(), englishWords()} }

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
