// Package html renders messages for Telegram, as the HTML that its parse_mode takes,
// with inline keyboards. It is pure: the same message always gives the same parts.
package html

import (
	"net/url"
	"strings"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/markup"
)

// Limits of the Bot API, https://core.telegram.org/bots/api#sendmessage and
// #formatting-options, except for maxSource: the server refuses longer sources, which
// its page does not say.
const (
	maxText     = 4096  // UTF-16 code units after the entities are parsed
	maxCaption  = 1024  // the same, of a file's caption
	maxEntities = 100   // further ones are ignored
	maxSource   = 30000 // bytes of HTML; refused above 32768
)

// Options say how a message looks after it was sent.
type Options struct {
	// Chosen is what was pressed: the label by the index of its section. Of a section
	// marked Choice only the pressed button is left, and it is marked; of another one
	// it is marked, and the others stay.
	Chosen map[int]string
}

// Part is one call of sendMessage or editMessageText.
type Part struct {
	HTML string // for parse_mode HTML
	// Plain is the same without formatting, for when Telegram refuses the HTML; it
	// goes without a parse_mode.
	Plain    string
	Keyboard [][]Button
}

// ellipsis is the text of a message that consists of buttons: Telegram wants one.
const ellipsis = "…"

// Render lays out a message. A long one has several parts, to be sent in this order;
// buttons come with the last. A message with nothing to see has no parts. A button
// whose ID is empty or longer than 64 bytes is left out: it could not be pressed.
//
// A keyboard has no titles. That of the first section ends the text, right above its
// buttons; that of a later one is a button by itself, see Inert.
func Render(m bot.Message, o Options) []Part {
	board := newKeyboard(m.Sections, o)
	blocks := parse(m.Text)
	if title := board.title; title != "" {
		blocks = append(blocks, markup.Block{Gap: true, Text: []markup.Span{{Text: title, Style: markup.Bold}}})
	}
	parts := texts(blocks)
	for i, rows := range board.boards() {
		if i > 0 || len(parts) == 0 {
			parts = append(parts, Part{HTML: ellipsis, Plain: ellipsis})
		}
		parts[len(parts)-1].Keyboard = rows
	}
	return parts
}

// Caption lays out standard Markdown as the caption of a file (1024 UTF-16 code
// units). What does not fit is in rest, to be sent after the file.
func Caption(source string) (caption Part, rest []Part) {
	head, tail := markup.Cut(parse(source), fitsCaption)
	if len(head) > 0 {
		caption = part(head, maxCaption)
	}
	return caption, texts(tail)
}

func parse(source string) []markup.Block { return markup.Unlink(markup.Parse(source), canLink) }

// canLink tells whether Telegram makes a link of an address. It wants a host with a dot
// in it, so it drops without a word what leads to one of a company's own, or to a
// mailbox; that it finds in the text by itself.
func canLink(address string) bool {
	u, err := url.Parse(address)
	return err == nil && strings.Contains(u.Hostname(), ".")
}

func texts(blocks []markup.Block) []Part {
	var parts []Part
	for _, b := range markup.Split(blocks, fits) {
		if p := part(b, maxText); markup.Visible(p.Plain) {
			parts = append(parts, p)
		}
	}
	return parts
}

func part(blocks []markup.Block, limit int) Part {
	plain := markup.Plain(blocks)
	if markup.Units(plain) > limit {
		plain = markup.Text(blocks)
	}
	return Part{HTML: set(blocks).String(), Plain: plain}
}

func fits(blocks []markup.Block) bool        { return fit(blocks, maxText) }
func fitsCaption(blocks []markup.Block) bool { return fit(blocks, maxCaption) }

// fit counts the plain text, which may have to take the place of the HTML and is never
// shorter than what is seen of it, and what else Telegram counts.
func fit(blocks []markup.Block, limit int) bool {
	if markup.Units(markup.Text(blocks)) > limit {
		return false
	}
	w := set(blocks)
	return w.entities <= maxEntities && w.Len() <= maxSource
}
