package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"sync"
	"time"

	api "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

const (
	// lanes is how many people's doings are taken at once; those of one go in order.
	lanes = 16
	// laneLength is how many requests wait in a lane before a socket is read no further.
	laneLength = 16
	// maxSocketMessage bounds a message of a socket in bytes.
	maxSocketMessage = 4 << 20
	// shutSoon is how soon a socket ends that Slack does not mean to keep open, and
	// shutOften how often in a row it is no chance.
	shutSoon  = 5 * time.Second
	shutOften = 3
	// maxReopen bounds the wait before a socket is opened again that Slack has refused.
	maxReopen = 5 * time.Minute
)

// parcel is a request with the way to acknowledge it.
type parcel struct {
	request
	ack func(context.Context, answer) error
}

// listen keeps the sockets open until ctx ends.
func (a *App) listen(ctx context.Context) error {
	a.status.listening(true)
	defer a.status.listening(false)
	var work, sockets sync.WaitGroup
	queues := make([]chan parcel, lanes)
	for i := range queues {
		queues[i] = make(chan parcel, laneLength)
		work.Go(func() {
			for p := range queues[i] {
				a.take(ctx, p)
			}
		})
	}
	for range a.o.Connections {
		sockets.Go(func() { a.keepOpen(ctx, queues) })
	}
	sockets.Wait()
	for _, q := range queues {
		close(q)
	}
	work.Wait()
	return nil
}

// take stores what a socket brought, and acknowledges it then. What is not
// acknowledged comes again.
func (a *App) take(ctx context.Context, p parcel) {
	var reply answer
	err := unbroken(func() (err error) {
		reply, err = a.receive(ctx, p.request)
		return err
	})
	if err == nil {
		// A socket that is gone for good takes no acknowledgement: the request comes
		// again by another.
		ctx, cancel := context.WithTimeout(ctx, ackTimeout)
		defer cancel()
		err = p.ack(ctx, reply)
	}
	if err != nil && ctx.Err() == nil {
		a.o.Log.WarnContext(ctx, "a request of Slack's is not taken", "platform", Platform, "err", err)
	}
}

// keepOpen opens a socket again whenever it ends. slack-go does so by itself but for
// refused tokens, which an administrator may be about to mend.
func (a *App) keepOpen(ctx context.Context, queues []chan parcel) {
	wait := time.Second
	for ctx.Err() == nil {
		opened := time.Now()
		err := a.openSocket(ctx, queues)
		if ctx.Err() != nil {
			return
		}
		if time.Since(opened) > maxReopen {
			wait = time.Second
		}
		a.noteSocket(ctx, err)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, maxReopen)
	}
}

// openSocket serves one socket, and those that follow it, until Slack refuses the
// token.
func (a *App) openSocket(ctx context.Context, queues []chan parcel) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	client := socketmode.New(a.api, socketmode.OptionPingInterval(a.o.Ping), socketmode.OptionReadLimit(maxSocketMessage),
		socketmode.OptionLog(slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)))
	var reading sync.WaitGroup
	reading.Go(func() { a.read(ctx, client, queues) })
	defer reading.Wait()
	defer stop()
	return client.RunContext(ctx)
}

// errShut says that Slack closes sockets as soon as they are open: it does so when
// Socket Mode is off.
var errShut = fmt.Errorf("slack: Slack закрывает соединение сразу: включите Socket Mode на странице приложения или задайте slack.mode: http: %w", knowledge.ErrAway)

// noteSocket says once when sockets do not open, again when it is for another reason,
// and once when they are open again.
func (a *App) noteSocket(ctx context.Context, err error) {
	if err != nil && ctx.Err() != nil {
		return
	}
	if err != nil && !errors.Is(err, errShut) {
		err = a.judge(methodOpen, err, repeatable)
	}
	switch changed := a.status.noteSocket(err); {
	case changed && err != nil:
		a.o.Log.ErrorContext(ctx, "a socket of Slack's does not open", "platform", Platform, "err", err)
	case changed:
		a.o.Log.WarnContext(ctx, "sockets of Slack's are open again", "platform", Platform)
	}
}

// read passes on what a socket brings.
func (a *App) read(ctx context.Context, client *socketmode.Client, queues []chan parcel) {
	s := socket{client: client, queues: queues}
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-client.Events:
			a.heard(ctx, &s, e)
		case <-s.steady:
			a.noteSocket(ctx, nil)
		}
	}
}

// socket is one that is kept open.
type socket struct {
	client *socketmode.Client
	queues []chan parcel
	opened time.Time // the last time
	shut   int       // how often in a row it has ended soon after
	// steady says that it stays open after all, nil while that is not asked.
	steady <-chan time.Time
}

// open notes that the socket is open, and returns errShut when it has not stayed so.
func (s *socket) open(now time.Time) error {
	if now.Sub(s.opened) < shutSoon {
		s.shut++
	} else {
		s.shut = 0
	}
	s.opened = now
	if s.shut >= shutOften {
		return errShut
	}
	return nil
}

func (a *App) heard(ctx context.Context, s *socket, e socketmode.Event) {
	switch e.Type {
	case socketmode.EventTypeConnected:
		a.o.Log.DebugContext(ctx, "a socket of Slack's is open", "platform", Platform)
		err := s.open(time.Now())
		if a.noteSocket(ctx, err); err != nil {
			s.steady = time.After(shutSoon)
		}
	case socketmode.EventTypeConnecting:
		s.steady = nil
	case socketmode.EventTypeConnectionError:
		if failed, ok := e.Data.(*api.ConnectionErrorEvent); ok {
			a.noteSocket(ctx, failed.ErrorObj)
		}
	case socketmode.EventTypeEventsAPI, socketmode.EventTypeInteractive, socketmode.EventTypeSlashCommand:
		a.enqueue(ctx, s, *e.Request)
	case socketmode.EventTypeErrorBadMessage: // what slack-go cannot read, and we may
		bad, ok := e.Data.(*socketmode.ErrorBadMessage)
		var r socketmode.Request
		if ok && json.Unmarshal(bad.Message, &r) == nil && r.EnvelopeID != "" {
			a.enqueue(ctx, s, r)
		}
	default: // on its way
	}
}

// enqueue puts a request into its person's lane.
func (a *App) enqueue(ctx context.Context, s *socket, r socketmode.Request) {
	in, err := parse(r.Type, r.Payload)
	if err != nil { // to have it again would not help
		a.o.Log.WarnContext(ctx, "a request of Slack's cannot be read", "platform", Platform, "kind", r.Type, "err", errors.Unwrap(err))
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(in.whose()))
	p := parcel{request: in, ack: func(ctx context.Context, reply answer) error { return s.client.AckCtx(ctx, r.EnvelopeID, reply) }}
	select {
	case s.queues[h.Sum32()%lanes] <- p:
	case <-ctx.Done():
	}
}
