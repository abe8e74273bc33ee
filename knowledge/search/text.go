package search

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

const (
	// maxTextRunes is how much of a message is looked at. The embedder reads 512
	// tokens, which Russian text reaches at about 2,000 characters.
	maxTextRunes = 2000
	// maxAnswerRunes is how much of an answer is indexed by its words.
	maxAnswerRunes = 20000
)

// Clean returns text as it is embedded and shown: valid UTF-8 in Unicode's
// compatibility composition (NFKC), control and format characters gone, white
// space single, at most 2,000 characters. Letter case and punctuation stay.
func Clean(text string) string { return clean(text, maxTextRunes) }

// PassageText returns what is to be embedded as the passage of a question: its
// canonical wording and its answer. The wording tells the embedder what the answer
// is about, which on real questions is worth more than the answer alone. It is
// empty without an answer, and where the answer only repeats the question.
func PassageText(question, answer string) string {
	question, answer = Clean(question), Clean(answer)
	if answer == "" || answer == question {
		return ""
	}
	return Clean(question + " " + answer)
}

func clean(text string, limit int) string {
	text = firstRunes(text, limit)
	if isTidy(text) {
		return text
	}
	text = squeeze(text)
	if isTidy(text) || norm.NFKC.IsNormalString(text) {
		return text
	}
	return squeeze(firstRunes(norm.NFKC.String(text), limit))
}

// isTidy reports text that cleaning would not change, as most is: Russian, ASCII
// and their punctuation with single spaces inside.
func isTidy(text string) bool {
	last := ' '
	for _, r := range text {
		switch {
		case r == ' ':
			if last == ' ' {
				return false
			}
		case r > ' ' && r < 0x7f, isCyrillic(r), r == '«', r == '»', r == '—', r == '–':
		default:
			return false
		}
		last = r
	}
	return last != ' ' || text == ""
}

// squeeze drops what is not text and makes white space single.
func squeeze(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	space := false
	for _, r := range text {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			space = b.Len() > 0
			continue
		case r == unicode.ReplacementChar || r >= 0x80 && unicode.Is(unicode.Cf, r):
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// firstRunes cuts text after limit runes without reading the rest.
func firstRunes(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	n := 0
	for i := range text {
		if n == limit {
			return text[:i]
		}
		n++
	}
	return text
}

func plainASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// fold lowers the case of clean text and writes ё as е, which people do and the
// Snowball stemmer does not.
func fold(cleaned string) string { return strings.Map(foldRune, cleaned) }

func foldRune(r rune) rune {
	switch {
	case 'а' <= r && r <= 'я' || ' ' <= r && r < 'A' || 'a' <= r && r <= 'z':
		return r
	case 'А' <= r && r <= 'Я' || 'A' <= r && r <= 'Z':
		return r + 32
	}
	if r = unicode.ToLower(r); r == 'ё' {
		return 'е'
	}
	return r
}

// words splits folded text into its runs of letters, digits and the marks that
// belong to them, at most limit of them.
func words(folded string, limit int) []string {
	out := make([]string, 0, min(limit, len(folded)/8+1))
	start := -1
	for i, r := range folded {
		if isWordRune(r) {
			if start < 0 {
				start = i
			}
			continue
		}
		if start >= 0 {
			if out = append(out, folded[start:i]); len(out) == limit {
				return out
			}
			start = -1
		}
	}
	if start >= 0 {
		out = append(out, folded[start:])
	}
	return out
}

func isWordRune(r rune) bool {
	if r < 0x80 {
		return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z'
	}
	return 'а' <= r && r <= 'я' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}

func isCyrillic(r rune) bool {
	return 'а' <= r && r <= 'я' || 'А' <= r && r <= 'Я' || r == 'ё' || r == 'Ё'
}

func isLatin(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }

// scripts counts the Cyrillic and the Latin letters of s.
func scripts(s string) (cyrillic, latin int) {
	for _, r := range s {
		switch {
		case isCyrillic(r):
			cyrillic++
		case isLatin(r):
			latin++
		}
	}
	return cyrillic, latin
}
