package milvus_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/milvus"
)

// buffer is a log that several goroutines write to.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// everyCall makes each call that there is once. The order is such that one which
// finds the server spoils none of the others.
func everyCall(x *milvus.Index) map[string]error {
	ctx := context.Background()
	out := map[string]error{}
	_, out["check"] = x.Check(ctx)
	_, out["nearest"] = x.Nearest(ctx, knowledge.Probe{Values: axis(0), K: 3})
	_, out["fresh"] = x.Nearest(ctx, knowledge.Probe{Values: axis(0), K: 3, Fresh: true})
	_, out["stamps"] = x.Stamps(ctx)
	out["upsert"] = x.Upsert(ctx, []knowledge.Vector{vector("a", axis(0))})
	out["delete"] = x.DeleteQuestions(ctx, []string{"нет такого"})
	out["ensure"] = x.EnsureCollection(ctx)
	_, out["begin"] = x.Begin(ctx)
	return out
}

// expectAway makes every call and wants it to end in time and say what is the matter.
func expectAway(t *testing.T, x *milvus.Index, timeout time.Duration) {
	t.Helper()
	began := time.Now()
	for name, err := range everyCall(x) {
		if !errors.Is(err, knowledge.ErrAway) {
			t.Errorf("%s while the server is away: %v", name, err)
			continue
		}
		if text := err.Error(); !strings.Contains(text, "не отвечает") || strings.Contains(text, "hunter2") {
			t.Errorf("%s tells the person who runs the bot: %s", name, text)
		}
	}
	// Three calls for people, five for which nobody waits.
	if took, most := time.Since(began), 8*5*timeout+5*time.Second; took > most {
		t.Errorf("the calls took %v, at most %v", took, most)
	}
}

func check(x *milvus.Index) error {
	_, err := x.Check(context.Background())
	return err
}

// eventually waits until searching works.
func eventually(t *testing.T, x *milvus.Index) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for err := check(x); err != nil; err = check(x) {
		if time.Now().After(deadline) {
			t.Fatalf("the index does not work again: %v", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// A bot starts while its Milvus is away, and is told so by every call at once.
func TestServerThatIsNotThere(t *testing.T) {
	t.Parallel()
	var log buffer
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	x := open(t, milvus.Options{
		Address: address, User: "root", Password: "hunter2", Embedder: "test", Dim: 4,
		Timeout: time.Second, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	expectAway(t, x, time.Second)
	if got := log.String(); strings.Count(got, `msg="milvus is away"`) != 1 || strings.Contains(got, "hunter2") {
		t.Errorf("the log says:\n%s", got)
	}
}

// One that accepts and never says a word takes no longer than the time-out, and
// after the first search the others do not wait for it.
func TestServerThatSaysNothing(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	x := open(t, milvus.Options{Address: listener.Addr().String(), Embedder: "test", Dim: 4, Timeout: 300 * time.Millisecond})
	expectAway(t, x, 300*time.Millisecond)
	expectAway(t, x, 300*time.Millisecond)
}

// After a crash and a restart the same index works again, with everything in it.
func TestRestart(t *testing.T) {
	t.Parallel()
	server := devenv.PrivateMilvus(t)
	var log buffer
	x := opened(t, milvus.Options{
		Address: server.Addr, Embedder: "test", Dim: 4, Timeout: time.Second, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err := x.Upsert(t.Context(), []knowledge.Vector{vector("before", axis(0))}); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	expectAway(t, x, time.Second)
	server.Start()
	eventually(t, x)
	if keys, err := found(x, 0); err != nil || keys != "before" {
		t.Errorf("after the restart: %q, %v", keys, err)
	}
	if err := x.Upsert(t.Context(), []knowledge.Vector{vector("after", axis(0))}); err != nil {
		t.Error(err)
	}
	if keys, err := found(x, 0); err != nil || keys != "after before" {
		t.Errorf("written after the restart: %q, %v", keys, err)
	}
	if got := log.String(); strings.Count(got, `msg="milvus is away"`) == 0 || strings.Count(got, `msg="milvus is away"`) != strings.Count(got, `msg="milvus is back"`) {
		t.Errorf("the log says:\n%s", got)
	}
}

// A network that swallows everything, is slow, or cuts connections.
func TestNetwork(t *testing.T) {
	t.Parallel()
	o := fresh(t, 4)
	opened(t, o)
	w := newWire(t, o.Address)
	o.Address, o.Timeout = w.proxy.Listen, 500*time.Millisecond
	x := open(t, o)
	eventually(t, x)

	w.spoil(t, "timeout", `{"timeout":0}`)
	began := time.Now()
	if _, err := x.Nearest(t.Context(), knowledge.Probe{Values: axis(0), K: 1}); !errors.Is(err, knowledge.ErrAway) {
		t.Errorf("a search into a network that swallows it: %v", err)
	}
	first := time.Since(began)
	if first > 10*o.Timeout {
		t.Errorf("a search takes %v, the time-out is %v", first, o.Timeout)
	}

	// The caller's own deadline is an end, too, and a cancelled caller is not told that
	// the server is away.
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := x.Stamps(ctx); !errors.Is(err, knowledge.ErrAway) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with a deadline of the caller: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := x.Stamps(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, knowledge.ErrAway) {
		t.Errorf("when the caller cancels: %v", err)
	}
	w.mend(t)
	eventually(t, x)

	w.spoil(t, "latency", `{"latency":20}`)
	if _, err := x.Check(t.Context()); err != nil {
		t.Errorf("through a slow network: %v", err)
	}
	w.mend(t)
	w.spoil(t, "latency", `{"latency":5000}`)
	if _, err := x.Check(t.Context()); !errors.Is(err, knowledge.ErrAway) {
		t.Errorf("through a network that is too slow: %v", err)
	}
	w.mend(t)
	eventually(t, x)

	// A connection that was cut unnoticed is made again, and nobody is told.
	for range 3 {
		w.proxy.Stop()
		if err := w.proxy.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := found(x, 0); err != nil {
			t.Errorf("after the connection was cut: %v", err)
		}
	}
}
