package search

import (
	"github.com/kljensen/snowball/english"
	"github.com/kljensen/snowball/russian"
)

// maxStemmed bounds the length in bytes of a word that is stemmed: nothing
// longer is a word of Russian or English.
const maxStemmed = 80

// stem returns the Snowball stem of a folded word: the Russian one if any of its
// letters is Cyrillic, the English one if all are Latin, and otherwise (numbers,
// codes, other scripts) the word itself.
func stem(word string) string {
	if len(word) > maxStemmed {
		return word
	}
	latin := true
	for _, r := range word {
		if isCyrillic(r) {
			return russian.Stem(word, true)
		}
		latin = latin && isLatin(r)
	}
	if latin {
		return english.Stem(word, true)
	}
	return word
}

func stems(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = stem(w)
	}
	return out
}
