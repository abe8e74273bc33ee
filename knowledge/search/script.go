package search

import (
	"strings"
	"unicode"
)

// Thresholds of the script repairs, in nats of likelihood ratio between "Russian
// as repaired" and "right as typed". They leave all of 1,260 real English questions
// and 377 Russian ones untouched, and mend 99 % of the same Russian ones in the
// wrong layout or in transliteration.
const (
	// textMargin is what a whole message needs to be repaired, and perLetter what
	// each of its letters adds: a long message gives much evidence if it is wrong.
	textMargin = 3.0
	perLetter  = 0.25
	// wordMargin is what a lone Latin word in a Russian message needs.
	wordMargin = 8.0
	// keepWord is the ratio below which a word of a repaired message stays: a brand.
	keepWord = -3.0
	// knownRight and knownRepaired are the worth of the base's own vocabulary.
	knownRight    = -6.0
	knownRepaired = 4.0
	// minScriptLetters is how many letters tell a language.
	minScriptLetters = 3
	// strangeLetter is what a letter of a right word costs at most, on average: the
	// word list lets one wrong word in sixty pass.
	strangeLetter = -5.0
	// minEnglishWords is how many words of English make a message English.
	minEnglishWords = 3
	// maxScriptTokens is how much of a long message is judged and mended.
	maxScriptTokens = 60
)

// candidate is a token, what it would be, and the likelihood ratio for that.
type candidate struct {
	from, to string
	gain     float64
}

// repairScript mends what is in the letters of another language: look-alikes, the
// wrong keyboard layout, transliteration. Of the last two the message is judged as a
// whole, because short words of both languages look alike.
func (p *Parser) repairScript(text string) (string, []Repair) {
	text, mixed := mendLookAlikes(text)
	text, done := p.repairKeys(text)
	return text, append(mixed, done...)
}

// lookAlikes are the Latin letters that nobody can tell from a Russian one.
var lookAlikes = strings.NewReplacer("a", "а", "c", "с", "e", "е", "o", "о", "p", "р", "x", "х", "y", "у",
	"A", "А", "B", "В", "C", "С", "E", "Е", "H", "Н", "K", "К", "M", "М", "O", "О", "P", "Р", "T", "Т", "X", "Х")

// mendLookAlikes writes Russian letters for Latin ones that got into a Russian word
// and look the same (счёт with a Latin c), as long as no other Latin letter is in it.
func mendLookAlikes(text string) (string, []Repair) {
	if cyrillic, latin := scripts(text); cyrillic == 0 || latin == 0 {
		return text, nil
	}
	var done []Repair
	tokens := strings.Split(text, " ")
	for i, token := range tokens {
		cyrillic, latin := scripts(token)
		if latin == 0 || 3*cyrillic < latin || strings.ContainsFunc(token, unicode.IsDigit) {
			continue
		}
		to := lookAlikes.Replace(token)
		if _, left := scripts(to); left == 0 {
			tokens[i] = to
			done = append(done, Repair{Kind: RepairLayout, From: token, To: to})
		}
	}
	return strings.Join(tokens, " "), done
}

// repairKeys mends the wrong layout and transliteration.
func (p *Parser) repairKeys(text string) (string, []Repair) {
	cyrillic, latin := scripts(text)
	tokens := strings.Split(text, " ")
	head := tokens[:min(len(tokens), maxScriptTokens)]
	switch {
	case latin+cyrillic < minScriptLetters:
		return text, nil
	case latin > cyrillic:
		return p.repairLatin(text, tokens, head)
	case latin == 0:
		typed := p.candidates(head, p.englishCandidate)
		if total(typed) > textMargin+perLetter*float64(cyrillic) && p.isEnglish(typed) {
			return apply(tokens, typed, RepairLayout, keepWord)
		}
		return text, nil
	default:
		typed := p.candidates(head, p.layoutCandidate)
		return apply(tokens, typed, RepairLayout, wordMargin)
	}
}

