package bot_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// postOffice is a platform that does what a test says with each message.
type postOffice struct {
	mu    sync.Mutex
	parts int
	fail  []error // of the next attempts; nil for one that succeeds
	tried []bot.Dispatch
}

func (p *postOffice) Parts(bot.Dispatch) int { return max(p.parts, 1) }

func (p *postOffice) Send(_ context.Context, d bot.Dispatch) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tried = append(p.tried, d)
	if len(p.fail) > 0 {
		err := p.fail[0]
		p.fail = p.fail[1:]
		if err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("ref-%s", d.Name()), nil
}

// attempts names what was tried: the delivery's key and the part.
func (p *postOffice) attempts() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, d := range p.tried {
		out = append(out, fmt.Sprintf("%s.%d", d.Key, d.Part))
	}
	return out
}

// newOffice is a bot on a platform called office.
func newOffice(t *testing.T, p *postOffice, change func(*bot.Options)) *house {
	t.Helper()
	h := newHouse(t, nil)
	return h.move(p, change)
}

// move starts the bot anew on a platform called office.
func (h *house) move(p *postOffice, change func(*bot.Options)) *house {
	o := h.runner.Options
	o.Platforms = map[string]bot.Platform{"office": {Sender: p}}
	o.Now = h.clock
	if change != nil {
		change(&o)
	}
	h.runner = bot.NewRunner(o)
	return h
}

// clock stands still until pass moves it.
func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

