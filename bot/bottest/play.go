package bottest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// codeWord stands for the code of the latest invitation.
const codeWord = "<код>"

// pause is how long people take between two steps.
const pause = time.Second

// player plays a script on a stage and writes the transcript.
type player struct {
	stage   *stage
	out     strings.Builder
	known   map[string]bool // who has appeared as a senior
	threads bool
	code    string // of the latest invitation
	count   int    // events so far, for their keys
	last    *bot.Event
}

// Play plays a conversation on an empty store, in a folder or at the address of a
// PostgreSQL (postgres://…), and returns its transcript. The bot is killed and started again at every such write to its store, 0 for never;
// the transcript must not depend on it. The error names the line of the script.
func Play(ctx context.Context, c Conversation, where string, every int) (transcript string, deaths int, err error) {
	steps, err := parse(c.Script)
	if err != nil {
		return "", 0, err
	}
	s, err := newStage(ctx, c, where, every)
	if err != nil {
		return "", 0, err
	}
	defer func() {
		if e := s.close(); err == nil {
			err = e
		}
	}()
	if err := s.load(ctx, c); err != nil {
		return "", 0, err
	}
	p := &player{stage: s, known: map[string]bool{}, threads: c.Threads}
	for _, step := range steps {
		if err := p.play(ctx, step); err != nil {
			return p.out.String(), s.deaths, fmt.Errorf("line %d: %s: %w", step.line, step.source, err)
		}
	}
	err = p.ending(ctx)
	return p.out.String(), s.deaths, err
}

// play does one step and writes down what came of it.
func (p *player) play(ctx context.Context, s step) error {
	if p.out.Len() > 0 {
		p.out.WriteByte('\n')
	}
	if s.verb == remark {
		p.out.WriteString(s.source + "\n")
		return nil
	}
	fmt.Fprintf(&p.out, "> %s\n", strings.ReplaceAll(s.source, "\n", "\n> "))
	if s.verb != wait {
		p.stage.clock.set(p.stage.clock.Now().Add(pause))
	}
	if err := p.act(ctx, s); err != nil {
		return err
	}
	for _, h := range p.stage.chats.news() {
		p.heard(p.stage.name(ctx, h.chat), h)
	}
	return nil
}

func (p *player) act(ctx context.Context, s step) error {
	switch s.verb {
	case wait:
		return p.stage.pass(s.after)
	case restart:
		if err := p.stage.reopen(); err != nil {
			return err
		}
		return p.stage.settle()
	case again:
		if p.last == nil {
			return fmt.Errorf("nothing has happened yet")
		}
		return p.stage.post(*p.last)
	case operator:
		return p.operate(ctx, s.text)
	default:
		return p.acts(ctx, s)
	}
}

// acts does what somebody says or presses.
func (p *player) acts(ctx context.Context, s step) error {
	who := identity(s.who)
	if s.senior && !p.known[s.who] {
		p.known[s.who] = true
		if _, err := p.office().AddPerson(ctx, who, func(x *knowledge.Person) { x.Senior = true }); err != nil {
			return err
		}
		if err := p.stage.settle(); err != nil {
			return err
		}
	}
	chat := bot.ChatID(who.Chat)
	if s.room != "" {
		chat = bot.NewShared(platform, s.room, "", who.External)
	}
	body, err := p.body(s, chat)
	if err != nil || body == nil {
		return err
	}
	p.count++
	p.last = &bot.Event{Key: fmt.Sprintf("%s:%d", platform, p.count), Chat: chat, At: p.stage.clock.Now(), From: who, Body: body}
	return p.stage.post(*p.last)
}

