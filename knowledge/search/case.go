package search

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// minShouted is how many letters a message needs to be taken for one typed with Caps
// Lock; a shorter one may be an abbreviation.
const minShouted = 8

// maxAbbreviation is the length in letters of the longest abbreviation.
const maxAbbreviation = 5

// repairCase writes a message that is all capitals in small letters, but for short
// words that the language does not know, and short Latin ones among Russian: they are
// abbreviations.
func (p *Parser) repairCase(text string) (string, []Repair) {
	if !isShouted(text) {
		return text, nil
	}
	cyrillic, _ := scripts(text)
	var out strings.Builder
	copied := 0
	for _, s := range wordSpans(text) {
		_, latin := scripts(s.word)
		if utf8.RuneCountInString(s.word) <= maxAbbreviation && (latin > 0 && cyrillic > 0 || !p.languageOf(s.word).knows(s.word)) {
			continue
		}
		out.WriteString(text[copied:s.start])
		out.WriteString(strings.ToLower(text[s.start:s.end]))
		copied = s.end
	}
	out.WriteString(text[copied:])
	if out.String() == text {
		return text, nil
	}
	return out.String(), []Repair{{Kind: RepairCase, From: text, To: out.String()}}
}

// isShouted reports a message of two words or more without a small letter.
func isShouted(text string) bool {
	letters := 0
	for _, r := range text {
		switch {
		case unicode.IsLower(r):
			return false
		case unicode.IsUpper(r):
			letters++
		}
	}
	return letters >= minShouted && len(wordSpans(text)) > 1
}
