// Package blocks renders messages and forms for Slack, as Block Kit. It is pure: the
// same message always gives the same blocks.
package blocks

import (
	"github.com/slack-go/slack"

	"github.com/nastavnik-bot/nastavnik/bot"
)

// Options say how a message looks after it was sent.
type Options struct {
	// Chosen is what was pressed: the label by the index of its section. Of a section
	// marked Choice only the pressed button is left, as text; of another one it is
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
// characters, or an earlier one's, is left out.
func Render(m bot.Message, o Options) []Part {
	_ = o
	return []Part{{
		Blocks: []slack.Block{slack.NewSectionBlock(slack.NewTextBlockObject(slack.PlainTextType, m.Text, false, false), nil, nil)},
		Text:   m.Text,
	}}
}