// pass lets time go by and handles what is due.
func (h *house) pass(d time.Duration) {
	h.t.Helper()
	h.mu.Lock()
	h.now = h.now.Add(d)
	h.mu.Unlock()
	if err := h.runner.Settle(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// puts stores a message to be sent.
func (h *house) puts(key string, chat bot.ChatID, m bot.Message) bot.Delivery {
	h.t.Helper()
	d := bot.Delivery{Key: key, Chat: chat, Message: m, State: bot.DeliveryPending, Created: h.clock()}
	if err := h.store.Write(h.t.Context(), func(tx bot.Tx) error { return tx.PutDelivery(h.t.Context(), &d) }); err != nil {
		h.t.Fatal(err)
	}
	return d
}

func (h *house) delivery(key string) (d bot.Delivery) {
	h.t.Helper()
	err := h.store.Read(h.t.Context(), func(tx bot.Tx) (err error) {
		d, err = tx.DeliveryByKey(h.t.Context(), key)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return d
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestPartsAreSentOnce(t *testing.T) {
	p := &postOffice{parts: 3, fail: []error{nil, fmt.Errorf("down: %w", knowledge.ErrAway)}}
	h := newOffice(t, p, nil)
	h.puts("long", "office:a", bot.Message{Text: "длинный ответ"})
	h.puts("next", "office:a", bot.Message{Text: "следующий"})
	h.pass(0)
	same(t, "before the pause", p.attempts(), []string{"long.0", "long.1"})
	h.pass(time.Minute)
	same(t, "afterwards", p.attempts()[2:], []string{"long.1", "long.2", "next.0", "next.1", "next.2"})
	if d := h.delivery("long"); d.State != bot.DeliverySent || len(d.External) != 3 || d.Attempts != 0 {
		t.Errorf("the long one is %s as %v after %d failures", d.State, d.External, d.Attempts)
	}
}

func TestSlowDownPausesTheRoom(t *testing.T) {
	p := &postOffice{fail: []error{&bot.SlowDownError{After: 30 * time.Second}}}
	h := newOffice(t, p, func(o *bot.Options) {
		o.Platforms["office"] = bot.Platform{Sender: p, Limits: func(c bot.ChatID) []bot.Limit {
			return []bot.Limit{{Key: "office", Every: time.Millisecond, Burst: 100}, {Key: string(c.Room()), Every: time.Second, Burst: 5}}
		}}
	})
	h.puts("first", "office:room/1/a", bot.Message{Text: "1"})
	h.pass(0)
	h.puts("second", "office:room/1/b", bot.Message{Text: "2"})
	h.puts("elsewhere", "office:hall/1/a", bot.Message{Text: "3"})
	h.pass(time.Second)
	same(t, "while the room is paused", p.attempts(), []string{"first.0", "elsewhere.0"})
	h.pass(25 * time.Second)
	same(t, "a moment before its end", p.attempts()[2:], nil)
	h.pass(10 * time.Second)
	got := p.attempts()[2:]
	slices.Sort(got)
	same(t, "afterwards", got, []string{"first.0", "second.0"})
	if d := h.delivery("first"); d.Attempts != 0 {
		t.Errorf("waiting counted as %d failures", d.Attempts)
	}
}

func TestWhatCannotBeSentHoldsUpNothing(t *testing.T) {
	p := &postOffice{fail: []error{fmt.Errorf("too long: %w", bot.ErrUndeliverable)}}
	h := newOffice(t, p, nil)
	h.puts("bad", "office:a", bot.Message{Text: "1"})
	h.puts("good", "office:a", bot.Message{Text: "2"})
	h.pass(0)
	same(t, "attempts", p.attempts(), []string{"bad.0", "good.0"})
	if d := h.delivery("bad"); d.State != bot.DeliveryDead || !strings.Contains(d.Error, "too long") {
		t.Errorf("it is %s because of %q", d.State, d.Error)
	}
}

func TestOtherFailuresEnd(t *testing.T) {
	p := &postOffice{}
	for range 100 {
		p.fail = append(p.fail, errors.New("strange"))
	}
	h := newOffice(t, p, nil)
	h.puts("bad", "office:a", bot.Message{Text: "1"})
	for range 20 {
		h.pass(10 * time.Minute)
	}
	if d := h.delivery("bad"); d.State != bot.DeliveryDead || len(p.attempts()) != 12 {
		t.Errorf("%s after %d attempts", d.State, len(p.attempts()))
	}
}

func TestAnOutageIsWaitedFor(t *testing.T) {
	p := &postOffice{}
	for range 100 {
		p.fail = append(p.fail, fmt.Errorf("revoked: %w", knowledge.ErrAway))
	}
	h := newOffice(t, p, nil)
	h.puts("patient", "office:a", bot.Message{Text: "1"})
	for range 100 {
		h.pass(10 * time.Minute)
	}
	h.pass(time.Minute)
	if d := h.delivery("patient"); d.State != bot.DeliverySent || d.Attempts != 0 {
		t.Errorf("%s after %d failures", d.State, d.Attempts)
	}
}

func TestDoubtIsTold(t *testing.T) {
	p := &postOffice{fail: []error{fmt.Errorf("time-out: %w", errors.Join(knowledge.ErrAway, bot.ErrDoubt))}}
	h := newOffice(t, p, nil)
	h.puts("new", "office:a", bot.Message{Text: "1"})
	h.pass(0)
	h.pass(time.Minute)
	if len(p.tried) != 2 || p.tried[0].Doubt || !p.tried[1].Doubt {
		t.Fatalf("tried %v", p.tried)
	}
	h.puts("old", "office:b", bot.Message{Text: "2"})
	h.mu.Lock()
	h.now = h.now.Add(time.Minute)
	h.mu.Unlock()
	h.runner = bot.NewRunner(h.runner.Options) // a new process: the one before may have sent it
	h.pass(0)
	if last := p.tried[len(p.tried)-1]; last.Key != "old" || !last.Doubt {
		t.Errorf("what another process left is sent without doubt: %+v", last)
	}
}

func TestPlaces(t *testing.T) {
	p := &postOffice{}
	h := newOffice(t, p, nil)
	h.puts("never", "office:b", bot.Message{Text: "x"})
	task := h.puts("task", "office:a", bot.Message{Text: "вопрос", Sections: []bot.Section{{Choice: true, Buttons: []bot.Button{{Label: "Да"}, {Label: "Нет"}}}}})
	h.pass(0)
	if err := h.store.Write(t.Context(), func(tx bot.Tx) error { return tx.Take(t.Context(), task.ID, 0, "Да") }); err != nil {
		t.Fatal(err)
	}
	h.puts("below", "office:a", bot.Message{Text: "ответ", Beneath: "task"})
	h.puts("said", "office:a", bot.Message{Text: "ответ", Under: "17.5"})
	h.puts("foreign", "office:a", bot.Message{Text: "ответ", Beneath: "never"})
	h.puts("mark", "office:a", bot.Message{Replaces: "task", Chosen: "Да"})
	h.puts("lost", "office:a", bot.Message{Replaces: "нет такого", Chosen: "Да"})
	h.pass(0)
	by := map[string]bot.Dispatch{}
	for _, d := range p.tried {
		by[d.Key] = d
	}
	if got, want := by["below"].Under, "ref-"+fmt.Sprint(task.ID)+".0"; got != want {
		t.Errorf("beneath the task: %q, want %q", got, want)
	}
	if by["said"].Under != "17.5" || by["foreign"].Under != "" {
		t.Errorf("under %q, and %q for a message of another chat", by["said"].Under, by["foreign"].Under)
	}
	if m := by["mark"]; m.Of == nil || m.Of.Key != "task" || m.Taken[0] != "Да" {
		t.Errorf("the mark knows %+v, %v", m.Of, m.Taken)
	}
	if _, sent := by["lost"]; sent || h.delivery("lost").State != bot.DeliverySent {
		t.Error("a mark on what was never seen is sent")
	}
}

func TestOtherPlatformsAreLeftAlone(t *testing.T) {
	p := &postOffice{}
	h := newOffice(t, p, nil)
	h.puts("theirs", "pigeons:a", bot.Message{Text: "1"})
	h.event("иван", bot.Said{Text: "как сменить пароль"}) // on the platform test
	if d := h.delivery("theirs"); d.State != bot.DeliveryPending || d.Attempts != 0 {
		t.Errorf("it is %s", d.State)
	}
	err := h.store.Read(t.Context(), func(tx bot.Tx) error { _, err := tx.NextRow(t.Context(), "test:иван"); return err })
	if err != nil {
		t.Errorf("the event of another platform is gone: %v", err)
	}
}

// directory tells what a test says of everybody.
type directory struct {
	profile bot.Profile
	errs    []error
	asked   int
}

func (d *directory) Profile(context.Context, string) (bot.Profile, error) {
	d.asked++
	if len(d.errs) > 0 {
		err := d.errs[0]
		d.errs = d.errs[1:]
		return bot.Profile{}, err
	}
	return d.profile, nil
}

func TestPeopleAreLookedUpOnce(t *testing.T) {
	d := &directory{profile: bot.Profile{Name: "Иван Петров"}, errs: []error{fmt.Errorf("down: %w", knowledge.ErrAway)}}
	p := &postOffice{}
	h := newHouse(t, nil)
	h.move(p, func(o *bot.Options) {
		o.Now, o.Platforms["test"] = h.later, bot.Platform{Sender: p, Directory: d}
	})
	h.event("U1", bot.Said{Text: "привет"})
	h.event("U1", bot.Said{Text: "привет"})
	if d.asked != 2 { // once in vain
		t.Errorf("looked up %d times", d.asked)
	}
	err := h.store.Read(t.Context(), func(tx bot.Tx) error {
		all, err := tx.People(t.Context(), false)
		if len(all) != 1 || all[0].Name != "Иван Петров" {
			t.Errorf("people: %+v", all)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// hurried asks who wants something of it to wait, until a time.
type hurried struct {
	clock func() time.Time
	until time.Time
	asked int
}

func (d *hurried) busy() error {
	d.asked++
	if left := d.until.Sub(d.clock()); left > 0 {
		return fmt.Errorf("busy: %w", &bot.SlowDownError{After: left})
	}
	return nil
}

func (d *hurried) Profile(context.Context, string) (bot.Profile, error) {
	return bot.Profile{Name: "Иван Петров"}, d.busy()
}

func (d *hurried) Fetch(context.Context, bot.File) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("содержимое")), d.busy()
}

// A crowd of people whom nobody knows yet is more than a platform tells of in a minute,
// and so are their files: the last of them wait for longer than five attempts take.
func TestWhatAPlatformIsAskedForWaits(t *testing.T) {
	h := newHouse(t, nil)
	names, files := &hurried{clock: h.clock}, &hurried{clock: h.clock}
	c := &cellar{}
	h.move(&postOffice{}, func(o *bot.Options) {
		o.Now, o.Files = h.later, c
		o.Platforms["test"] = bot.Platform{Sender: h, Directory: names, Fetcher: files}
	})
	names.until, files.until = h.clock().Add(5*time.Minute), h.clock().Add(10*time.Minute)
	h.event("U1", bot.Said{Text: "как сменить пароль", Files: []bot.File{{Ref: "f", Name: "снимок.png"}}})
	for _, m := range h.sent["test:U1"] {
		if strings.Contains(m.Key, "failed") {
			t.Errorf("given up: %s", m.Message.Text)
		}
	}
	if names.asked+files.asked > 6 || c.kept == 0 {
		t.Errorf("asked for names %d times and for files %d times, though it was told to wait; %d files kept", names.asked, files.asked, c.kept)
	}
}

// shelf gives files as a test says.
type shelf struct{ errs []error }

func (s *shelf) Fetch(context.Context, bot.File) (io.ReadCloser, error) {
	if len(s.errs) > 0 {
		err := s.errs[0]
		s.errs = s.errs[1:]
		if err != nil {
			return nil, err
		}
	}
	return io.NopCloser(strings.NewReader("содержимое")), nil
}

// cellar keeps everything.
type cellar struct{ kept int }

func (c *cellar) Put(_ context.Context, r io.Reader, _ knowledge.FileLimits) (knowledge.Content, error) {
	b, err := io.ReadAll(r)
	c.kept++
	return knowledge.Content{Key: "sha256/aa/bb", Size: int64(len(b)), Media: "text/plain"}, err
}

func TestFilesAreFetched(t *testing.T) {
	strange := errors.New("strange")
	for _, tt := range []struct {
		name string
		size int64
		errs []error
		kept int
	}{
		{name: "at once", kept: 1},
		{name: "after an outage", errs: []error{fmt.Errorf("down: %w", knowledge.ErrAway), strange}, kept: 1},
		{name: "never", errs: []error{strange, strange, strange, strange, strange}},
		{name: "an outage without an end", errs: slices.Repeat([]error{fmt.Errorf("down: %w", knowledge.ErrAway)}, 100_000)},
		{name: "gone", errs: []error{knowledge.ErrNotFound}},
		{name: "too large for the platform", errs: []error{knowledge.ErrInvalid}},
		{name: "too large", size: 1 << 40},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &cellar{}
			p := &postOffice{}
			h := newOffice(t, p, func(o *bot.Options) {
				o.Files = c
				o.Platforms["test"] = bot.Platform{Sender: p, Fetcher: &shelf{errs: tt.errs}}
			})
			chat := bot.NewChat("test", "иван")
			err := bot.Post(t.Context(), h.store, bot.Event{Key: "e", Chat: chat, At: h.clock(), From: knowledge.Identity{Platform: "test", External: "иван"}, Body: bot.Said{
				Text: "как сменить пароль", Files: []bot.File{{Ref: "f", Name: "снимок.png", Size: tt.size}},
			}})
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			done := make(chan error, 1)
			go func() { done <- h.runner.Run(ctx) }()
			// What is stopped in the middle is tried again after a second, so the clock goes on.
			for ended := false; !ended; {
				if len(p.attempts()) > 0 { // whatever happens to the file, the words are answered
					stop()
				}
				h.mu.Lock()
				h.now = h.now.Add(20 * time.Second)
				h.mu.Unlock()
				select {
				case err := <-done:
					if ended = true; err != nil {
						t.Error(err)
					}
				case <-time.After(time.Millisecond):
				}
			}
			if c.kept != tt.kept {
				t.Errorf("%d files kept, want %d", c.kept, tt.kept)
			}
		})
	}
}

// swamp never answers before it is drained.
type swamp struct{ drained chan struct{} }

func (s *swamp) Parts(bot.Dispatch) int { return 1 }

func (s *swamp) Send(ctx context.Context, _ bot.Dispatch) (string, error) {
	select {
	case <-s.drained:
	case <-ctx.Done():
	}
	return "", ctx.Err()
}

func TestAPlatformThatHangsHoldsUpNoOther(t *testing.T) {
	s, p := &swamp{drained: make(chan struct{})}, &postOffice{}
	h := newOffice(t, p, func(o *bot.Options) {
		o.Platforms["swamp"] = bot.Platform{Sender: s}
		o.Workers = 1
	})
	for n := range 5 {
		h.puts(fmt.Sprint("stuck", n), bot.NewChat("swamp", fmt.Sprint(n)), bot.Message{Text: "1"})
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.runner.Run(ctx) }()
	h.puts("free", "office:a", bot.Message{Text: "2"})
	for len(p.attempts()) == 0 {
		if t.Context().Err() != nil {
			t.Fatal("the other platform waits")
		}
		time.Sleep(time.Millisecond)
	}
	close(s.drained)
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
