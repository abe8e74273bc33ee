package search

import "strings"

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
	// maxScriptTokens is how much of a long message is judged and mended.
	maxScriptTokens = 60
)

// candidate is a token, what it would be, and the likelihood ratio for that.
type candidate struct {
	from, to string
	gain     float64
}

// repairScript mends the wrong keyboard layout and transliteration. The message is
// judged as a whole, because short words of both languages look alike.
func (p *Parser) repairScript(text string) (string, []Repair) {
	cyrillic, latin := scripts(text)
	tokens := strings.Split(text, " ")
	head := tokens[:min(len(tokens), maxScriptTokens)]
	switch {
	case latin == 0 && cyrillic == 0:
		return text, nil
	case latin > cyrillic:
		return p.repairLatin(text, tokens, head)
	case latin == 0:
		typed := p.candidates(head, p.englishCandidate)
		if total(typed) > textMargin+perLetter*float64(cyrillic) {
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
	if _, latin := scripts(token); latin == 0 {
		return candidate{from: token, to: token}
	}
	to, logp := p.keys.russianLayout(token, func(core string) float64 {
		return p.russian.likely(core) + p.known(core, knownRepaired)
	})
	return candidate{token, to, logp - p.english.likely(fold(token))}
}

// translitCandidate reads a Latin token as transliterated Russian.
func (p *Parser) translitCandidate(token string) candidate {
	if _, latin := scripts(token); latin == 0 {
		return candidate{from: token, to: token}
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

// known returns worth if any longer word of folded text is in the base.
func (p *Parser) known(folded string, worth float64) float64 {
	for _, w := range words(folded, maxQueryWords) {
		if len([]rune(w)) < 3 {
			continue
		}
		if _, n := p.vocabulary.StemForm(stem(w)); n > 0 {
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
