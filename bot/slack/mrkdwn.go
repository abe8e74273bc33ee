package slack

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// markdown translates Slack's own markup, https://docs.slack.dev/messaging/formatting-message-text,
// into standard Markdown. Names of people are asked of say.
func markdown(s string, say func(string) string) string {
	w := reader{say: say}
	for i, chunk := range fences(s) {
		if i%2 == 1 {
			w.fence(chunk)
		} else {
			w.lines(chunk)
		}
	}
	return w.out.String()
}

// fences cuts a text at ```: what is at odd places stood between two of them.
func fences(s string) []string {
	parts := strings.Split(s, "```")
	if len(parts)%2 == 0 { // the last one is not closed
		n := len(parts)
		parts[n-2] += "```" + parts[n-1]
		parts = parts[:n-1]
	}
	return parts
}

// reader writes the Markdown of what it reads.
type reader struct {
	out strings.Builder
	say func(string) string
}

func (w *reader) fence(code string) {
	if w.out.Len() > 0 && !strings.HasSuffix(w.out.String(), "\n") {
		w.out.WriteByte('\n')
	}
	code = strings.TrimPrefix(code, "\n")
	w.out.WriteString("```\n" + w.plain(code))
	if !strings.HasSuffix(code, "\n") {
		w.out.WriteByte('\n')
	}
	w.out.WriteString("```\n")
}

func (w *reader) lines(s string) {
	if strings.HasSuffix(w.out.String(), "```\n") {
		s = strings.TrimPrefix(s, "\n")
	}
	for i, line := range strings.Split(s, "\n") {
		if i > 0 {
			w.out.WriteByte('\n')
		}
		w.line(line)
	}
}

// line translates what is not code, and keeps `code` as it is.
func (w *reader) line(s string) {
	s = bullet(s)
	parts := strings.Split(s, "`")
	if len(parts)%2 == 0 {
		w.out.WriteString(w.entities(emphasis(s)))
		return
	}
	for i, part := range parts {
		if i%2 == 1 {
			w.out.WriteString("`" + w.plain(part) + "`")
		} else {
			w.out.WriteString(w.entities(emphasis(part)))
		}
	}
}

// bullet makes an item of a list of what Slack's editor makes one.
func bullet(line string) string {
	text := strings.TrimLeft(line, " ")
	indent := line[:len(line)-len(text)]
	for _, mark := range []string{"• ", "◦ ", "▪︎ ", "▪ "} {
		if rest, ok := strings.CutPrefix(text, mark); ok {
			return indent + "- " + rest
		}
	}
	return line
}

// emphasis doubles the marks of bold and struck text, which are single in Slack.
func emphasis(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		c := s[i]
		if c == '<' { // an address may contain anything
			end := strings.IndexByte(s[i:], '>')
			if end < 0 {
				end = len(s) - i - 1
			}
			b.WriteString(s[i : i+end+1])
			i += end + 1
			continue
		}
		if end := closing(s, i); end > 0 {
			mark := strings.Repeat(string(c), 2)
			b.WriteString(mark + emphasis(s[i+1:end]) + mark)
			i = end + 1
			continue
		}
		b.WriteByte(c)
		i++
	}
	return b.String()
}

// maxEmphasis bounds bold text in bytes: without an end in sight it is none.
const maxEmphasis = 4000

// closing returns where what begins at i with * or ~ ends, 0 when nothing begins.
func closing(s string, i int) int {
	if !opens(s, i) {
		return 0
	}
	for j := i + 1; j < min(len(s), i+maxEmphasis); j++ {
		if s[j] == '<' {
			end := strings.IndexByte(s[j:], '>')
			if end < 0 {
				return 0
			}
			j += end
			continue
		}
		if j > i+1 && s[j] == s[i] && closes(s, j) {
			return j
		}
	}
	return 0
}

// opens reports whether a mark stands at i before a text and not within a word.
func opens(s string, i int) bool {
	c := s[i]
	return (c == '*' || c == '~') && i+1 < len(s) && s[i+1] != c && s[i+1] != ' ' && atBorder(lastRune(s[:i]))
}

// closes reports whether the mark at j stands behind a text and not within a word.
func closes(s string, j int) bool {
	return s[j-1] != ' ' && s[j-1] != s[j] && !strings.HasPrefix(s[j+1:], s[j:j+1]) && atBorder(firstRune(s[j+1:]))
}

func firstRune(s string) rune {
	if s == "" {
		return ' '
	}
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

func lastRune(s string) rune {
	if s == "" {
		return ' '
	}
	r, _ := utf8.DecodeLastRuneInString(s)
	return r
}

// atBorder reports whether a mark may stand beside r: not within a word.
func atBorder(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// entities translates links and mentions, and unescapes the rest.
func (w *reader) entities(s string) string { return w.each(s, w.entity) }

// plain is entities for code: links have no markup there.
func (w *reader) plain(s string) string {
	return w.each(s, func(e string) string {
		target, label, _ := strings.Cut(e, "|")
		if isLink(target) {
			if label == "" {
				return unescape(target)
			}
			return unescape(label)
		}
		return w.entity(e)
	})
}

// each replaces what stands in angle brackets.
func (w *reader) each(s string, with func(string) string) string {
	var b strings.Builder
	for {
		before, rest, open := strings.Cut(s, "<")
		inside, after, closed := strings.Cut(rest, ">")
		b.WriteString(unescape(before))
		switch {
		case !open:
			return b.String()
		case !closed:
			b.WriteString("<" + unescape(rest))
			return b.String()
		}
		b.WriteString(with(inside))
		s = after
	}
}

// entity translates what stood in angle brackets.
func (w *reader) entity(e string) string {
	target, label, _ := strings.Cut(e, "|")
	label = unescape(label)
	switch {
	case strings.HasPrefix(target, "@"):
		return "@" + w.name(target[1:], strings.TrimPrefix(label, "@"))
	case strings.HasPrefix(target, "#"):
		return "#" + or(label, target[1:])
	case strings.HasPrefix(target, "!subteam"), strings.HasPrefix(target, "!date"):
		return or(label, "")
	case strings.HasPrefix(target, "!"):
		return "@" + or(strings.TrimPrefix(label, "@"), target[1:])
	case isLink(target):
		return link(unescape(target), label)
	}
	return "<" + unescape(e) + ">"
}

func (w *reader) name(user, label string) string {
	if label == "" && w.say != nil {
		label = w.say(user)
	}
	return or(label, user)
}

func or(s, other string) string {
	if strings.TrimSpace(s) == "" {
		return other
	}
	return s
}

func isLink(s string) bool {
	scheme, _, ok := strings.Cut(s, ":")
	return ok && (scheme == "http" || scheme == "https" || scheme == "mailto" || scheme == "tel" || scheme == "ftp")
}

// link writes a link; one that only repeats its address is the address.
func link(address, label string) string {
	for _, prefix := range []string{"mailto:", "tel:"} {
		if bare, ok := strings.CutPrefix(address, prefix); ok && (label == "" || label == bare) {
			return bare
		}
	}
	for _, prefix := range []string{"", "http://", "https://"} {
		if label == "" || strings.TrimSuffix(address, "/") == prefix+strings.TrimSuffix(label, "/") {
			return address
		}
	}
	return "[" + linkLabel.Replace(label) + "](" + linkAddress.Replace(address) + ")"
}

var (
	linkLabel   = strings.NewReplacer("[", "\\[", "]", "\\]", "\n", " ")
	linkAddress = strings.NewReplacer("(", "%28", ")", "%29", " ", "%20", "\n", "")
	unescaper   = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")
)

func unescape(s string) string { return unescaper.Replace(s) }
