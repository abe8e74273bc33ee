package markup

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/util"
)

// spans collects text.
type spans []Span

func (t *spans) add(s Span) {
	if s.Text != "" {
		*t = append(*t, s)
	}
}

// trimmed is without white space at both ends; neighbours set alike are one span.
func (t spans) trimmed() []Span {
	var out []Span
	for from := 0; from < len(t); {
		var text strings.Builder
		to := from
		for ; to < len(t) && t[to].Style == t[from].Style && t[to].Link == t[from].Link; to++ {
			text.WriteString(t[to].Text)
		}
		out = append(out, Span{text.String(), t[from].Style, t[from].Link})
		from = to
	}
	return trimRight(trimLeft(out))
}

func trimLeft(t []Span) []Span {
	for len(t) > 0 {
		t[0].Text = strings.TrimLeft(t[0].Text, " \t\n")
		if t[0].Text != "" {
			break
		}
		t = t[1:]
	}
	return t
}

func trimRight(t []Span) []Span {
	for len(t) > 0 {
		last := &t[len(t)-1]
		last.Text = strings.TrimRight(last.Text, " \t\n")
		if last.Text != "" {
			break
		}
		t = t[:len(t)-1]
	}
	return t
}

// inline adds what is within a node, set as s. A box of a task list goes into item.
func (r *reader) inline(t *spans, parent ast.Node, s Span, item *Item) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		r.inlineNode(t, n, s, item)
	}
}

func (r *reader) inlineNode(t *spans, n ast.Node, s Span, item *Item) {
	switch n := n.(type) {
	case *ast.Text:
		r.text(t, n, s)
	case *ast.String:
		s.Text = string(n.Value)
		t.add(s)
	case *ast.CodeSpan:
		s.Style |= Mono
		s.Text = r.codeSpan(n)
		t.add(s)
	case *ast.Emphasis:
		s.Style |= emphasis(n.Level)
		r.inline(t, n, s, item)
	case *extast.Strikethrough:
		s.Style |= Strike
		r.inline(t, n, s, item)
	case *ast.Link:
		r.link(t, n, string(n.Destination), s)
	case *ast.Image:
		r.link(t, n, string(n.Destination), s)
	case *ast.AutoLink:
		r.autoLink(t, n, s)
	case *extast.TaskCheckBox:
		item.Task = OpenTask
		if n.IsChecked {
			item.Task = DoneTask
		}
	default:
		r.inline(t, n, s, item)
	}
}

func emphasis(level int) Style {
	if level > 1 {
		return Bold
	}
	return Italic
}

func (r *reader) text(t *spans, n *ast.Text, s Span) {
	value := n.Segment.Value(r.source)
	s.Text = string(value)
	if !n.IsRaw() {
		s.Text = unescape(s.Text)
	}
	if n.HardLineBreak() {
		s.Text = strings.TrimRight(s.Text, " ")
	}
	t.add(s)
	if n.SoftLineBreak() || n.HardLineBreak() {
		s.Text = "\n"
		t.add(s)
	}
}

// codeSpan is the text between backticks, where line breaks are spaces.
func (r *reader) codeSpan(n *ast.CodeSpan) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			b.Write(t.Segment.Value(r.source))
		}
	}
	return strings.ReplaceAll(b.String(), "\n", " ")
}

// link adds a link or a picture. Without an address that may be followed, the text
// stays, and the address after it.
func (r *reader) link(t *spans, n ast.Node, destination string, s Span) {
	to, ok := address(string(util.URLEscape([]byte(destination), true)))
	if ok && s.Link == "" {
		s.Link = to
	}
	var inner spans
	r.inline(&inner, n, s, &Item{})
	if blank(inner) {
		name := s
		name.Text = shownAddress(destination)
		inner.add(name)
		ok = true // nothing else to be shown
	}
	*t = append(*t, inner...)
	if shown := shownAddress(destination); !ok && shown != "" && shown != textOf(inner) {
		s.Text = " (" + shown + ")"
		t.add(s)
	}
}

func (r *reader) autoLink(t *spans, n *ast.AutoLink, s Span) {
	to := string(n.URL(r.source))
	if n.AutoLinkType == ast.AutoLinkEmail && !strings.HasPrefix(strings.ToLower(to), "mailto:") {
		to = "mailto:" + to
	}
	if safe, ok := address(string(util.URLEscape([]byte(to), false))); ok && s.Link == "" {
		s.Link = safe
	}
	s.Text = string(n.Label(r.source))
	t.add(s)
}

// unescape resolves backslashes and entities as CommonMark has them.
func unescape(s string) string {
	if !strings.ContainsAny(s, `\&`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] == '\\' && i+1 < len(s) && util.IsPunct(s[i+1]) {
			b.WriteByte(s[i+1])
			i += 2
			continue
		}
		if s[i] == '&' {
			if value, size := entity(s[i:]); size > 0 {
				b.WriteString(value)
				i += size
				continue
			}
		}
		b.WriteByte(s[i])
		i++
	}
	return Clean(b.String())
}

// maxEntity is longer than the longest name that HTML has.
const maxEntity = 40

// entity reads the entity that s begins with, with its size in s; 0 for none.
func entity(s string) (value string, size int) {
	end := strings.IndexByte(s[:min(len(s), maxEntity)], ';')
	if end < 2 {
		return "", 0
	}
	name := s[1:end]
	if name[0] != '#' {
		if e, ok := util.LookUpHTML5EntityByName(name); ok {
			return string(e.Characters), end + 1
		}
		return "", 0
	}
	digits, base := name[1:], 10
	if hex := strings.TrimPrefix(strings.ToLower(digits), "x"); len(hex) < len(digits) {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || len(digits) > 7 {
		return "", 0
	}
	if n == 0 || n > utf8.MaxRune {
		n = utf8.RuneError
	}
	return string(rune(n)), end + 1
}

// textOf is the text of spans, without any style.
func textOf(t []Span) string {
	if len(t) == 1 {
		return t[0].Text
	}
	var b strings.Builder
	for _, s := range t {
		b.WriteString(s.Text)
	}
	return b.String()
}

func blank(t []Span) bool { return strings.TrimSpace(textOf(t)) == "" }
