// Package late keeps late work: events to make at a time, chats to wake, and
// questions to index. It is River, on SQLite and on PostgreSQL.
//
// A job is stored in the transaction of the change that it follows from, by any
// process. On SQLite jobs are worked only by the process that is the bot (see
// package lock), on PostgreSQL by every replica of it. River keeps no order, so
// nothing that a person waits for goes through it, and handlers must bear to be
// called twice.
package late

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
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

// queue stores jobs in transactions of type T.
type queue[T any] struct {
	client *river.Client[T]
	log    *slog.Logger
}

func newQueue[T any](driver riverdriver.Driver[T], log *slog.Logger) (queue[T], error) {
	log = slog.New(quiet{log.Handler()})
	client, err := river.NewClient(driver, &river.Config{
		Logger:  log,
		Plugins: []rivertype.Plugin{river.JobInsertMiddlewareFunc(readySoon)},
	})
	if err != nil {
		return queue[T]{}, fmt.Errorf("queue of late work: %w", err)
	}
	return queue[T]{client: client, log: log}, nil
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
func (q *queue[T]) Insert(ctx context.Context, tx T, jobs []bot.Job, index []string) error {
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

// newestVersion is that of the tables that the migrator knows.
func newestVersion[T any](m *rivermigrate.Migrator[T]) (newest int) {
	for _, v := range m.AllVersions() {
		newest = max(newest, v.Version)
	}
	return newest
}

func migrator[T any](driver riverdriver.Driver[T], log *slog.Logger) (*rivermigrate.Migrator[T], error) {
	m, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: log})
	if err != nil {
		return nil, fmt.Errorf("migrations of the queue: %w", err)
	}
	return m, nil
}

func migrateUp[T any](ctx context.Context, driver riverdriver.Driver[T], log *slog.Logger) error {
	m, err := migrator(driver, log)
	if err != nil {
		return err
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate the queue's tables: %w", err)
	}
	return nil
}
