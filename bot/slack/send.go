package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	api "github.com/slack-go/slack"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/slack/blocks"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Parts implements bot.Sender.
func (a *App) Parts(d bot.Dispatch) int {
	if d.Message.Chosen != "" || d.Message.File != nil {
		return 1
	}
	return max(1, len(blocks.Render(d.Message, blocks.Options{})))
}

// Send implements bot.Sender. The id of a message is its ts, that of a file is the
// file's.
func (a *App) Send(ctx context.Context, d bot.Dispatch) (string, error) {
	p, err := a.place(ctx, d)
	if err != nil {
		return "", keepDoubt(d, err)
	}
	if d.Message.Chosen != "" {
		return a.mark(ctx, p, d)
	}
	if d.Doubt && d.Of == nil && !p.ephemeral {
		external, err := a.find(ctx, p, d)
		if err != nil || external != "" {
			return external, keepDoubt(d, err)
		}
	}
	if d.Message.File != nil {
		return a.sendFile(ctx, p, d)
	}
	parts := blocks.Render(d.Message, blocks.Options{})
	if d.Part >= len(parts) {
		return "", fmt.Errorf("slack: a message with nothing to see: %w", bot.ErrUndeliverable)
	}
	if d.Of != nil && !p.ephemeral {
		return a.replace(ctx, p, d, parts)
	}
	return a.post(ctx, p, parts[d.Part], d)
}

// keepDoubt keeps a doubt that has not been cleared up: the runner forgets it with
// every error that does not say so.
func keepDoubt(d bot.Dispatch, err error) error {
	if err != nil && d.Doubt {
		return errors.Join(err, bot.ErrDoubt)
	}
	return err
}

// place is where a message goes.
type place struct {
	channel, thread string
	user            string // whose chat it is
	ephemeral       bool   // only they see it
}

func (a *App) place(ctx context.Context, d bot.Dispatch) (place, error) {
	p := place{user: d.Chat.External(), thread: d.Under}
	if d.Chat.Shared() {
		p.thread = d.Chat.Thread()
		p.ephemeral = d.Message.Private && d.Message.File == nil
	}
	if !isStamp(p.thread) {
		p.thread = ""
	}
	var err error
	if d.Message.File != nil && d.Message.Private && d.Chat.Shared() {
		p.thread = "" // no file is for one person of a channel alone
		p.channel, err = a.direct(ctx, p.user)
		return p, err
	}
	p.channel, err = a.channel(ctx, d.Chat)
	return p, err
}

// post sends a part as a new message. What cannot be laid out is sent as plain text,
// what has lost its thread without one.
func (a *App) post(ctx context.Context, p place, part blocks.Part, d bot.Dispatch) (string, error) {
	send := a.postMessage
	if p.ephemeral {
		send = a.postEphemeral
	}
	part.Blocks = marked(part.Blocks, d)
	external, err := send(ctx, p, part, d)
	if p.thread != "" && classify(err) == threadless {
		p.thread = ""
		external, err = send(ctx, p, part, d)
	}
	if classify(err) == unfit {
		part.Blocks = nil
		external, err = send(ctx, p, part, d)
	}
	err = a.judge("chat.postMessage", err, creates)
	if err == nil && external == "" {
		err = errors.Join(fmt.Errorf("slack: an answer without the id of the message: %w", knowledge.ErrAway), bot.ErrDoubt)
	}
	return external, err
}

func (a *App) postMessage(ctx context.Context, p place, part blocks.Part, d bot.Dispatch) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, a.o.Timeout)
	defer cancel()
	channel, external, err := a.api.PostMessageContext(ctx, p.channel, append(options(part, p.thread),
		api.MsgOptionDisableLinkUnfurl(), api.MsgOptionDisableMediaUnfurl(),
		api.MsgOptionMetadata(metadata(d)))...)
	if err == nil && isDirect(channel) && !d.Chat.Shared() {
		a.rooms.put(p.user, channel)
	}
	if err == nil && d.Chat.Shared() {
		a.threads.note(channel, p.thread)
	}
	if err != nil && classify(err) == closed {
		a.rooms.forget(p.user)
	}
	return external, err
}

