package telegram

import (
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"github.com/nastavnik-bot/nastavnik/bot"
)

// Read reads an update for a bot, as polling and the webhook do.
func Read(raw []byte, botID int64, username string, now time.Time) (kind string, e bot.Event, ok bool) {
	u, readable := readUpdate(raw)
	if !readable {
		return "unreadable", e, false
	}
	p := parser{me: tgbotapi.User{ID: botID, UserName: username}, now: func() time.Time { return now }}
	e, ok = p.event(u)
	return kindOf(u), e, ok
}

func kindOf(u update) string {
	switch {
	case u.Message != nil:
		return "message"
	case u.Edited != nil:
		return "edited_message"
	case u.Pressed != nil:
		return "callback_query"
	case u.Member != nil:
		return "my_chat_member"
	}
	return "other"
}

// Markdown is markdown of a message without a bot's name.
func Markdown(text string, entities []tgbotapi.MessageEntity) string {
	return markdown(text, entities, nil)
}
