package blocks

import (
	"errors"

	"github.com/slack-go/slack"

	"github.com/nastavnik-bot/nastavnik/bot"
)

// The places of what is filled in: a form's state has values[Block][Action].
// Submitted reads them.
const (
	TextBlock   = "text"
	TextAction  = "text"
	TopicBlock  = "topic"
	TopicAction = "topic"
)

// ErrTooLong says that a form cannot carry what it was given, and that cutting it
// would lose something. The way out is to ask in the chat.
var ErrTooLong = errors.New("too long for a form")

// TextForm asks for a text: details of a question, an answer.
type TextForm struct {
	Callback string // callback_id, at most 255 characters
	Private  string // private_metadata, at most 3000 characters
	Title    string // shown up to 24 characters
	Submit   string // the button, shown up to 24 characters
	Close    string // the other button, shown up to 24 characters
	Label    string // over the field, shown up to 2000 characters
	Hint     string // in the empty field, shown up to 150 characters
	Initial  string // what stands in the field, at most 3000 characters
	Optional bool   // may be left empty
}

// Topic is a choice of a TopicForm.
type Topic struct {
	Label string // shown up to 75 characters
	Value string // what comes back, at most 75 characters
}

// TopicForm asks for a topic, chosen or written.
type TopicForm struct {
	Callback, Private, Title, Submit, Close string // as in TextForm

	Label  string  // over the choice
	Hint   string  // in the choice before anything is chosen
	Topics []Topic // shown up to 100

	OtherLabel string // over the field for a topic that is not listed
	OtherHint  string // in that field
}

// Modal builds the view that asks for a text. The error wraps ErrTooLong.
func (f TextForm) Modal() (slack.ModalViewRequest, error) {
	return slack.ModalViewRequest{Type: slack.VTModal}, nil
}

// Modal builds the view that asks for a topic. Without Topics it has only the field.
// The error wraps ErrTooLong.
func (f TopicForm) Modal() (slack.ModalViewRequest, error) {
	return slack.ModalViewRequest{Type: slack.VTModal}, nil
}

// Submitted reads what was filled into a form; "" is what was not.
func Submitted(state *slack.ViewState) (text, topic string) {
	if state == nil {
		return "", ""
	}
	return state.Values[TextBlock][TextAction].Value, state.Values[TopicBlock][TopicAction].SelectedOption.Value
}

// Shelf is a titled list on the home page.
type Shelf struct {
	Title string
	Empty string // shown when there are no entries
	// More is shown in place of the entries that the page has no room for, of which
	// there are that many; nil shows nothing.
	More    func(left int) string
	Entries []Entry
}

// Entry is a line of a Shelf.
type Entry struct {
	Text   string     // standard Markdown, shown up to 300 characters
	Note   string     // a small line below: the status; "" for none
	Button bot.Button // beside the text; without an ID there is none
}

// Home builds the page: the greeting in standard Markdown, then the shelves. Room
// that is short (100 blocks) is divided among the shelves.
func Home(greeting string, shelves []Shelf) slack.HomeTabViewRequest {
	_, _ = greeting, shelves
	return slack.HomeTabViewRequest{Type: slack.VTHomeTab}
}
