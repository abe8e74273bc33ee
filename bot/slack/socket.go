package slack

import (
	"context"
	"encoding/json"
	"errors"
	"hash/fnv"
	"log/slog"
	"sync"
	"time"

	api "github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

const (
	// lanes is how many people's doings are taken at once; those of one go in order.
	lanes = 16
	// laneLength is how many requests wait in a lane before a socket is read no further.
	laneLength = 16
	// maxSocketMessage bounds a message of a socket in bytes.
	maxSocketMessage = 4 << 20
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
	reply, err := a.receive(ctx, p.request)
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
		a.o.Log.ErrorContext(ctx, "a socket of Slack's is not open", "platform", Platform, "again_in", wait, "err", a.judge("apps.connections.open", err, repeatable))
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

// read passes on what a socket brings.
func (a *App) read(ctx context.Context, client *socketmode.Client, queues []chan parcel) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-client.Events:
			a.heard(ctx, client, e, queues)
		}
	}
}

func (a *App) heard(ctx context.Context, client *socketmode.Client, e socketmode.Event, queues []chan parcel) {
	switch e.Type {
	case socketmode.EventTypeConnected:
		a.o.Log.InfoContext(ctx, "a socket of Slack's is open", "platform", Platform)
	case socketmode.EventTypeConnectionError:
		if failed, ok := e.Data.(*api.ConnectionErrorEvent); ok {
			a.o.Log.WarnContext(ctx, "a socket of Slack's does not open", "platform", Platform, "again_in", failed.Backoff,
				"err", a.judge("apps.connections.open", failed.ErrorObj, repeatable))
		}
	case socketmode.EventTypeEventsAPI, socketmode.EventTypeInteractive, socketmode.EventTypeSlashCommand:
		a.enqueue(ctx, client, *e.Request, queues)
	case socketmode.EventTypeErrorBadMessage: // what slack-go cannot read, and we may
		bad, ok := e.Data.(*socketmode.ErrorBadMessage)
		var r socketmode.Request
		if ok && json.Unmarshal(bad.Message, &r) == nil && r.EnvelopeID != "" {
			a.enqueue(ctx, client, r, queues)
		}
	default: // on its way
	}
}

// enqueue puts a request into its person's lane.
func (a *App) enqueue(ctx context.Context, client *socketmode.Client, r socketmode.Request, queues []chan parcel) {
	in, err := parse(r.Type, r.Payload)
	if err != nil { // to have it again would not help
		a.o.Log.WarnContext(ctx, "a request of Slack's cannot be read", "platform", Platform, "kind", r.Type, "err", errors.Unwrap(err))
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(in.whose()))
	p := parcel{request: in, ack: func(ctx context.Context, reply answer) error { return client.AckCtx(ctx, r.EnvelopeID, reply) }}
	select {
	case queues[h.Sum32()%lanes] <- p:
	case <-ctx.Done():
	}
}
