package search

import _ "embed"

// charTables holds −ln p(c | a, b) in sixteenths for Russian, then for English,
// as gen_language.go wrote it.
//
//go:embed chars.bin
var charTables string

// charModel says how much a word looks like one of its language: a character
// trigram model over one alphabet, with the word boundary as character 0.
type charModel struct {
	first, last rune
	n           int
	table       string
}

func russianChars() charModel {
	const n = 33 // а–я without ё, and the boundary
	return charModel{first: 'а', last: 'я', n: n, table: charTables[:n*n*n]}
}

func englishChars() charModel {
	const n = 27
	return charModel{first: 'a', last: 'z', n: n, table: charTables[len(charTables)-n*n*n:]}
}

// code returns the number of r in the model, 0 if r is not of its alphabet.
func (m charModel) code(r rune) int {
	if r < m.first || r > m.last {
		return 0
	}
	return int(r-m.first) + 1
}

// step returns ln p(c | a, b) for codes.
func (m charModel) step(a, b, c int) float64 {
	return -float64(m.table[(a*m.n+b)*m.n+c]) / 16
}

// strange is what a letter outside the alphabet, or a mark between two letters,
// costs in nats.
const strange = -6

// score returns ln p of folded text, in nats: the sum over its runs of letters of
// the alphabet, with strange for what does not belong there. Spaces, hyphens,
// digits and outer punctuation cost nothing.
func (m charModel) score(folded string) float64 {
	var sum float64
	a, b, mark := 0, 0, false
	for _, r := range folded {
		if c := m.code(r); c > 0 {
			if mark {
				sum += strange
			}
			sum += m.step(a, b, c)
			a, b, mark = b, c, false
			continue
		}
		if isLatin(r) || isCyrillic(r) {
			sum += strange
		}
		mark = (b > 0 || mark) && !joins(r)
		if b > 0 {
			sum += m.step(a, b, 0)
		}
		a, b = 0, 0
	}
	if b > 0 {
		sum += m.step(a, b, 0)
	}
	return sum
}

// joins reports what may stand between the letters of a right word or two.
func joins(r rune) bool { return r == ' ' || r == '-' || '0' <= r && r <= '9' }
