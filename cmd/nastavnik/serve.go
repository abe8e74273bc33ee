package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/lock"
)

func newServe(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Запустить бота: он отвечает, спрашивает сеньоров и доделывает отложенное",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.serve(cmd.Context())
		},
	}
}

func (a *app) serve(ctx context.Context) error {
	if err := a.open(ctx); err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	p, err := a.store.join(ctx, "serve")
	if err != nil {
		return a.heldError(err)
	}
	defer func() { _ = p.leave() }()
	a.monitored = true
	return stopped(ctx, a.beBot(ctx, p, nil, func() {
		chat := "nastavnik chat"
		if !a.production() {
			chat += " --data " + a.cfg.Data
		}
		_, _ = fmt.Fprintf(a.std.err, "Наставник работает, %s. Спросить: %s. Остановить: Ctrl-C.\n", a.place(), chat)
	}))
}

// stopped tells what failed from what was only stopped, as a bot is that is told to
// stop while it is still starting.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func holder(command string) lock.Holder {
	host, _ := os.Hostname()
	return lock.Holder{PID: os.Getpid(), Command: command, Since: time.Now(), Host: host}
}

// heldError names who is the bot already.
func (a *app) heldError(err error) error {
	var held *lock.HeldError
	if !errors.As(err, &held) {
		return err
	}
	return fmt.Errorf("с папкой %s уже работает другой бот: %s. Второй на ней не нужен: терминал открывает nastavnik chat", a.dataPath(), a.describe(held.Holder))
}

// describe names a process to people.
func (a *app) describe(h lock.Holder) string {
	if h.PID == 0 {
		return "процесс не назвался"
	}
	return fmt.Sprintf("nastavnik %s, процесс %d на %s, с %s", h.Command, h.PID, h.Host, a.day(h.Since))
}

// beBot is the bot until ctx ends; ready is called when it takes in messages.
// The caller leaves the post afterwards. Runners made are handed to made, if given.
func (a *app) beBot(ctx context.Context, p post, made func(*bot.Runner), ready func()) error {
	if lookup(a.environ, "GOGC") == "" {
		// Most of the heap is indexes that stay: collecting earlier costs little and
		// keeps a base of 10,000 questions within 400 MB.
		debug.SetGCPercent(50)
	}
	var runner atomic.Pointer[bot.Runner]
	wake := func() {
		if r := runner.Load(); r != nil {
			r.Wake()
		}
	}
	a.traffic = newTraffic()
	connected, err := a.prepare(ctx, wake)
	if err != nil {
		return err
	}
	w, err := a.openWeb(ctx, connected)
	if err != nil {
		return err
	}
	defer w.close(ctx)
	if err := a.openFinder(ctx); err != nil {
		return err
	}
	debug.FreeOSMemory() // loading has needed twice what stays
	limits := knowledge.FileLimits{Size: a.cfg.Files.Bytes()}
	r := bot.NewRunner(bot.Options{
		Store: a.store, Searcher: a.find, Log: a.log, Learning: a.learning(), Claims: p.claims(), Poll: p.poll(),
		Decider:   bot.NewDecider(a.say, a.manner()),
		Platforms: platforms(connected), Files: a.contents, FileLimits: limits, Observe: a.traffic.sent,
	})
	runner.Store(r)
	work, err := p.workers(&lateWork{app: a, runner: r})
	if err != nil {
		return err
	}
	if err := work.Start(ctx); err != nil {
		return err
	}
	if made != nil {
		made(r)
	}
	w.working.Store(true)
	g, run := errgroup.WithContext(ctx)
	g.Go(func() error { return r.Run(run) })
	g.Go(func() error { return p.keep(run, r.Wake) })
	g.Go(func() error { return a.catchUp(run) })
	g.Go(func() error { return a.keepFrequent(run) })
	g.Go(func() error { return a.keepQueue(run, p) })
	g.Go(func() error { return a.keepShared(run, p) })
	g.Go(func() error { return a.flushFiles(run) })
	g.Go(func() error { return a.monitor.Watch(run, checkParts) })
	for _, c := range connected {
		g.Go(func() error { return a.receive(run, c, p) })
		g.Go(func() error { return a.introduce(run, c, p) })
	}
	if ready != nil {
		ready()
	}
	err = g.Wait()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), lateGrace)
	defer cancel()
	return errors.Join(err, work.Stop(stop))
}

