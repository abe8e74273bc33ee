// Package console is the chat in a terminal. Several terminals, in one process
// or in many, may be open on one data folder: what is to be said goes through
// the store's inbox, what has been said is read from its outbox.
package console

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Platform is the name of this platform in chats and identities.
const Platform = "console"

// Identity is a person as a terminal knows them: by name.
func Identity(name string) knowledge.Identity {
	name = strings.Join(strings.Fields(name), " ")
	key := knowledge.FoldText(name)
	return knowledge.Identity{Platform: Platform, External: key, Name: name, Chat: string(bot.NewChat(Platform, key))}
}

// Sender delivers to terminals: they read the outbox themselves, so a delivery
// counts as sent as soon as it may be read.
type Sender struct{}

// Parts implements bot.Sender.
func (Sender) Parts(bot.Dispatch) int { return 1 }

// Send implements bot.Sender.
func (Sender) Send(context.Context, bot.Dispatch) (string, error) { return "", nil }

// Options are what a Terminal needs.
type Options struct {
	Store    bot.Store
	Who      knowledge.Identity
	Say      *texts.Catalogue
	In       io.Reader
	Out      io.Writer
	Style    Style
	Prompt   string        // shown while waiting for input; "" for a pipe
	Poll     time.Duration // how often the outbox is looked at; default 50 ms
	Wake     func()        // tells a bot in this process that there is work; may be nil
	Greeting bool          // say /start when the chat is new
}

// Terminal is one open terminal.
type Terminal struct {
	o    Options
	chat bot.ChatID

	mu     sync.Mutex // guards what follows and Out
	cursor int64      // the last delivery printed
	recent []shown
}

// shown is a message with buttons that has been printed.
type shown struct {
	key      string
	sections []bot.Section
	closed   map[int]bool // sections in which something has been chosen
}

// recentLimit is how many messages back a button can be pressed by its words.
const recentLimit = 20

// New returns a terminal that Run opens.
func New(o Options) *Terminal {
	if o.Poll <= 0 {
		o.Poll = 50 * time.Millisecond
	}
	if o.Wake == nil {
		o.Wake = func() {}
	}
	return &Terminal{o: o, chat: bot.ChatID(o.Who.Chat)}
}

// Run reads lines and prints replies until the input or ctx ends. Every line is
// answered before the next one is read, so that a pipe reads like a conversation.
func (t *Terminal) Run(ctx context.Context) error {
	if err := t.Open(ctx); err != nil {
		return fmt.Errorf("terminal: %w", err)
	}
	watch, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { t.watch(watch) })
	defer wg.Wait()
	defer stop()
	lines := read(t.o.In)
	for {
		t.prompt()
		select {
		case <-ctx.Done():
			return nil
		case l, ok := <-lines:
			if !ok {
				return t.End(ctx)
			}
			err := t.line(ctx, l)
			if err != nil && ctx.Err() != nil {
				return nil // interrupted, which is how a terminal ends
			}
			if err != nil {
				return fmt.Errorf("terminal: %w", err)
			}
		}
	}
}

// Open prints what has come since the last time, and greets somebody new when
// the options say so. Run does it by itself.
func (t *Terminal) Open(ctx context.Context) error {
	fresh, err := t.catchUp(ctx)
	if err != nil || !fresh || !t.o.Greeting {
		return err
	}
	return t.Say(ctx, "/start")
}

// catchUp prints what has come since the last time, and remembers older buttons.
func (t *Terminal) catchUp(ctx context.Context) (fresh bool, err error) {
	err = t.o.Store.Read(ctx, func(tx bot.Tx) error {
		c, err := tx.Conversation(ctx, t.chat)
		if err != nil {
			return err
		}
		fresh, t.cursor = c.Version == 0, c.Read
		old, err := tx.Deliveries(ctx, t.chat, max(0, c.Read-recentWindow), recentWindow)
		for _, d := range old {
			if d.ID <= c.Read {
				t.remember(d)
			}
		}
		return err
	})
	if err != nil {
		return false, err
	}
	return fresh, t.print(ctx)
}

