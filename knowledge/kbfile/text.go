package kbfile

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// cleaned is a text after normalisation and what had to be done for it.
type cleaned struct {
	text    string
	removed []rune // control characters taken out, in order, NUL not among them
	nul     bool   // NUL taken out
	invalid bool   // bytes that are not UTF-8 replaced by U+FFFD
	damaged bool   // U+FFFD that the file itself contains
}

// cleanText normalises a text: valid UTF-8, every kind of line break to "\n",
// no control characters but tab and "\n", NFC, no space around. Cleaning twice
// changes nothing.
func cleanText(s string) cleaned {
	var c cleaned
	if !utf8.ValidString(s) {
		c.invalid = true
		s = strings.ToValidUTF8(s, "�")
	} else if strings.ContainsRune(s, utf8.RuneError) {
		c.damaged = true
	}
	if strings.ContainsFunc(s, special) {
		s = strings.ReplaceAll(s, "\r\n", "\n")
		s = strings.Map(c.mapControl, s)
	}
	c.text = strings.TrimFunc(norm.NFC.String(s), blank)
	return c
}

// special tells the characters that mapControl is for.
func special(r rune) bool {
	return r != '\n' && r != '\t' && unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
}

// mapControl turns line breaks into "\n" (word processors and spreadsheets
// leave vertical tabs and Unicode separators where a line was broken) and drops
// the other control characters.
func (c *cleaned) mapControl(r rune) rune {
	switch {
	case r == '\r', r == '\v', r == '\f', r == '\u0085', r == '\u2028', r == '\u2029':
		return '\n'
	case r == 0:
		c.nul = true
		return -1
	case special(r):
		c.removed = append(c.removed, r)
		return -1
	}
	return r
}

// blank tells what is cut off around a value: spaces, and the invisible
// characters that come along when text is copied from a web page.
func blank(r rune) bool {
	return unicode.IsSpace(r) || r == '\ufeff' || r == '\u200b'
}

// cleanLine is cleanText on one line with single spaces.
func cleanLine(s string) string { return oneLine(cleanText(s).text) }

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// removedList names the characters taken out, each once, in their order.
func (c cleaned) removedList() string {
	codes := slices.Clone(c.removed)
	slices.Sort(codes)
	codes = slices.Compact(codes)
	names := make([]string, len(codes))
	for i, r := range codes {
		names[i] = fmt.Sprintf("U+%04X", r)
	}
	return strings.Join(names, ", ")
}

// sameQuestion is the key by which two questions count as the same text: lower
// case, ё as е, punctuation and spaces as one space.
func sameQuestion(q string) string {
	key := strings.Join(strings.FieldsFunc(strings.ToLower(q), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsPunct(r) && r != '#' && r != '%' // C# is not C
	}), " ")
	if key == "" {
		return q // nothing but punctuation: compare as it is
	}
	return strings.ReplaceAll(key, "ё", "е")
}
