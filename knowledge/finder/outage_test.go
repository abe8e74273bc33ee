package finder_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/finder"
)

// slow is an embedder whose own time-out passes, which is not the caller's.
type slow struct{ words }

func (s *slow) Embed(ctx context.Context, kind knowledge.EmbedKind, texts []string) ([][]float32, error) {
	if s.broken.Load() {
		return nil, fmt.Errorf("ask the server: %w", context.DeadlineExceeded)
	}
	return s.words.Embed(ctx, kind, texts)
}

// health remembers what was told of the parts last, and how often.
type health struct {
	mu    sync.Mutex
	last  map[string]error
	times map[string]int
}

func (h *health) report(part string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last == nil {
		h.last, h.times = map[string]error{}, map[string]int{}
	}
	h.last[part] = err
	h.times[part]++
}

// TestOutagesAreToldOnce: an embedder or an index that is away for an hour is one line
// in the log, not one for each search, and another when it is back.
func TestOutagesAreToldOnce(t *testing.T) {
	for _, part := range []string{finder.PartEmbedder, finder.PartIndex} {
		t.Run(part, func(t *testing.T) {
			r := openRecord(t, t.TempDir())
			r.put(base()...)
			e := &slow{}
			index := &stale{Index: newIndex(t, dim)}
			var log bytes.Buffer
			var h health
			f := finder.New(finder.Options{
				Record: r, Index: index, Open: newIndex(t, dim), Embedder: e,
				Log: slog.New(slog.NewTextHandler(&log, nil)), Report: h.report,
			})
			set := func(away bool) {
				if part == finder.PartEmbedder {
					e.broken.Store(away)
				} else if index.err = nil; away {
					index.err = errors.New("the server is away")
				}
			}
			if got := first(t, f, "Как сменить пароль?"); got != "password" || h.last[part] != nil {
				t.Fatalf("%q, %v", got, h.last)
			}
			for outage := range 2 {
				set(true)
				for i := range 20 { // each question another, so that none is remembered
					if got := first(t, f, fmt.Sprintf("Как оформить отпуск? %d %d", outage, i)); got != "vacation" {
						t.Fatalf("while it is away: %q", got)
					}
				}
				if h.last[part] == nil {
					t.Error("nobody is told that it is away")
				}
				set(false)
				for i := range 3 {
					first(t, f, fmt.Sprintf("Как сменить пароль? %d %d", outage, i))
				}
				if h.last[part] != nil || h.times[part] < 20 {
					t.Errorf("told %d times, last %v", h.times[part], h.last[part])
				}
				if warned, back := strings.Count(log.String(), "level=WARN"), strings.Count(log.String(), "level=INFO"); warned != outage+1 || back != outage+1 {
					t.Errorf("after outage %d the log has %d warnings and %d of the end:\n%s", outage+1, warned, back, &log)
				}
			}
			if strings.Contains(log.String(), "отпуск") {
				t.Error("the log tells what people ask")
			}
		})
	}
}

// TestRememberedVectorsEndNoOutage: a question whose vector is known asks nothing of
// the embedder, and says nothing of it. Indexing that works does.
func TestRememberedVectorsEndNoOutage(t *testing.T) {
	r := openRecord(t, t.TempDir())
	r.put(base()...)
	e := &words{}
	var h health
	f := finder.New(finder.Options{Record: r, Index: newIndex(t, dim), Open: newIndex(t, dim), Embedder: e, Report: h.report})
	first(t, f, "Как сменить пароль?")
	e.broken.Store(true)
	first(t, f, "Как оформить отпуск?")
	first(t, f, "Как сменить пароль?")
	if !errors.Is(h.last[finder.PartEmbedder], errBroken) {
		t.Errorf("a remembered vector ended the outage: %v", h.last)
	}
	if err := f.IndexQuestions(t.Context(), []string{"vacation"}); err == nil {
		t.Error("indexed without an embedder")
	}
	e.broken.Store(false)
	if err := f.IndexQuestions(t.Context(), []string{"vacation"}); err != nil || h.last[finder.PartEmbedder] != nil {
		t.Errorf("%v, %v", err, h.last)
	}
}

// TestConcurrentOutage: many searches that fail together are one outage.
func TestConcurrentOutage(t *testing.T) {
	r := openRecord(t, t.TempDir())
	r.put(base()...)
	e := &words{}
	e.broken.Store(true)
	var log bytes.Buffer
	f := finder.New(finder.Options{
		Record: r, Index: newIndex(t, dim), Open: newIndex(t, dim), Embedder: e,
		Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if _, err := f.Find(t.Context(), knowledge.Inquiry{Text: "Как оформить отпуск?"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := strings.Count(log.String(), "level=WARN"); n != 1 {
		t.Errorf("%d warnings:\n%s", n, &log)
	}
}

// TestTheCallersEndIsNoOutage: a search that is given up says nothing of the parts.
func TestTheCallersEndIsNoOutage(t *testing.T) {
	r := openRecord(t, t.TempDir())
	r.put(base()...)
	var h health
	f := finder.New(finder.Options{Record: r, Index: newIndex(t, dim), Open: newIndex(t, dim), Embedder: &words{}, Report: h.report})
	if err := f.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Find(ctx, knowledge.Inquiry{Text: "Как оформить отпуск?"}); err == nil || len(h.times) > 0 {
		t.Errorf("%v, %v", err, h.times)
	}
}