// manner is what is set about the conversation.
func (a *app) manner() bot.Manner {
	return bot.Manner{Silence: a.cfg.Senior.Silence, Later: a.cfg.Senior.Later, Zone: a.cfg.Location(), Routing: a.routing, Access: a.access()}
}

// prepare opens what the bot needs, and the platforms that it is to serve.
func (a *app) prepare(ctx context.Context, wake func()) ([]connection, error) {
	if err := a.joinFinder(ctx); err != nil {
		return nil, err
	}
	if err := a.admitShared(ctx); err != nil {
		return nil, err
	}
	if _, err := a.files(); err != nil {
		return nil, err
	}
	return a.connections(wake)
}

// lateGrace bounds how long late work may finish when the bot stops.
const lateGrace = 5 * time.Second

// catchUpAgain is how long to wait for a part that is away.
const catchUpAgain = 5 * time.Second

// catchUp computes vectors that are missing, because they were imported while
// there was no bot or no model, or because the model is another one. While a part
// that it needs is away it waits, for the bot has other things to do.
func (a *app) catchUp(ctx context.Context) error {
	for told := false; ; told = true {
		err := a.catchUpOnce(ctx)
		if !errors.Is(err, knowledge.ErrAway) {
			return err
		}
		if !told { // once, not with every try
			a.log.WarnContext(ctx, "computing missing vectors is put off", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(catchUpAgain):
		}
	}
}

func (a *app) catchUpOnce(ctx context.Context) error {
	ids, err := a.find.Backlog(ctx)
	if err == nil && len(ids) > 0 {
		a.log.InfoContext(ctx, "computing missing vectors", "questions", len(ids))
		if err = a.index(ctx, ids, nil); err == nil {
			a.log.InfoContext(ctx, "all vectors are there", "questions", len(ids))
		}
	}
	if err != nil && ctx.Err() == nil {
		return err
	}
	return nil // done, or stopped: the next bot goes on
}

// indexAtOnce is how many questions are indexed between two reports of progress.
const indexAtOnce = 50

// index computes the vectors of questions, reporting how many are done.
func (a *app) index(ctx context.Context, ids []string, progress func(done int)) error {
	for done := 0; done < len(ids); {
		n := min(indexAtOnce, len(ids)-done)
		if err := a.find.IndexQuestions(ctx, ids[done:done+n]); err != nil {
			return err
		}
		done += n
		if progress != nil {
			progress(done)
		}
	}
	return nil
}

// indexMissing computes the vectors that are missing, showing progress under a
// name, and returns how many questions lacked some.
func (a *app) indexMissing(ctx context.Context, what string) (int, error) {
	ids, err := a.find.Backlog(ctx)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	return len(ids), a.index(ctx, ids, a.progress(what, len(ids)))
}

// lateWork does what the store has kept for later.
type lateWork struct {
	app    *app
	runner *bot.Runner
}

func (l *lateWork) PostEvent(ctx context.Context, row bot.Row) error {
	err := l.app.store.Write(ctx, func(tx bot.Tx) error { return tx.Post(ctx, &row) })
	l.runner.Wake()
	return err
}

func (l *lateWork) Drain(context.Context, bot.ChatID) error {
	l.runner.Wake() // the runner drains what is due, in the order of the chat
	return nil
}

func (l *lateWork) Index(ctx context.Context, ids []string) error {
	return l.app.find.IndexQuestions(ctx, ids)
}
