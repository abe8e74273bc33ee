package telegram

import (
	"strings"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
)

// How fast a bot may send,
// https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this:
// about 30 messages a second in all, 20 a minute to a group, and one a second to a
// chat, of which short bursts may go over.
//
// A bucket that is full lets its burst through at once and then goes on at its pace:
// bursts are counted into the 30 and the 20.
const (
	allEvery, allBurst     = 40 * time.Millisecond, 5 // 5 + 25 in the first second
	groupEvery, groupBurst = 4 * time.Second, 5       // 5 + 15 in the first minute
	chatEvery, chatBurst   = time.Second, 3
)

// Limits returns what a message to a chat counts against, slowed down by a factor; below
// 1 it is faster than Telegram allows, for tests.
func Limits(factor float64) func(bot.ChatID) []bot.Limit {
	limit := func(key string, every time.Duration, burst int) bot.Limit {
		return bot.Limit{Key: key, Every: max(time.Duration(float64(every)*factor), 1), Burst: burst}
	}
	return func(chat bot.ChatID) []bot.Limit {
		room := string(chat.Room())
		out := []bot.Limit{limit(Platform+"/all", allEvery, allBurst)}
		if strings.HasPrefix(chat.Address(), "-") { // groups have negative ids
			out = append(out, limit(room+"/minute", groupEvery, groupBurst))
		}
		return append(out, limit(room, chatEvery, chatBurst))
	}
}
