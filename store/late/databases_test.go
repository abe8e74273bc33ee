package late_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/store/late"
	"github.com/nastavnik-bot/nastavnik/store/postgres"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
	"github.com/nastavnik-bot/nastavnik/store/sqlite/sqlitetest"
)

// database is one of the two kinds, as the tests need it.
type database struct {
	store   bot.Store
	workers func(h late.Handler) (*late.Workers, error)
	close   func() error
}

// kinds are where to find a new database of each kind.
func kinds() map[string]func(t *testing.T) (address string) {
	return map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { t.Helper(); return t.TempDir() },
		"postgres": func(t *testing.T) string { t.Helper(); return devenv.Postgres(t) },
	}
}

func openDatabase(ctx context.Context, address string, log *slog.Logger) (database, error) {
	if strings.HasPrefix(address, "postgres:") {
		return openPostgres(ctx, address, log)
	}
	queue, err := late.SQLite(log)
	if err != nil {
		return database{}, err
	}
	if err := sqlitetest.Fill(ctx, address, queue); err != nil {
		return database{}, err
	}
	s, err := sqlite.Open(ctx, sqlite.Options{Dir: address, Queue: queue})
	if err != nil {
		return database{}, err
	}
	return database{
		store:   s,
		workers: func(h late.Handler) (*late.Workers, error) { return queue.Workers(s.WriteDB(), h) },
		close:   s.Close,
	}, nil
}

// openPostgres makes this process a replica, too, until it is closed.
func openPostgres(ctx context.Context, dsn string, log *slog.Logger) (database, error) {
	queue, err := late.Postgres(log)
	if err != nil {
		return database{}, err
	}
	o := postgres.Options{DSN: dsn, Queue: queue}
	if _, err := postgres.Migrate(ctx, o); err != nil {
		return database{}, err
	}
	s, err := postgres.Open(ctx, o)
	if err != nil {
		return database{}, err
	}
	r, err := s.Join(ctx)
	if err != nil {
		return database{}, errors.Join(err, s.Close())
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { _ = r.Run(run, func() {}) })
	return database{
		store:   s,
		workers: func(h late.Handler) (*late.Workers, error) { return queue.Workers(s.Pool(), h, r) },
		close: func() error {
			stop()
			running.Wait()
			return errors.Join(r.Close(), s.Close())
		},
	}, nil
}

// What a killed replica was doing another one does, which was there all the time and
// is not started again: within seconds, not within the hour that a library waits.
func TestKilledReplica(t *testing.T) {
	t.Parallel()
	dsn := devenv.Postgres(t)
	b := setup(t, dsn, slog.New(slog.DiscardHandler))
	const jobs = 4 // as many as one replica does at once
	for n := range jobs {
		b.schedule(t, bot.Job{At: time.Now(), Drain: bot.ChatID(fmt.Sprint(n))})
	}
	c, out := spawn(t, "work", dsn)
	for range jobs {
		if _, err := fmt.Fscanln(out, new(string), new(string)); err != nil {
			t.Fatalf("the child began too little: %v", err)
		}
	}
	h := newHandler()
	b.work(t, h)
	h.nothing(t) // a replica that lives keeps its jobs
	time.Sleep(2 * time.Second)
	h.nothing(t)
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	killed := time.Now()
	done := map[string]int{}
	for range jobs {
		done[h.next(t).What]++
	}
	t.Logf("%d jobs were done %v after the kill", jobs, time.Since(killed).Round(time.Millisecond))
	if len(done) != jobs {
		t.Errorf("done: %v", done)
	}
	h.nothing(t)
}

// Two replicas share the work, and no job is done twice.
func TestReplicasShareWork(t *testing.T) {
	t.Parallel()
	dsn := devenv.Postgres(t)
	first, second := setup(t, dsn, slog.New(slog.DiscardHandler)), setup(t, dsn, slog.New(slog.DiscardHandler))
	h := newHandler()
	h.fail = func(context.Context, string) error { time.Sleep(5 * time.Millisecond); return nil }
	first.work(t, h)
	second.work(t, h)
	const jobs = 200
	for n := range jobs {
		first.schedule(t, bot.Job{At: time.Now(), Drain: bot.ChatID(fmt.Sprint(n))})
	}
	done := map[string]int{}
	for range jobs {
		done[h.next(t).What]++
	}
	if len(done) != jobs {
		t.Errorf("%d of %d jobs were done, others twice", len(done), jobs)
	}
	h.nothing(t)
}
