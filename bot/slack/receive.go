package slack

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// ackTimeout bounds what is done before an event is acknowledged: Slack waits 3 s,
// https://docs.slack.dev/apis/events-api#responding.
const ackTimeout = 2500 * time.Millisecond

// answer is what goes back with an acknowledgement, nil for nothing. It becomes JSON.
type answer any

// ephemeral is a text that only the person sees who has given a command.
func ephemeral(text string) map[string]any {
	return map[string]any{"response_type": "ephemeral", "replace_original": false, "text": text}
}

// receive stores what a request says. Only when it returns no error may Slack be told
// that the request has been taken: it is sent again then.
func (a *App) receive(ctx context.Context, r request) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, ackTimeout)
	defer cancel()
	me, err := a.self(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case r.event != nil:
		return nil, a.takeEvent(ctx, me, *r.event)
	case r.action != nil:
		return a.takeAction(ctx, *r.action)
	case r.command != nil:
		return a.takeCommand(ctx, *r.command)
	}
	return nil, nil
}

// store stores events as of now.
func (a *App) store(ctx context.Context, events ...bot.Event) error {
	if len(events) == 0 {
		return nil
	}
	for i := range events {
		events[i].At = a.o.Now()
		if again := events[i].Again; again != nil {
			again.At = events[i].At
		}
	}
	if err := a.o.Core.Post(ctx, events...); err != nil {
		return fmt.Errorf("slack: store events: %w", err)
	}
	return nil
}

func (a *App) takeEvent(ctx context.Context, me self, e envelope) error {
	switch e.inner.Type {
	case "message", "app_mention":
		t := newTranslator(me, e.Team, a.called(ctx))
		if t.direct(e.inner.message) && t.byPerson(e.inner.message) {
			a.rooms.put(e.inner.User, e.inner.Channel)
		}
		if e.inner.Thread != e.inner.TS { // a reply
			a.threads.note(e.inner.Channel, e.inner.Thread)
		}
		return a.store(ctx, t.event(e.inner.message)...)
	case "app_home_opened":
		if e.inner.Tab == "home" && isUser(e.inner.User) {
			a.background(ctx, "publishing a start page", func(ctx context.Context) error { return a.publishHome(ctx, e.inner.User) })
		}
	case "app_uninstalled", "tokens_revoked":
		a.o.Log.ErrorContext(ctx, "Slack: приложение удалено или его токены отозваны; установите его снова и задайте новые slack.token и slack.app",
			"platform", Platform, "event", e.inner.Type)
	}
	return nil
}

// nameTimeout bounds the looking up of all who are mentioned in a message: their ids
// are no reason to keep Slack waiting, nor to lose the message.
const nameTimeout = time.Second

// called tells what people are called, looking those up who are not known.
func (a *App) called(ctx context.Context) func(string) string {
	var until time.Time // from the first lookup on
	return func(user string) string {
		if known := a.names.get(user); known != "" || !isUser(user) {
			return known
		}
		if until.IsZero() {
			until = time.Now().Add(nameTimeout)
		}
		ctx, cancel := context.WithDeadline(ctx, until)
		defer cancel()
		if ctx.Err() != nil {
			return ""
		}
		p, err := a.Profile(ctx, user)
		if err != nil {
			return ""
		}
		return p.Name
	}
}

// takeCommand takes a slash command: it is said in the person's own talk with the bot.
func (a *App) takeCommand(ctx context.Context, c command) (answer, error) {
	if !isUser(c.User) {
		return nil, nil
	}
	text := strings.TrimSpace(markdown(c.Text, a.called(ctx)))
	switch text {
	case "":
		text = "/help"
	default:
		text = commandWord(text)
	}
	err := a.store(ctx, bot.Event{
		Key:  strings.Join([]string{Platform, c.Team, "command", c.Trigger}, "/"),
		Chat: private(c.User), From: identity(c.User), Body: bot.Said{Text: text},
	})
	if err != nil {
		return nil, err
	}
	return ephemeral(a.o.Say.Say("slack_in_private", nil)), nil
}

