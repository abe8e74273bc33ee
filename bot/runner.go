package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Options are what a Runner needs.
type Options struct {
	Store    Store
	Searcher Searcher
	Decider  Decider
	// Platforms are those that this process serves, by name. Chats of others are left
	// for processes that serve them.
	Platforms map[string]Platform
	// Files keeps the files that people send; nil keeps none.
	Files      keeper
	FileLimits knowledge.FileLimits
	// Observe is told of every attempt to send; nil for nobody.
	Observe  func(Outcome)
	Log      *slog.Logger
	Learning knowledge.Learning
	Now      func() time.Time // default time.Now
	// Poll is how often the inbox is looked at for what other processes wrote.
	// Default 100 ms.
	Poll time.Duration
	// Claims keeps other replicas out of a chat; nil where this process is the only
	// one that works.
	Claims Claims
	// Workers bounds how many chats of each platform are handled at once: one that
	// hangs takes nothing from the others. Default 8.
	Workers int
}

// Runner is the bot at work. On the embedded store one at a time works (see its
// lock), elsewhere any number whose Claims keep them apart; others may post to the
// inbox.
type Runner struct {
	Options
	lines    map[string]line // by platform
	mu       sync.Mutex
	busy     map[ChatID]bool
	failures map[ChatID]failure
	since    time.Time // what was to be sent before may have been sent by another process
	profiles profiles
	outages  outages
	queue    queue
	// unrecorded is what was sent while the store was away.
	unrecorded unrecorded
}

// line is the way into one platform.
type line struct {
	wake  chan struct{}
	slots chan struct{} // one for each chat that is being handled
}

// NewRunner returns a runner that Run starts.
func NewRunner(o Options) *Runner {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Poll <= 0 {
		o.Poll = 100 * time.Millisecond
	}
	if o.Workers <= 0 {
		o.Workers = 8
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Observe == nil {
		o.Observe = func(Outcome) {}
	}
	r := &Runner{
		Options: o, lines: map[string]line{}, busy: map[ChatID]bool{}, failures: map[ChatID]failure{},
		since: o.Now(), profiles: profiles{known: map[person]looked{}},
	}
	for name := range o.Platforms {
		r.lines[name] = line{wake: make(chan struct{}, 1), slots: make(chan struct{}, o.Workers)}
	}
	return r
}

// Wake makes the runner look at the inbox at once.
func (r *Runner) Wake() {
	for _, l := range r.lines {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// stopGrace bounds how long Run goes on with what is ready when it is stopped.
const stopGrace = 5 * time.Second

// Run handles what comes in until ctx ends; then it finishes what is ready. A
// chat that takes long holds up no other, and a platform none of the others.
func (r *Runner) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for name := range r.lines {
		all.Go(func() { r.serve(ctx, name) })
	}
	all.Wait()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
	defer cancel()
	return r.Settle(last)
}

// serve handles the chats of one platform until ctx ends.
func (r *Runner) serve(ctx context.Context, platform string) {
	tick := time.NewTicker(r.Poll)
	defer tick.Stop()
	var chats sync.WaitGroup
	defer chats.Wait()
	away := false
	for {
		_, err := r.start(ctx, &chats, platform)
		switch {
		case ctx.Err() != nil:
		case err != nil && !away: // once, not with every look
			r.Log.ErrorContext(ctx, "looking for work fails", "platform", platform, "err", err)
		case err == nil && away:
			r.Log.WarnContext(ctx, "looking for work succeeds again", "platform", platform)
		}
		away = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-r.lines[platform].wake:
		}
	}
}

// Settle handles everything that is ready, and what follows from it, until ctx ends.
func (r *Runner) Settle(ctx context.Context) error {
	for {
		chats, err := r.busyChats(ctx, "")
		if err != nil || len(chats) == 0 {
			return err
		}
		var wg sync.WaitGroup
		started, err := r.start(ctx, &wg, "")
		wg.Wait()
		if err != nil {
			return err
		}
		if started > 0 {
			continue
		}
		select { // everything that is left has failed a moment ago
		case <-ctx.Done():
			return fmt.Errorf("%d chats are left for later: %w", len(chats), ctx.Err())
		case <-time.After(r.Poll):
		}
	}
}

// start begins to handle every chat of a platform, or of all for "", that has
// something ready.
func (r *Runner) start(ctx context.Context, wg *sync.WaitGroup, platform string) (started int, err error) {
	chats, err := r.busyChats(ctx, platform)
	if err != nil {
		return 0, err
	}
	for _, chat := range chats {
		if !r.claim(chat) {
			continue
		}
		slots := r.lines[chat.Platform()].slots
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			r.release(chat, nil)
			return started, ctx.Err()
		}
		started++
		wg.Go(func() {
			err := r.handleClaimed(ctx, chat)
			r.release(chat, err)
			<-slots
			r.Wake() // others may have got mail
		})
	}
	return started, nil
}

