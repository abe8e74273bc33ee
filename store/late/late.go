// Package late keeps late work: events to make at a time, chats to wake, and
// questions to index. It is River on SQLite.
//
// A job is stored in the transaction of the change that it follows from, by any
// process; jobs are worked only by the process that is the bot (see package
// lock). River polls and keeps no order, so nothing that a person waits for
// goes through it, and handlers must bear to be called twice.
package late

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// soon is how far ahead a job is stored as ready to be fetched at its time.
// River stores later ones as scheduled, and its scheduler makes those ready that
// are due within its period of 5 s: without this a job due in less would wait
// for the scheduler's next round.
const soon = 10 * time.Second

// indexAtOnce is how many questions one indexing job holds at most: what a slow
// processor embeds in minutes, so that a killed job does not repeat hours.
const indexAtOnce = 200

// Queue stores jobs. It is safe for concurrent use.
type Queue struct {
	client *river.Client[*sql.Tx]
	log    *slog.Logger
}

// New returns a queue that logs to log.
func New(log *slog.Logger) (*Queue, error) {
	log = slog.New(quiet{log.Handler()})
	client, err := river.NewClient(riversqlite.New(nil), &river.Config{
		Logger:  log,
		Plugins: []rivertype.Plugin{river.JobInsertMiddlewareFunc(readySoon)},
	})
	if err != nil {
		return nil, fmt.Errorf("queue of late work: %w", err)
	}
	return &Queue{client: client, log: log}, nil
}

// readySoon makes jobs that are due soon ready at once; they are still not
// fetched before their time.
func readySoon(ctx context.Context, jobs []*rivertype.JobInsertParams, insert func(context.Context) ([]*rivertype.JobInsertResult, error)) ([]*rivertype.JobInsertResult, error) {
	horizon := time.Now().Add(soon)
	for _, j := range jobs {
		if j.State == rivertype.JobStateScheduled && j.ScheduledAt != nil && j.ScheduledAt.Before(horizon) {
			j.State = rivertype.JobStateAvailable
		}
	}
	return insert(ctx)
}

// Insert stores jobs, and jobs that index the given questions, in tx.
func (q *Queue) Insert(ctx context.Context, tx *sql.Tx, jobs []bot.Job, index []string) error {
	params := make([]river.InsertManyParams, 0, len(jobs)+len(index)/indexAtOnce+1)
	for _, j := range jobs {
		args, err := argsOf(j)
		if err != nil {
			return err
		}
		params = append(params, river.InsertManyParams{Args: args, InsertOpts: &river.InsertOpts{ScheduledAt: j.At}})
	}
	for ids := range slices.Chunk(index, indexAtOnce) {
		params = append(params, river.InsertManyParams{Args: IndexQuestions{IDs: ids}})
	}
	if len(params) == 0 {
		return nil
	}
	if _, err := q.client.InsertManyFastTx(ctx, tx, params); err != nil {
		return fmt.Errorf("store late work: %w", err)
	}
	return nil
}

func argsOf(j bot.Job) (river.JobArgs, error) {
	switch {
	case j.Event != nil:
		return newPostEvent(*j.Event), nil
	case j.Drain != "":
		return DrainChat{Chat: string(j.Drain)}, nil
	}
	return nil, fmt.Errorf("late work without an event or a chat: %w", knowledge.ErrInvalid)
}

// Versions returns the version of the queue's tables in db, 0 when there are
// none, and the version that this program needs. River's own way to ask refuses
// versions that it does not know.
func (q *Queue) Versions(ctx context.Context, db *sql.DB) (current, target int, err error) {
	migrator, err := q.migrator(db)
	if err != nil {
		return 0, 0, err
	}
	for _, m := range migrator.AllVersions() {
		target = max(target, m.Version)
	}
	var tables int
	err = db.QueryRowContext(ctx, `SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = 'river_migration'`).Scan(&tables)
	if err == nil && tables > 0 {
		err = db.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) FROM river_migration`).Scan(&current)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("version of the queue's tables: %w", err)
	}
	return current, target, nil
}

// Migrate brings the queue's tables in db up to date. Racing processes must be
// kept apart by the caller.
func (q *Queue) Migrate(ctx context.Context, db *sql.DB) error {
	migrator, err := q.migrator(db)
	if err != nil {
		return err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate the queue's tables: %w", err)
	}
	return nil
}

func (q *Queue) migrator(db *sql.DB) (*rivermigrate.Migrator[*sql.Tx], error) {
	migrator, err := rivermigrate.New(riversqlite.New(db), &rivermigrate.Config{Logger: q.log})
	if err != nil {
		return nil, fmt.Errorf("migrations of the queue: %w", err)
	}
	return migrator, nil
}
