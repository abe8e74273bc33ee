package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/files"
	"github.com/nastavnik-bot/nastavnik/health"
)

const (
	// headersWithin and idleFor bound what a client that stalls can hold.
	headersWithin = 5 * time.Second
	idleFor       = time.Minute
	// webGrace is how long answers may take when the bot stops.
	webGrace = 3 * time.Second
	// countWithin bounds the counts of one scrape.
	countWithin = 3 * time.Second
)

// web is what the bot serves over HTTP, and whether it works yet.
type web struct {
	server  *http.Server  // nil when nothing is served
	ended   chan struct{} // closed when the server has ended
	working atomic.Bool
}

// openWeb begins to watch the parts and, when that is configured, to serve their
// state. It is there while the bot still loads: alive, and not ready.
func (a *app) openWeb(ctx context.Context, connected []connection) (*web, error) {
	w := &web{}
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), backlog{app: a, web: w})
	a.traffic.register(r)
	botPart := health.Part{Name: "bot", Vital: true, Check: func(context.Context) (string, error) {
		if !w.working.Load() {
			return "", errNotYet
		}
		return version, nil
	}}
	a.monitor = health.New(health.Options{Parts: slices.Concat(a.parts(), platformParts(connected), []health.Part{botPart}), Registry: r, Log: a.log})
	if !a.monitored || a.cfg.HTTP.Listen == "" {
		return w, nil
	}
	l, err := listen(ctx, a.cfg.HTTP.Listen)
	if err != nil {
		return nil, err
	}
	w.ended = make(chan struct{})
	given, err := a.fileServer()
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	mux := http.NewServeMux()
	mux.Handle("/", health.Handler(func() bool { return ctx.Err() == nil }, a.monitor, r))
	mux.Handle(files.Path, given)
	for _, c := range connected {
		for path, h := range c.routes {
			mux.Handle(path, h)
		}
	}
	w.server = &http.Server{Handler: mux, ReadHeaderTimeout: headersWithin, ReadTimeout: idleFor, IdleTimeout: idleFor}
	go func() {
		defer close(w.ended)
		if err := w.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			a.log.ErrorContext(ctx, "serving over HTTP failed", "err", err)
		}
	}()
	return w, nil
}

// errNotYet says that the bot has not begun to work.
var errNotYet = errors.New("the bot is starting")

// close ends the serving; answers under way are finished.
func (w *web) close(ctx context.Context) {
	w.working.Store(false)
	if w.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), webGrace)
	defer cancel()
	if w.server.Shutdown(ctx) != nil {
		_ = w.server.Close()
	}
	<-w.ended
}

// listen opens the port, and says what to do when that fails.
func listen(ctx context.Context, address string) (net.Listener, error) {
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp", address)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("порт %s уже занят: назовите другой в http.listen или завершите того, кто его занял", address)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("порт %s открыть нельзя, нет прав: назовите в http.listen порт от 1024", address)
	}
	return nil, fmt.Errorf("адрес %s из http.listen не открыть, проверьте узел и порт: %w", address, err)
}

// backlog counts what waits when somebody asks for the metrics. What cannot be
// counted is left out: that the record is away is told by its own metric.
type backlog struct {
	app *app
	web *web
}

func gauge(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }

// Describe implements prometheus.Collector: the metrics differ with what can be
// counted.
func (backlog) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (b backlog) Collect(ch chan<- prometheus.Metric) {
	if !b.web.working.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), countWithin)
	defer cancel()
	put := func(name, help string, value float64) {
		ch <- prometheus.MustNewConstMetric(gauge(name, help), prometheus.GaugeValue, value)
	}
	var waits bot.Backlog
	err := b.app.store.Read(ctx, func(tx bot.Tx) (err error) {
		waits, err = tx.Backlog(ctx)
		return err
	})
	if err == nil {
		age := 0.0
		if !waits.Oldest.IsZero() {
			age = max(0, time.Since(waits.Oldest).Seconds())
		}
		put("nastavnik_inbox_waiting", "Events and queries that wait to be handled.", float64(waits.Inbox))
		put("nastavnik_inbox_oldest_seconds", "How long the oldest of them has waited.", age)
		put("nastavnik_outbox_pending", "Messages that wait to be sent.", float64(waits.Pending))
		put("nastavnik_outbox_dead", "Messages that could not be sent and are not tried again.", float64(waits.Dead))
	}
	if ids, err := b.app.find.Backlog(ctx); err == nil {
		put("nastavnik_index_behind", "Questions some of whose vectors have still to be computed.", float64(len(ids)))
	}
}
