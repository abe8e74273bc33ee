package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/telegram/html"
	"github.com/nastavnik-bot/nastavnik/bot/texts"
)

// Parts implements bot.Sender.
func (b *Bot) Parts(d bot.Dispatch) int {
	if d.Message.Chosen != "" {
		return 1
	}
	return max(1, len(partsOf(d.Message)))
}

// Send implements bot.Sender. Telegram cannot be asked whether a message has arrived, so
// a doubt lasts until it has.
func (b *Bot) Send(ctx context.Context, d bot.Dispatch) (string, error) {
	id, err := b.dispatch(ctx, d)
	if err != nil && d.Doubt && ctx.Err() == nil && !errors.Is(err, bot.ErrDoubt) {
		err = fmt.Errorf("%w: %w", err, bot.ErrDoubt)
	}
	return id, err
}

func (b *Bot) dispatch(ctx context.Context, d bot.Dispatch) (string, error) {
	to, ok := placeOf(d)
	if !ok {
		return "", fmt.Errorf("send to %s: no chat of Telegram's: %w", d.Chat, bot.ErrUndeliverable)
	}
	if d.Message.Chosen != "" {
		return "", b.mark(ctx, d, to)
	}
	parts := partsOf(d.Message)
	if d.Part >= len(parts) {
		return "", nil // nothing to see
	}
	id, err := b.send(ctx, d, to, parts)
	if to.private && errors.Is(err, bot.ErrUnreachable) {
		return b.askToWrite(ctx, d)
	}
	return id, err
}

// partsOf lays out a message. A file is the first part, with what fits of the text as
// its caption.
func partsOf(m bot.Message) []html.Part {
	if m.File == nil {
		return html.Render(m, html.Options{})
	}
	caption, rest := html.Caption(m.Text)
	return append([]html.Part{caption}, rest...)
}

// send sends a part, or puts it in the place of one that was sent before.
func (b *Bot) send(ctx context.Context, d bot.Dispatch, to place, parts []html.Part) (string, error) {
	part := parts[d.Part]
	if d.Part == 0 && d.Message.File != nil {
		return b.sendFile(ctx, d, to, part)
	}
	if before := replaced(d); d.Part < len(before) && before[d.Part] != "" {
		err := b.edit(ctx, to, before[d.Part], part)
		if err == nil && d.Part == len(parts)-1 {
			b.remove(ctx, to, before[len(parts):])
		}
		if !errors.Is(err, errEditGone) {
			return before[d.Part], err
		}
		// The person has deleted it: what it would say now is new to them.
	}
	o := to.message("sendMessage", part)
	if d.Part == 0 {
		o.params.AddNonEmpty("reply_parameters", beneath(d))
	}
	return b.post(ctx, o)
}

// replaced are the ids of the messages that a dispatch takes the place of.
func replaced(d bot.Dispatch) []string {
	if d.Of == nil || d.Of.State != bot.DeliverySent || d.Of.Message.File != nil {
		return nil
	}
	return d.Of.External
}

// edit changes a message. One that is the same already is no error.
func (b *Bot) edit(ctx context.Context, to place, id string, part html.Part) error {
	o := to.message("editMessageText", part)
	delete(o.params, "message_thread_id")
	o.params["message_id"] = id
	if len(part.Keyboard) == 0 {
		o.params["reply_markup"] = keyboard(nil, "") // else that of before stays
	}
	_, err := b.post(ctx, o)
	if errors.Is(err, errSame) {
		return nil
	}
	return err
}

// remove deletes messages that are no longer needed; where that fails they stay.
func (b *Bot) remove(ctx context.Context, to place, ids []string) {
	for _, id := range ids {
		if id == "" {
			continue
		}
		if err := b.client.set(ctx, "deleteMessage", tgbotapi.Params{"chat_id": to.id(), "message_id": id}); err != nil {
			b.o.Log.DebugContext(ctx, "a message was not removed", "platform", Platform, "err", err)
		}
	}
}