// body makes the event's body, as an adapter would; nil for somebody who only appears.
func (p *player) body(s step, chat bot.ChatID) (bot.Body, error) {
	switch s.verb {
	case leave:
		return bot.Ended{}, nil
	case press:
		return p.pressed(s, chat)
	case say:
		return p.said(s, chat)
	case edit:
		ref, err := p.stage.chats.written(s.who, s.to)
		return bot.Edited{Ref: ref, Text: s.text}, err
	case erase:
		ref, err := p.stage.chats.written(s.who, s.to)
		return bot.Deleted{Ref: ref}, err
	case block, unblock:
		p.stage.chats.close(chat.Room(), s.verb == block)
		return nil, nil
	default:
		return nil, nil
	}
}

func (p *player) pressed(s step, chat bot.ChatID) (bot.Body, error) {
	b := bot.Pressed{ID: bot.ButtonID(1_000_000, 0, 0)}
	if !s.forged {
		var err error
		if b, err = p.button(s, chat); err != nil {
			return nil, err
		}
	}
	if s.form {
		return bot.Filled{Pressed: b, Text: s.filled}, nil
	}
	return b, nil
}

// button finds the button that somebody presses. In a thread it is pressed there.
func (p *player) button(s step, chat bot.ChatID) (bot.Pressed, error) {
	id, under, err := p.stage.chats.button(chat, s.text, s.to)
	if !p.threads {
		under = ""
	}
	return bot.Pressed{ID: id, Under: under}, err
}

func (p *player) said(s step, chat bot.ChatID) (bot.Body, error) {
	said := bot.Said{Text: strings.ReplaceAll(s.text, codeWord, p.code), Album: s.album, Ref: p.stage.chats.wrote(s.who, s.text)}
	for _, name := range s.files {
		said.Files = append(said.Files, sent(name))
	}
	if p.threads {
		said.Under = said.Ref
	}
	if s.to == 0 {
		return said, nil
	}
	m, err := p.stage.chats.message(chat, s.to)
	if err != nil || !p.threads {
		said.ReplyTo = m.delivery.ID
		return said, err
	}
	said.Answers = m.root() // as in Slack: of a thread only its root is known
	said.Under = said.Answers
	return said, nil
}

func identity(name string) knowledge.Identity {
	key := knowledge.FoldText(name)
	return knowledge.Identity{Platform: platform, External: key, Name: name, Chat: string(bot.NewChat(platform, key))}
}

// heard writes down one message that came into a chat.
func (p *player) heard(name string, h heard) {
	m := h.message
	number := fmt.Sprintf("%s #%d", name, h.number)
	if p.threads && h.beneath != "" {
		number += ", beneath " + h.beneath
	}
	if m.Private {
		number += ", seen by nobody else"
	}
	switch {
	case m.Chosen != "":
		fmt.Fprintf(&p.out, "%s #%d: ✓ [%s] in #%d\n", name, h.number, m.Chosen, h.replaces)
		return
	case m.File != nil:
		fmt.Fprintf(&p.out, "%s: 📎 %s (%s)\n", number, m.File.Name, m.File.Media)
		return
	case h.replaces != 0:
		fmt.Fprintf(&p.out, "%s, in place of #%d:\n", number, h.replaces)
	default:
		fmt.Fprintf(&p.out, "%s:\n", number)
	}
	for l := range strings.Lines(Render(m)) {
		p.out.WriteString(strings.TrimRight("    "+l, " \n") + "\n")
	}
}

// width is how much fits into one line of buttons.
const width = 76

// Render shows a message plainly: its text as it is, then its buttons. A bar
// stands between buttons of which only one can be pressed.
func Render(m bot.Message) string {
	var b strings.Builder
	b.WriteString(m.Text + "\n")
	for _, s := range m.Sections {
		if s.Title != "" {
			b.WriteString(s.Title + "\n")
		}
		between := " "
		if s.Choice {
			between = " | "
		}
		labels := make([]string, len(s.Buttons))
		for i, button := range s.Buttons {
			labels[i] = "[" + button.Label + "]"
		}
		line := strings.Join(labels, between)
		if len([]rune(line)) > width {
			line = strings.Join(labels, strings.TrimRight(between, " ")+"\n")
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}
