package telegram

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"
)

// words returns what a message says, without the bot's own name, and whether it speaks
// to the bot: by a command, by its name, or as a reply to it.
func (p parser) words(m message) (text string, toBot bool) {
	text, entities := m.Text, m.Entities
	if text == "" {
		text, entities = m.Caption, m.CaptionEntities
	}
	if command, rest, ok := splitCommand(text); ok {
		text, toBot = p.command(m, command, rest)
		return clean(text), toBot
	}
	text, toBot = p.named(text, entities)
	return clean(text), toBot || p.replied(m)
}

// command reads a command and what follows it: «/my@our_bot», «/start CODE».
func (p parser) command(m message, command, rest string) (text string, toBot bool) {
	name, target, named := strings.Cut(command, "@")
	switch {
	case !named: // in a group with several bots each gets the commands of the others
		return "/" + command + rest, isCommand(strings.ToLower(name)) || p.replied(m)
	case strings.EqualFold(target, p.me.UserName):
		return "/" + name + rest, true
	}
	return "/" + command + rest, m.Chat.private() // another bot's
}

// named returns a text as Markdown without the bot's name, and whether that was in it.
func (p parser) named(text string, entities []tgbotapi.MessageEntity) (rest string, ok bool) {
	rest = markdown(text, entities, func(word string, e tgbotapi.MessageEntity) bool {
		mine := e.Type == "mention" && strings.EqualFold(strings.TrimPrefix(word, "@"), p.me.UserName) ||
			e.Type == "text_mention" && e.User != nil && e.User.ID == p.me.ID
		ok = ok || mine
		return mine
	})
	return rest, ok
}

// replied says that a message replies to one of the bot's.
func (p parser) replied(m message) bool {
	r := m.reply()
	return r != nil && r.From != nil && r.From.ID == p.me.ID
}

// clean returns a text without white space around it and without the character that
// databases do not take.
func clean(s string) string {
	return strings.TrimSpace(strings.ReplaceAll(s, "\x00", ""))
}

// command is one at the beginning of a text,
// https://core.telegram.org/bots/features#commands.
var command = regexp.MustCompile(`^/([A-Za-z0-9_]{1,32}(?:@[A-Za-z0-9_]{1,64})?)(\s|$)`)

// splitCommand returns a command without its slash, and what follows it.
func splitCommand(text string) (name, rest string, ok bool) {
	m := command.FindStringSubmatch(text)
	if m == nil {
		return "", "", false
	}
	return m[1], text[len(m[1])+1:], true
}

// albumsKept is how many albums are remembered: their messages come one after another.
const albumsKept = 64

// albums remembers which albums spoke to the bot: of a group's album only one picture
// has the caption that says so.
type albums struct {
	mu     sync.Mutex
	recent []string
}

// spoke notes that an album's message spoke to the bot, or tells whether one before
// did.
func (a *albums) spoke(album string, toBot bool) bool {
	if a == nil || album == "" {
		return toBot
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	known := slices.Contains(a.recent, album)
	if toBot && !known {
		a.recent = append(a.recent, album)
		a.recent = a.recent[max(0, len(a.recent)-albumsKept):]
	}
	return toBot || known
}
