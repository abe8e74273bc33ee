// Package health knows how the parts are that the program works with: databases,
// indexes, servers. It asks them, remembers what they said, says once when one
// has gone away or is back, and shows all of it to monitors.
package health

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Part is one thing that the program works with.
type Part struct {
	Name  string // for metrics and logs: "index"
	Title string // for people: «Индекс векторов»; "" for Name
	// Vital says that nothing works without it. The program goes on without the
	// others.
	Vital bool
	// Check asks the part for its version; a *WarningError says that it works and that
	// something should be done all the same. It may hang: it is given up after the
	// monitor's deadline.
	Check func(ctx context.Context) (version string, err error)
	// Remedy says what to do when Check fails, where its error does not say so
	// itself; "" for nothing to say.
	Remedy string
}

// WarningError is what Check returns for a part that works, but not as it should.
type WarningError struct{ Text string }

// Error implements error.
func (w *WarningError) Error() string { return w.Text }

// Warn returns a *WarningError.
func Warn(format string, args ...any) error { return &WarningError{Text: fmt.Sprintf(format, args...)} }

// ErrSilent says that a part has not answered in time.
var ErrSilent = errors.New("no answer in time")

// State is what is known of a part.
type State struct {
	Part    Part
	Up      bool
	Version string        // as of the latest check that succeeded
	Err     error         // why it is not up; nil when it is, or when nobody has asked yet
	Warning string        // what should be done although it is up
	Latency time.Duration // of the latest check
	Since   time.Time     // when it became up or down; zero when nobody has asked yet
	Checked time.Time     // when the latest check or report ended
}

// Down reports whether the part is known not to work.
func (s State) Down() bool { return s.Err != nil }

// Options are what a Monitor needs.
type Options struct {
	Parts    []Part
	Deadline time.Duration         // of one check; 0: 5 s
	Registry prometheus.Registerer // nil for none
	Log      *slog.Logger          // nil for none
}

// defaultDeadline is longer than any part takes that is still of use.
const defaultDeadline = 5 * time.Second

// Monitor watches parts. It is safe for concurrent use.
type Monitor struct {
	deadline time.Duration
	log      *slog.Logger
	watched  []*watched
	outages  *prometheus.CounterVec // nil without a registry
}

// watched is a part with what is known of it.
type watched struct {
	back chan struct{} // holds one token when hooks have to run

	mu      sync.Mutex
	state   State
	running chan struct{} // closed when the check that runs has ended; nil without one
	hooks   []func(ctx context.Context) error
}

// New returns a monitor that has asked nobody yet.
func New(o Options) *Monitor {
	m := &Monitor{deadline: o.Deadline, log: o.Log}
	if m.deadline <= 0 {
		m.deadline = defaultDeadline
	}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	for _, p := range o.Parts {
		if p.Title == "" {
			p.Title = p.Name
		}
		m.watched = append(m.watched, &watched{state: State{Part: p}, back: make(chan struct{}, 1)})
	}
	if o.Registry != nil {
		m.register(o.Registry)
	}
	return m
}

// Check asks every part, all at once, and returns what is known then. It takes the
// deadline at most.
func (m *Monitor) Check(ctx context.Context) []State {
	return m.check(ctx, func(State) bool { return true })
}

// Vital returns the states of the parts without which nothing works. Those that
// have not been heard of for longer than age are asked.
func (m *Monitor) Vital(ctx context.Context, age time.Duration) []State {
	all := m.check(ctx, func(s State) bool {
		return s.Part.Vital && (s.Checked.IsZero() || time.Since(s.Checked) > age)
	})
	var out []State
	for _, s := range all {
		if s.Part.Vital {
			out = append(out, s)
		}
	}
	return out
}

// States returns what is known of every part, in their order, without asking.
func (m *Monitor) States() []State {
	out := make([]State, len(m.watched))
	for i, w := range m.watched {
		out[i] = w.known()
	}
	return out
}

func (m *Monitor) check(ctx context.Context, which func(State) bool) []State {
	var asking sync.WaitGroup
	for _, w := range m.watched {
		if which(w.known()) {
			asking.Go(func() { m.ask(ctx, w) })
		}
	}
	asking.Wait()
	return m.States()
}

// Report tells what running code has seen of a part: nil that it works. The end of
// somebody's patience (context.Canceled) says nothing of the part.
func (m *Monitor) Report(part string, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	for _, w := range m.watched {
		if w.state.Part.Name == part { // never changes
			m.note(context.Background(), w, seen{err: err, at: time.Now()})
		}
	}
}

// OnBack makes Watch call fn whenever the part is back after it was away. An error
// of fn is logged. Calls for one part come one after another; hooks must be set
// before Watch.
func (m *Monitor) OnBack(part string, fn func(ctx context.Context) error) {
	for _, w := range m.watched {
		if w.state.Part.Name == part {
			w.mu.Lock()
			w.hooks = append(w.hooks, fn)
			w.mu.Unlock()
		}
	}
}

// Watch asks every part at once and then every so often, until ctx ends. It returns
// when the hooks that it has called have ended.
func (m *Monitor) Watch(ctx context.Context, every time.Duration) error {
	var hooks sync.WaitGroup
	for _, w := range m.watched {
		hooks.Go(func() { m.runHooks(ctx, w) })
	}
	defer hooks.Wait()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		m.Check(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (m *Monitor) runHooks(ctx context.Context, w *watched) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.back:
		}
		w.mu.Lock()
		hooks := w.hooks
		w.mu.Unlock()
		for _, fn := range hooks {
			if err := fn(ctx); err != nil && ctx.Err() == nil {
				m.log.WarnContext(ctx, "catching up after a part was away failed", "part", w.state.Part.Name, "err", err)
			}
		}
	}
}

func (w *watched) known() State {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state
}