// postEphemeral sends what one person of a channel sees: in the thread, or, where that
// would be seen by nobody, in the channel. Who has left it gets it in direct messages.
func (a *App) postEphemeral(ctx context.Context, p place, part blocks.Part, d bot.Dispatch) (string, error) {
	call, cancel := context.WithTimeout(ctx, a.o.Timeout)
	defer cancel()
	if !a.threads.has(p.channel, p.thread) {
		p.thread = ""
	}
	external, err := a.api.PostEphemeralContext(call, p.channel, p.user, options(part, p.thread)...)
	if r, ok := slackError(err); !ok || r.Err != "user_not_in_channel" {
		return external, err
	}
	direct, err := a.direct(ctx, p.user)
	if err != nil {
		return "", err
	}
	return a.postMessage(ctx, place{channel: direct, user: p.user}, part, d)
}

func options(part blocks.Part, thread string) []api.MsgOption {
	o := []api.MsgOption{api.MsgOptionText(part.Text, false)}
	if thread != "" {
		o = append(o, api.MsgOptionTS(thread))
	}
	if len(part.Blocks) > 0 {
		o = append(o, api.MsgOptionBlocks(part.Blocks...))
	}
	return o
}

// update changes a message.
func (a *App) update(ctx context.Context, channel, external string, part blocks.Part) error {
	ctx, cancel := context.WithTimeout(ctx, a.o.Timeout)
	defer cancel()
	change := options(part, "")
	if len(part.Blocks) == 0 {
		change = append(change, api.MsgOptionBlocks()) // else the old ones stay
	}
	_, _, _, err := a.api.UpdateMessageContext(ctx, channel, external, change...)
	return err
}

// replace puts a part in the place of the same part of the earlier message; what the
// earlier one has more is deleted with the last part.
func (a *App) replace(ctx context.Context, p place, d bot.Dispatch, parts []blocks.Part) (string, error) {
	old := d.Of.External
	if d.Part == len(parts)-1 {
		for i := len(parts); i < len(old); i++ {
			if err := a.remove(ctx, p.channel, old[i]); err != nil {
				return "", err
			}
		}
	}
	if d.Part >= len(old) || !isStamp(old[d.Part]) {
		return a.post(ctx, p, parts[d.Part], d)
	}
	err := a.update(ctx, p.channel, old[d.Part], parts[d.Part])
	switch classify(err) {
	case unfit:
		err = a.update(ctx, p.channel, old[d.Part], blocks.Part{Text: parts[d.Part].Text})
	case messageless:
		return a.post(ctx, p, parts[d.Part], d)
	default:
	}
	if err = a.judge("chat.update", err, repeatable); err != nil {
		return "", err
	}
	return old[d.Part], nil
}

func (a *App) remove(ctx context.Context, channel, external string) error {
	ctx, cancel := context.WithTimeout(ctx, a.o.Timeout)
	defer cancel()
	_, _, err := a.api.DeleteMessageContext(ctx, channel, external)
	if err == nil || classify(err) == messageless {
		return nil
	}
	return a.judge("chat.delete", err, repeatable)
}

// mark shows in an earlier message what has been chosen there. A message that cannot
// be changed any more, or that only one person sees, stays as it is.
func (a *App) mark(ctx context.Context, p place, d bot.Dispatch) (string, error) {
	if d.Of == nil {
		return "", nil
	}
	before := blocks.Render(d.Of.Message, blocks.Options{})
	now := blocks.Render(d.Of.Message, blocks.Options{Chosen: d.Taken})
	for i, external := range d.Of.External {
		if i >= len(now) || i >= len(before) || !isStamp(external) || same(before[i], now[i]) {
			continue
		}
		if a.showByHook(ctx, p.channel, external, now[i]) {
			continue
		}
		err := a.update(ctx, p.channel, external, now[i])
		switch classify(err) {
		case messageless, unfit, closed:
			a.o.Log.DebugContext(ctx, "a choice is not shown", "platform", Platform, "delivery", d.Of.ID, "err", err)
			continue
		default:
		}
		if err = a.judge("chat.update", err, repeatable); err != nil {
			return "", err
		}
	}
	return "", nil
}

// same reports whether two parts look the same.
func same(a, b blocks.Part) bool {
	x, errX := json.Marshal(a.Blocks)
	y, errY := json.Marshal(b.Blocks)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