// busyChats lists the chats of a platform that have something ready; those of all
// that are served for "".
func (r *Runner) busyChats(ctx context.Context, platform string) (chats []ChatID, err error) {
	err = r.Store.Read(ctx, func(tx Tx) error {
		chats, err = tx.BusyChats(ctx, r.Now())
		return err
	})
	return slices.DeleteFunc(chats, func(c ChatID) bool {
		_, served := r.lines[c.Platform()]
		return !served || platform != "" && c.Platform() != platform
	}), err
}

// claim takes a chat, unless somebody has it or it has failed a moment ago.
func (r *Runner) claim(chat ChatID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busy[chat] || r.failures[chat].until.After(r.Now()) {
		return false
	}
	r.busy[chat] = true
	return true
}

// release gives a chat back. After a failure it is left alone for a while,
// longer each time: the cause may be a full disk.
func (r *Runner) release(chat ChatID, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.busy, chat)
	switch {
	case err == nil:
		delete(r.failures, chat)
		return
	case errors.Is(err, errElsewhere):
		r.failures[chat] = failure{until: r.Now().Add(r.Poll)}
		return
	case slowDown(err) > 0: // of a lookup, or of a file
		r.failures[chat] = failure{until: r.Now().Add(slowDown(err))}
		return
	case errors.Is(err, knowledge.ErrAway): // nothing to do with the chat
		r.failures[chat] = failure{until: r.Now().Add(awayPause)}
		return
	}
	n := r.failures[chat].n + 1
	r.failures[chat] = failure{n: n, until: r.Now().Add(min(maxPause, time.Second<<min(n-1, 16)))}
}

// failure is how often in a row a chat could not be handled.
type failure struct {
	n     int
	until time.Time
}

const (
	// maxPause bounds the wait after a failure.
	maxPause = time.Minute
	// awayPause is the wait while what the bot works with is out of reach: people
	// wait for its return.
	awayPause = time.Second
)

// errElsewhere says that another replica handles a chat.
var errElsewhere = errors.New("handled by another replica")

// handleClaimed handles a chat unless another replica does.
func (r *Runner) handleClaimed(ctx context.Context, chat ChatID) error {
	if r.Claims == nil {
		return r.handle(ctx, chat)
	}
	release, ok, err := r.Claims.Claim(ctx, chat)
	if err != nil {
		if ctx.Err() == nil {
			r.Log.WarnContext(ctx, "claiming a chat failed", "conversation", chat, "err", err)
		}
		return err
	}
	if !ok {
		return errElsewhere
	}
	defer release()
	return r.handle(ctx, chat)
}

// handle works off a chat's inbox, sending what each event gives at once.
func (r *Runner) handle(ctx context.Context, chat ChatID) error {
	for ctx.Err() == nil {
		row, err := r.nextRow(ctx, chat)
		if errors.Is(err, knowledge.ErrNotFound) {
			break
		}
		if err == nil {
			err = r.unbroken(ctx, func() error { return r.step(ctx, row) })
		}
		if errors.Is(err, errElsewhere) {
			return err // a claim was lost, and others have gone on
		}
		if err != nil {
			r.failed(ctx, row, err)
			r.Drain(ctx, chat)
			return err
		}
		r.Drain(ctx, chat)
	}
	r.Drain(ctx, chat)
	return nil
}

func (r *Runner) nextRow(ctx context.Context, chat ChatID) (row Row, err error) {
	err = r.Store.Read(ctx, func(tx Tx) error {
		row, err = tx.NextRow(ctx, chat)
		return err
	})
	return row, err
}

