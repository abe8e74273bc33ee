package slack

import (
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
)

// Rates are how fast messages are sent: once every so often on average, and a number
// at once. What is zero is as Slack allows it,
// https://docs.slack.dev/apis/web-api/rate-limits: one message a second in a channel,
// short bursts allowed, and several hundred a minute in the workspace.
type Rates struct {
	Room, All           time.Duration
	RoomBurst, AllBurst int
}

func (r Rates) withDefaults() Rates {
	if r.Room <= 0 {
		r.Room = time.Second
	}
	if r.All <= 0 {
		r.All = 200 * time.Millisecond // 300 a minute
	}
	if r.RoomBurst <= 0 {
		r.RoomBurst = 3 // an answer in two parts, and the mark of a button
	}
	if r.AllBurst <= 0 {
		r.AllBurst = 20
	}
	return r
}

// limits is bot.Platform's Limits.
func (a *App) limits(chat bot.ChatID) []bot.Limit {
	r := a.o.Rates
	return []bot.Limit{
		{Key: Platform, Every: r.All, Burst: r.AllBurst},
		{Key: string(chat.Room()), Every: r.Room, Burst: r.RoomBurst},
	}
}
