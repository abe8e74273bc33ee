package search

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// minInflected is the shortest stem by which the forms of a slang word are
	// recognised: «юзера» as «юзер», but «тела» not as «тел». Shorter ones are
	// recognised in the form that is listed.
	minInflected = 4
	// maxSlangWords is the length in words of the longest slang phrase.
	maxSlangWords = 4
)

// synonymTable replaces slang by the plain words for it.
type synonymTable struct {
	plain   map[string]string // by slangKey of the slang
	longest int               // words of the longest slang
}

func newSynonymTable(slangToPlain map[string]string) synonymTable {
	t := synonymTable{plain: make(map[string]string, len(slangToPlain))}
	for _, slang := range slices.Sorted(maps.Keys(slangToPlain)) {
		spans, plain := wordSpans(Clean(slang)), Clean(slangToPlain[slang])
		if len(spans) == 0 || len(spans) > maxSlangWords || plain == "" {
			continue
		}
		key := slangKey(spans)
		if _, ok := t.plain[key]; !ok { // of two forms of a word the first holds, on every run
			t.plain[key] = plain
		}
		t.longest = max(t.longest, len(spans))
	}
	return t
}

// has reports whether a folded word is slang by itself.
func (t synonymTable) has(word string) bool {
	_, ok := t.plain[slangKey([]span{{word: word}})]
	return ok
}

// slangKey is the same for all forms of the words, as far as their stems are long
// enough to tell them from other words.
func slangKey(spans []span) string {
	parts := make([]string, len(spans))
	for i, s := range spans {
		parts[i] = s.word
		if root := stem(s.word); utf8.RuneCountInString(root) >= minInflected {
			parts[i] = root
		}
	}
	return strings.Join(parts, " ")
}

// applySynonyms replaces the slang that the base does not use itself. A message
// without Russian in it is left alone: what is slang among Russian words may be a
// right word of another language.
func (p *Parser) applySynonyms(text string) (string, []Repair) {
	if p.synonyms.longest == 0 {
		return text, nil
	}
	if cyrillic, _ := scripts(text); cyrillic == 0 {
		return text, nil
	}
	spans := wordSpans(text)
	var out strings.Builder
	var done []Repair
	copied := 0
	for at := 0; at < len(spans); {
		n, plain := p.slangAt(spans[at:])
		if n == 0 {
			at++
			continue
		}
		start, end := spans[at].start, spans[at+n-1].end
		out.WriteString(text[copied:start])
		out.WriteString(plain)
		copied = end
		done = append(done, Repair{Kind: RepairSynonym, From: text[start:end], To: plain})
		at += n
	}
	out.WriteString(text[copied:])
	return out.String(), done
}

// slangAt returns how many of the first words are slang, the longest phrase first,
// and the plain words for it; 0 if there is none or the base talks like that.
func (p *Parser) slangAt(spans []span) (int, string) {
	for n := min(p.synonyms.longest, len(spans)); n > 0; n-- {
		plain, ok := p.synonyms.plain[slangKey(spans[:n])]
		if ok && !p.baseSays(spans[:n], plain) {
			return n, plain
		}
	}
	return 0, ""
}

// baseSays reports that the slang must stay: the base uses all of its words, or
// they are the plain words already.
func (p *Parser) baseSays(slang []span, plain string) bool {
	if slangKey(slang) == slangKey(wordSpans(plain)) {
		return true
	}
	for _, s := range slang {
		if _, count := p.vocabulary.StemForm(stem(s.word)); count == 0 {
			return false
		}
	}
	return true
}