// maxAttempts is how often an event is tried before it is given up: the person
// is told then, and the log has the cause.
const maxAttempts = 5

// failed counts a failure of a row, and gives it up after maxAttempts.
func (r *Runner) failed(ctx context.Context, row Row, cause error) {
	if ctx.Err() != nil || errors.Is(cause, knowledge.ErrAway) {
		// Stopped, or waiting until what is away is back, which Run has logged: the row
		// is not to blame.
		return
	}
	r.Log.ErrorContext(ctx, "handling an event failed", "conversation", row.Chat, "event_id", row.ID, "kind", row.Kind, "attempt", row.Attempts+1, "err", cause)
	if row.ID == 0 {
		return
	}
	err := r.Store.Write(ctx, func(tx Tx) error {
		if row.Attempts+1 < maxAttempts {
			return tx.Failed(ctx, row.ID)
		}
		if err := tx.Settle(ctx, row.ID, r.Now(), cause.Error()); err != nil {
			return err
		}
		m := Message{Text: r.Decider.say.Say("failed", map[string]any{"Event": row.ID})}
		return tx.PutDelivery(ctx, &Delivery{Key: fmt.Sprintf("%d/failed", row.ID), Chat: row.Chat, Message: m, State: DeliveryPending, Created: r.Now()})
	})
	if err != nil {
		r.Log.ErrorContext(ctx, "recording a failure failed", "event_id", row.ID, "err", err)
	}
}

// step handles one row: a query is answered first, outside any transaction.
func (r *Runner) step(ctx context.Context, row Row) error {
	body, err := Decode(row.Kind, row.Payload)
	if err != nil {
		return err
	}
	if q, ok := body.(Query); ok {
		if body, err = r.answer(ctx, row, q); err != nil {
			return fmt.Errorf("query %s: %w", row.Kind, err)
		}
	}
	if said, ok := body.(Said); ok {
		if body, err = r.fetch(ctx, row, said); err != nil {
			return err
		}
	}
	if row.From, err = r.meet(ctx, row.From); err != nil {
		return err
	}
	return r.Store.Write(ctx, func(tx Tx) error {
		// First, so that nothing is done twice should a claim have been lost.
		err := tx.Settle(ctx, row.ID, r.Now(), "")
		if errors.Is(err, knowledge.ErrConflict) {
			return errElsewhere
		}
		if err != nil {
			return err
		}
		return r.decide(ctx, tx, row, body)
	})
}

// answer asks the searcher.
func (r *Runner) answer(ctx context.Context, row Row, q Query) (Body, error) {
	switch q := q.(type) {
	case Search:
		seen, err := r.seen(ctx, row.Chat)
		if err != nil {
			return nil, err
		}
		res, err := r.Searcher.Find(ctx, knowledge.Inquiry{Text: q.Text, Without: q.Without, After: q.After, Shown: q.Shown, Seen: seen, Refused: q.Purpose == ForExisting})
		return Found{Search: q, Result: res}, err
	case Show:
		seen, err := r.seen(ctx, row.Chat)
		if err != nil {
			return nil, err
		}
		page, err := r.Searcher.Show(ctx, q.Question, seen)
		if errors.Is(err, knowledge.ErrNotFound) {
			return Shown{Show: q}, nil
		}
		return Shown{Show: q, Page: &page}, err
	case FindOpen:
		open, err := r.Searcher.FindOpen(ctx, q.Text, q.Own)
		return OpenFound{Ask: q.Ask, Open: open}, err
	case Prove:
		found, err := r.Searcher.Proves(ctx, q.Wording, q.Question)
		return Proved{Prove: q, Found: found}, err
	case Guard:
		return r.guard(ctx, row, q)
	}
	return nil, fmt.Errorf("unknown query %T", q)
}

// seen returns the questions that a chat's dialogue has shown.
func (r *Runner) seen(ctx context.Context, chat ChatID) (seen []string, err error) {
	err = r.Store.Read(ctx, func(tx Tx) error {
		c, err := tx.Conversation(ctx, chat)
		if err != nil {
			return err
		}
		s, err := readState(c)
		if err == nil && s.Last != nil {
			seen = s.Last.Seen
		}
		return err
	})
	return seen, err
}
