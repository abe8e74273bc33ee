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
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/e5"
	"github.com/nastavnik-bot/nastavnik/knowledge/finder"
	"github.com/nastavnik-bot/nastavnik/store/memory"
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

	cfg   configs.Config
	slang map[string]string // the plain words for it
	log   *slog.Logger
	say   *texts.Catalogue
	store truth
	find  *finder.Finder
	model *e5.Model
}

// configure reads the configuration; the --data flag wins over everything.
func (a *app) configure() error {
	path := configs.Find(firstOf(a.configFlag, lookup(a.environ, "NASTAVNIK_CONFIG")))
	cfg, err := configs.Load(path, a.environ)
	if err != nil {
		return err
	}
	if a.dataFlag != "" {
		cfg.Data = a.dataFlag
	}
	if a.slang, err = cfg.Synonyms.Load(); err != nil {
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
	if a.find != nil {
		return nil
	}
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
	embedder, err := a.embedder()
	if err != nil {
		return err
	}
	a.find, err = newFinder(a.store, embedder, a.slang, a.log)
	return err
}

// newFinder joins the searcher and a store.
func newFinder(s watchedStore, e knowledge.Embedder, slang map[string]string, log *slog.Logger) (*finder.Finder, error) {
	dim := 1 // without an embedder nothing is ever put into the indexes
	if e != nil {
		dim = e.Dim()
	}
	answered, err := memory.New(dim)
	if err != nil {
		return nil, err
	}
	open, err := memory.New(dim)
	if err != nil {
		return nil, err
	}
	return finder.New(finder.Options{Record: record{s}, Index: answered, Open: open, Embedder: e, Synonyms: slang, Log: log}), nil
}

// embedder loads the model; nil, with a word to the person, when there is none.
func (a *app) embedder() (knowledge.Embedder, error) {
	if a.cfg.Model.Off || a.words {
		return nil, nil
	}
	m, err := loadModel(a.cfg.Model.Path, a.cfg.Data)
	if errors.Is(err, e5.ErrNoModel) && a.cfg.Model.Path == "" {
		_, _ = fmt.Fprintln(a.std.err, "Модель не найдена: ищу только по словам, ответы будут скромнее. Как получить её: make model")
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	a.model = m.Informed()
	return embedder{a.model}, nil
}

// loadModel opens the model that is built in, or else the file that is found.
func loadModel(path, data string) (*e5.Model, error) {
	if path == "" {
		if b := builtInModel(); len(b) > 0 {
			return e5.Parse(b)
		}
	}
	found, err := e5.Find(path, data)
	if err != nil {
		return nil, modelError(path, err)
	}
	m, err := e5.Open(found)
	return m, modelError(found, err)
}

// close closes what was opened.
func (a *app) close() error {
	if a.store == nil {
		return nil
	}
	err := a.store.Close()
	a.store, a.find = nil, nil
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

// embedder shows the built-in model as knowledge.Embedder.
type embedder struct{ *e5.Model }

func (e embedder) Embed(ctx context.Context, kind knowledge.EmbedKind, texts []string) ([][]float32, error) {
	if kind == knowledge.PassageText {
		return e.EmbedPassages(ctx, texts)
	}
	return e.EmbedQueries(ctx, texts)
}

func (a *app) office() bot.Office {
	o := bot.Office{Store: a.store, Now: time.Now, Learning: a.learning()}
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