// recentWindow is how many ids back older messages are looked for: ids are
// shared by all chats.
const recentWindow = 2_000

func (t *Terminal) remember(d bot.Delivery) {
	if d.Message.Chosen != "" {
		t.close(d.Message)
		return
	}
	if len(d.Message.Sections) == 0 {
		return
	}
	t.recent = append(t.recent, shown{key: d.Key, sections: d.Message.Sections, closed: map[int]bool{}})
	if len(t.recent) > recentLimit {
		t.recent = t.recent[1:]
	}
}

// close notes which section of an earlier message a choice has ended: its
// labels are ordinary words from then on.
func (t *Terminal) close(chosen bot.Message) {
	for _, m := range t.recent {
		if m.key != chosen.Replaces {
			continue
		}
		for i, s := range m.sections {
			if s.Choice && slices.ContainsFunc(s.Buttons, func(b bot.Button) bool { return b.Label == chosen.Chosen }) {
				m.closed[i] = true
			}
		}
	}
}

// input is one line, or why it cannot be used.
type input struct {
	text    string
	tooLong bool
}

// maxLine bounds a line's bytes; what is longer is refused whole.
const maxLine = 1 << 20

// read gives out the lines of r until it ends.
func read(r io.Reader) <-chan input {
	out := make(chan input)
	go func() {
		defer close(out)
		br := bufio.NewReaderSize(r, 64<<10)
		for {
			l, err := readLine(br)
			if err != nil && l.text == "" && !l.tooLong {
				return
			}
			out <- l
			if err != nil {
				return
			}
		}
	}()
	return out
}

func readLine(br *bufio.Reader) (input, error) {
	var l input
	var b strings.Builder
	for {
		part, more, err := br.ReadLine()
		if err != nil {
			return input{text: b.String(), tooLong: l.tooLong}, err
		}
		if b.Len()+len(part) > maxLine {
			l.tooLong = true
		} else {
			b.Write(part)
		}
		if !more {
			l.text = b.String()
			return l, nil
		}
	}
}

// line handles one line: a button by number or words, else a message.
func (t *Terminal) line(ctx context.Context, l input) error {
	if l.tooLong {
		t.mu.Lock()
		defer t.mu.Unlock()
		_, err := fmt.Fprintln(t.o.Out, t.o.Say.Say("too_long", texts.Data{"Limit": knowledge.MaxQuestionRunes}))
		return err
	}
	if strings.TrimSpace(l.text) == "" && t.o.Prompt != "" {
		return nil // Enter on an empty line of a real terminal
	}
	return t.Say(ctx, l.text)
}

// Say posts a line and waits until it has been answered.
func (t *Terminal) Say(ctx context.Context, text string) error {
	if id, ok := t.button(text); ok {
		return t.post(ctx, bot.Pressed{ID: id})
	}
	return t.post(ctx, bot.Said{Text: text})
}

// post stores an event and prints replies until the bot has dealt with it.
func (t *Terminal) post(ctx context.Context, b bot.Body) error {
	e := bot.Event{Key: Platform + ":" + uuid.NewString(), Chat: t.chat, At: time.Now(), From: t.o.Who, Body: b}
	if err := bot.Post(ctx, t.o.Store, e); err != nil {
		return err
	}
	t.o.Wake()
	return t.wait(ctx)
}

// wait prints until nothing of this chat is left to handle.
func (t *Terminal) wait(ctx context.Context) error {
	for {
		busy, err := t.busy(ctx)
		if err != nil {
			return err
		}
		if err := t.print(ctx); err != nil {
			return err
		}
		if !busy {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(t.o.Poll / 5):
		}
	}
}

