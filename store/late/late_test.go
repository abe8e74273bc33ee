package late_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/late"
)

// patience is how long a test waits for what must come: far longer than it
// takes, and far shorter than River's own rescue of a lost job.
const patience = time.Minute

const roleVariable = "NASTAVNIK_TEST_LATE"

func TestMain(m *testing.M) {
	role, address, ok := strings.Cut(os.Getenv(roleVariable), " ")
	if !ok {
		goleak.VerifyTestMain(m)
		return
	}
	if err := child(role, address); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// child is another process on the same database.
func child(role, address string) error {
	ctx := context.Background()
	d, err := openDatabase(ctx, address, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	if role == "insert" {
		err := d.store.Write(ctx, func(tx bot.Tx) error { return tx.Schedule(ctx, bot.Job{At: time.Now(), Drain: "from another process"}) })
		return errors.Join(err, d.close())
	}
	h := newHandler()
	h.fail = func(ctx context.Context, what string) error {
		fmt.Println(what)
		time.Sleep(time.Hour) // and is killed
		return nil
	}
	workers, err := d.workers(h)
	if err != nil {
		return err
	}
	if err := workers.Start(ctx); err != nil {
		return err
	}
	time.Sleep(time.Hour)
	return nil
}

func spawn(t *testing.T, role, address string) (*exec.Cmd, io.Reader) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self)
	c.Env = append(os.Environ(), roleVariable+"="+role+" "+address)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c, out
}

// call is one call of the handler.
type call struct {
	What string
	Row  bot.Row
	IDs  []string
	At   time.Time
}

// handler notes the calls; fail, when set, is asked first.
type handler struct {
	calls chan call
	mu    sync.Mutex
	fail  func(ctx context.Context, what string) error
}

func newHandler() *handler { return &handler{calls: make(chan call, 1000)} }

func (h *handler) note(ctx context.Context, c call) error {
	h.mu.Lock()
	fail := h.fail
	h.mu.Unlock()
	if fail != nil {
		if err := fail(ctx, c.What); err != nil {
			return err
		}
	}
	c.At = time.Now()
	h.calls <- c
	return nil
}

func (h *handler) PostEvent(ctx context.Context, r bot.Row) error {
	return h.note(ctx, call{What: "post " + r.Key, Row: r})
}

func (h *handler) Drain(ctx context.Context, chat bot.ChatID) error {
	return h.note(ctx, call{What: "drain " + string(chat)})
}

func (h *handler) Index(ctx context.Context, ids []string) error {
	return h.note(ctx, call{What: "index", IDs: ids})
}

// next returns the next call.
func (h *handler) next(t *testing.T) call {
	t.Helper()
	select {
	case c := <-h.calls:
		return c
	case <-time.After(patience):
		t.Fatal("nothing was done")
		return call{}
	}
}

func (h *handler) nothing(t *testing.T) {
	t.Helper()
	select {
	case c := <-h.calls:
		t.Errorf("%q was done, too", c.What)
	case <-time.After(3 * time.Second / 2): // several polls
	}
}

// bench is a database with its queue.
type bench struct {
	database
	address string
}

// each runs a test on each kind of database.
func each(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	for name, address := range kinds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, setup(t, address(t), slog.New(slog.DiscardHandler)))
		})
	}
}

func setup(t *testing.T, address string, log *slog.Logger) *bench {
	t.Helper()
	d, err := openDatabase(t.Context(), address, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.close(); err != nil {
			t.Error(err)
		}
	})
	return &bench{database: d, address: address}
}

