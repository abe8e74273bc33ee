package html

import (
	"strings"

	"github.com/nastavnik-bot/nastavnik/bot/markup"
)

// writer collects HTML and counts its entities.
type writer struct {
	strings.Builder
	entities int
	quoted   bool // within <blockquote>
}

// escaper escapes what the Bot API wants escaped, in text and in attributes.
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

func (w *writer) text(s string) {
	w.WriteString(escaper.Replace(s))
}

// within writes an element with what content writes.
func (w *writer) within(tag, attributes string, content func()) {
	w.entities++
	w.WriteString("<" + tag + attributes + ">")
	content()
	w.WriteString("</" + tag + ">")
}

func (w *writer) quote(on bool) {
	switch {
	case on && !w.quoted:
		w.entities++
		w.WriteString("<blockquote>")
	case !on && w.quoted:
		w.WriteString("</blockquote>")
	}
	w.quoted = on
}

// set lays out blocks as HTML.
func set(blocks []markup.Block) *writer {
	w := &writer{}
	for i, b := range blocks {
		// Code has no place within <blockquote>: an entity of code holds no other,
		// and what holds it is not said.
		quoted := b.Quote > 0 && b.Kind != markup.Code
		if !quoted {
			w.quote(false)
		}
		if i > 0 {
			w.text("\n")
			if b.Gap {
				w.text("\n")
			}
		}
		w.quote(quoted)
		w.block(b)
	}
	w.quote(false)
	return w
}

func (w *writer) block(b markup.Block) {
	switch b.Kind {
	case markup.Rule:
		w.text(b.Indent() + b.Marker() + markup.Line)
	case markup.Code:
		w.code(b)
	case markup.Heading:
		w.text(b.Indent() + b.Marker())
		w.spans(embolden(b.Text), b.Indent())
	case markup.Paragraph:
		w.text(b.Indent() + b.Marker())
		w.spans(b.Text, b.Indent())
	}
}

func (w *writer) code(b markup.Block) {
	if marker := b.Marker(); marker != "" {
		w.text(b.Indent() + strings.TrimSpace(marker) + "\n")
	}
	text := ""
	for _, s := range b.Text {
		text += s.Text
	}
	if b.Language == "" {
		w.within("pre", "", func() { w.text(text) })
		return
	}
	w.within("pre", "", func() {
		w.WriteString(`<code class="language-` + escaper.Replace(b.Language) + `">`)
		w.text(text)
		w.WriteString("</code>")
	})
}

// spans writes a paragraph; indent begins every line but the first.
func (w *writer) spans(t []markup.Span, indent string) {
	for len(t) > 0 {
		n := markup.SameLink(t)
		write := func() {
			for _, s := range t[:n] {
				s.Text = strings.ReplaceAll(s.Text, "\n", "\n"+indent)
				if s.Link != "" {
					s.Style &^= markup.Mono // code within a link is no link
				}
				w.span(s)
			}
		}
		if t[0].Link == "" {
			write()
		} else {
			w.within("a", ` href="`+escaper.Replace(t[0].Link)+`"`, write)
		}
		t = t[n:]
	}
}

// span writes text in its style. Code holds no other style.
func (w *writer) span(s markup.Span) {
	write := func() { w.text(s.Text) }
	if s.Style&markup.Mono != 0 {
		w.within("code", "", write)
		return
	}
	for _, e := range []struct {
		style markup.Style
		tag   string
	}{{markup.Strike, "s"}, {markup.Italic, "i"}, {markup.Bold, "b"}} {
		if inner := write; s.Style&e.style != 0 {
			write = func() { w.within(e.tag, "", inner) }
		}
	}
	write()
}

func embolden(t []markup.Span) []markup.Span {
	out := make([]markup.Span, len(t))
	for i, s := range t {
		s.Style |= markup.Bold
		out[i] = s
	}
	return out
}
