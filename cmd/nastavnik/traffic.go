package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/nastavnik-bot/nastavnik/bot"
)

// traffic counts what comes from platforms and what is sent there.
type traffic struct {
	received *prometheus.CounterVec
	attempts *prometheus.CounterVec
	doubts   *prometheus.CounterVec
	waited   *prometheus.HistogramVec
}

func newTraffic() *traffic {
	return &traffic{
		received: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "nastavnik_received_total", Help: "Events that have been taken from platforms, those that came again among them.",
		}, []string{"platform", "kind"}),
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
}

func (t *traffic) register(r prometheus.Registerer) {
	r.MustRegister(t.received, t.attempts, t.doubts, t.waited)
}

func (t *traffic) heard(e bot.Event, kind string) {
	t.received.WithLabelValues(e.Chat.Platform(), kind).Inc()
}

func (t *traffic) sent(o bot.Outcome) {
	t.attempts.WithLabelValues(o.Platform, string(o.Result)).Inc()
	if o.Doubt {
		t.doubts.WithLabelValues(o.Platform).Inc()
	}
	if o.Result == bot.Arrived {
		t.waited.WithLabelValues(o.Platform).Observe(o.Waited.Seconds())
	}
}
