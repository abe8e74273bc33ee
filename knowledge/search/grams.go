package search

import "math/bits"

// Character n-grams lie inside a word and its two boundaries, as in
// scikit-learn's char_wb analyser, which the reference figures used.
const (
	minGram = 2
	maxGram = 5
	// maxGramRunes bounds one word; what is longer is no word.
	maxGramRunes = 40
)

// FNV-1a over 64 bits, a rune at a step; mix ends it.
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

func mix(h uint64, r rune) uint64 { return (h ^ uint64(r)) * fnvPrime }

func finish(h uint64) uint64 {
	h ^= h >> 29
	return bits.RotateLeft64(h*0x9E3779B97F4A7C15, 31)
}

// hashWord numbers a word or stem.
func hashWord(w string) uint64 {
	h := uint64(fnvOffset)
	for _, r := range w {
		h = mix(h, r)
	}
	return finish(h)
}

// grams returns the hashed character n-grams of words, a word shorter than n
// counting once as a whole.
func grams(words []string) []uint64 {
	out := make([]uint64, 0, 32*len(words))
	var buf [maxGramRunes + 2]rune
	for _, w := range words {
		n := 1
		buf[0] = ' '
		for _, r := range w {
			if n > maxGramRunes {
				break
			}
			buf[n] = r
			n++
		}
		buf[n] = ' '
		n++
		for i := range n - minGram + 1 {
			h := mix(fnvOffset, buf[i])
			for j := i + 1; j < min(n, i+maxGram); j++ {
				h = mix(h, buf[j])
				out = append(out, finish(h))
			}
		}
	}
	return out
}
