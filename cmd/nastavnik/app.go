package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/configs"
	"github.com/nastavnik-bot/nastavnik/health"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/finder"
	"github.com/nastavnik-bot/nastavnik/store/memory"
	"github.com/nastavnik-bot/nastavnik/store/milvus"
)

// streams are the standard streams of a command.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// app is what the commands share: flags, and what they open when they need it.
type app struct {
	std     streams
	environ []string

	dataFlag, configFlag string
	words                bool // --words-only
	// pace is that of what is sent, in how much of the time that the platforms ask for:
	// 0 for all of it. Tests that are not about it do not wait.
	pace float64

	cfg   configs.Config
	slang map[string]string // the plain words for it
	// routing is how questions are given to seniors.
	routing knowledge.Routing
	log     *slog.Logger
	say     *texts.Catalogue
	store   truth
	find    *finder.Finder
	// vectors makes the finder's vectors, nil for searching by words alone.
	vectors knowledge.Embedder
	// shared is the index on a server, nil where vectors are in memory.
	shared *milvus.Index
	// monitor knows how the parts of a running bot are; nil in other commands.
	monitor *health.Monitor
	// monitored says that the bot serves its state over HTTP.
	monitored bool
	// traffic counts what a running bot hears and sends; nil in other commands.
	traffic *traffic
	// contents are those of attachments, once files has opened them.
	contents contents
}

// configure reads the configuration; the --data flag wins over everything.
func (a *app) configure() error {
	cfg, err := configs.Load(a.configPath(), a.environ)
	if err != nil {
		if _, more := routingOf(cfg); more != nil {
			err = fmt.Errorf("%w\n%w", err, more)
		}
		return err
	}
	return a.use(cfg)
}

// configPath names the configuration file; "" for none.
func (a *app) configPath() string {
	return configs.Find(firstOf(a.configFlag, lookup(a.environ, "NASTAVNIK_CONFIG")))
}

// use takes a configuration that has been read.
func (a *app) use(cfg configs.Config) (err error) {
	if a.dataFlag != "" {
		cfg.Data = a.dataFlag
	}
	if a.slang, err = cfg.Synonyms.Load(); err != nil {
		return err
	}
	if a.routing, err = routingOf(cfg); err != nil {
		return err
	}
	a.cfg = cfg
	a.log = newLog(a.std.err, cfg.Log)
	a.say, err = texts.New(cfg.Language)
	return err
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func lookup(environ []string, name string) string {
	for _, kv := range environ {
		if len(kv) > len(name) && kv[:len(name)] == name && kv[len(name)] == '=' {
			return kv[len(name)+1:]
		}
	}
	return ""
}

func newLog(w io.Writer, c configs.Log) *slog.Logger {
	var level slog.Level
	// validate has checked the name.
	_ = level.UnmarshalText([]byte(c.Level))
	o := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// open opens the record of truth.
func (a *app) open(ctx context.Context) error {
	if a.store != nil {
		return nil
	}
	s, err := a.openTruth(ctx)
	if err != nil {
		return err
	}
	a.store = s
	return nil
}

// openFinder opens the data folder and the searcher, with the model when there is
// one, ready to search.
func (a *app) openFinder(ctx context.Context) error {
	if err := a.joinFinder(ctx); err != nil {
		return err
	}
	return a.find.Sync(ctx)
}

// joinFinder is openFinder for who does not search: nothing is loaded.
func (a *app) joinFinder(ctx context.Context) error {
	if err := a.open(ctx); err != nil || a.find != nil {
		return err
	}
	var err error
	if a.vectors, err = a.embedder(ctx); err != nil {
		return err
	}
	if a.shared, err = a.openShared(ctx, a.vectors); err != nil {
		return err
	}
	var index knowledge.Index
	if a.shared != nil {
		index = a.shared
	}
	a.find, err = newFinder(finder.Options{Record: record{a.store}, Index: index, Embedder: a.vectors, Synonyms: a.slang, Log: a.log, Report: a.report})
	return err
}

// newFinder makes the searcher. An index that is given is on a server; without one
// vectors are kept in memory, and those of open questions always are.
func newFinder(o finder.Options) (*finder.Finder, error) {
	dim := 1 // without an embedder nothing is ever put into the indexes
	if o.Embedder != nil {
		dim = o.Embedder.Dim()
	}
	var err error
	if o.Open, err = memory.New(dim); err != nil {
		return nil, err
	}
	if o.Shared = o.Index != nil; !o.Shared {
		if o.Index, err = memory.New(dim); err != nil {
			return nil, err
		}
	}
	return finder.New(o), nil
}

// close closes what was opened.
func (a *app) close() error {
	if a.store == nil {
		return nil
	}
	err := errors.Join(a.store.Close(), a.closeFiles())
	if a.shared != nil {
		err = errors.Join(err, a.shared.Close())
	}
	a.store, a.find, a.shared = nil, nil, nil
	return err
}

// watchedStore is a store that tells cheaply whether anybody has written to it.
type watchedStore interface {
	bot.Store
	Changed(ctx context.Context) (uint64, error)
}

// reading opens the data folder and reads in one transaction.
func (a *app) reading(ctx context.Context, fn func(tx bot.Tx) error) error {
	if err := a.open(ctx); err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	return a.store.Read(ctx, fn)
}

// record shows a store to the searcher.
type record struct{ store watchedStore }

func (r record) Changed(ctx context.Context) (uint64, error) { return r.store.Changed(ctx) }

func (r record) View(ctx context.Context, fn func(knowledge.Tx) error) error {
	return r.store.Read(ctx, func(tx bot.Tx) error { return fn(tx) })
}

func (r record) Update(ctx context.Context, fn func(knowledge.Tx) error) error {
	return r.store.Write(ctx, func(tx bot.Tx) error { return fn(tx) })
}

func (a *app) office() bot.Office {
	o := bot.Office{Store: a.store, Now: time.Now, Learning: a.learning(), Routing: a.routing}
	if a.find != nil {
		o.Guard = a.find
	}
	return o
}

// dataPath returns the data folder's absolute path, for messages.
func (a *app) dataPath() string {
	if p, err := filepath.Abs(a.cfg.Data); err == nil {
		return p
	}
	return a.cfg.Data
}
