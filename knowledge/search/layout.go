package search

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The same keys under the two standard layouts, ЙЦУКЕН and QWERTY.
const (
	qwertyKeys = "`qwertyuiop[]asdfghjkl;'zxcvbnm,."
	jcukenKeys = "ёйцукенгшщзхъфывапролджэячсмитьбю"
	qwertyCaps = "~QWERTYUIOP{}ASDFGHJKL:\"ZXCVBNM<>"
)

// keyboard maps what was typed under one layout to the other.
type keyboard struct{ toRussian, toEnglish map[rune]rune }

func newKeyboard() keyboard {
	k := keyboard{toRussian: map[rune]rune{}, toEnglish: map[rune]rune{}}
	lower, caps, russian := []rune(qwertyKeys), []rune(qwertyCaps), []rune(jcukenKeys)
	for i, r := range russian {
		k.toRussian[lower[i]], k.toRussian[caps[i]] = r, unicode.ToUpper(r)
		k.toEnglish[r], k.toEnglish[unicode.ToUpper(r)] = lower[i], caps[i]
	}
	return k
}

func mapRunes(s string, keys map[rune]rune) string {
	return strings.Map(func(r rune) rune {
		if to, ok := keys[r]; ok {
			return to
		}
		return r
	}, s)
}

// edgePrior is ln p that a mark at the edge of a word is punctuation and not the
// letter of its key. A comma stands after one word in ten and never before one;
// brackets and quotes are rarer than the letters х, ъ, э.
func edgePrior(marks string, leading bool) float64 {
	sum := 0.0
	for _, r := range marks {
		switch {
		case strings.ContainsRune("?!()/\\|-+=*&^%$#@", r):
		case leading && strings.ContainsRune(",.;:", r):
			sum -= 10
		case strings.ContainsRune(",.", r):
			sum -= 2.3
		default:
			sum -= 4
		}
	}
	return sum
}

// russianLayout reads a token typed with the English layout as the Russian letters
// of the same keys. Marks at its edges may be letters (,elmnt → будьте) or
// punctuation (ghbdtn, → привет,): the likelier reading wins.
func (k keyboard) russianLayout(token string, likely func(string) float64) (string, float64) {
	head := len(token) - len(strings.TrimLeftFunc(token, notLatin))
	tail := len(strings.TrimRightFunc(token, notLatin))
	if head >= tail {
		return token, 0
	}
	best, bestScore := "", 0.0
	for _, from := range []int{0, head} {
		for to := tail; to <= len(token); to++ {
			if to < len(token) && !utf8.RuneStart(token[to]) || to-tail > maxEdgeMarks && to < len(token) {
				continue
			}
			core := mapRunes(token[from:to], k.toRussian)
			score := likely(fold(core))
			score += edgePrior(token[:from], true) + edgePrior(token[to:], false)
			if best == "" || score > bestScore {
				best, bestScore = token[:from]+core+token[to:], score
			}
		}
		if head == 0 {
			break
		}
	}
	return best, bestScore
}

// maxEdgeMarks bounds the readings of "ghbdtn.........".
const maxEdgeMarks = 3

func notLatin(r rune) bool { return !isLatin(r) }

// englishLayout reads a token typed with the Russian layout as the English letters
// of the same keys (зфыыцщкв → password).
func (k keyboard) englishLayout(token string) string { return mapRunes(token, k.toEnglish) }
