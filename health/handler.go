package health

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Service is how the program names itself in its answers, so that a port that is
// taken can be told to be its own.
const Service = "nastavnik"

// freshFor is how old a vital part's state may be for /readyz: a probe must see
// what is, and a flood of them must not flood the database.
const freshFor = time.Second

// scrapeWithin bounds one answer of /metrics.
const scrapeWithin = 5 * time.Second

// Handler serves /healthz, /readyz and /metrics. Nothing that they say is secret:
// no errors, no addresses.
//
// /healthz is 200 while live says so, then 503. /readyz is 200 while every vital
// part works; else it is 503 and names those that fail. Parts that the program
// goes on without are listed as degraded and change nothing.
func Handler(live func() bool, m *Monitor, metrics prometheus.Gatherer) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		ok := live()
		answer(w, ok, healthJSON{Service: Service, Live: ok})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		out := m.readiness(r.Context())
		if !live() {
			out.Ready, out.Failing = false, append(out.Failing, "stopping")
		}
		answer(w, out.Ready, out)
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{Timeout: scrapeWithin}))
	return mux
}

// healthJSON is the answer of /healthz.
type healthJSON struct {
	Service string `json:"service"`
	Live    bool   `json:"live"`
}

// readyJSON is the answer of /readyz.
type readyJSON struct {
	Service  string     `json:"service"`
	Ready    bool       `json:"ready"`
	Failing  []string   `json:"failing"`  // vital parts that do not work
	Degraded []string   `json:"degraded"` // parts that it goes on without
	Parts    []partJSON `json:"parts"`
}

type partJSON struct {
	Part    string    `json:"part"`
	Up      bool      `json:"up"`
	Since   time.Time `json:"since,omitzero"`
	Version string    `json:"version,omitempty"`
}

func (m *Monitor) readiness(ctx context.Context) readyJSON {
	m.Vital(ctx, freshFor)
	out := readyJSON{Service: Service, Ready: true, Failing: []string{}, Degraded: []string{}}
	for _, s := range m.States() {
		out.Parts = append(out.Parts, partJSON{Part: s.Part.Name, Up: s.Up, Since: s.Since.UTC(), Version: s.Version})
		switch {
		case s.Part.Vital && !s.Up:
			out.Ready = false
			out.Failing = append(out.Failing, s.Part.Name)
		case s.Down():
			out.Degraded = append(out.Degraded, s.Part.Name)
		}
	}
	return out
}

func answer(w http.ResponseWriter, ok bool, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if !ok {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(body) // the client may be gone
}
