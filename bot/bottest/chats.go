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
	unread map[bot.ChatID]int  // how many of shown are in the transcript already
	words  map[string]string   // what people have written, by the id of the message
	count  map[string]int      // of their messages
	closed map[bot.ChatID]bool // rooms that take nothing
}

// shown is one message on somebody's screen.
type shown struct {
	delivery bot.Delivery
	taken    map[int]string // what was chosen, by section
	gone     bool           // a later message has taken its place
	under    string         // the id of the message beneath which it stands
}

func newChats() *chats {
	return &chats{
		keys: map[string]bool{}, shown: map[bot.ChatID][]shown{}, unread: map[bot.ChatID]int{},
		words: map[string]string{}, count: map[string]int{}, closed: map[bot.ChatID]bool{},
	}
}

// Parts implements bot.Sender.
func (c *chats) Parts(bot.Dispatch) int { return 1 }

// Send implements bot.Sender.
func (c *chats) Send(_ context.Context, dispatch bot.Dispatch) (string, error) {
	d := dispatch.Delivery
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed[d.Chat.Room()] {
		return "", bot.ErrUnreachable
	}
	if c.keys[d.Key] {
		return d.Key, nil
	}
	c.keys[d.Key] = true
	if !slices.Contains(c.order, d.Chat) {
		c.order = append(c.order, d.Chat)
	}
	c.replace(d)
	c.shown[d.Chat] = append(c.shown[d.Chat], shown{delivery: d, taken: map[int]string{}, under: dispatch.Under})
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
func (c *chats) message(chat bot.ChatID, n int) (shown, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n < 1 || n > len(c.shown[chat]) {
		return shown{}, fmt.Errorf("%s has no message %d", chat.Address(), n)
	}
	return c.shown[chat][n-1], nil
}

// root returns the id of the message that begins the thread of this one.
func (s shown) root() string {
	if s.under != "" {
		return s.under
	}
	return s.delivery.Key
}

// button finds a button by its words: in message n whatever has become of it,
// or, for 0, in the latest message where it can still be pressed. Words that
// end in … stand for all that begin so.
func (c *chats) button(chat bot.ChatID, label string, n int) (id, root string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n > len(c.shown[chat]) {
		return "", "", fmt.Errorf("%s has no message %d", chat.Address(), n)
	}
	for _, of := range c.readable(chat) {
		if id, root := pressable(c.shown[of], label, n); id != "" {
			return id, root, nil
		}
	}
	return "", "", fmt.Errorf("%s sees no button [%s] that can be pressed", chat.Address(), label)
}

// readable returns a chat, and those of others that its person reads too.
func (c *chats) readable(chat bot.ChatID) []bot.ChatID {
	out := []bot.ChatID{chat}
	for _, other := range c.order {
		if chat.Shared() && other != chat && other.Room() == chat.Room() {
			out = append(out, other)
		}
	}
	return out
}

func pressable(all []shown, label string, n int) (id, root string) {
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
					return b.ID, all[i].root()
				}
			}
		}
	}
	return "", ""
}

// wrote remembers what somebody has written, and returns the id of the message.
func (c *chats) wrote(who, text string) (ref string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count[who]++
	ref = fmt.Sprint(who, "/", c.count[who])
	c.words[ref] = text
	return ref
}

// written returns the id of somebody's message by its number, 0 for the latest.
func (c *chats) written(who string, n int) (ref string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n == 0 {
		n = c.count[who]
	}
	ref = fmt.Sprint(who, "/", n)
	if _, ok := c.words[ref]; !ok {
		return "", fmt.Errorf("%s has not written a message %d", who, n)
	}
	return ref, nil
}

// close lets the bot no longer write into a room, or again.
func (c *chats) close(room bot.ChatID, closed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed[room] = closed
}

// anyClosed reports whether somebody has ever shut the bot out.
func (c *chats) anyClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.closed) > 0
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
			out = append(out, heard{chat: chat, number: n + 1, message: all[n].delivery.Message, replaces: c.number(chat, all[n].delivery.Message.Replaces), beneath: c.beneath(chat, all[n].under)})
		}
		c.unread[chat] = len(all)
	}
	return out
}

// beneath says beneath what a message stands: a number, or somebody's words.
func (c *chats) beneath(chat bot.ChatID, id string) string {
	if id == "" {
		return ""
	}
	if words, ok := c.words[id]; ok {
		return "«" + strings.Join(strings.Fields(words), " ") + "»"
	}
	return fmt.Sprint("#", c.number(chat, id))
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
	beneath  string
}
