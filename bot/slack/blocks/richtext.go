package blocks

import (
	"strings"

	"github.com/slack-go/slack"

	"github.com/nastavnik-bot/nastavnik/bot/markup"
)

const (
	// maxIndent is how deep Slack's own editor nests lists.
	maxIndent = 8
	// maxNumber is the greatest number of a numbered list; "2019. A good year" is
	// a sentence.
	maxNumber = 999
)

func fits(blocks []markup.Block) bool {
	size := 0
	rich := richText(blocks)
	for _, b := range rich {
		size += sizeOf(b)
	}
	return size <= maxRichText && len(rich) <= maxBlocks/2
}

// richText lays out blocks: as one rich_text block, or several with dividers between.
func richText(blocks []markup.Block) []slack.Block {
	var w writer
	for _, b := range blocks {
		w.block(b)
	}
	w.end()
	return w.blocks
}

// writer collects the elements of rich_text.
type writer struct {
	blocks   []slack.Block
	elements []slack.RichTextElement
	last     markup.Block // in elements
}

func (w *writer) end() {
	if len(w.elements) > 0 {
		w.blocks = append(w.blocks, slack.NewRichTextBlock("", w.elements...))
		w.elements = nil
	}
}

func (w *writer) block(b markup.Block) {
	switch {
	case b.Kind == markup.Rule:
		w.marker(b)
		w.end()
		w.blocks = append(w.blocks, slack.NewDividerBlock())
	case b.Kind == markup.Code:
		w.code(b)
	case isItem(b):
		w.item(b)
	case b.Quote > 0:
		w.quote(b)
	default:
		w.paragraph(b)
	}
	w.last = b
}

func isItem(b markup.Block) bool {
	i := b.Item
	return i.Depth > 0 && !i.Continued && (!i.Ordered || i.Number >= 1 && i.Number <= maxNumber)
}

func border(b markup.Block) int {
	if b.Quote > 0 {
		return 1 // the bar of a quote
	}
	return 0
}

// lineBreaks stand between a block and the one before it in the same element.
func lineBreaks(b markup.Block) string {
	if b.Gap {
		return "\n\n"
	}
	return "\n"
}

func (w *writer) code(b markup.Block) {
	w.marker(b)
	w.openGap(b)
	w.elements = append(w.elements, &slack.RichTextPreformatted{Type: slack.RTEPreformatted, Elements: texts(b.Text), Border: border(b)})
}

// marker writes the marker of a block that cannot stand in a list, as an item without
// text.
func (w *writer) marker(b markup.Block) {
	if b.Marker() != "" {
		b.Kind, b.Text = markup.Paragraph, nil
		w.block(b)
	}
}

// item adds to the list before, or begins one.
func (w *writer) item(b markup.Block) {
	section := slack.NewRichTextSection(itemTexts(b)...)
	if list := w.list(b); list != nil {
		list.Elements = append(list.Elements, section)
		return
	}
	w.openGap(b)
	style := slack.RTEListBullet
	list := slack.NewRichTextList(style, min(b.Item.Depth-1, maxIndent), section)
	if b.Item.Ordered {
		list.Style, list.Offset = slack.RTEListOrdered, b.Item.Number-1
	}
	list.Border = border(b)
	w.elements = append(w.elements, list)
}

// list is the list that ends the elements, if b is its next item.
func (w *writer) list(b markup.Block) *slack.RichTextList {
	list, ok := w.lastElement().(*slack.RichTextList)
	last, next := w.last.Item, b.Item
	if !ok || last.Depth != next.Depth || list.Border != border(b) || last.Ordered != next.Ordered {
		return nil
	}
	if next.Ordered && next.Number != last.Number+1 {
		return nil
	}
	return list
}

func (w *writer) lastElement() slack.RichTextElement {
	if len(w.elements) == 0 {
		return nil
	}
	return w.elements[len(w.elements)-1]
}

// quote adds to the quote before, or begins one.
func (w *writer) quote(b markup.Block) {
	if q, ok := w.lastElement().(*slack.RichTextQuote); ok {
		q.Elements = join(q.Elements, withText(lineBreaks(b), paragraphTexts(b)))
		return
	}
	w.openGap(b)
	w.elements = append(w.elements, &slack.RichTextQuote{Type: slack.RTEQuote, Elements: paragraphTexts(b)})
}

// paragraph adds to the section before, to the item whose further block it is, or
// begins a section.
func (w *writer) paragraph(b markup.Block) {
	switch last := w.lastElement().(type) {
	case *slack.RichTextSection:
		last.Elements = join(last.Elements, withText(lineBreaks(b), paragraphTexts(b)))
		return
	case *slack.RichTextList:
		if item := w.last.Item; b.Item.Continued && b.Item.Depth == item.Depth && last.Border == border(b) {
			section, _ := last.Elements[len(last.Elements)-1].(*slack.RichTextSection)
			section.Elements = join(section.Elements, withText(lineBreaks(b), paragraphTexts(b)))
			return
		}
	}
	begin := ""
	if b.Gap && len(w.elements) > 0 {
		begin = "\n" // an element begins on a new line by itself
	}
	w.elements = append(w.elements, slack.NewRichTextSection(withText(begin, paragraphTexts(b))...))
}

