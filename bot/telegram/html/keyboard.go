package html

import (
	"slices"

	"github.com/mattn/go-runewidth"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/markup"
)

// Limits of a keyboard. The Bot API says only maxData
// (https://core.telegram.org/bots/api#inlinekeyboardbutton); servers refuse more than
// 100 buttons, and more than about 10 KB of them.
const (
	maxData        = 64 // bytes of callback_data
	maxButtons     = 100
	maxKeyboard    = 8000 // bytes
	maxLabel       = 64   // UTF-16 code units: more than a client shows in a line
	rowWidth       = 36   // columns that a phone shows of a row
	maxRow         = 3    // buttons in a row
	longLabel      = 28   // columns; a longer label wants a row for each of its section
	buttonOverhead = 40   // bytes of a button besides its text and data, about
)

// Inert is the callback data of a button that is only a title above others. A press
// on it needs an answerCallbackQuery and nothing else.
const Inert = "-"

// Button is a button of an inline keyboard.
type Button struct {
	Text string
	Data string // callback_data, 1 to 64 bytes
}

// keyboard is a message's buttons.
type keyboard struct {
	title string // of the first section, for the text
	rows  [][]Button
}

func newKeyboard(sections []bot.Section, o Options) keyboard {
	var k keyboard
	for i, s := range sections {
		buttons := buttonsOf(s, o.Chosen[i])
		if len(buttons) == 0 {
			continue
		}
		title := markup.OneLine(s.Title)
		switch {
		case !markup.Visible(title):
		case len(k.rows) == 0:
			k.title = title
		default:
			k.rows = append(k.rows, []Button{{Text: markup.Shorten(title, maxLabel), Data: Inert}})
		}
		k.rows = append(k.rows, layout(buttons)...)
	}
	return k
}

// buttonsOf are the buttons of a section that can be pressed, with what was chosen.
func buttonsOf(s bot.Section, chosen string) []Button {
	var all []Button
	for _, b := range s.Buttons {
		if b.ID == "" || len(b.ID) > maxData || markup.Clean(b.ID) != b.ID {
			continue
		}
		pressed := chosen != "" && b.Label == chosen
		button := Button{Text: label(b.Label, pressed), Data: b.ID}
		if pressed && s.Choice {
			return []Button{button}
		}
		all = append(all, button)
	}
	if s.Choice && chosen != "" && len(all) > 0 {
		return []Button{{Text: label(chosen, true), Data: all[0].Data}}
	}
	return all
}

func label(s string, pressed bool) string {
	if s = markup.OneLine(s); !markup.Visible(s) {
		s = ellipsis
	}
	if pressed {
		s = "✓ " + s
	}
	return markup.Shorten(s, maxLabel)
}

// layout puts buttons into rows: two or three short ones side by side, or each into
// its own if one of them is long, as among questions to choose from.
func layout(buttons []Button) [][]Button {
	var rows [][]Button
	most := maxRow
	if slices.ContainsFunc(buttons, func(b Button) bool { return runewidth.StringWidth(b.Text) > longLabel }) {
		most = 1
	}
	for len(buttons) > 0 {
		n := fitting(buttons[:min(most, len(buttons))])
		if n == maxRow && len(buttons) == maxRow+1 {
			n-- // two and two, not three and one
		}
		rows = append(rows, buttons[:n:n])
		buttons = buttons[n:]
	}
	return rows
}

// fitting is how many of the buttons fit into a row. They are equally wide there, so
// the longest counts.
func fitting(buttons []Button) int {
	widest := 0
	for i, b := range buttons {
		widest = max(widest, runewidth.StringWidth(b.Text))
		if i > 0 && (i+1)*widest > rowWidth {
			return i
		}
	}
	return len(buttons)
}

// boards divides the rows among as few messages as they need.
func (k keyboard) boards() [][][]Button {
	var boards [][][]Button
	buttons, size := 0, 0
	for _, row := range k.rows {
		n := 0
		for _, b := range row {
			n += len(b.Text) + len(b.Data) + buttonOverhead
		}
		if len(boards) == 0 || buttons+len(row) > maxButtons || size+n > maxKeyboard {
			boards = append(boards, nil)
			buttons, size = 0, 0
		}
		last := len(boards) - 1
		boards[last] = append(boards[last], row)
		buttons, size = buttons+len(row), size+n
	}
	return boards
}
