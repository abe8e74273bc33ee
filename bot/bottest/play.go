package bottest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// pause is how long people take between two steps.
const pause = time.Second

// player plays a script on a stage and writes the transcript.
type player struct {
	stage *stage
	out   strings.Builder
	known map[string]bool // who has appeared as a senior
	count int             // events so far, for their keys
	last  *bot.Event
}

// Play plays a conversation on an empty store, in a folder or at the address of a
// PostgreSQL (postgres://…), and returns its transcript. The bot is killed and started again at every such write to its store, 0 for never;
// the transcript must not depend on it. The error names the line of the script.
func Play(ctx context.Context, c Conversation, where string, every int) (transcript string, deaths int, err error) {
	steps, err := parse(c.Script)
	if err != nil {
		return "", 0, err
	}
	s, err := newStage(ctx, c.Language, where, every)
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
	p := &player{stage: s, known: map[string]bool{}}
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
		return p.person(ctx, s)
	}
}

// person does what somebody says or presses.
func (p *player) person(ctx context.Context, s step) error {
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
	body, err := p.body(s, bot.ChatID(who.Chat))
	if err != nil || body == nil {
		return err
	}
	p.count++
	p.last = &bot.Event{Key: fmt.Sprintf("%s:%d", platform, p.count), Chat: bot.ChatID(who.Chat), At: p.stage.clock.Now(), From: who, Body: body}
	return p.stage.post(*p.last)
}

// body makes the event's body, as an adapter would; nil for somebody who only appears.
func (p *player) body(s step, chat bot.ChatID) (bot.Body, error) {
	switch s.verb {
	case leave:
		return bot.Ended{}, nil
	case press:
		if s.forged {
			return bot.Pressed{ID: bot.ButtonID(1_000_000, 0, 0)}, nil
		}
		id, err := p.stage.chats.button(chat, s.text, s.to)
		return bot.Pressed{ID: id}, err
	case say:
		if s.to == 0 {
			return bot.Said{Text: s.text}, nil
		}
		d, err := p.stage.chats.message(chat, s.to)
		return bot.Said{Text: s.text, ReplyTo: d.ID}, err
	default:
		return nil, nil
	}
}

func identity(name string) knowledge.Identity {
	key := knowledge.FoldText(name)
	return knowledge.Identity{Platform: platform, External: key, Name: name, Chat: string(bot.NewChat(platform, key))}
}

// heard writes down one message that came into a chat.
func (p *player) heard(name string, h heard) {
	m := h.message
	switch {
	case m.Chosen != "":
		fmt.Fprintf(&p.out, "%s #%d: ✓ [%s] in #%d\n", name, h.number, m.Chosen, h.replaces)
		return
	case h.replaces != 0:
		fmt.Fprintf(&p.out, "%s #%d, in place of #%d:\n", name, h.number, h.replaces)
	default:
		fmt.Fprintf(&p.out, "%s #%d:\n", name, h.number)
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
