package bottest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/nastavnik-bot/nastavnik/bot"
)

// chats is the platform of a script: it takes deliveries and remembers what
// each person has on the screen.
type chats struct {
	mu     sync.Mutex
	keys   map[string]bool // deliveries that have come, so that one sent twice is shown once
	order  []bot.ChatID    // by first message
	shown  map[bot.ChatID][]shown
	unread map[bot.ChatID]int // how many of shown are in the transcript already
}

// shown is one message on somebody's screen.
type shown struct {
	delivery bot.Delivery
	taken    map[int]string // what was chosen, by section
	gone     bool           // a later message has taken its place
}

func newChats() *chats {
	return &chats{keys: map[string]bool{}, shown: map[bot.ChatID][]shown{}, unread: map[bot.ChatID]int{}}
}

// Parts implements bot.Sender.
func (c *chats) Parts(bot.Dispatch) int { return 1 }

// Send implements bot.Sender.
func (c *chats) Send(_ context.Context, dispatch bot.Dispatch) (string, error) {
	d := dispatch.Delivery
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keys[d.Key] {
		return d.Key, nil
	}
	c.keys[d.Key] = true
	if !slices.Contains(c.order, d.Chat) {
		c.order = append(c.order, d.Chat)
	}
	c.replace(d)
	c.shown[d.Chat] = append(c.shown[d.Chat], shown{delivery: d, taken: map[int]string{}})
	return d.Key, nil
}

// replace notes what a delivery does to an earlier message.
func (c *chats) replace(d bot.Delivery) {
	if d.Message.Replaces == "" {
		return
	}
	for i, s := range c.shown[d.Chat] {
		if s.delivery.Key != d.Message.Replaces {
			continue
		}
		if d.Message.Chosen == "" {
			c.shown[d.Chat][i].gone = true
			continue
		}
		for n, section := range s.delivery.Message.Sections {
			if section.Choice && slices.ContainsFunc(section.Buttons, func(b bot.Button) bool { return b.Label == d.Message.Chosen }) {
				s.taken[n] = d.Message.Chosen
			}
		}
	}
}

// message returns a message of a chat by its number, from 1.
func (c *chats) message(chat bot.ChatID, n int) (bot.Delivery, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n < 1 || n > len(c.shown[chat]) {
		return bot.Delivery{}, fmt.Errorf("%s has no message %d", chat.Address(), n)
	}
	return c.shown[chat][n-1].delivery, nil
}

// button finds a button by its words: in message n whatever has become of it,
// or, for 0, in the latest message where it can still be pressed. Words that
// end in … stand for all that begin so.
func (c *chats) button(chat bot.ChatID, label string, n int) (id string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.shown[chat]
	if n > len(all) {
		return "", fmt.Errorf("%s has no message %d", chat.Address(), n)
	}
	for i := len(all) - 1; i >= 0; i-- {
		if n != 0 && n != i+1 || n == 0 && all[i].gone {
			continue
		}
		for s, section := range all[i].delivery.Message.Sections {
			if n == 0 && all[i].taken[s] != "" {
				continue
			}
			for _, b := range section.Buttons {
				if named(b.Label, label) {
					return b.ID, nil
				}
			}
		}
	}
	return "", fmt.Errorf("%s sees no button [%s] that can be pressed", chat.Address(), label)
}

func named(label, words string) bool {
	if start, ok := strings.CutSuffix(words, "…"); ok && strings.HasPrefix(label, start) {
		return true
	}
	return label == words
}

// news returns what has come into each chat since the last call.
func (c *chats) news() []heard {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []heard
	for _, chat := range c.order {
		all := c.shown[chat]
		for n := c.unread[chat]; n < len(all); n++ {
			out = append(out, heard{chat: chat, number: n + 1, message: all[n].delivery.Message, replaces: c.number(chat, all[n].delivery.Message.Replaces)})
		}
		c.unread[chat] = len(all)
	}
	return out
}

// number returns the number of the message with a key, 0 when there is none.
func (c *chats) number(chat bot.ChatID, key string) int {
	if key == "" {
		return 0
	}
	return 1 + slices.IndexFunc(c.shown[chat], func(s shown) bool { return s.delivery.Key == key })
}

// heard is one message that has come into a chat.
type heard struct {
	chat     bot.ChatID
	number   int
	message  bot.Message
	replaces int // the number of the message that this one changes; 0 for none
}