// openGap puts the empty line before a list, a quote or code at the end of a section:
// there is no other place for it.
func (w *writer) openGap(b markup.Block) {
	if section, ok := w.lastElement().(*slack.RichTextSection); ok && b.Gap {
		section.Elements = join(section.Elements, texts([]markup.Span{{Text: "\n\n"}}))
	}
}

func paragraphTexts(b markup.Block) []slack.RichTextSectionElement {
	t := b.Text
	if b.Kind == markup.Heading {
		t = embolden(t)
	}
	// A marker that no list of Slack's can show.
	return withText(b.Marker(), texts(t))
}

func itemTexts(b markup.Block) []slack.RichTextSectionElement {
	t := b.Text
	if b.Kind == markup.Heading {
		t = embolden(t)
	}
	box := ""
	switch b.Item.Task {
	case markup.OpenTask:
		box = "☐ "
	case markup.DoneTask:
		box = "☑ "
	case markup.NoTask:
	}
	return withText(box, texts(t))
}

func withText(text string, then []slack.RichTextSectionElement) []slack.RichTextSectionElement {
	if text == "" {
		return then
	}
	return join(texts([]markup.Span{{Text: text}}), then)
}

// join appends texts; what meets without style becomes one.
func join(t, more []slack.RichTextSectionElement) []slack.RichTextSectionElement {
	if len(t) > 0 && len(more) > 0 {
		last, ok := t[len(t)-1].(*slack.RichTextSectionTextElement)
		next, also := more[0].(*slack.RichTextSectionTextElement)
		if ok && also && last.Style == nil && next.Style == nil {
			last.Text += next.Text
			more = more[1:]
		}
	}
	return append(t, more...)
}

// texts are the elements of spans, at least one: Slack refuses empty ones.
func texts(t []markup.Span) []slack.RichTextSectionElement {
	var out []slack.RichTextSectionElement
	for _, s := range t {
		switch {
		case s.Text == "":
		case s.Link != "":
			out = append(out, slack.NewRichTextSectionLinkElement(s.Link, s.Text, style(s.Style)))
		default:
			out = append(out, slack.NewRichTextSectionTextElement(s.Text, style(s.Style)))
		}
	}
	if len(out) == 0 {
		out = append(out, slack.NewRichTextSectionTextElement(" ", nil))
	}
	return out
}

func style(s markup.Style) *slack.RichTextSectionTextStyle {
	if s == 0 {
		return nil
	}
	return &slack.RichTextSectionTextStyle{
		Bold:   s&markup.Bold != 0,
		Italic: s&markup.Italic != 0,
		Strike: s&markup.Strike != 0,
		Code:   s&markup.Mono != 0,
	}
}

func embolden(t []markup.Span) []markup.Span {
	out := make([]markup.Span, len(t))
	for i, s := range t {
		s.Style |= markup.Bold
		out[i] = s
	}
	return out
}

// sizeOf counts the characters of a block: its texts and its addresses.
func sizeOf(b slack.Block) int {
	rich, ok := b.(*slack.RichTextBlock)
	if !ok {
		return 0
	}
	n := 0
	for _, e := range rich.Elements {
		switch e := e.(type) {
		case *slack.RichTextSection:
			n += sizeOfTexts(e.Elements)
		case *slack.RichTextQuote:
			n += sizeOfTexts(e.Elements)
		case *slack.RichTextPreformatted:
			n += sizeOfTexts(e.Elements)
		case *slack.RichTextList:
			for _, item := range e.Elements {
				if section, ok := item.(*slack.RichTextSection); ok {
					n += sizeOfTexts(section.Elements)
				}
			}
		}
	}
	return n
}

func sizeOfTexts(elements []slack.RichTextSectionElement) int {
	n := 0
	for _, e := range elements {
		switch e := e.(type) {
		case *slack.RichTextSectionTextElement:
			n += markup.Units(e.Text)
		case *slack.RichTextSectionLinkElement:
			n += markup.Units(e.Text) + markup.Units(e.URL)
		}
	}
	return n
}

// plain is a plain_text object, without names of emoji: ":100:" is what was written.
func plain(s string, limit int) *slack.TextBlockObject {
	if s = strings.TrimSpace(markup.Clean(s)); !markup.Visible(s) {
		s = "…"
	}
	return slack.NewTextBlockObject(slack.PlainTextType, markup.Shorten(s, limit), false, false)
}