func (t *Terminal) busy(ctx context.Context) (busy bool, err error) {
	err = t.o.Store.Read(ctx, func(tx bot.Tx) error {
		chats, err := tx.BusyChats(ctx, time.Now())
		for _, c := range chats {
			busy = busy || c == t.chat
		}
		return err
	})
	return busy, err
}

// Unread returns how many messages have not been printed yet.
func (t *Terminal) Unread(ctx context.Context) (n int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	err = t.o.Store.Read(ctx, func(tx bot.Tx) error {
		unread, err := tx.Deliveries(ctx, t.chat, t.cursor, recentLimit)
		for _, d := range unread {
			if d.Message.File == nil {
				n++
			}
		}
		return err
	})
	return n, err
}

// Print shows what has come in.
func (t *Terminal) Print(ctx context.Context) error { return t.print(ctx) }

// End closes the terminal: a reply that is being written is given out.
func (t *Terminal) End(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil // the bot stops too; a draft is given out when its time is over
	default:
		return t.post(ctx, bot.Ended{})
	}
}

// watch prints what comes in from elsewhere.
func (t *Terminal) watch(ctx context.Context) {
	tick := time.NewTicker(t.o.Poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			// An error shows itself in the main loop, which reads the same store.
			_ = t.print(ctx)
		}
	}
}

// print shows the deliveries that have not been shown yet.
func (t *Terminal) print(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	const page = 100
	for {
		var fresh []bot.Delivery
		err := t.o.Store.Read(ctx, func(tx bot.Tx) (err error) {
			fresh, err = tx.Deliveries(ctx, t.chat, t.cursor, page)
			return err
		})
		if err != nil && ctx.Err() == nil {
			return err
		}
		if len(fresh) == 0 {
			return nil
		}
		for _, d := range fresh {
			t.cursor = d.ID
			if d.Message.File != nil {
				continue // the message before it has its name, and a terminal shows no more
			}
			if _, err := fmt.Fprintln(t.o.Out, t.clearPrompt()+Render(d.Message, t.o.Say, t.o.Style)); err != nil {
				return err
			}
			t.remember(d)
		}
		t.showPrompt()
		// What has been printed is marked even when the terminal is being closed: it
		// would be printed again.
		last := context.WithoutCancel(ctx)
		if err := t.o.Store.Write(last, func(tx bot.Tx) error { return tx.MarkRead(last, t.chat, t.cursor) }); err != nil {
			return err
		}
	}
}

func (t *Terminal) prompt() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.showPrompt()
}

func (t *Terminal) showPrompt() {
	if t.o.Prompt != "" {
		_, _ = fmt.Fprint(t.o.Out, "\r"+t.o.Prompt)
	}
}

func (t *Terminal) clearPrompt() string {
	if t.o.Prompt == "" {
		return ""
	}
	return "\r\x1b[K"
}

// button finds the button that a line means: a number counts through the
// buttons of the latest message that has any, words are looked for from the
// latest message back.
func (t *Terminal) button(line string) (id string, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.recent) == 0 {
		return "", false
	}
	if n, err := strconv.Atoi(strings.Trim(strings.TrimSpace(line), "[]")); err == nil {
		return t.recent[len(t.recent)-1].number(n)
	}
	want := knowledge.FoldText(line)
	for i := len(t.recent) - 1; i >= 0 && want != ""; i-- {
		if id, ok := t.recent[i].words(want); ok {
			return id, true
		}
	}
	return "", false
}

func (m shown) number(n int) (id string, ok bool) {
	for _, s := range m.sections {
		if 1 <= n && n <= len(s.Buttons) {
			return s.Buttons[n-1].ID, true
		}
		n -= len(s.Buttons)
	}
	return "", false
}

func (m shown) words(want string) (id string, ok bool) {
	for i, s := range m.sections {
		for _, b := range s.Buttons {
			if !m.closed[i] && knowledge.FoldText(b.Label) == want {
				return b.ID, true
			}
		}
	}
	return "", false
}
