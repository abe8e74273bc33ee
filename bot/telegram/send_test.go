package telegram_test

import (
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
)

// text is a dispatch of plain words to a chat.
func text(address, words string) bot.Dispatch {
	return bot.Dispatch{Delivery: bot.Delivery{ID: 1, Key: "k", Chat: bot.NewChat("telegram", address), Message: bot.Message{Text: words}, Created: time.Now()}}
}
