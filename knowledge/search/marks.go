package search

import (
	"strings"
	"unicode"
)

// tidyMarks leaves out pictures, and of several question and exclamation marks in a
// row all but one, a question mark if there is any. They say how urgent it is, not
// what is asked, and the embedder takes them for words. A message without letters
// and digits is left as it is.
func tidyMarks(text string) (string, []Repair) {
	if !strings.ContainsFunc(text, isWordRune) {
		return text, nil
	}
	var out, left strings.Builder
	for rest := text; rest != ""; {
		n := len(rest) - len(strings.TrimLeftFunc(rest, isSpareMark))
		if n == 0 {
			n = strings.IndexFunc(rest, isSpareMark)
			if n < 0 {
				n = len(rest)
			}
			out.WriteString(rest[:n])
			rest = rest[n:]
			continue
		}
		run := rest[:n]
		if mark := oneMark(run); mark == run {
			out.WriteString(run)
		} else {
			left.WriteString(run)
			out.WriteString(mark)
		}
		rest = rest[n:]
	}
	if left.Len() == 0 {
		return text, nil
	}
	return Clean(out.String()), []Repair{{Kind: RepairMarks, From: left.String()}}
}

// isSpareMark reports what people repeat, and pictures.
func isSpareMark(r rune) bool { return r == '?' || r == '!' || isPicture(r) }

// isPicture reports an emoji and what belongs to one: the choice of its look, the
// joiner, the frame of a key.
func isPicture(r rune) bool {
	return r >= 0x80 && (unicode.Is(unicode.So, r) && !isSign(r) || r == '\ufe0f' || r == '\u200d' || r == '\u20e3' || '\U0001f3fb' <= r && r <= '\U0001f3ff')
}

// isSign reports symbols that mean a word: №, ©, ®, °, ™.
func isSign(r rune) bool { return r == '№' || r == '©' || r == '®' || r == '°' || r == '™' }

// oneMark returns what a run of spare marks comes to.
func oneMark(run string) string {
	switch {
	case strings.ContainsRune(run, '?'):
		return "?"
	case strings.ContainsRune(run, '!'):
		return "!"
	default:
		return " "
	}
}
