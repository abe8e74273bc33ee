package bottest

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/finder"
	"github.com/nastavnik-bot/nastavnik/store/memory"
)

// platform is where the people of a script write.
const platform = "script"

// begin is when every script begins: a Thursday morning in Moscow.
func begin() time.Time { return time.Date(2026, time.March, 12, 10, 0, 0, 0, moscow()) }

func moscow() *time.Location { return time.FixedZone("MSK", 3*60*60) }

// stage is where a conversation is played: the store, the bot and the chats.
type stage struct {
	where string // a folder, or the address of a PostgreSQL
	lang  string
	rules Rules
	every int // the bot is killed at every such write; 0 for never
	left  int // the writes until then, when the process has just been ended by the script
	clock *clock
	late  *lateWork
	chats *chats
	log   *faults
	files *keeper

	base   context.Context // of the whole play
	ctx    context.Context // of the bot's process, which the script ends and begins again
	record record          // as other processes see it
	store  *mortal         // as the bot sees it
	runner *bot.Runner
	deaths int
}

// newStage opens an empty store.
func newStage(ctx context.Context, c Conversation, where string, every int) (*stage, error) {
	s := &stage{where: where, lang: c.Language, rules: c.Rules, every: every, clock: &clock{now: begin()}, late: &lateWork{}, chats: newChats(), log: &faults{}, files: &keeper{}, base: ctx}
	s.log.expected = s.chats.anyClosed
	return s, s.open()
}

// open starts the bot's process.
func (s *stage) open() error {
	record, err := openRecord(s.base, s.where, s.late)
	if err != nil {
		return err
	}
	s.record = record
	process, die := context.WithCancel(s.base)
	s.ctx = process
	s.store = &mortal{Store: record, die: die, left: s.every, after: s.deaths%2 == 1}
	if s.left > 0 {
		s.store.left = s.left
	}
	say, err := texts.New(s.lang)
	if err != nil {
		return err
	}
	find, err := NewSearcher(s.store)
	if err != nil {
		return err
	}
	s.runner = bot.NewRunner(bot.Options{
		Store: s.store, Searcher: find, Log: slog.New(s.log), Now: s.clock.Now,
		Decider:   bot.NewDecider(say, bot.Manner{Zone: moscow(), Routing: s.rules.Routing, Access: s.rules.Access}),
		Platforms: map[string]bot.Platform{platform: {Sender: s.chats, Fetcher: fetcher{}}},
		Files:     s.files,
		Workers:   1, // so that ids are given in the same order every time
	})
	return nil
}

// reopen ends the bot's process and starts another.
func (s *stage) reopen() error {
	s.left = s.store.remaining()
	s.store.die()
	if err := s.record.Close(); err != nil {
		return err
	}
	return s.open()
}

func (s *stage) close() error {
	s.store.die()
	return s.record.Close()
}

// alive runs fn in the bot's process, which is started again as often as it is
// killed, until fn has been done.
func (s *stage) alive(fn func(ctx context.Context) error) error {
	for {
		err := fn(s.ctx)
		if !s.store.killed() {
			if err == nil {
				err = s.log.first()
			}
			return err
		}
		s.deaths++
		s.log.forget()
		if err := s.reopen(); err != nil {
			return fmt.Errorf("start again after a kill: %w", err)
		}
	}
}

// settle lets the bot do all that is ready.
func (s *stage) settle() error {
	return s.alive(func(ctx context.Context) error { return s.runner.Settle(ctx) })
}

// post delivers what somebody did.
func (s *stage) post(e bot.Event) error {
	if err := s.alive(func(ctx context.Context) error { return bot.Post(ctx, s.store, e) }); err != nil {
		return err
	}
	return s.settle()
}

// pass lets the clock go on, and does the late work on its way.
func (s *stage) pass(d time.Duration) error {
	end := s.clock.Now().Add(d)
	for {
		j, ok := s.late.next(end)
		if !ok {
			s.clock.set(end)
			return s.settle() // deliveries that waited for their time
		}
		if j.At.After(s.clock.Now()) {
			s.clock.set(j.At)
		}
		if err := s.do(j); err != nil {
			return err
		}
	}
}

func (s *stage) do(j bot.Job) error {
	if j.Event == nil {
		return s.settle()
	}
	err := s.alive(func(ctx context.Context) error {
		row := *j.Event
		return s.store.Write(ctx, func(tx bot.Tx) error { return tx.Post(ctx, &row) })
	})
	if err != nil {
		return err
	}
	return s.settle()
}

// question returns the id of the latest question with the text.
func (s *stage) question(ctx context.Context, text string) (id string, err error) {
	err = s.record.Read(ctx, func(tx bot.Tx) error {
		all, err := tx.Questions(ctx, knowledge.QuestionFilter{Fold: knowledge.FoldText(text), WithClosed: true})
		if err == nil && len(all) == 0 {
			err = fmt.Errorf("question «%s»: %w", text, knowledge.ErrNotFound)
		}
		if err == nil {
			id = all[len(all)-1].ID
		}
		return err
	})
	return id, err
}

// NewSearcher joins the searcher and a store, without an embedder: what it finds
// depends on words alone, and is the same everywhere.
func NewSearcher(s bot.Store) (bot.Searcher, error) {
	answered, err := memory.New(1)
	if err != nil {
		return nil, err
	}
	open, err := memory.New(1)
	if err != nil {
		return nil, err
	}
	return finder.New(finder.Options{Record: searched{s}, Index: answered, Open: open}), nil
}

// searched shows a store as the finder needs it.
type searched struct{ store bot.Store }

func (r searched) View(ctx context.Context, fn func(knowledge.Tx) error) error {
	return r.store.Read(ctx, func(tx bot.Tx) error { return fn(tx) })
}

func (r searched) Update(ctx context.Context, fn func(knowledge.Tx) error) error {
	return r.store.Write(ctx, func(tx bot.Tx) error { return fn(tx) })
}

// faults collects what the bot logs as errors: in a script there must be none.
type faults struct {
	mu       sync.Mutex
	all      []string
	expected func() bool // whether messages are to be lost
}

// Enabled implements slog.Handler.
func (f *faults) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }

// Handle implements slog.Handler.
func (f *faults) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "sending failed" && f.expected() {
		return nil
	}
	var b strings.Builder
	b.WriteString(r.Message)
	r.Attrs(func(a slog.Attr) bool {
		fmt.Fprintf(&b, " %s=%v", a.Key, a.Value)
		return true
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, b.String())
	return nil
}

// WithAttrs implements slog.Handler.
func (f *faults) WithAttrs([]slog.Attr) slog.Handler { return f }

// WithGroup implements slog.Handler.
func (f *faults) WithGroup(string) slog.Handler { return f }

func (f *faults) first() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.all) == 0 {
		return nil
	}
	return fmt.Errorf("the bot logged: %s", f.all[0])
}

func (f *faults) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = nil
}
