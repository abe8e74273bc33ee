package openai

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// patience is how many times longer indexing may take than a question: nobody waits
// for it, and a server without a graphics card may need a second for an answer.
const patience = 12

// urgent reports whether somebody may be waiting: searches embed one question.
func urgent(kind knowledge.EmbedKind, texts []string) bool {
	return kind == knowledge.QueryText && len(texts) == 1
}

// budget is how long a request may take. A caller who has a deadline is left a fifth of
// it: a search goes on by words then, and must not be out of time itself.
func (e *Embedder) budget(ctx context.Context, urgent bool) time.Duration {
	budget := e.o.Timeout
	if !urgent {
		budget *= patience
	}
	if deadline, ok := ctx.Deadline(); ok {
		budget = min(budget, time.Until(deadline)*4/5)
	}
	return budget
}

// backoff is how long to wait before the next attempt: from 0.2 s, doubled up to 5 s, and a
// quarter more or less, so that several bots do not come back all at once.
func backoff(attempt int) time.Duration {
	d := min(200*time.Millisecond<<min(attempt, 10), 5*time.Second)
	return d*3/4 + rand.N(d/2) //nolint:gosec // no secret: it spreads attempts
}

// leaves reports whether there is time for another attempt after a wait.
func leaves(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) > wait
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// longestWait is how long a server is left alone at most, whatever it says: its clock
// may be wrong.
const longestWait = 10 * time.Minute

// retryAfter reads how long the server wants to be left alone, as seconds or as a date
// (RFC 9110); 0 if it does not say.
func retryAfter(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, longestWait)
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(time.Until(at), 0), longestWait)
	}
	return 0
}

// rest is the time for which a server that was away is left alone. Searches go on by
// words at once meanwhile, instead of each waiting for its own time-out.
type rest struct {
	pause time.Duration

	mu    sync.Mutex
	why   error // nil: the server works, for all we know
	until time.Time
}

// enter returns why not to ask the server now. When the rest is over, one caller may
// try; the others follow when it has succeeded.
func (r *rest) enter() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.why == nil {
		return nil
	}
	now := time.Now()
	if now.Before(r.until) {
		return r.why
	}
	r.until = now.Add(r.pause)
	return nil
}

// begin leaves the server alone, for longer if it wants so.
func (r *rest) begin(why error, wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.why, r.until = why, time.Now().Add(max(r.pause, wait))
}

// over ends the rest: the server works.
func (r *rest) over() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.why = nil
}
