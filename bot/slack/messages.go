package slack

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"

	"github.com/nastavnik-bot/nastavnik/bot"
)

// translator makes events of what people write. It is pure: me is the bot, and say
// tells what somebody who is mentioned is called, "" when that is not known.
type translator struct {
	me   self
	team string
	say  func(user string) string
	// first is what a text addressed to the bot begins with, aside is another mention
	// of it.
	first, aside *regexp.Regexp
}

func newTranslator(me self, team string, say func(string) string) translator {
	mention := "<@" + regexp.QuoteMeta(me.user) + `(?:\|[^<>]*)?>`
	return translator{
		me: me, team: team, say: say,
		first: regexp.MustCompile(`^\s*(?:` + mention + `[\s,:;]*)+`), aside: regexp.MustCompile(`\s*` + mention),
	}
}

// event translates an event about a message; nothing comes of most.
func (t translator) event(m message) []bot.Event {
	if m.Type == "app_mention" {
		return t.said(m)
	}
	switch m.Subtype {
	case "", "file_share", "thread_broadcast", "me_message":
		if t.direct(m) {
			return t.said(m)
		}
		// In a channel the bot is spoken to by mention, which comes as an event of its
		// own.
		return nil
	case "message_changed":
		return t.changed(m)
	case "message_deleted":
		return t.deleted(m)
	}
	return nil // joins, topics, other bots, …
}

func (t translator) direct(m message) bool {
	return m.ChannelType == "im" || m.ChannelType == "" && isDirect(m.Channel)
}

// byPerson reports whether somebody else than a bot wrote a message.
func (t translator) byPerson(m message) bool {
	return isUser(m.User) && m.User != "USLACKBOT" && m.User != t.me.user && m.BotID == ""
}

// chat returns the chat that a message belongs to, and beneath which message replies
// go.
func (t translator) chat(direct bool, channel string, m message) (chat bot.ChatID, root string) {
	root = m.TS
	if isStamp(m.Thread) {
		root = m.Thread
	}
	if direct {
		return private(m.User), root
	}
	return bot.NewShared(Platform, channel, root, m.User), root
}

func (t translator) said(m message) []bot.Event {
	if !t.known(m, m) {
		return nil
	}
	direct := t.direct(m)
	chat, root := t.chat(direct, m.Channel, m)
	body := bot.Said{Text: commandWord(t.text(m.Text)), Ref: m.TS, Under: root, Files: files(m.Files)}
	if root != m.TS {
		body.Answers = root
	}
	e := bot.Event{Key: t.key(m.Channel, m.TS), Chat: chat, From: identity(m.User), Body: body}
	if m.ClientID != "" {
		// A phone that sends a message twice gives both the same id, and Slack another ts.
		sum := sha256.Sum256([]byte(m.Text))
		e.Alias = t.key(m.Channel, "sent", m.ClientID, m.User, hex.EncodeToString(sum[:8]))
	}
	if m.Edited != nil {
		// A mention comes again when its message is edited, and for the first time when
		// it was put in by an edit.
		e.Alias = ""
		edited := t.edited(chat, m.Channel, m)
		e.Again = &edited
	}
	return []bot.Event{e}
}

// key is the same for an event however often it comes, and unlike any other's.
func (t translator) key(parts ...string) string {
	return strings.Join(append([]string{Platform, t.team}, parts...), "/")
}

// changed translates an edit. Slack tells of many changes that nobody has made: a
// preview of a link, a first reply.
func (t translator) changed(m message) []bot.Event {
	now, before := m.Now, m.Before
	if now == nil {
		return nil
	}
	if now.Subtype == "tombstone" && before != nil { // deleted, with replies that stay
		return t.gone(m, *before)
	}
	if now.Edited == nil || !t.known(m, *now) || before != nil && before.Text == now.Text {
		return nil
	}
	direct := t.direct(m)
	if !direct && !t.mentioned(now.Text) && (before == nil || !t.mentioned(before.Text)) {
		return nil // not said to the bot
	}
	chat, _ := t.chat(direct, m.Channel, *now)
	return []bot.Event{t.edited(chat, m.Channel, *now)}
}

// known reports whether it is clear what message of which person an event is about.
func (t translator) known(e, m message) bool {
	return t.byPerson(m) && isStamp(m.TS) && isID(e.Channel)
}

// edited is the event of a message's latest edit.
func (t translator) edited(chat bot.ChatID, channel string, m message) bot.Event {
	return bot.Event{
		Key:  t.key(channel, m.TS, "edited", m.Edited.TS),
		Chat: chat, From: identity(m.User), Body: bot.Edited{Ref: m.TS, Text: t.text(m.Text)},
	}
}

func (t translator) deleted(m message) []bot.Event {
	if m.Before == nil {
		return nil
	}
	return t.gone(m, *m.Before)
}

func (t translator) gone(m, before message) []bot.Event {
	before.TS = cmp.Or(before.TS, m.DeletedTS)
	if !t.known(m, before) {
		return nil
	}
	direct := t.direct(m)
	if !direct && !t.mentioned(before.Text) {
		return nil
	}
	chat, _ := t.chat(direct, m.Channel, before)
	return []bot.Event{{
		Key:  t.key(m.Channel, before.TS, "deleted"),
		Chat: chat, From: identity(before.User), Body: bot.Deleted{Ref: before.TS},
	}}
}

func (t translator) mentioned(text string) bool { return t.aside.MatchString(text) }

// text returns the words of a message in standard Markdown, without the mention of
// the bot.
func (t translator) text(s string) string {
	return strings.TrimSpace(markdown(t.withoutMention(s), t.say))
}

// withoutMention takes the mentions of the bot out of a text, with the comma or colon
// behind the one that addresses it.
func (t translator) withoutMention(s string) string {
	return t.aside.ReplaceAllString(t.first.ReplaceAllString(s, ""), "")
}

// files translates the files of a message.
func files(in []file) []bot.File {
	var out []bot.File
	for _, f := range in {
		if f.Mode == "tombstone" || f.Mode == "hidden_by_limit" {
			continue // taken back
		}
		ref := cmp.Or(f.Download, f.Private)
		if ref == "" || f.Access == "check_file_info" {
			ref = f.ID
		}
		out = append(out, bot.File{Ref: ref, Name: cmp.Or(f.Name, f.Title, f.ID), Media: f.Media, Size: f.Size})
	}
	return out
}

// commandWord makes a command of a text that is one by its words: Slack keeps those
// that begin with a slash to itself.
func commandWord(text string) string {
	word := strings.ToLower(strings.Join(strings.Fields(strings.TrimRight(text, " .!?")), " "))
	switch word {
	case "my", "мои", "мои вопросы", "my questions":
		return "/my"
	case "faq", "частые вопросы", "чаво":
		return "/faq"
	case "help", "помощь", "справка":
		return "/help"
	case "cancel", "отмена", "отменить":
		return "/cancel"
	case "start", "начать":
		return "/start"
	}
	if code := invitation.FindStringSubmatch(text); code != nil {
		return "/start " + code[1]
	}
	return text
}

// invitation is «start CODE», which Slack would not pass on with its slash. A code has
// 32 characters: see knowledge.Invitation.
var invitation = regexp.MustCompile(`^(?i:start|начать)\s+([A-Za-z0-9_-]{32})$`)
