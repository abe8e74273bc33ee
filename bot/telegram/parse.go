package telegram

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/markup"
	"github.com/nastavnik-bot/nastavnik/bot/telegram/html"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Platform is the name of this platform in chats and identities.
const Platform = "telegram"

// parser turns updates into events for one bot.
type parser struct {
	me     tgbotapi.User
	now    func() time.Time
	albums *albums // nil to take each picture for itself
}

// event returns what an update says; ok is false when it says nothing to this bot.
func (p parser) event(u update) (e bot.Event, ok bool) {
	switch {
	case u.Message != nil:
		return p.said(*u.Message)
	case u.Edited != nil:
		return p.edited(*u.Edited, u.ID)
	case u.Pressed != nil:
		return p.pressed(*u.Pressed)
	}
	return bot.Event{}, false
}

// key names an event for ever. It is made of the message and not of the update, whose
// ids begin anew after a week without one; and a message is sent to each bot.
func (p parser) key(parts ...any) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s/%d", Platform, p.me.ID)
	for _, part := range parts {
		fmt.Fprintf(&b, "/%v", part)
	}
	return clean(b.String())
}

// said reads a message.
func (p parser) said(m message) (e bot.Event, ok bool) {
	if !m.fromPerson() || !m.hasContent() {
		return e, false
	}
	text, toBot := p.words(m)
	if m.Chat.group() && !p.albums.spoke(m.Album, toBot) {
		return e, false
	}
	s := bot.Said{Text: text, Ref: m.ref(), Answers: m.answers(), Files: m.files(), Album: m.Album}
	if m.Chat.group() {
		s.Under = s.Ref
	}
	e = p.begin(m, *m.From)
	e.Key, e.Body = p.key("message", m.Chat.ID, m.ID, m.Date), s
	return e, true
}

// edited reads a message that was changed. Two edits within a second have the same
// date, hence the update's id in the key.
func (p parser) edited(m message, update int64) (e bot.Event, ok bool) {
	if !m.fromPerson() || m.Text == "" && m.Caption == "" {
		return e, false
	}
	text, toBot := p.words(m)
	if m.Chat.group() && !toBot {
		return e, false
	}
	e = p.begin(m, *m.From)
	e.At = p.at(m.EditDate)
	e.Key, e.Body = p.key("edit", m.Chat.ID, m.ID, m.EditDate, update), bot.Edited{Ref: m.ref(), Text: text}
	return e, true
}

// pressed reads a press of a button.
func (p parser) pressed(c callback) (e bot.Event, ok bool) {
	m := c.Message
	if m == nil || c.From.IsBot || c.Data == "" || c.Data == html.Inert || !m.Chat.private() && !m.Chat.group() {
		return e, false
	}
	e = p.begin(*m, c.From)
	id, address, _ := strings.Cut(c.Data, addressMark)
	b := bot.Pressed{ID: clean(id)}
	if m.Chat.group() {
		b.Under = m.ref()
	}
	if chat, ok := pressedIn(*m, c.From.ID, address); ok {
		e.Chat = chat
	}
	e.At = p.now() // a press has no date
	e.Key, e.Body = p.key("press", c.ID, c.From.ID, m.Chat.ID, m.ID), b
	return e, true
}

// addressMark stands before the chat's address in the data of a button that belongs to
// a chat which cannot be told from where the button stands; see address.
const addressMark = "@"

// pressedIn returns the chat that a button's data names, if the person may act there:
// it is their own chat, or one of theirs in the room where the button stands.
func pressedIn(m message, person int64, address string) (bot.ChatID, bool) {
	parts := strings.Split(address, "/")
	if len(parts) != 3 {
		return "", false
	}
	who, here := strconv.FormatInt(person, 10), strconv.FormatInt(m.Chat.ID, 10)
	if own := m.Chat.private() && parts[2] == who; !own && parts[0] != here {
		return "", false
	}
	return bot.NewShared(Platform, parts[0], parts[1], who), true
}

// begin returns an event with what all of a message's have.
func (p parser) begin(m message, from tgbotapi.User) bot.Event {
	who := strconv.FormatInt(from.ID, 10)
	e := bot.Event{At: p.at(m.Date), From: knowledge.Identity{Platform: Platform, External: who, Name: name(from)}}
	if m.Chat.private() {
		e.Chat = bot.NewChat(Platform, who)
		e.From.Chat = string(e.Chat)
		return e
	}
	thread := ""
	if m.InTopic {
		thread = strconv.FormatInt(m.Thread, 10)
	}
	e.Chat = bot.NewShared(Platform, strconv.FormatInt(m.Chat.ID, 10), thread, who)
	return e
}

// at reads a date; one that is missing is now.
func (p parser) at(unix int64) time.Time {
	if unix <= 0 {
		return p.now()
	}
	return time.Unix(unix, 0)
}

// name is how somebody is called.
func name(u tgbotapi.User) string {
	for _, s := range []string{u.FirstName + " " + u.LastName, u.UserName} {
		if s = markup.Name(s); markup.Visible(s) {
			return s
		}
	}
	return strconv.FormatInt(u.ID, 10)
}

func (m message) ref() string { return strconv.FormatInt(m.ID, 10) }

// fromPerson says that a person has sent the message, in a chat where the bot talks. Posts of
// channels, anonymous administrators and bots are nobody to answer to.
func (m message) fromPerson() bool {
	return m.From != nil && !m.From.IsBot && m.SenderChat == nil && m.ID != 0 && (m.Chat.private() || m.Chat.group())
}

// hasContent tells what somebody has sent from what Telegram notes, such as that
// somebody came.
func (m message) hasContent() bool {
	return m.Text != "" || m.Caption != "" || len(m.files()) > 0 ||
		slices.ContainsFunc([]*struct{}{m.Sticker, m.Location, m.Contact, m.Poll, m.Dice, m.Story, m.Game}, func(p *struct{}) bool { return p != nil })
}

// reply returns the message that this one replies to. In a topic every message replies
// to the one that began it.
func (m message) reply() *message {
	if r := m.ReplyTo; r != nil && r.TopicBegun == nil {
		return r
	}
	return nil
}

func (m message) answers() string {
	if r := m.reply(); r != nil {
		return r.ref()
	}
	return ""
}

// files are the message's files. Of a picture it is the largest size.
func (m message) files() []bot.File {
	var all []bot.File
	add := func(a *attachment, name, media string) {
		if a != nil && a.ID != "" {
			all = append(all, bot.File{Ref: a.ID, Name: plainName(cmp.Or(a.Name, name)), Media: cmp.Or(a.Media, media), Size: a.Size})
		}
	}
	if len(m.Photo) > 0 {
		largest := slices.MaxFunc(m.Photo, func(a, b attachment) int { return cmp.Or(cmp.Compare(a.Width, b.Width), cmp.Compare(a.Size, b.Size)) })
		add(&largest, "photo.jpg", "image/jpeg")
	}
	add(m.Document, "file", "")
	if m.Document == nil {
		add(m.Animation, "animation.mp4", "video/mp4")
	}
	add(m.Video, "video.mp4", "video/mp4")
	add(m.VideoNote, "video.mp4", "video/mp4")
	add(m.Audio, "audio.mp3", "audio/mpeg")
	add(m.Voice, "voice.ogg", "audio/ogg")
	return all
}

// plainName is a file's name without folders and what cannot be in one.
func plainName(s string) string {
	return markup.OneLine(s[strings.LastIndexAny(s, `/\`)+1:])
}
