package slack

import (
	"context"
	"strings"
	"sync"

	api "github.com/slack-go/slack"

	"github.com/nastavnik-bot/nastavnik/bot"
)

// rooms remembers the channels of people's direct messages.
type rooms struct {
	mu       sync.Mutex
	channels map[string]string // by person
}

func (r *rooms) get(user string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.channels[user]
}

func (r *rooms) put(user, channel string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.channels[user] = channel
}

func (r *rooms) forget(user string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.channels, user)
}

// isUser reports whether an id is a person's: W in workspaces that came from a grid.
func isUser(id string) bool {
	return (strings.HasPrefix(id, "U") || strings.HasPrefix(id, "W")) && isID(id)
}

// isID reports whether s may be an id of Slack's: letters and digits, so that what is
// made of several can be taken apart again.
func isID(s string) bool {
	for _, r := range s {
		if (r < '0' || r > '9') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return s != ""
}

// isDirect reports whether a channel is somebody's talk with the bot.
func isDirect(channel string) bool { return strings.HasPrefix(channel, "D") }

// channel returns where messages to a chat are sent, opening somebody's direct
// messages when the bot has not yet written there.
func (a *App) channel(ctx context.Context, chat bot.ChatID) (string, error) {
	if !chat.Shared() {
		return a.direct(ctx, chat.Address())
	}
	return chat.Room().Address(), nil
}

func (a *App) direct(ctx context.Context, user string) (string, error) {
	if !isUser(user) {
		return user, nil
	}
	if known := a.rooms.get(user); known != "" {
		return known, nil
	}
	ctx, cancel := context.WithTimeout(ctx, a.o.Timeout)
	defer cancel()
	c, _, _, err := a.api.OpenConversationContext(ctx, &api.OpenConversationParameters{Users: []string{user}})
	if err = a.judge("conversations.open", err, repeatable); err != nil {
		return "", err
	}
	a.rooms.put(user, c.ID)
	return c.ID, nil
}
