package late

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/nastavnik-bot/nastavnik/bot"
)

const (
	// wakePoll and indexPoll are how long a ready job may lie. A poll of an
	// empty queue takes one to two milliseconds of a processor, most of them to
	// parse River's statement: all polls together, under 2 % of one.
	wakePoll  = 250 * time.Millisecond
	indexPoll = 500 * time.Millisecond

	wakeTimeout  = time.Minute
	indexTimeout = 25 * time.Minute // indexAtOnce long answers without AVX2
	// rescueAfter must be longer than any job. It matters only if this process
	// loses a job of its own: Start takes back those of a killed one.
	rescueAfter = time.Hour

	maxBackoff = 5 * time.Minute

	keepDone = 10 * time.Minute
	keepDead = 30 * 24 * time.Hour

	hardStop = 5 * time.Second
)

// Handler does late work. A call that returns an error is repeated later, and a
// call may be repeated after it has succeeded, when the process is killed before
// that is noted.
type Handler interface {
	// PostEvent posts the row and handles it.
	PostEvent(ctx context.Context, r bot.Row) error
	// Drain sends what is due in a chat.
	Drain(ctx context.Context, chat bot.ChatID) error
	// Index brings the vectors of questions up to date.
	Index(ctx context.Context, questions []string) error
}

// Workers work the jobs of one database.
type Workers struct {
	client interface {
		Start(ctx context.Context) error
		Stop(ctx context.Context) error
		StopAndCancel(ctx context.Context) error
	}
	takeBack func(ctx context.Context) error
	again    time.Duration // how often to take back; 0: only in the beginning
	log      *slog.Logger

	watching sync.WaitGroup
	unwatch  context.CancelFunc
}

// config is that of clients that work jobs, whatever the database.
func config(log *slog.Logger, h Handler) *river.Config {
	workers := river.NewWorkers()
	river.AddWorker(workers, &postWorker{h: h})
	river.AddWorker(workers, &drainWorker{h: h})
	river.AddWorker(workers, &indexWorker{h: h})
	return &river.Config{
		Logger:  log,
		Workers: workers,
		Queues: map[string]river.QueueConfig{
			wakeQueue:  {MaxWorkers: 4, FetchCooldown: wakePoll / 2, FetchPollInterval: wakePoll},
			indexQueue: {MaxWorkers: 1, FetchCooldown: indexPoll / 2, FetchPollInterval: indexPoll},
		},
		JobTimeout:                  wakeTimeout,
		RescueStuckJobsAfter:        rescueAfter,
		RetryPolicy:                 backoff{},
		MaxAttempts:                 attempts,
		CompletedJobRetentionPeriod: keepDone,
		CancelledJobRetentionPeriod: keepDone,
		DiscardedJobRetentionPeriod: keepDead,
		// Reindexing needs to own the tables, which the role that runs does not.
		ReindexerIndexNames: []string{},
	}
}

// Start begins to work. The end of ctx does not stop the workers, Stop does.
func (w *Workers) Start(ctx context.Context) error {
	if err := w.takeBack(ctx); err != nil {
		return fmt.Errorf("take back late work: %w", err)
	}
	ctx = context.WithoutCancel(ctx)
	if err := w.client.Start(ctx); err != nil {
		return fmt.Errorf("start late work: %w", err)
	}
	if w.again > 0 {
		ctx, w.unwatch = context.WithCancel(ctx)
		w.watching.Go(func() { w.watch(ctx) })
	}
	return nil
}

// watch takes back again and again.
func (w *Workers) watch(ctx context.Context) {
	tick := time.NewTicker(w.again)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := w.takeBack(ctx); err != nil && ctx.Err() == nil {
			w.log.DebugContext(ctx, "looking for late work of replicas that are gone failed", "err", err)
		}
	}
}

// Stop takes no new jobs and waits for those that run. When ctx ends first,
// their contexts are cancelled, and they will be done again.
func (w *Workers) Stop(ctx context.Context) error {
	if w.unwatch != nil {
		w.unwatch()
		w.watching.Wait()
	}
	err := w.client.Stop(ctx)
	if err == nil || ctx.Err() == nil {
		return err
	}
	hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), hardStop)
	defer cancel()
	if err := w.client.StopAndCancel(hard); err != nil {
		return fmt.Errorf("stop late work: %w", err)
	}
	return nil
}

// backoff waits 1, 2, 4, … seconds after a failure, five minutes at most.
type backoff struct{}

// NextRetry implements river.ClientRetryPolicy.
func (backoff) NextRetry(job *rivertype.JobRow) time.Time {
	wait := maxBackoff
	if failed := len(job.Errors); failed < 9 {
		wait = min(wait, time.Second<<failed)
	}
	return time.Now().Add(wait)
}

type postWorker struct {
	river.WorkerDefaults[PostEvent]
	h Handler
}

func (w *postWorker) Work(ctx context.Context, job *river.Job[PostEvent]) error {
	return w.h.PostEvent(ctx, job.Args.Row())
}

type drainWorker struct {
	river.WorkerDefaults[DrainChat]
	h Handler
}

func (w *drainWorker) Work(ctx context.Context, job *river.Job[DrainChat]) error {
	return w.h.Drain(ctx, bot.ChatID(job.Args.Chat))
}

type indexWorker struct {
	river.WorkerDefaults[IndexQuestions]
	h Handler
}

func (w *indexWorker) Work(ctx context.Context, job *river.Job[IndexQuestions]) error {
	return w.h.Index(ctx, job.Args.IDs)
}

func (*indexWorker) Timeout(*river.Job[IndexQuestions]) time.Duration { return indexTimeout }

// quiet keeps a library's news for those who debug; its warnings stay.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return q.Handler.Enabled(ctx, lowered(level))
}

func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	r.Level = lowered(r.Level)
	return q.Handler.Handle(ctx, r)
}

func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }
func (q quiet) WithGroup(name string) slog.Handler       { return quiet{q.Handler.WithGroup(name)} }

func lowered(level slog.Level) slog.Level {
	if level == slog.LevelInfo {
		return slog.LevelDebug
	}
	return level
}
