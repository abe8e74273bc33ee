package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"github.com/nastavnik-bot/nastavnik/bot/telegram/html"
)

// outgoing is a call that people see the result of.
type outgoing struct {
	method string
	params tgbotapi.Params
	field  string // that has the words: "text" or "caption"
	plain  string // the words for when their markup is refused; "" when there are no others

	file      func() (*content, error) // opens the file; nil for none
	fileField string
}

// say puts a part's words into the call.
func (o *outgoing) say(part html.Part) *outgoing {
	if part.HTML == "" {
		o.params.AddNonEmpty(o.field, part.Plain)
		return o
	}
	o.params[o.field], o.params["parse_mode"], o.plain = part.HTML, tgbotapi.ModeHTML, part.Plain
	return o
}

// maxMends bounds how often a call is changed after a refusal.
const maxMends = 4

// post makes the call and returns the id of the message. What Telegram refuses for a
// reason that can be mended is mended and sent at once: nothing of it has arrived.
func (b *Bot) post(ctx context.Context, o *outgoing) (id string, err error) {
	for mends := 0; ; mends++ {
		b.follow(o)
		raw, err := b.carry(ctx, o)
		if err == nil {
			return messageID(raw), nil
		}
		if mends == maxMends || !b.mend(o, err) {
			return "", err
		}
	}
}

// carry makes the call once.
func (b *Bot) carry(ctx context.Context, o *outgoing) (json.RawMessage, error) {
	if o.file == nil {
		return b.client.call(ctx, o.method, o.params, manner{})
	}
	f, err := o.file()
	if err != nil {
		return nil, err
	}
	defer f.close()
	return b.client.upload(ctx, o.method, o.params, o.fileField, f)
}

// follow sends a call to where a group has moved.
func (b *Bot) follow(o *outgoing) {
	id, _ := number(o.params["chat_id"])
	if to, ok := b.moved.Load(id); ok {
		o.params["chat_id"] = to.(string)
		// The messages of before have other ids there, and there are no topics yet.
		delete(o.params, "reply_parameters")
		delete(o.params, "message_thread_id")
	}
}

// mend changes a call that was refused; false when nothing can be done about it.
func (b *Bot) mend(o *outgoing, err error) bool {
	var r *refusal
	if errors.As(err, &r) && r.moved != 0 {
		id, _ := number(o.params["chat_id"])
		_, known := b.moved.Swap(id, strconv.FormatInt(r.moved, 10))
		return !known
	}
	switch {
	case errors.Is(err, errEntities) && o.plain != "":
		o.params[o.field], o.plain = o.plain, ""
		delete(o.params, "parse_mode")
	case errors.Is(err, errNoThread) && o.params["message_thread_id"] != "":
		delete(o.params, "message_thread_id") // the group's general topic
	case errors.Is(err, errPicture) && o.method == "sendPhoto":
		o.method, o.fileField = "sendDocument", "document"
	default:
		return false
	}
	return true
}

// messageID reads the id of a message that was sent. An answer without one is no reason
// to send again.
func messageID(raw json.RawMessage) string {
	var m struct {
		ID int64 `json:"message_id"`
	}
	if json.Unmarshal(raw, &m) != nil || m.ID == 0 {
		return ""
	}
	return strconv.FormatInt(m.ID, 10)
}
