// Package blocks renders messages and forms for Slack, as Block Kit. It is pure: the
// same message always gives the same blocks.
//
// Text is set in rich_text and plain_text, never in mrkdwn: there is no syntax that
// people's words could be taken for, neither a mention nor an asterisk.
package blocks

import (
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/markup"
)

// Limits of a message, https://docs.slack.dev/reference/block-kit/blocks. Characters
// are counted in UTF-16 code units, which are never fewer than Slack counts.
const (
	maxBlocks = 50
	// maxMessage bounds the characters of all blocks: above about 13,200 Slack says
	// msg_blocks_too_long.
	maxMessage = 11500
	// maxRichText bounds a rich_text block, for which no limit is told; it is that of
	// a section.
	maxRichText = 3000
	// maxFallback bounds Part.Text: Slack takes 4,000 well, and cuts at 40,000.
	maxFallback = 3000
)

// Options say how a message looks after it was sent.
type Options struct {
	// Chosen is what was pressed: the label by the index of its section. Of a section
	// marked Choice only what was pressed is left, as text; of another one it is
	// marked, and all can be pressed again.
	Chosen map[int]string
}

// Part is one call of chat.postMessage or chat.update.
type Part struct {
	Blocks []slack.Block
	// Text is what notifications, screen readers and clients without blocks show: the
	// text without formatting, with &, < and > escaped, up to 3000 characters.
	Text string
}

// Render lays out a message. A long one has several parts, to be sent in this order;
// buttons come last. A message with nothing to see has no parts. A button's action_id
// is its ID, and so is its value; a button whose ID is empty, longer than 255
// characters, or an earlier one's, is left out: it could not be pressed.
func Render(m bot.Message, o Options) []Part {
	var p pages
	for _, chunk := range markup.Split(markup.Parse(m.Text), fits) {
		for _, x := range pieces(chunk) {
			p.add(x)
		}
	}
	for _, row := range rows(m.Sections, o) {
		p.add(row)
	}
	for i := range p.parts {
		p.parts[i].Text = fallback(p.parts[i].Text)
	}
	return p.parts
}

func pick(yes bool, text string) string {
	if yes {
		return text
	}
	return ""
}

// pieces are the blocks of a text, with the text of each, if there is anything to see.
func pieces(chunk []markup.Block) []piece {
	var out []piece
	for len(chunk) > 0 {
		n := 1
		if chunk[0].Kind != markup.Rule {
			if n = slices.IndexFunc(chunk, func(b markup.Block) bool { return b.Kind == markup.Rule }); n < 0 {
				n = len(chunk)
			}
		}
		if text := markup.Plain(chunk[:n]); markup.Visible(text) {
			x := piece{blocks: richText(chunk[:n]), text: text}
			for _, b := range x.blocks {
				x.size += sizeOf(b)
			}
			out = append(out, x)
		}
		chunk = chunk[n:]
	}
	return out
}

// piece is blocks that stay together.
type piece struct {
	blocks []slack.Block
	text   string // for the fallback
	spare  string // for the fallback of a message without text
	size   int    // in characters
}

// pages divides pieces among messages.
type pages struct {
	parts []Part
	size  int // of the last part
}

func (p *pages) add(x piece) {
	if last := len(p.parts) - 1; last < 0 || len(p.parts[last].Blocks)+len(x.blocks) > maxBlocks || p.size+x.size > maxMessage {
		p.parts, p.size = append(p.parts, Part{}), 0
	}
	part := &p.parts[len(p.parts)-1]
	part.Blocks = append(part.Blocks, x.blocks...)
	p.size += x.size
	switch {
	case part.Text == "":
		part.Text = x.text + pick(x.text == "", x.spare)
	case x.text != "":
		part.Text += "\n\n" + x.text
	}
}

// escaper escapes what Slack reads in a text: the beginning of a link or a mention.
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// fallback cuts and escapes a text, never within an escape.
func fallback(text string) string {
	escaped := escaper.Replace(markup.Shorten(text, maxFallback))
	for limit := maxFallback; markup.Units(escaped) > maxFallback; escaped = escaper.Replace(markup.Shorten(text, limit)) {
		limit -= limit / 10
	}
	return escaped
}