// work starts workers until the end of the test.
func (b *bench) work(t *testing.T, h late.Handler) *late.Workers {
	t.Helper()
	w, err := b.workers(h)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (b *bench) schedule(t *testing.T, jobs ...bot.Job) {
	t.Helper()
	err := b.store.Write(t.Context(), func(tx bot.Tx) error {
		for _, j := range jobs {
			if err := tx.Schedule(t.Context(), j); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEventComesBackAsItWentIn(t *testing.T) { t.Parallel(); each(t, testEventComesBackAsItWentIn) }

func testEventComesBackAsItWentIn(t *testing.T, b *bench) {
	h := newHandler()
	row := bot.Row{
		Key: "silence/5", Chat: "console:иван", Kind: "silence", Payload: []byte(`{"last":"2026-03-02T12:00:00Z","text":"ёлка 🎄"}`),
		From: knowledge.Identity{Platform: "console", External: "иван", Name: "Иван", Chat: "console:иван"},
		At:   time.Date(2026, 3, 2, 12, 0, 0, 123_456_789, time.UTC), Inner: true,
	}
	b.work(t, h)
	b.schedule(t, bot.Job{At: time.Now(), Event: &row}, bot.Job{At: time.Now().Add(time.Second), Drain: "console:иван"})
	if diff := cmp.Diff(row, h.next(t).Row); diff != "" {
		t.Errorf("row (-want +got):\n%s", diff)
	}
	if c := h.next(t); c.What != "drain console:иван" {
		t.Errorf("then %q was done", c.What)
	}
	h.nothing(t)
}

// Jobs are stored in any order, and some before there are workers.
func TestEachAtItsTime(t *testing.T) { t.Parallel(); each(t, testEachAtItsTime) }

func testEachAtItsTime(t *testing.T, b *bench) {
	h := newHandler()
	due := map[string]time.Time{}
	job := func(name string, in time.Duration) bot.Job {
		at := time.Now().Add(in)
		due["drain "+name] = at
		return bot.Job{At: at, Drain: bot.ChatID(name)}
	}
	b.schedule(t, job("4", 4*time.Second), job("0", -time.Hour), job("12", 12*time.Second))
	b.work(t, h)
	b.schedule(t, job("2", 2*time.Second), job("7", 7*time.Second))
	for _, want := range []string{"drain 0", "drain 2", "drain 4", "drain 7", "drain 12"} {
		c := h.next(t)
		if c.What != want {
			t.Fatalf("%q was done, want %q", c.What, want)
		}
		// The queue keeps milliseconds.
		if early := due[want].Sub(c.At); early > time.Millisecond {
			t.Errorf("%s was done %v before its time", want, early)
		}
		t.Logf("%s was done %v after its time", want, c.At.Sub(due[want]))
	}
}

func TestNothingIsStoredByAnUndoneWrite(t *testing.T) {
	t.Parallel()
	each(t, testNothingIsStoredByAnUndoneWrite)
}

func testNothingIsStoredByAnUndoneWrite(t *testing.T, b *bench) {
	h := newHandler()
	undo := errors.New("undo")
	err := b.store.Write(t.Context(), func(tx bot.Tx) error {
		q := knowledge.Question{Text: "Вопрос", Status: knowledge.Unanswered}
		return errors.Join(tx.PutQuestion(t.Context(), &q), tx.Schedule(t.Context(), bot.Job{At: time.Now(), Drain: "undone"}), undo)
	})
	if !errors.Is(err, undo) {
		t.Fatal(err)
	}
	b.work(t, h)
	h.nothing(t)
}

func TestChangedQuestionsAreIndexed(t *testing.T) {
	t.Parallel()
	each(t, testChangedQuestionsAreIndexed)
}

func testChangedQuestionsAreIndexed(t *testing.T, b *bench) {
	h := newHandler()
	var want []string
	err := b.store.Write(t.Context(), func(tx bot.Tx) error {
		for n := range 450 {
			id := fmt.Sprintf("kb%03d", n)
			want = append(want, id)
			q := knowledge.Question{ID: id, Text: "Вопрос", Status: knowledge.InKnowledgeBase}
			a := knowledge.Answer{Question: id, Text: "Ответ"}
			if err := errors.Join(tx.PutQuestion(t.Context(), &q), tx.PutAnswer(t.Context(), &a)); err != nil {
				return err
			}
		}
		return tx.Touch(t.Context(), []string{"only its vectors"})
	})
	if err != nil {
		t.Fatal(err)
	}
	b.work(t, h)
	var got []string
	for len(got) < len(want) {
		c := h.next(t)
		if len(c.IDs) == 0 || len(c.IDs) > 200 {
			t.Errorf("%d questions in one job", len(c.IDs))
		}
		got = append(got, c.IDs...)
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("questions (-want +got):\n%s", diff)
	}
	h.nothing(t)
}

func TestFailureIsRepeated(t *testing.T) { t.Parallel(); each(t, testFailureIsRepeated) }

func testFailureIsRepeated(t *testing.T, b *bench) {
	h := newHandler()
	failed := 0
	h.fail = func(context.Context, string) error {
		if failed++; failed <= 2 {
			return errors.New("not yet")
		}
		return nil
	}
	b.work(t, h)
	b.schedule(t, bot.Job{At: time.Now(), Drain: "again"})
	if c := h.next(t); c.What != "drain again" || failed != 3 {
		t.Errorf("%q was done at attempt %d", c.What, failed)
	}
	h.nothing(t)
}

func TestAnotherProcessInserts(t *testing.T) { t.Parallel(); each(t, testAnotherProcessInserts) }

func testAnotherProcessInserts(t *testing.T, b *bench) {
	h := newHandler()
	b.work(t, h)
	c, _ := spawn(t, "insert", b.address)
	if err := c.Wait(); err != nil {
		t.Fatal(err)
	}
	if c := h.next(t); c.What != "drain from another process" {
		t.Errorf("%q was done", c.What)
	}
}

// What a killed bot was doing is done by the next one, together with what it had
// not begun.
func TestKilledWorkers(t *testing.T) { t.Parallel(); each(t, testKilledWorkers) }

func testKilledWorkers(t *testing.T, b *bench) {
	h := newHandler()
	const jobs = 20
	for n := range jobs {
		b.schedule(t, bot.Job{At: time.Now(), Drain: bot.ChatID(fmt.Sprint(n))})
	}
	c, out := spawn(t, "work", b.address)
	if _, err := fmt.Fscanln(out, new(string), new(string)); err != nil {
		t.Fatalf("the child began nothing: %v", err)
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	begun := time.Now()
	b.work(t, h)
	done := map[string]int{}
	for range jobs {
		done[h.next(t).What]++
	}
	t.Logf("%d jobs were done %v after the start", jobs, time.Since(begun))
	if len(done) != jobs {
		t.Errorf("done: %v", done)
	}
	h.nothing(t)
}

func TestStop(t *testing.T) { t.Parallel(); each(t, testStop) }

func testStop(t *testing.T, b *bench) {
	running, release := make(chan string), make(chan struct{})
	h := newHandler()
	h.fail = func(ctx context.Context, what string) error {
		running <- what
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	begins := func() {
		t.Helper()
		select {
		case <-running:
		case <-time.After(patience):
			t.Fatal("no job was begun")
		}
	}
	b.schedule(t, bot.Job{At: time.Now(), Drain: "slow"})
	w, err := b.workers(h)
	if err != nil {
		t.Fatal(err)
	}
	start, cancel := context.WithCancel(t.Context())
	if err := w.Start(start); err != nil {
		t.Fatal(err)
	}
	begins()
	cancel() // does not stop them:
	time.Sleep(50 * time.Millisecond)
	b.schedule(t, bot.Job{At: time.Now(), Drain: "slow, too"})
	begins()

	// A stop that may not wait cancels the jobs, which are done again.
	hurry, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := w.Stop(hurry); err != nil {
		t.Errorf("hard stop: %v", err)
	}
	if len(h.calls) != 0 {
		t.Error("a cancelled job counts as done")
	}

	// A stop that may wait lets the jobs finish.
	next := b.work(t, h)
	begins()
	begins()
	stopped := make(chan error)
	go func() { stopped <- next.Stop(context.Background()) }()
	select {
	case err := <-stopped:
		t.Fatalf("stopped while a job was running: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	close(release)
	if err := <-stopped; err != nil {
		t.Errorf("soft stop: %v", err)
	}
	done := []string{h.next(t).What, h.next(t).What}
	slices.Sort(done)
	if diff := cmp.Diff([]string{"drain slow", "drain slow, too"}, done); diff != "" {
		t.Errorf("done (-want +got):\n%s", diff)
	}
}

// The library's news are for those who debug.
func TestQuietLog(t *testing.T) {
	t.Parallel()
	for name, address := range kinds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			var mu sync.Mutex
			log := slog.New(slog.NewTextHandler(writer{&mu, &out}, &slog.HandlerOptions{Level: slog.LevelInfo}))
			b, h := setup(t, address(t), log), newHandler()
			w := b.work(t, h)
			b.schedule(t, bot.Job{At: time.Now(), Drain: "console:иван"})
			h.next(t)
			if err := w.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if out.Len() != 0 {
				t.Errorf("logged at info:\n%s", out.String())
			}
		})
	}
}

type writer struct {
	mu  *sync.Mutex
	out io.Writer
}

func (w writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.Write(p)
}
