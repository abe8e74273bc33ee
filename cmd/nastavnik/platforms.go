package main

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/console"
	"github.com/nastavnik-bot/nastavnik/health"
)

// connection is a chat platform that the configuration turns on.
type connection struct {
	name     string // in chats, identities and metrics
	title    string // for people
	platform bot.Platform
	// receive takes in what happens there until ctx ends; nil where it comes over HTTP.
	receive func(ctx context.Context) error
	// alone says that of all replicas only one may receive.
	alone bool
	// routes are what the platform calls, by path.
	routes map[string]http.Handler
	// check tells how the platform is, and the name of the bot there.
	check check
}

// connections are the platforms that the configuration turns on; the terminals are
// always there, and are none of them.
func (a *app) connections() ([]connection, error) {
	return nil, nil
}

// platforms are what the runner serves.
func platforms(all []connection) map[string]bot.Platform {
	out := map[string]bot.Platform{console.Platform: {Sender: console.Sender{}}}
	for _, c := range all {
		out[c.name] = c.platform
	}
	return out
}

// receiveAgain is how long to wait after receiving has failed.
const receiveAgain = 5 * time.Second

// receive takes in what happens on a platform until ctx ends. A platform that fails
// is tried again: the others have nothing to do with it.
func (a *app) receive(ctx context.Context, c connection, p post) error {
	switch {
	case c.receive == nil:
		return nil
	case c.alone:
		return p.lead(ctx, c.name, func(ctx context.Context) error { a.keepReceiving(ctx, c); return nil })
	}
	a.keepReceiving(ctx, c)
	return nil
}

func (a *app) keepReceiving(ctx context.Context, c connection) {
	for told := ""; ctx.Err() == nil; {
		err := c.receive(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil && err.Error() != told { // once, not with every try
			told = err.Error()
			a.log.ErrorContext(ctx, "receiving from a platform failed", "platform", c.name, "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(receiveAgain):
		}
	}
}

// platformParts are the platforms as parts of the bot.
func platformParts(all []connection) []health.Part {
	var out []health.Part
	for _, c := range all {
		out = append(out, health.Part{Name: c.name, Title: c.title, Check: c.check})
	}
	return out
}

// sendings count what is sent to platforms.
type sendings struct {
	attempts *prometheus.CounterVec
	doubts   *prometheus.CounterVec
	waited   *prometheus.HistogramVec
}

func newSendings(r prometheus.Registerer) sendings {
	s := sendings{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nastavnik_send_attempts_total", Help: "Attempts to send a message, by what came of them.",
		}, []string{"platform", "result"}),
		doubts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nastavnik_send_doubts_total", Help: "Messages sent again that may have arrived before: people may have seen them twice.",
		}, []string{"platform"}),
		waited: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "nastavnik_send_wait_seconds", Help: "How long messages that were sent had waited since they were written.",
			Buckets: prometheus.ExponentialBuckets(0.01, 4, 10),
		}, []string{"platform"}),
	}
	r.MustRegister(s.attempts, s.doubts, s.waited)
	return s
}

func (s sendings) observe(o bot.Outcome) {
	s.attempts.WithLabelValues(o.Platform, string(o.Result)).Inc()
	if o.Doubt {
		s.doubts.WithLabelValues(o.Platform).Inc()
	}
	if o.Result == bot.Arrived {
		s.waited.WithLabelValues(o.Platform).Observe(o.Waited.Seconds())
	}
}
