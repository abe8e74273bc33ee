package markup

import (
	"strconv"
	"strings"

	"github.com/yuin/goldmark/util"
)

// Line is what stands for a Rule in a text.
const Line = "———"

// Marker is what goes before the first line of a block that begins an item of a
// list: a bullet, a number, a box; "" for other blocks.
func (b Block) Marker() string {
	switch i := b.Item; {
	case i.Depth == 0 || i.Continued:
		return ""
	case i.Task == DoneTask:
		return b.number() + "☑ "
	case i.Task == OpenTask:
		return b.number() + "☐ "
	case i.Ordered:
		return b.number()
	default:
		return []string{"• ", "◦ ", "▪ "}[(i.Depth-1)%3]
	}
}

func (b Block) number() string {
	if !b.Item.Ordered {
		return ""
	}
	return strconv.Itoa(b.Item.Number) + ". "
}

// Indent is what goes before every line of a block within a list.
func (b Block) Indent() string {
	depth := b.Item.Depth
	if depth > 0 && !b.Item.Continued {
		depth-- // the marker moves the text to the right
	}
	return strings.Repeat("   ", depth)
}

// Plain is the text without formatting: what is left are the markers of lists and
// quotes, and addresses in brackets behind their links.
func Plain(blocks []Block) string { return flatten(blocks, withAddresses) }

// Text is Plain without the addresses.
func Text(blocks []Block) string { return flatten(blocks, textOf) }

func flatten(blocks []Block, text func([]Span) string) string {
	var b strings.Builder
	for i, block := range blocks {
		if i > 0 && block.Gap {
			if block.Quote > 0 && blocks[i-1].Quote > 0 {
				b.WriteString("\n>")
			} else {
				b.WriteString("\n")
			}
		}
		if i > 0 {
			b.WriteString("\n")
		}
		body := text(block.Text)
		if block.Kind == Rule {
			body = Line
		}
		indent := block.Indent()
		body = indent + block.Marker() + strings.ReplaceAll(body, "\n", "\n"+indent)
		if block.Quote > 0 {
			body = "> " + strings.ReplaceAll(body, "\n", "\n> ")
		}
		b.WriteString(body)
	}
	return b.String()
}

func withAddresses(t []Span) string {
	return textOf(unlink(t, func(string) bool { return false }))
}

// Unlink makes text of the links that can is not true of, with the address in
// brackets behind it if the text is another one.
func Unlink(blocks []Block, can func(link string) bool) []Block {
	out := make([]Block, len(blocks))
	for i, b := range blocks {
		b.Text = unlink(b.Text, can)
		out[i] = b
	}
	return out
}

func unlink(t []Span, can func(string) bool) []Span {
	var out spans
	for len(t) > 0 {
		n := SameLink(t)
		group, link := t[:n], t[0].Link
		t = t[n:]
		if link == "" || can(link) {
			out = append(out, group...)
			continue
		}
		for _, s := range group {
			s.Link = ""
			out = append(out, s)
		}
		if !isAddress(textOf(group), link) {
			out = append(out, Span{Text: " (" + strings.TrimPrefix(link, "mailto:") + ")"})
		}
	}
	return out
}

// SameLink is the number of spans at the beginning of t, which is not empty, that
// are one link, or that are none.
func SameLink(t []Span) int {
	n := 1
	for n < len(t) && t[n].Link == t[0].Link {
		n++
	}
	return n
}

// isAddress tells whether a link's text is where it leads.
func isAddress(text, link string) bool {
	if len(text) > len(link)+len("/") {
		return false
	}
	for _, scheme := range []string{"", "http://", "https://", "mailto:"} {
		to, ok := address(string(util.URLEscape([]byte(scheme+text), false)))
		if ok && strings.TrimSuffix(to, "/") == strings.TrimSuffix(link, "/") {
			return true
		}
	}
	return false
}