// takeAction takes a press, a form or a shortcut.
func (a *App) takeAction(ctx context.Context, x action) (answer, error) {
	switch x.Type {
	case "block_actions":
		for _, p := range x.Actions {
			if err := a.takePress(ctx, x, p); err != nil {
				return nil, err
			}
		}
	case "view_submission":
		return a.takeForm(ctx, x)
	case "message_action":
		return nil, a.takeShortcut(ctx, x)
	case "block_suggestion":
		return map[string]any{"options": []string{}}, nil
	}
	return nil, nil
}

// takePress takes a press of a button: on the start page of an entry, elsewhere of
// what a message offers. What asks for words opens a form instead.
func (a *App) takePress(ctx context.Context, x action, p pressing) error {
	if !isUser(x.User.ID) || p.ID == "" {
		return nil
	}
	e := bot.Event{
		Key:  strings.Join([]string{Platform, x.Team.ID, "press", x.User.ID, x.Trigger, p.ID, p.TS}, "/"),
		From: identity(x.User.ID),
	}
	if x.Container.Type == "view" {
		e.Chat, e.Body = private(x.User.ID), bot.Pressed{ID: p.ID}
		if question, ok := strings.CutPrefix(p.ID, homePrefix); ok {
			e.Body = bot.Opened{Question: question}
		}
		return a.store(ctx, e)
	}
	chat, under := pressedIn(x)
	a.threads.note(first(x.Container.Channel, x.Channel.ID), x.Container.ThreadTS)
	if x.ResponseURL != "" {
		a.hooks.put(first(x.Container.Channel, x.Channel.ID), x.Container.MessageTS, x.ResponseURL, a.o.Now())
	}
	b, err := a.o.Core.Button(ctx, p.ID)
	switch {
	case err == nil && b.Chat.Room() == chat.Room() && b.Chat.External() == x.User.ID:
		chat = b.Chat // wherever its message has got to
		if a.openForm(ctx, x, b, under) {
			return nil
		}
	case err != nil && !errors.Is(err, knowledge.ErrNotFound):
		return fmt.Errorf("slack: look up a button: %w", err)
	}
	e.Chat, e.Body = chat, bot.Pressed{ID: p.ID, Under: under}
	return a.store(ctx, e)
}

// pressedIn returns the chat of somebody who pressed a button, and beneath which
// message what comes of it goes.
func pressedIn(x action) (chat bot.ChatID, under string) {
	channel := first(x.Container.Channel, x.Channel.ID)
	under = first(x.Container.ThreadTS, x.Container.MessageTS)
	if m := x.Message; m != nil {
		under = first(x.Container.ThreadTS, m.Thread, under, m.TS)
	}
	if x.Container.Ephemeral && x.Container.ThreadTS == "" {
		under = "" // nobody can write beneath what is not there
	}
	if !isStamp(under) {
		under = ""
	}
	if !isID(channel) || isDirect(channel) {
		return private(x.User.ID), under
	}
	return bot.NewShared(Platform, channel, under, x.User.ID), under
}

func first(s ...string) string {
	for _, x := range s {
		if x != "" {
			return x
		}
	}
	return ""
}

// takeShortcut takes «Спросить наставника» at a message: the person asks what stands
// there, in their own talk with the bot.
func (a *App) takeShortcut(ctx context.Context, x action) error {
	if !isUser(x.User.ID) || x.Message == nil || x.Callback != shortcut {
		return nil
	}
	me, err := a.self(ctx)
	if err != nil {
		return err
	}
	t := newTranslator(me, x.Team.ID, a.called(ctx))
	err = a.store(ctx, bot.Event{
		Key:  strings.Join([]string{Platform, x.Team.ID, "shortcut", x.User.ID, x.Trigger}, "/"),
		Chat: private(x.User.ID), From: identity(x.User.ID),
		Body: bot.Said{Text: t.text(x.Message.Text), Files: files(x.Message.Files)},
	})
	if err == nil && x.ResponseURL != "" {
		a.background(ctx, "answering a shortcut", func(ctx context.Context) error {
			return a.respond(ctx, x.ResponseURL, ephemeral(a.o.Say.Say("slack_in_private", nil)))
		})
	}
	return err
}

// shortcut is the callback_id of the message shortcut in the manifest.
const shortcut = "ask_nastavnik"
