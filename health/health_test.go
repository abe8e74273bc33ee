package health_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/nastavnik-bot/nastavnik/health"
)

var errAway = errors.New("connection refused by 10.0.0.7, password=tajna")

// fake is a part of which a test decides how it is.
type fake struct {
	err     atomic.Pointer[error]
	hangs   atomic.Bool
	asked   atomic.Int32
	release chan struct{} // ends the hanging
}

func newFake() *fake { return &fake{release: make(chan struct{})} }

func (f *fake) set(err error) { f.err.Store(&err) }

func (f *fake) check(context.Context) (string, error) {
	f.asked.Add(1)
	if f.hangs.Load() {
		<-f.release // like a client that ignores its context
	}
	if p := f.err.Load(); p != nil && *p != nil {
		return "", *p
	}
	return "1.2", nil
}

func (f *fake) part(name string, vital bool) health.Part {
	return health.Part{Name: name, Vital: vital, Check: f.check}
}

func state(t *testing.T, m *health.Monitor, part string) health.State {
	t.Helper()
	for _, s := range m.States() {
		if s.Part.Name == part {
			return s
		}
	}
	t.Fatalf("no part %s", part)
	return health.State{}
}

func TestTransitionsAreLoggedOnceAndHooksRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		f := newFake()
		m := health.New(health.Options{Parts: []health.Part{f.part("index", false)}, Log: slog.New(slog.NewTextHandler(&log, nil))})
		var caught atomic.Int32
		m.OnBack("index", func(context.Context) error {
			caught.Add(1)
			return nil
		})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- m.Watch(ctx, time.Second) }()
		lines := func(want int) {
			t.Helper()
			time.Sleep(5*time.Second + time.Millisecond)
			synctest.Wait()
			if got := strings.Count(log.String(), "\n"); got != want {
				t.Errorf("%d lines are logged, want %d:\n%s", got, want, log.String())
			}
		}
		lines(0)
		f.set(errAway)
		lines(1)
		f.set(nil)
		lines(2)
		if n := caught.Load(); n != 1 {
			t.Errorf("the hook ran %d times, want once", n)
		}
		// What running code sees counts at once, with no check in between.
		m.Report("index", context.Canceled)
		if !state(t, m, "index").Up {
			t.Error("a caller that gave up has taken the part down")
		}
		m.Report("index", errAway)
		if s := state(t, m, "index"); s.Up || !errors.Is(s.Err, errAway) {
			t.Errorf("after a report: %+v", s)
		}
		m.Report("nobody", errAway)
		lines(4)
		if n := caught.Load(); n != 2 {
			t.Errorf("the hook ran %d times, want twice", n)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// A part that hangs holds up neither the others nor the caller, and is not asked
// again meanwhile.
func TestHangingPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, fine := newFake(), newFake()
		slow.hangs.Store(true)
		m := health.New(health.Options{Parts: []health.Part{slow.part("index", false), fine.part("files", false)}, Deadline: 3 * time.Second})
		began := time.Now()
		for range 3 {
			m.Check(t.Context())
		}
		if took := time.Since(began); took != 9*time.Second {
			t.Errorf("three rounds took %v, want three deadlines", took)
		}
		if n := slow.asked.Load(); n != 1 {
			t.Errorf("the hanging part was asked %d times at once", n)
		}
		if s := state(t, m, "index"); s.Up || !errors.Is(s.Err, health.ErrSilent) {
			t.Errorf("the hanging part: %+v", s)
		}
		if s := state(t, m, "files"); !s.Up || s.Version != "1.2" {
			t.Errorf("the other part: %+v", s)
		}
		slow.hangs.Store(false)
		close(slow.release)
		m.Check(t.Context())
		if s := state(t, m, "index"); !s.Up {
			t.Errorf("after it has answered: %+v", s)
		}
	})
}

func TestWarningIsUp(t *testing.T) {
	m := health.New(health.Options{Parts: []health.Part{{Name: "disk", Check: func(context.Context) (string, error) {
		return "ext4", health.Warn("осталось %d %%", 5)
	}}}})
	s := m.Check(t.Context())[0]
	if !s.Up || s.Warning != "осталось 5 %" || s.Version != "ext4" {
		t.Errorf("%+v", s)
	}
}

func get(t *testing.T, h http.Handler, path string) (code int, body string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	if strings.Contains(w.Body.String(), "tajna") {
		t.Errorf("%s shows an error: %s", path, w.Body)
	}
	return w.Code, w.Body.String()
}

func TestEndpoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		record, index := newFake(), newFake()
		r := prometheus.NewRegistry()
		m := health.New(health.Options{Parts: []health.Part{record.part("record", true), index.part("index", false)}, Registry: r})
		stopping, stop := context.WithCancel(t.Context())
		h := health.Handler(func() bool { return stopping.Err() == nil }, m, r)
		type ready struct {
			Service           string
			Ready             bool
			Failing, Degraded []string
		}
		readyz := func(wantCode int, want ready) {
			t.Helper()
			want.Service = "nastavnik"
			time.Sleep(2 * time.Second) // what was heard is old now
			code, body := get(t, h, "/readyz")
			var got ready
			if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatal(err, body)
			}
			if diff := cmp.Diff(want, got); diff != "" || code != wantCode {
				t.Errorf("/readyz: %d, want %d (-want +got):\n%s", code, wantCode, diff)
			}
		}
		none := []string{}
		readyz(200, ready{Ready: true, Failing: none, Degraded: none})
		m.Report("index", errAway)
		readyz(200, ready{Ready: true, Failing: none, Degraded: []string{"index"}})
		record.set(errAway)
		readyz(503, ready{Failing: []string{"record"}, Degraded: []string{"index"}})
		_, metrics := get(t, h, "/metrics")
		for _, want := range []string{
			`nastavnik_part_up{part="record"} 0`, `nastavnik_part_up{part="index"} 0`,
			`nastavnik_part_outages_total{part="record"} 1`, `nastavnik_part_latency_seconds{part="record"}`,
		} {
			if !strings.Contains(metrics, want) {
				t.Errorf("/metrics lacks %s:\n%s", want, metrics)
			}
		}
		record.set(nil)
		readyz(200, ready{Ready: true, Failing: none, Degraded: []string{"index"}})
		asked := record.asked.Load()
		for range 50 {
			get(t, h, "/readyz")
		}
		if n := record.asked.Load() - asked; n > 1 {
			t.Errorf("50 probes at once asked the record %d times", n)
		}
		if code, body := get(t, h, "/healthz"); code != 200 || !strings.Contains(body, "true") {
			t.Errorf("/healthz: %d %s", code, body)
		}
		stop()
		if code, _ := get(t, h, "/healthz"); code != 503 {
			t.Errorf("/healthz while stopping: %d", code)
		}
		if code, body := get(t, h, "/readyz"); code != 503 || !strings.Contains(body, "stopping") {
			t.Errorf("/readyz while stopping: %d %s", code, body)
		}
		if code, _ := get(t, h, "/debug/pprof/"); code != 404 {
			t.Errorf("the profiler is exposed: %d", code)
		}
	})
}
