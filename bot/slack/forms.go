package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	api "github.com/slack-go/slack"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/slack/blocks"
	"github.com/nastavnik-bot/nastavnik/bot/texts"
)

// formCallback is the callback_id of the forms.
const formCallback = "nastavnik_form"

// formTimeout bounds the opening of a form: it is too late for one 3 s after the
// press, and if there is none the press has still to be stored.
const formTimeout = 1500 * time.Millisecond

// formOrigin is what a form remembers of the press that opened it.
type formOrigin struct {
	ID    string     `json:"id"`
	Chat  bot.ChatID `json:"chat"`
	Under string     `json:"under,omitempty"`
}

// builder makes a form of what there is to begin with.
type builder func(a *App, f bot.Form, frame blocks.Frame) (api.ModalViewRequest, error)

// forms returns how a button is filled in, nil when it is only pressed. Answers to a
// question are written in its thread, where there is room for them.
func forms(v bot.Verb) builder {
	switch v {
	case bot.AddDetails:
		return detailsForm
	case bot.EditAnswer:
		return answerForm
	case bot.ChooseTopic:
		return topicForm
	default:
		return nil
	}
}

func detailsForm(a *App, f bot.Form, frame blocks.Frame) (api.ModalViewRequest, error) {
	frame.Title = a.o.Say.Say("slack_form_details", nil)
	return blocks.TextForm{
		Frame: frame, Label: a.o.Say.Say("slack_form_details_label", texts.Data{"Question": f.Title}), Hint: a.o.Say.Say("slack_form_details_hint", nil),
	}.Modal()
}

func answerForm(a *App, f bot.Form, frame blocks.Frame) (api.ModalViewRequest, error) {
	frame.Title = a.o.Say.Say("slack_form_answer", nil)
	return blocks.TextForm{
		Frame: frame, Label: a.o.Say.Say("slack_form_answer_label", texts.Data{"Question": f.Title}), Initial: f.Text,
	}.Modal()
}

// errNoTopics says that there is nothing to choose from, which the chat says better.
var errNoTopics = errors.New("slack: a form without topics")

func topicForm(a *App, f bot.Form, frame blocks.Frame) (api.ModalViewRequest, error) {
	if len(f.Topics) == 0 {
		return api.ModalViewRequest{}, errNoTopics
	}
	frame.Title = a.o.Say.Say("slack_form_topic", nil)
	form := blocks.TopicForm{
		Frame: frame, Label: a.o.Say.Say("slack_form_topic_label", texts.Data{"Question": f.Title}), Hint: a.o.Say.Say("slack_form_topic_hint", nil),
		OtherLabel: a.o.Say.Say("slack_form_topic_other", nil),
	}
	for _, name := range f.Topics {
		form.Topics = append(form.Topics, blocks.Topic{Label: name, Value: name})
	}
	return form.Modal()
}

// openForm opens the form of a button, and reports whether it did. When it did not,
// the button is pressed: the words are asked for in the chat then.
func (a *App) openForm(ctx context.Context, x action, b bot.OldButton, under string) bool {
	build := forms(b.Press.Verb)
	if build == nil || b.Taken != "" || x.Trigger == "" {
		return false
	}
	if !a.opening.first(x.Trigger, a.o.Now()) {
		return true // the same press, come by another socket
	}
	ctx, cancel := context.WithTimeout(ctx, formTimeout)
	defer cancel()
	if err := a.tryForm(ctx, x, b, under, build); err != nil {
		a.o.Log.WarnContext(ctx, "a form does not open, the chat is asked instead", "platform", Platform, "verb", b.Press.Verb, "err", err)
		a.opening.forget(x.Trigger) // it is stored as a press, by which it is known
		return false
	}
	return true
}

func (a *App) tryForm(ctx context.Context, x action, b bot.OldButton, under string, build builder) error {
	f, err := a.o.Core.Form(ctx, b.Button)
	if err != nil {
		return fmt.Errorf("slack: read a form: %w", err)
	}
	origin, err := json.Marshal(formOrigin{ID: b.ID, Chat: b.Chat, Under: under})
	if err != nil {
		return fmt.Errorf("slack: origin of a form: %w", err)
	}
	view, err := build(a, f, blocks.Frame{
		Callback: formCallback, Private: string(origin), Submit: a.o.Say.Say("slack_form_send", nil), Close: a.o.Say.Say("slack_form_close", nil),
	})
	if err != nil {
		return err
	}
	_, err = a.api.OpenViewContext(ctx, x.Trigger, view)
	return a.judge("views.open", err, repeatable)
}

// takeForm takes a form that was filled in.
func (a *App) takeForm(ctx context.Context, x action) (answer, error) {
	v := x.View
	if v == nil || v.Callback != formCallback || !isUser(x.User.ID) {
		return nil, nil
	}
	origin, ok := originOf(v)
	if !ok || origin.Chat.Platform() != Platform || origin.Chat.External() != x.User.ID {
		a.o.Log.WarnContext(ctx, "a form of unknown origin", "platform", Platform)
		return nil, nil
	}
	text, topic := blocks.Submitted(v.State)
	if text = first(strings.TrimSpace(text), topic); text == "" {
		return map[string]any{"response_action": "errors", "errors": map[string]string{blocks.TextBlock: a.o.Say.Say("slack_form_empty", nil)}}, nil
	}
	return nil, a.store(ctx, bot.Event{
		Key:  strings.Join([]string{Platform, x.Team.ID, "form", v.ID, v.Hash}, "/"),
		Chat: origin.Chat, From: identity(x.User.ID),
		Body: bot.Filled{Pressed: bot.Pressed{ID: origin.ID, Under: origin.Under}, Text: text},
	})
}

func originOf(v *view) (origin formOrigin, ok bool) {
	err := json.Unmarshal([]byte(v.Private), &origin)
	return origin, err == nil
}

// triggers remembers the presses for which a form was opened: nothing of them is
// stored by which they would be known when they come again.
type triggers struct {
	mu   sync.Mutex
	seen map[string]time.Time
}

// triggerFor is for how long a press may come again.
const triggerFor = 10 * time.Minute

// first reports whether a press has not come before.
func (t *triggers) first(id string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for old, at := range t.seen {
		if now.Sub(at) > triggerFor {
			delete(t.seen, old)
		}
	}
	_, again := t.seen[id]
	t.seen[id] = now
	return !again
}

// forget lets a press come again.
func (t *triggers) forget(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.seen, id)
}
