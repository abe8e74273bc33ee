package health

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// seen is what a check or a report has told of a part.
type seen struct {
	version string
	err     error
	at      time.Time
	check   bool // a check: it knows version and latency
	latency time.Duration
}

// ask runs the part's check, or waits for the one that runs. A check that hangs is
// given up, and no other is begun before it has ended: parts that hang must not
// pile up goroutines.
func (m *Monitor) ask(ctx context.Context, w *watched) {
	ctx, cancel := context.WithTimeout(ctx, m.deadline)
	w.mu.Lock()
	running := w.running
	if running == nil {
		running = make(chan struct{})
		w.running = running
		go func() {
			defer cancel()
			m.runCheck(ctx, w, running)
		}()
	} else {
		defer cancel()
	}
	w.mu.Unlock()
	select {
	case <-running:
	case <-ctx.Done():
		select {
		case <-running: // both: what it said counts
		default:
			m.giveUp(ctx, w)
		}
	}
}

// runCheck runs the part's check once and notes what it said.
func (m *Monitor) runCheck(ctx context.Context, w *watched, running chan struct{}) {
	began := time.Now()
	version, err := w.state.Part.Check(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("%w (%s): %w", ErrSilent, m.deadline, err)
	}
	now := time.Now()
	if err == nil || !errors.Is(ctx.Err(), context.Canceled) {
		m.note(ctx, w, seen{version: version, err: err, at: now, check: true, latency: now.Sub(began)})
	}
	w.mu.Lock()
	w.running = nil
	w.mu.Unlock()
	close(running)
}

// giveUp notes that a check hangs, unless it is the caller who has no time.
func (m *Monitor) giveUp(ctx context.Context, w *watched) {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		m.note(ctx, w, seen{err: fmt.Errorf("%w (%s)", ErrSilent, m.deadline), at: time.Now(), check: true, latency: m.deadline})
	}
}

// note remembers what was seen of a part, and says so when that is news.
func (m *Monitor) note(ctx context.Context, w *watched, s seen) {
	warning := ""
	var warn *WarningError
	if errors.As(s.err, &warn) {
		warning, s.err = warn.Text, nil
	}
	w.mu.Lock()
	was := w.state
	w.state.take(s, warning)
	now := w.state
	w.mu.Unlock()
	switch {
	case now.Down() && !was.Down():
		m.log.WarnContext(ctx, "a part is away", "part", now.Part.Name, "err", s.err)
		if m.outages != nil {
			m.outages.WithLabelValues(now.Part.Name).Inc()
		}
	case now.Up && was.Down():
		m.log.WarnContext(ctx, "a part is back", "part", now.Part.Name, "away", now.Since.Sub(was.Since))
		select {
		case w.back <- struct{}{}:
		default: // hooks have to run already
		}
	}
}

// take adds to a state what was seen.
func (s *State) take(n seen, warning string) {
	if s.Since.IsZero() || s.Up != (n.err == nil) {
		s.Since = n.at
	}
	s.Up, s.Err, s.Checked = n.err == nil, n.err, n.at
	if !n.check {
		return
	}
	s.Latency, s.Warning = n.latency, warning
	if n.err == nil {
		s.Version = n.version
	}
}