// repairLatin chooses between the two reasons why a Russian message may be in
// Latin letters, or leaves it as the English it is.
func (p *Parser) repairLatin(text string, tokens, head []string) (string, []Repair) {
	if p.isPlainEnglish(head) {
		return text, nil
	}
	_, letters := scripts(strings.Join(head, " "))
	margin := textMargin + perLetter*float64(letters)
	layout, latin := p.candidates(head, p.layoutCandidate), p.candidates(head, p.translitCandidate)
	byLayout, byTranslit := total(layout), total(latin)
	switch {
	case max(byLayout, byTranslit) <= margin:
		return text, nil
	case byLayout > byTranslit:
		return apply(tokens, layout, RepairLayout, keepWord)
	default:
		return apply(tokens, latin, RepairTranslit, keepWord)
	}
}

func (p *Parser) candidates(tokens []string, read func(string) candidate) []candidate {
	out := make([]candidate, len(tokens))
	for i, token := range tokens {
		out[i] = read(token)
	}
	return out
}

// layoutCandidate reads a Latin token as Russian typed under the English layout.
func (p *Parser) layoutCandidate(token string) candidate {
	if cyrillic, latin := scripts(token); latin == 0 || cyrillic > 0 {
		return candidate{from: token, to: token} // «PDF-файл» is right
	}
	to, logp := p.keys.russianLayout(token, func(core string) float64 {
		return p.russian.likely(core) + p.known(core, knownRepaired)
	})
	return candidate{token, to, logp - p.english.likely(fold(token))}
}

// translitCandidate reads a Latin token as transliterated Russian.
func (p *Parser) translitCandidate(token string) candidate {
	if cyrillic, latin := scripts(token); latin == 0 || cyrillic > 0 {
		return candidate{from: token, to: token} // «PDF-файл» is right
	}
	to, logp, ok := p.latin.token(token)
	if !ok {
		return candidate{from: token, to: token}
	}
	logp += p.known(fold(to), knownRepaired) + p.known(fold(token), knownRight)
	return candidate{token, to, logp - p.english.likely(fold(token))}
}

// englishCandidate reads a Cyrillic token as English typed under the Russian layout.
func (p *Parser) englishCandidate(token string) candidate {
	to := p.keys.englishLayout(token)
	if to == token {
		return candidate{from: token, to: token}
	}
	gain := p.english.likely(fold(to)) - p.russian.likely(fold(token))
	return candidate{token, to, gain + p.known(fold(to), knownRepaired) + p.known(fold(token), knownRight)}
}

// isPlainEnglish reports a message of three words or more all of which are words of
// English: whatever else they may be read as, it is a coincidence.
func (p *Parser) isPlainEnglish(tokens []string) bool {
	n := 0
	for _, token := range tokens {
		for _, w := range words(fold(token), maxQueryWords) {
			if !strings.ContainsFunc(w, isLatin) || strings.ContainsFunc(w, notLatin) {
				continue // a number, or a code like 401k
			}
			if n++; !p.english.words.has(w) || p.english.chars.score(w) < strangeLetter*float64(len(w)+1) {
				return false
			}
		}
	}
	return n >= minEnglishWords
}

// isEnglish reports whether at least half of what was changed became words of
// English: slang looks like nothing that is known of Russian, but it is not English.
func (p *Parser) isEnglish(cs []candidate) bool {
	changed, right := 0, 0
	for _, c := range cs {
		if c.to == c.from {
			continue
		}
		changed++
		if core := strings.TrimFunc(fold(c.to), notWordRune); core != "" && p.english.words.has(core) {
			right++
		}
	}
	return 2*right >= changed && right > 0
}

// known returns worth if any longer word of folded text is in the base or slang.
func (p *Parser) known(folded string, worth float64) float64 {
	for _, w := range words(folded, maxQueryWords) {
		if len([]rune(w)) < 3 {
			continue
		}
		if _, n := p.vocabulary.StemForm(stem(w)); n > 0 || p.synonyms.has(w) {
			return worth
		}
	}
	return 0
}

func total(cs []candidate) float64 {
	var sum float64
	for _, c := range cs {
		sum += c.gain
	}
	return sum
}

// apply replaces the tokens whose gain is above floor.
func apply(tokens []string, cs []candidate, kind RepairKind, floor float64) (string, []Repair) {
	out := append([]string(nil), tokens...)
	var done []Repair
	for i, c := range cs {
		if c.to != c.from && c.gain > floor {
			out[i] = c.to
			done = append(done, Repair{Kind: kind, From: c.from, To: c.to})
		}
	}
	return strings.Join(out, " "), done
}
