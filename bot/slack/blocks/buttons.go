package blocks

import (
	"slices"

	"github.com/slack-go/slack"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/markup"
)

// Limits of buttons, https://docs.slack.dev/reference/block-kit/block-elements/button-element
// and …/blocks/actions-block.
const (
	maxActions  = 25
	maxLabel    = 75
	maxActionID = 255

	maxTitle = 300 // of a section, more than the eye takes in

	// longLabel is the longest label of buttons side by side: a line between long ones
	// falls anywhere.
	longLabel = 30
	// maxRows is how many rows a section may have; more buttons share rows again.
	maxRows = 20
)

// rows are the sections of a message: a title with its first row, then row by row.
func rows(sections []bot.Section, o Options) []piece {
	var out []piece
	seen := map[string]bool{}
	for i, s := range sections {
		var section []piece
		if chosen, ok := o.Chosen[i]; ok && s.Choice {
			section = []piece{chosenRow(chosen)}
		} else {
			section = actionRows(buttons(s, o.Chosen[i], seen))
		}
		title := markup.OneLine(s.Title)
		if len(section) > 0 && markup.Visible(title) {
			first := &section[0]
			head := richText([]markup.Block{{Text: []markup.Span{{Text: markup.Shorten(title, maxTitle), Style: markup.Bold}}}})
			first.blocks = append(head, first.blocks...)
			first.size += sizeOf(head[0])
			first.spare = title
		}
		out = append(out, section...)
	}
	return out
}

// chosenRow is what is left of a choice that was made.
func chosenRow(label string) piece {
	text := plain("✓ "+markup.OneLine(label), maxTitle)
	return piece{blocks: []slack.Block{slack.NewContextBlock("", text)}, spare: text.Text, size: markup.Units(text.Text)}
}

// buttons are those of a section that can be pressed.
func buttons(s bot.Section, chosen string, seen map[string]bool) []*slack.ButtonBlockElement {
	var out []*slack.ButtonBlockElement
	for _, b := range s.Buttons {
		if !pressable(b.ID) || seen[b.ID] {
			continue
		}
		seen[b.ID] = true
		out = append(out, button(b, chosen != "" && b.Label == chosen))
	}
	return out
}

func pressable(id string) bool {
	return id != "" && markup.Units(id) <= maxActionID && markup.Clean(id) == id
}

func button(b bot.Button, pressed bool) *slack.ButtonBlockElement {
	label := markup.OneLine(b.Label)
	if pressed {
		label = "✓ " + label
	}
	return slack.NewButtonBlockElement(b.ID, b.ID, plain(label, maxLabel))
}

// actionRows puts buttons into rows: side by side, or each into its own if one of them
// is long, as among questions to choose from.
func actionRows(buttons []*slack.ButtonBlockElement) []piece {
	perRow := maxActions
	if len(buttons) <= maxRows && slices.ContainsFunc(buttons, isLong) {
		perRow = 1
	}
	var out []piece
	for row := range slices.Chunk(buttons, perRow) {
		out = append(out, actionRow(row))
	}
	return out
}

func isLong(b *slack.ButtonBlockElement) bool { return markup.Units(b.Text.Text) > longLabel }

func actionRow(buttons []*slack.ButtonBlockElement) piece {
	row := piece{spare: buttons[0].Text.Text}
	elements := make([]slack.BlockElement, len(buttons))
	for i, b := range buttons {
		elements[i] = b
		row.size += markup.Units(b.Text.Text) + markup.Units(b.ActionID) + markup.Units(b.Value)
	}
	row.blocks = []slack.Block{slack.NewActionBlock("", elements...)}
	return row
}
