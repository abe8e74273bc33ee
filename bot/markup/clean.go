package markup

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
)

// Bidirectional overrides make letters run against their nature. No honest text in a
// chat needs them, and one would turn round what the bot says after it.
const (
	leftToRightOverride = '\u202d'
	rightToLeftOverride = '\u202e'
	lineSeparator       = '\u2028'
	paragraphSeparator  = '\u2029'
)

// Clean returns s as valid UTF-8, with line ends as "\n" and without control
// characters and bidirectional overrides.
func Clean(s string) string {
	if clean(s) {
		return s
	}
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r' || r == lineSeparator || r == paragraphSeparator || r == '\u0085':
			return '\n'
		case dropped(r):
			return -1
		}
		return r
	}, s)
}

func clean(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool {
		return dropped(r) || r == lineSeparator || r == paragraphSeparator
	}) < 0
}

func dropped(r rune) bool {
	return r != '\n' && r != '\t' && unicode.IsControl(r) || r == leftToRightOverride || r == rightToLeftOverride
}

// OneLine returns s clean and on one line, with each white space a single space.
func OneLine(s string) string { return strings.Join(strings.Fields(Clean(s)), " ") }

// Name returns what somebody calls themselves on one line, and so that no link can be
// made of it in Markdown: it stands among the bot's own words.
func Name(s string) string { return round.Replace(OneLine(s)) }

// round has the brackets that make no link.
var round = strings.NewReplacer("[", "(", "]", ")")

// Visible tells whether there is anything to see in s: platforms refuse a text that
// is empty to the eye.
func Visible(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		switch r {
		case '\u115f', '\u1160', '\u3164', '\uffa0', '\u2800': // letters and symbols without a picture
			return false
		}
		return unicode.IsGraphic(r) && !unicode.IsSpace(r) && !unicode.In(r, unicode.Mn, unicode.Me, unicode.Variation_Selector)
	}) >= 0
}

// Units is the length of s in UTF-16 code units, as chat platforms count.
func Units(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xffff {
			n++
		}
	}
	return n
}

// Shorten cuts s to at most limit UTF-16 code units, with an ellipsis, between
// characters as people see them, and at a word if there is one in the second half.
func Shorten(s string, limit int) string {
	if Units(s) <= limit {
		return s
	}
	if limit < 1 {
		return ""
	}
	cut := s[:prefix(s, limit-1)]
	if i := strings.LastIndexByte(cut, ' '); i > len(cut)/2 {
		cut = cut[:i]
	}
	return strings.TrimRight(cut, " ,.;:—-") + "…"
}

// prefix is the length in bytes of the longest beginning of s of at most limit code
// units that ends between characters; a character that is longer by itself is cut.
func prefix(s string, limit int) int {
	end, units := 0, 0
	for g := graphemes.FromString(s); g.Next(); {
		n := Units(g.Value())
		if units+n > limit {
			break
		}
		units += n
		end += len(g.Value())
	}
	if end > 0 {
		return end
	}
	for i, r := range s {
		if units += Units(string(r)); units > limit {
			return i
		}
	}
	return len(s)
}