// mark shows in an earlier message what has been chosen there. Where that message is
// gone there is nothing to mark.
func (b *Bot) mark(ctx context.Context, d bot.Dispatch, to place) error {
	if d.Of == nil {
		return nil
	}
	parts := html.Render(d.Of.Message, html.Options{Chosen: d.Taken})
	for i, before := range html.Render(d.Of.Message, html.Options{}) {
		if len(before.Keyboard) == 0 || i >= len(d.Of.External) {
			continue
		}
		var now html.Part
		if i < len(parts) {
			now = parts[i]
		}
		p := tgbotapi.Params{"chat_id": to.id(), "message_id": d.Of.External[i], "reply_markup": keyboard(now.Keyboard, to.address)}
		_, err := b.post(ctx, &outgoing{method: "editMessageReplyMarkup", params: p})
		if err != nil && !errors.Is(err, errSame) && !errors.Is(err, errEditGone) {
			return err
		}
	}
	return nil
}

// askToWrite says in a group that there is something for one person alone, whom the bot
// cannot write to.
func (b *Bot) askToWrite(ctx context.Context, d bot.Dispatch) (string, error) {
	if d.Part > 0 || b.o.Say == nil {
		return "", nil // it has been said
	}
	me, err := b.self(ctx)
	if err != nil {
		return "", err
	}
	d.Message.Private = false
	to, _ := placeOf(d)
	text := b.o.Say.Say("telegram_write_to_me", texts.Data{"Address": "https://t.me/" + me.UserName})
	o := to.message("sendMessage", html.Part{Plain: text})
	o.params.AddNonEmpty("reply_parameters", beneath(d))
	return b.post(ctx, o)
}

// place is where a dispatch goes.
type place struct {
	chat    int64
	topic   string // "" for none
	private bool   // in the private chat of a person whose group it belongs to
	address string // of the chat that its buttons act in, where that does not show; else ""
}

// placeOf returns where a dispatch goes; ok is false when its chat is none of Telegram's.
func placeOf(d bot.Dispatch) (to place, ok bool) {
	to.topic = d.Chat.Thread()
	if d.Chat.Shared() {
		private := d.Message.Private
		if d.Of != nil {
			private = d.Of.Message.Private
		}
		if private || to.topic != "" {
			to.address = d.Chat.Address()
		}
		if private {
			to.private, to.topic = true, ""
			to.chat, ok = number(d.Chat.External())
			return to, ok
		}
	}
	to.chat, ok = number(d.Chat.Room().Address())
	return to, ok
}

// id is the chat as calls name it.
func (to place) id() string { return strconv.FormatInt(to.chat, 10) }

// message begins a call that says a part there.
func (to place) message(method string, part html.Part) *outgoing {
	o := &outgoing{method: method, params: tgbotapi.Params{"chat_id": to.id()}, field: "text"}
	o.params.AddNonEmpty("message_thread_id", to.topic)
	if len(part.Keyboard) > 0 {
		o.params["reply_markup"] = keyboard(part.Keyboard, to.address)
	}
	return o.say(part)
}

// keyboard is the reply_markup of an inline keyboard; nil takes the buttons away.
// Buttons whose chat does not show carry its address.
func keyboard(rows [][]html.Button, address string) string {
	markup := tgbotapi.InlineKeyboardMarkup{InlineKeyboard: [][]tgbotapi.InlineKeyboardButton{}}
	for _, row := range rows {
		var buttons []tgbotapi.InlineKeyboardButton
		for _, b := range row {
			data := b.Data
			if with := data + addressMark + address; address != "" && data != html.Inert && len(with) <= maxData {
				data = with
			}
			buttons = append(buttons, tgbotapi.NewInlineKeyboardButtonData(b.Text, data))
		}
		markup.InlineKeyboard = append(markup.InlineKeyboard, buttons)
	}
	raw, err := json.Marshal(markup)
	if err != nil {
		return "" // it holds texts alone
	}
	return string(raw)
}

// maxData is how many bytes a button carries,
// https://core.telegram.org/bots/api#inlinekeyboardbutton.
const maxData = 64

// beneath names the message that a dispatch belongs under. One that is gone does not
// keep it from being sent.
func beneath(d bot.Dispatch) string {
	id, ok := number(d.Under)
	if !ok || d.Chat.Shared() && d.Message.Private {
		return ""
	}
	return fmt.Sprintf(`{"message_id":%d,"allow_sending_without_reply":true}`, id)
}
