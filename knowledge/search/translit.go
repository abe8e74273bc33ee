package search

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// translit reads Latin letters as the Russian ones that people write with them.
// One spelling has several readings (y: ы, й; nothing: ь); a beam search keeps the
// likeliest Russian under the character model.
type translit struct {
	readings map[string][]string
	russian  language
	words    Vocabulary
}

const (
	beamWidth = 12
	// longestSpelling is the length of "shch".
	longestSpelling = 4
	// softSign is ln p that a consonant is followed by a soft sign that the
	// spelling leaves out.
	softSign = -1.0
)

func newTranslit(russian language, words Vocabulary) translit {
	t := translit{readings: map[string][]string{}, russian: russian, words: words}
	for _, line := range strings.Fields(`a:а b:б v:в w:в g:г d:д e:е,э,ё z:з i:и,й j:й,ж,дж k:к l:л m:м n:н o:о p:п r:р s:с
		t:т u:у f:ф h:х c:ц,к x:кс,х y:ы,й q:к ':ь,ъ zh:ж kh:х ts:ц,тс tz:ц ch:ч sh:ш sch:щ shch:щ shh:щ
		ya:я,ья yu:ю,ью yo:е,ье,йо ye:е,ье ja:я ju:ю jo:е ia:ия,я iu:ию,ю ie:ие,ье,е yi:ый,ьи iy:ий yy:ый ij:ий yj:ый ey:ей,ы ck:к ph:ф 4:ч 6:ш`) {
		spelling, to, _ := strings.Cut(line, ":")
		t.readings[spelling] = strings.Split(to, ",")
	}
	return t
}

// reading is one partial interpretation in the beam.
type reading struct {
	text string
	a, b int // the last two codes of the model
	logp float64
}

func (t translit) extend(r reading, letters string) reading {
	for _, l := range letters {
		if l == 'ё' {
			l = 'е'
		}
		c := t.russian.chars.code(l)
		r.logp += t.russian.chars.step(r.a, r.b, c)
		r.a, r.b = r.b, c
	}
	r.text += letters
	return r
}

// word returns the likeliest Russian reading of one folded Latin word, and its
// likelihood as language.likely gives it. It is false where a letter has no reading.
func (t translit) word(latin string) (string, float64, bool) {
	if len(latin) > maxTranslitWord || !plainASCII(latin) {
		return latin, 0, false
	}
	beams := make([][]reading, len(latin)+1)
	beams[0] = []reading{{}}
	for i := range len(latin) {
		prune(&beams[i])
		for n := 1; n <= longestSpelling && i+n <= len(latin); n++ {
			for _, letters := range t.readings[latin[i:i+n]] {
				for _, r := range beams[i] {
					next := t.extend(r, letters)
					beams[i+n] = append(beams[i+n], next)
					if takesSoftSign(letters) {
						soft := t.extend(next, "ь")
						soft.logp += softSign
						beams[i+n] = append(beams[i+n], soft)
					}
				}
			}
		}
	}
	last := beams[len(latin)]
	if len(last) == 0 {
		return latin, 0, false
	}
	for i := range last {
		t.end(&last[i])
	}
	prune(&last)
	return last[0].text, last[0].logp, true
}

// end closes a reading and favours words that the language and the base have.
func (t translit) end(r *reading) {
	r.logp += t.russian.chars.step(r.a, r.b, 0)
	word := fold(r.text)
	if t.russian.words.has(word) {
		r.logp += listed
	}
	if t.words.WordCount(word) > 0 {
		r.logp += listed
	}
}

// maxTranslitWord bounds one word; the longest Russian words in use have about 30 letters.
const maxTranslitWord = 40

func prune(beam *[]reading) {
	slices.SortFunc(*beam, func(x, y reading) int {
		return cmp.Or(cmp.Compare(y.logp, x.logp), cmp.Compare(x.text, y.text))
	})
	*beam = (*beam)[:min(len(*beam), beamWidth)]
}

func takesSoftSign(letters string) bool {
	switch letters {
	case "б", "в", "д", "з", "л", "м", "н", "п", "р", "с", "т", "ф", "ч", "ш", "ж":
		return true
	}
	return false
}

// token reads a token that may hold several words and marks; letter case of the
// first letter is kept.
func (t translit) token(token string) (string, float64, bool) {
	var out strings.Builder
	var sum float64
	for _, part := range splitLatin(token) {
		if !strings.ContainsFunc(part, isLatin) {
			out.WriteString(part)
			continue
		}
		word, logp, ok := t.word(strings.ToLower(part))
		if !ok {
			return token, 0, false
		}
		sum += logp
		if r := []rune(word); unicode.IsUpper(rune(part[0])) && len(r) > 0 {
			r[0] = unicode.ToUpper(r[0])
			word = string(r)
		}
		out.WriteString(word)
	}
	return out.String(), sum, true
}

// splitLatin cuts a token into runs of Latin letters (with apostrophes inside
// them) and runs of anything else.
func splitLatin(token string) []string {
	var parts []string
	start, inside := 0, false
	for i, r := range token {
		latin := isLatin(r) || r == '\'' && inside && i+1 < len(token) && isLatin(rune(token[i+1]))
		if latin != inside && i > start {
			parts = append(parts, token[start:i])
			start = i
		}
		inside = latin
	}
	return append(parts, token[start:])
}
