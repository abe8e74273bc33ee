package main

import (
	"context"
	"fmt"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/migrations"
	"github.com/nastavnik-bot/nastavnik/store/late"
	"github.com/nastavnik-bot/nastavnik/store/lock"
	"github.com/nastavnik-bot/nastavnik/store/postgres"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
)

// truth is the record of truth, and what a process needs to be the bot on it.
type truth interface {
	watchedStore
	// Check tells the database's version, and whether it can be reached.
	Check(ctx context.Context) (version string, err error)
	Close() error
	// join makes this process the bot. The error is a *lock.HeldError where only one
	// may be, and another is.
	join(ctx context.Context, command string) (post, error)
}

// post is this process's place among those that are the bot.
type post interface {
	// claims keep the replicas apart; nil where there is only one.
	claims() bot.Claims
	workers(h late.Handler) (*late.Workers, error)
	// keep keeps the place until ctx ends; wake is called when other processes have
	// left something to handle.
	keep(ctx context.Context, wake func()) error
	// lead runs fn in one of the processes that are the bot, until ctx ends.
	lead(ctx context.Context, name string, fn func(ctx context.Context) error) error
	// poll is how often to look for that all the same.
	poll() time.Duration
	leave() error
}

// production reports whether servers hold what the bot knows, not the data folder.
func (a *app) production() bool { return a.cfg.Postgres.DSN != "" }

func (a *app) openTruth(ctx context.Context) (truth, error) {
	if a.production() {
		o, err := a.postgresOptions()
		if err != nil {
			return nil, err
		}
		s, err := postgres.Open(ctx, o)
		if err != nil {
			return nil, err
		}
		return servers{Store: s, queue: o.Queue.(*late.PostgresQueue)}, nil
	}
	o, err := a.sqliteOptions()
	if err != nil {
		return nil, err
	}
	s, err := sqlite.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	return embedded{Store: s, dir: a.cfg.Data, queue: o.Queue.(*late.SQLiteQueue)}, nil
}

func (a *app) sqliteOptions() (sqlite.Options, error) {
	q, err := late.SQLite(a.log)
	return sqlite.Options{Dir: a.cfg.Data, Queue: q, Log: a.log}, err
}

func (a *app) postgresOptions() (postgres.Options, error) {
	q, err := late.Postgres(a.log)
	return postgres.Options{
		DSN: a.cfg.Postgres.DSN.Reveal(), Owner: a.cfg.Postgres.Owner.Reveal(), Pool: a.cfg.Postgres.Pool, Queue: q, Log: a.log,
	}, err
}

// schema tells how far the database has been brought.
func (a *app) schema(ctx context.Context) (migrations.Schema, error) {
	if a.production() {
		o, err := a.postgresOptions()
		if err != nil {
			return migrations.Schema{}, err
		}
		return postgres.Status(ctx, o)
	}
	o, err := a.sqliteOptions()
	if err != nil {
		return migrations.Schema{}, err
	}
	return sqlite.Status(ctx, o)
}

// migrateUp brings the database up to date and returns how many steps that took.
func (a *app) migrateUp(ctx context.Context) (steps int, err error) {
	if a.production() {
		o, err := a.postgresOptions()
		if err != nil {
			return 0, err
		}
		return postgres.Migrate(ctx, o)
	}
	o, err := a.sqliteOptions()
	if err != nil {
		return 0, err
	}
	return sqlite.Migrate(ctx, o)
}

// embedded is the embedded database: one process at a time is the bot.
type embedded struct {
	*sqlite.Store
	dir   string
	queue *late.SQLiteQueue
}

func (f embedded) join(_ context.Context, command string) (post, error) {
	l, err := lock.Acquire(f.dir, holder(command))
	if err != nil {
		return nil, err
	}
	return onlyPost{embedded: f, lock: l}, nil
}

// onlyPost is the place of the one bot of a data folder.
type onlyPost struct {
	embedded
	lock *lock.Lock
}

// ownPoll is how often the one bot looks for what other processes have written: a
// look takes some microseconds.
const ownPoll = 100 * time.Millisecond

func (p onlyPost) claims() bot.Claims  { return nil }
func (p onlyPost) poll() time.Duration { return ownPoll }
func (p onlyPost) leave() error        { return p.lock.Release() }

func (p onlyPost) lead(ctx context.Context, _ string, fn func(ctx context.Context) error) error {
	return fn(ctx)
}

func (p onlyPost) workers(h late.Handler) (*late.Workers, error) {
	return p.queue.Workers(p.WriteDB(), h)
}

func (p onlyPost) keep(ctx context.Context, _ func()) error {
	<-ctx.Done()
	return nil
}

// servers are the database of production: any number of replicas are the bot.
type servers struct {
	*postgres.Store
	queue *late.PostgresQueue
}

func (s servers) join(ctx context.Context, _ string) (post, error) {
	r, err := s.Join(ctx)
	if err != nil {
		return nil, err
	}
	return replicaPost{servers: s, replica: r}, nil
}

// replicaPost is the place of one replica.
type replicaPost struct {
	servers
	replica *postgres.Replica
}

// sharedPoll is how often a replica looks for work of which no notification came.
const sharedPoll = time.Second

func (p replicaPost) claims() bot.Claims  { return p.replica }
func (p replicaPost) poll() time.Duration { return sharedPoll }
func (p replicaPost) leave() error        { return p.replica.Close() }

func (p replicaPost) workers(h late.Handler) (*late.Workers, error) {
	return p.queue.Workers(p.Pool(), h, p.replica)
}

func (p replicaPost) lead(ctx context.Context, name string, fn func(ctx context.Context) error) error {
	return p.replica.Lead(ctx, name, fn)
}

func (p replicaPost) keep(ctx context.Context, wake func()) error { return p.replica.Run(ctx, wake) }

// place names where the bot keeps what it knows, for people.
func (a *app) place() string {
	if a.production() {
		return "база PostgreSQL"
	}
	return fmt.Sprintf("папка данных %s", a.dataPath())
}
