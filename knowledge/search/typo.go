package search

import (
	"math"
	"strings"
	"unicode/utf8"
)

const (
	// minTypoRunes is the shortest word that is mended: among shorter ones every
	// word is one slip away from another.
	minTypoRunes = 4
	maxTypoRunes = 24
	// maxTypoWords is how many words of one message that the base does not know are
	// looked up in their misspellings.
	maxTypoWords = 12
	// typoMargin is how much likelier, in nats, the mended word must look than the
	// written one. A rare but right word that the base lacks looks as likely as its
	// neighbours and is left alone; frequent words are known.
	typoMargin = 2.5
)

// repairTypos replaces words that the base does not know by one that it knows and
// that is one slip away (a letter left out, doubled, changed, or two swapped:
// Damerau 1964, whose 80 % of all slips are of these kinds).
func (p *Parser) repairTypos(text string) (string, []Repair) {
	tokens := strings.Split(text, " ")
	var done []Repair
	tried := 0
	for i, token := range tokens {
		core := strings.TrimFunc(token, notWordRune)
		if tried == maxTypoWords || len(core) < minTypoRunes || strings.ContainsFunc(core, notWordRune) {
			continue
		}
		word := fold(core)
		if p.isKnown(word) {
			continue
		}
		tried++
		if to := p.mend(word); to != word {
			tokens[i] = strings.Replace(token, core, to, 1)
			done = append(done, Repair{Kind: RepairTypo, From: core, To: to})
		}
	}
	if done == nil {
		return text, nil
	}
	return strings.Join(tokens, " "), done
}

// isKnown reports words that need no mending: the base or the language has them,
// or they are too short or long to say.
func (p *Parser) isKnown(word string) bool {
	n := utf8.RuneCountInString(word)
	if n < minTypoRunes || n > maxTypoRunes || p.vocabulary.WordCount(word) > 0 || p.languageOf(word).knows(word) {
		return true
	}
	_, count := p.vocabulary.StemForm(stem(word))
	return count > 0
}

func (p *Parser) languageOf(word string) language {
	if _, latin := scripts(word); latin > 0 {
		return p.english
	}
	return p.russian
}

// mend returns the word of the base that was probably meant by one that is not
// known, or word itself.
func (p *Parser) mend(word string) string {
	lang := p.languageOf(word)
	m := lang.chars
	best, bestScore := word, m.score(word)+typoMargin
	offer := func(form string, count int) {
		if count == 0 || utf8.RuneCountInString(form) < minTypoRunes-1 {
			return
		}
		score := m.score(form) + math.Log(float64(1+count))
		if score > bestScore || score == bestScore && form < best {
			best, bestScore = form, score
		}
	}
	slips(word, m, func(form string) { offer(form, p.vocabulary.WordCount(form)) })
	if root := stem(word); utf8.RuneCountInString(root) >= minTypoRunes {
		ending := strings.TrimPrefix(word, root)
		slips(root, m, func(s string) {
			form := s + ending
			if _, count := p.vocabulary.StemForm(s); count > 0 && lang.words.has(form) && stem(form) == s {
				offer(form, count)
			}
		})
	}
	return best
}

// slips calls yield with every string one slip away from word, over m's alphabet.
func slips(word string, m charModel, yield func(string)) {
	runes := []rune(word)
	buf := make([]rune, len(runes)+1)
	for i := range runes {
		copy(buf, runes[:i])
		yield(string(append(buf[:i], runes[i+1:]...)))
		if i > 0 && runes[i] != runes[i-1] {
			copy(buf, runes)
			buf[i-1], buf[i] = runes[i], runes[i-1]
			yield(string(buf[:len(runes)]))
		}
	}
	for i := 0; i <= len(runes); i++ {
		for letter := m.first; letter <= m.last; letter++ {
			copy(buf, runes[:i])
			buf[i] = letter
			copy(buf[i+1:], runes[i:])
			yield(string(buf[:len(runes)+1]))
			if i < len(runes) {
				copy(buf[i+1:], runes[i+1:])
				yield(string(buf[:len(runes)]))
			}
		}
	}
}
