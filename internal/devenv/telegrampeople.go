package devenv

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// A TelegramUser is somebody who writes.
type TelegramUser struct {
	ID           int64  `json:"id"`
	FirstName    string `json:"first_name"`
	LastName     string `json:"last_name,omitempty"`
	Username     string `json:"username,omitempty"`
	LanguageCode string `json:"language_code,omitempty"`
}

// A TelegramChat is where they write. The zero value is their private chat with the bot.
type TelegramChat struct {
	ID    int64  `json:"id"`   // negative for groups
	Type  string `json:"type"` // "private", "group", "supergroup"
	Title string `json:"title,omitempty"`
}

// A TelegramSaying is what somebody writes. The peer passes it to the bot as it is:
// tests answer for the shape of what is in More.
type TelegramSaying struct {
	From    TelegramUser
	Chat    TelegramChat
	Text    string
	ReplyTo int            // the id of a message of the bot's in this chat; 0: none
	More    map[string]any // fields of Message in the Bot API, as photo, caption, media_group_id
}

// A TelegramMessage is what the bot has sent, as it stands after its edits.
type TelegramMessage struct {
	ID        int
	ChatID    int64
	Text      string
	ParseMode string
	ReplyTo   int // from reply_to_message_id or reply_parameters; 0: none
	Buttons   []TelegramButton
	Edited    bool
	Fields    map[string]json.RawMessage // as the bot sent them; a form's are all strings
}

// A TelegramButton is one of an inline keyboard.
type TelegramButton struct {
	Text string `json:"text"`
	Data string `json:"callback_data"`
	URL  string `json:"url"`
}

// Give hands the bot a message or, if it has data, a callback query, and returns the
// message's id. It may be called from any goroutine. With a webhook it returns once the
// bot has answered, with an error if that is not a 2xx, and the update is lost;
// otherwise the bot has it at its next getUpdates.
func (p *TelegramPeer) Give(ctx context.Context, body map[string]any) (id int, err error) {
	body = maps.Clone(body)
	body["botToken"] = p.Token
	var answer struct {
		ID int `json:"message_id"`
	}
	if err := callJSON(ctx, http.MethodPost, p.peopleURL(), body, &answer); err != nil {
		return 0, fmt.Errorf("give the bot an update: %w", err)
	}
	return answer.ID, nil
}

func (p *TelegramPeer) must(err error) {
	p.tb.Helper()
	if err != nil {
		p.tb.Fatal(err)
	}
}

// Say has somebody write and returns the id of their message. A text that begins with
// a slash is a command.
func (p *TelegramPeer) Say(s TelegramSaying) (id int) {
	p.tb.Helper()
	body, err := p.Saying(p.tb.Context(), s)
	p.must(err)
	id, err = p.Give(p.tb.Context(), body)
	p.must(err)
	return id
}

// Saying returns what Say gives.
func (p *TelegramPeer) Saying(ctx context.Context, s TelegramSaying) (map[string]any, error) {
	if s.Chat == (TelegramChat{}) {
		s.Chat = TelegramChat{ID: s.From.ID, Type: "private"}
	}
	body := map[string]any{"from": s.From, "chat": s.Chat, "date": time.Now().Unix(), "text": s.Text}
	if s.Text == "" {
		delete(body, "text")
	}
	if command, _, _ := strings.Cut(s.Text, " "); strings.HasPrefix(command, "/") {
		body["entities"] = []any{map[string]any{"type": "bot_command", "offset": 0, "length": len(utf16.Encode([]rune(command)))}}
	}
	if s.ReplyTo != 0 {
		sent, err := p.sent(ctx)
		if err != nil {
			return nil, err
		}
		for _, m := range sent {
			if m.ID == s.ReplyTo && m.ChatID == s.Chat.ID {
				body["reply_to_message"] = m.asMessage(s.Chat)
			}
		}
		if body["reply_to_message"] == nil {
			return nil, fmt.Errorf("the bot has sent no message %d to chat %d", s.ReplyTo, s.Chat.ID)
		}
	}
	maps.Copy(body, s.More)
	return body, nil
}

// asMessage is the bot's message as Telegram quotes it.
func (m TelegramMessage) asMessage(chat TelegramChat) map[string]any {
	message := map[string]any{
		"message_id": m.ID, "chat": chat, "date": time.Now().Unix(), "text": m.Text,
		"from": map[string]any{"id": TelegramBotID, "is_bot": true, "first_name": "Наставник", "username": TelegramBotUsername},
	}
	if len(m.Buttons) > 0 {
		message["reply_markup"] = m.markup()
	}
	return message
}

