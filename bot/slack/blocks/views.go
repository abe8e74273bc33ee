package blocks

import (
	"errors"
	"fmt"

	"github.com/slack-go/slack"

	"github.com/nastavnik-bot/nastavnik/bot/markup"
)

// Limits of views, https://docs.slack.dev/reference/views and
// …/block-kit/composition-objects/option-object.
const (
	maxViewTitle   = 24 // of the title and of both buttons
	maxPrivate     = 3000
	maxCallback    = 255
	maxInputLabel  = 2000
	maxHint        = 150
	maxInput       = 3000 // of what is typed, and of what stands there at first
	maxOptions     = 100
	maxOptionText  = 75
	maxOptionValue = 75
)

// The places of what is filled in: a form's state has values[Block][Action].
// Submitted reads them; an error of a submission names the block.
const (
	TextBlock   = "text"
	TextAction  = "text"
	TopicBlock  = "topic"
	TopicAction = "topic"
)

// ErrTooLong says that a form cannot carry what it was given, and that cutting it
// would lose something. The way out is to ask in the chat.
var ErrTooLong = errors.New("too long for a form")

// Frame is what every form has.
type Frame struct {
	Callback string // callback_id, at most 255 characters
	Private  string // private_metadata, at most 3000 characters
	Title    string // shown up to 24 characters
	Submit   string // the button that sends, shown up to 24 characters
	Close    string // the button that does not, shown up to 24 characters
}

// TextForm asks for a text: details of a question, an answer.
type TextForm struct {
	Frame

	Label    string // over the field, shown up to 2000 characters
	Hint     string // in the empty field, shown up to 150 characters
	Initial  string // what stands in the field, at most 3000 characters
	Optional bool   // may be left empty
}

// Topic is a choice of a TopicForm.
type Topic struct {
	Label string // shown up to 75 characters
	Value string // what comes back, at most 75 characters; others are left out
}

// TopicForm asks for a topic, chosen or written. Neither has to be filled in: that is
// for who reads it to say.
type TopicForm struct {
	Frame

	Label  string  // over the choice
	Hint   string  // in the choice before anything is chosen
	Topics []Topic // the first 100 are shown

	OtherLabel string // over the field for a topic that is not listed
	OtherHint  string // in that field
}

// Modal builds the view that asks for a text. The error wraps ErrTooLong.
func (f TextForm) Modal() (slack.ModalViewRequest, error) {
	if markup.Units(f.Initial) > maxInput {
		return slack.ModalViewRequest{}, fmt.Errorf("blocks: a field of %d characters: %w", maxInput, ErrTooLong)
	}
	return f.view(input(TextBlock, f.Label, f.Optional, textField(f.Hint, f.Initial, true)))
}

// Modal builds the view that asks for a topic. Without Topics it has only the field.
// The error wraps ErrTooLong.
func (f TopicForm) Modal() (slack.ModalViewRequest, error) {
	other := input(TextBlock, f.OtherLabel, true, textField(f.OtherHint, "", false))
	options := topicOptions(f.Topics)
	if len(options) == 0 {
		return f.view(other)
	}
	choice := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, optional(f.Hint, maxHint), TopicAction, options...)
	return f.view(input(TopicBlock, f.Label, true, choice), other)
}

// Submitted reads what was filled into a form; "" is what was not.
func Submitted(state *slack.ViewState) (text, topic string) {
	if state == nil {
		return "", ""
	}
	return state.Values[TextBlock][TextAction].Value, state.Values[TopicBlock][TopicAction].SelectedOption.Value
}

// view puts the frame round the fields.
func (f Frame) view(fields ...slack.Block) (slack.ModalViewRequest, error) {
	if markup.Units(f.Private) > maxPrivate || markup.Units(f.Callback) > maxCallback {
		return slack.ModalViewRequest{}, fmt.Errorf("blocks: callback_id of %d and private_metadata of %d characters: %w", maxCallback, maxPrivate, ErrTooLong)
	}
	return slack.ModalViewRequest{
		Type:            slack.VTModal,
		Title:           plain(f.Title, maxViewTitle),
		Submit:          plain(f.Submit, maxViewTitle),
		Close:           plain(f.Close, maxViewTitle),
		Blocks:          slack.Blocks{BlockSet: fields},
		PrivateMetadata: f.Private,
		CallbackID:      f.Callback,
	}, nil
}

func input(block, label string, mayBeEmpty bool, element slack.BlockElement) *slack.InputBlock {
	return slack.NewInputBlock(block, plain(label, maxInputLabel), nil, element).WithOptional(mayBeEmpty)
}

func textField(hint, initial string, multiline bool) *slack.PlainTextInputBlockElement {
	field := slack.NewPlainTextInputBlockElement(optional(hint, maxHint), TextAction)
	field.InitialValue, field.Multiline, field.MaxLength = markup.Clean(initial), multiline, maxInput
	return field
}

// optional is a text that may be left out.
func optional(s string, limit int) *slack.TextBlockObject {
	if !markup.Visible(s) {
		return nil
	}
	return plain(s, limit)
}

func topicOptions(topics []Topic) []*slack.OptionBlockObject {
	var out []*slack.OptionBlockObject
	seen := map[string]bool{}
	for _, t := range topics {
		if n := markup.Units(t.Value); n == 0 || n > maxOptionValue || markup.Clean(t.Value) != t.Value || seen[t.Value] || len(out) == maxOptions {
			continue
		}
		seen[t.Value] = true
		out = append(out, slack.NewOptionBlockObject(t.Value, plain(markup.OneLine(t.Label), maxOptionText), nil))
	}
	return out
}
