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
		return kindUnreadable, e, false
	}
	p := parser{me: tgbotapi.User{ID: botID, UserName: username}, now: func() time.Time { return now }}
	e, ok = p.event(u)
	return u.kind(), e, ok
}

// Markdown is markdown of a message without a bot's name.
func Markdown(text string, entities []tgbotapi.MessageEntity) string {
	return markdown(text, entities, nil)
}