// Press has somebody press a button that the bot's message must have, in the chat that
// the message stands in; the zero chat is their private one.
func (p *TelegramPeer) Press(m TelegramMessage, from TelegramUser, chat TelegramChat, data string) {
	p.tb.Helper()
	for _, b := range m.Buttons {
		if b.Data == data {
			p.Act(m, from, chat, data)
			return
		}
	}
	p.tb.Fatalf("the message has no button %q: %+v", data, m.Buttons)
}

// Act sends a callback query of a message, whether the message offers that or not.
func (p *TelegramPeer) Act(m TelegramMessage, from TelegramUser, chat TelegramChat, data string) {
	p.tb.Helper()
	if chat == (TelegramChat{}) {
		chat = TelegramChat{ID: from.ID, Type: "private"}
	}
	_, err := p.Give(p.tb.Context(), map[string]any{"from": from, "message": m.asMessage(chat), "data": data})
	p.must(err)
}

// Messages returns what the bot has sent to a chat and not deleted, oldest first.
func (p *TelegramPeer) Messages(chat int64) []TelegramMessage {
	p.tb.Helper()
	all, err := p.sent(p.tb.Context())
	p.must(err)
	var found []TelegramMessage
	for _, m := range all {
		if m.ChatID == chat {
			found = append(found, m)
		}
	}
	return found
}

// Await returns what the bot has sent to a chat as soon as done says that it is enough.
func (p *TelegramPeer) Await(chat int64, what string, done func([]TelegramMessage) bool) []TelegramMessage {
	p.tb.Helper()
	var messages []TelegramMessage
	await(p.tb, what, func() bool {
		messages = p.Messages(chat)
		return done(messages)
	})
	return messages
}

// sent returns all that the bot has sent.
func (p *TelegramPeer) sent(ctx context.Context) ([]TelegramMessage, error) {
	var history struct {
		Result []struct {
			MessageID int `json:"messageId"`
			Message   map[string]json.RawMessage
		}
	}
	if err := callJSON(ctx, http.MethodPost, p.URL+"/getUpdatesHistory", map[string]string{"token": p.Token}, &history); err != nil {
		return nil, fmt.Errorf("read what the bot has sent: %w", err)
	}
	var found []TelegramMessage
	for _, h := range history.Result {
		if chat := textOf(h.Message["chat_id"]); chat != "" { // people's have a chat
			m, err := readTelegramMessage(h.MessageID, chat, h.Message)
			if err != nil {
				return nil, err
			}
			found = append(found, m)
		}
	}
	return found, nil
}

func readTelegramMessage(id int, chat string, fields map[string]json.RawMessage) (TelegramMessage, error) {
	m := TelegramMessage{ID: id, Text: textOf(fields["text"]), ParseMode: textOf(fields["parse_mode"]), Fields: fields}
	var err error
	if m.ChatID, err = strconv.ParseInt(chat, 10, 64); err != nil {
		return m, fmt.Errorf("the bot has written to chat %q: %w", chat, err)
	}
	_, m.Edited = fields["message_id"]
	m.ReplyTo, _ = strconv.Atoi(textOf(fields["reply_to_message_id"]))
	var reply struct {
		ID int `json:"message_id"`
	}
	if json.Unmarshal([]byte(textOf(fields["reply_parameters"])), &reply) == nil && reply.ID != 0 {
		m.ReplyTo = reply.ID
	}
	var markup telegramMarkup
	if len(fields["reply_markup"]) > 0 {
		if err := json.Unmarshal(fields["reply_markup"], &markup); err != nil {
			return m, fmt.Errorf("read the keyboard of message %d: %w", id, err)
		}
	}
	for _, row := range markup.Rows {
		m.Buttons = append(m.Buttons, row...)
	}
	return m, nil
}

type telegramMarkup struct {
	Rows [][]TelegramButton `json:"inline_keyboard"`
}

func (m TelegramMessage) markup() telegramMarkup {
	var markup telegramMarkup
	for _, b := range m.Buttons {
		markup.Rows = append(markup.Rows, []TelegramButton{b})
	}
	return markup
}

// textOf returns a field as text: a form has only texts, JSON has numbers too.
func textOf(field json.RawMessage) string {
	var text string
	if json.Unmarshal(field, &text) == nil {
		return text
	}
	return string(field)
}
