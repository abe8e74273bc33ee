package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/store/postgres"
)

// join makes a replica until the end of the test.
func join(t *testing.T, s *postgres.Store) *postgres.Replica {
	t.Helper()
	r, err := s.Join(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// keep runs a replica until the end of the test; woken gets a value when it wakes.
func keep(t *testing.T, r *postgres.Replica) (woken <-chan struct{}) {
	t.Helper()
	ch := make(chan struct{}, 1)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = r.Run(ctx, func() {
			select {
			case ch <- struct{}{}:
			default:
			}
		})
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
	return ch
}

func claim(t *testing.T, r *postgres.Replica, chat bot.ChatID) (release func(), ok bool) {
	t.Helper()
	release, ok, err := r.Claim(t.Context(), chat)
	if err != nil {
		t.Fatal(err)
	}
	return release, ok
}

// becomes waits until something is so.
func becomes(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("has not come to pass: %s", what)
		}
	}
}

// claimRole holds a chat until it is killed.
func claimRole(ctx context.Context, o postgres.Options) error {
	s, err := postgres.Open(ctx, o)
	if err != nil {
		return err
	}
	r, err := s.Join(ctx)
	if err != nil {
		return err
	}
	_, ok, err := r.Claim(ctx, "console:иван")
	if err != nil {
		return err
	}
	fmt.Println(ok, r.Name())
	return r.Run(ctx, func() {})
}

func TestClaimsExcludeEachOther(t *testing.T) {
	t.Parallel()
	s := open(t, database(t))
	first, second := join(t, s), join(t, s)
	release, ok := claim(t, first, "console:иван")
	if !ok {
		t.Fatal("nobody has the chat, and it is not to be had")
	}
	if _, ok := claim(t, second, "console:иван"); ok {
		t.Error("two replicas have one chat")
	}
	other, ok := claim(t, second, "console:мария")
	if !ok {
		t.Error("one chat holds up another")
	}
	other()
	release()
	release2, ok := claim(t, second, "console:иван")
	if !ok {
		t.Error("a chat that was released is not to be had")
	}
	release2()
}

// Replicas that are killed hold nothing, and others see that they are gone.
func TestAKilledReplicaIsGone(t *testing.T) {
	t.Parallel()
	dsn := database(t)
	r := join(t, open(t, dsn))
	c := spawn(t, "claim", dsn)
	var name string
	var has bool
	if _, err := fmt.Sscan(c.line(), &has, &name); err != nil || !has {
		t.Fatalf("the child has no chat: %v", err)
	}
	gone := func() []string {
		t.Helper()
		gone, err := r.Gone(t.Context(), []string{name, r.Name(), "никогда не было"})
		if err != nil {
			t.Fatal(err)
		}
		return gone
	}
	if got := gone(); len(got) != 1 || got[0] != "никогда не было" {
		t.Errorf("gone while both live: %q", got)
	}
	if _, ok := claim(t, r, "console:иван"); ok {
		t.Error("two replicas have one chat")
	}
	c.kill()
	becomes(t, "the chat of a killed replica is free", func() bool { _, ok := claim(t, r, "console:иван"); return ok })
	becomes(t, "a killed replica is gone", func() bool { return len(gone()) == 2 })
}

// terminate ends the sessions that hold an advisory lock of a class, as an
// administrator or a restarted server would, and returns how many.
func terminate(t *testing.T, dsn string, class int) (n int) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.WithoutCancel(t.Context()))
	err = c.QueryRow(t.Context(), `SELECT COUNT(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND classid = $1
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`, uint32(class)).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// The classes of locks, as in replica.go.
const (
	chatLocks = 0x6e01
	leadLocks = 0x6e03
)

// A replica whose session is lost loses its chats, and has a new session soon.
func TestALostSession(t *testing.T) {
	t.Parallel()
	dsn := database(t)
	s := open(t, dsn)
	first, second := join(t, s), join(t, s)
	keep(t, first)
	release, ok := claim(t, first, "console:иван")
	if !ok {
		t.Fatal("no claim")
	}
	if n := terminate(t, dsn, chatLocks); n != 1 {
		t.Fatalf("%d sessions were ended", n)
	}
	becomes(t, "another replica has the chat", func() bool { _, ok := claim(t, second, "console:иван"); return ok })
	becomes(t, "the replica lives again", func() bool {
		gone, err := second.Gone(t.Context(), []string{first.Name()})
		return err == nil && len(gone) == 0
	})
	becomes(t, "the replica claims again", func() bool {
		release, ok, err := first.Claim(t.Context(), "console:мария")
		if ok {
			release()
		}
		return ok && err == nil
	})
	release() // of the earlier session: it must not touch what others hold
	if _, ok := claim(t, first, "console:иван"); ok {
		t.Error("releasing a lost claim has freed another replica's")
	}
}

// Whatever one process leaves wakes the others, after the commit.
func TestMailWakesOthers(t *testing.T) {
	t.Parallel()
	dsn := database(t)
	writer, sleeper := open(t, dsn), open(t, dsn)
	woken := keep(t, join(t, sleeper))
	receive(t, woken) // it listens
	post := func(key string) func(context.Context, bot.Tx) error {
		return func(ctx context.Context, tx bot.Tx) error {
			return tx.Post(ctx, &bot.Row{Key: key, Chat: "console:иван", Kind: "said"})
		}
	}
	write(t, writer, post("1"))
	receive(t, woken)
	undo := errors.New("undo")
	err := writer.Write(t.Context(), func(tx bot.Tx) error { return errors.Join(post("2")(t.Context(), tx), undo) })
	if !errors.Is(err, undo) {
		t.Fatal(err)
	}
	if err := writer.Write(t.Context(), putPerson(t.Context(), "Иван")); err != nil { // nothing to handle
		t.Fatal(err)
	}
	select {
	case <-woken:
		t.Error("woken for nothing")
	case <-time.After(200 * time.Millisecond):
	}
	// A listener whose session has ended listens again, and looks at once.
	sqlExec(t, dsn, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'LISTEN%'`)
	receive(t, woken)
	write(t, writer, post("3"))
	receive(t, woken)
}

// leadRole leads until it is killed.
func leadRole(ctx context.Context, o postgres.Options) error {
	s, err := postgres.Open(ctx, o)
	if err != nil {
		return err
	}
	r, err := s.Join(ctx)
	if err != nil {
		return err
	}
	return r.Lead(ctx, "poll", func(ctx context.Context) error {
		fmt.Println("leads")
		<-ctx.Done()
		return nil
	})
}

// leader is one that says when it leads and when it does no longer.
type leader struct {
	begun, ended chan struct{}
	stop         context.CancelFunc
	result       chan error
}

func lead(t *testing.T, r *postgres.Replica, name string) *leader {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := &leader{begun: make(chan struct{}, 10), ended: make(chan struct{}, 10), stop: cancel, result: make(chan error, 1)}
	var wg sync.WaitGroup
	wg.Go(func() {
		l.result <- r.Lead(ctx, name, func(ctx context.Context) error {
			l.begun <- struct{}{}
			<-ctx.Done()
			l.ended <- struct{}{}
			return ctx.Err()
		})
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
	return l
}

func (l *leader) waits(t *testing.T) {
	t.Helper()
	select {
	case <-l.begun:
		t.Error("two lead")
	case <-time.After(1500 * time.Millisecond): // longer than a replica waits to ask again
	}
}

func TestOneLeads(t *testing.T) {
	t.Parallel()
	dsn := database(t)
	c := spawn(t, "lead", dsn)
	if got := c.line(); got != "leads" {
		t.Fatal(got)
	}
	s := open(t, dsn)
	second := lead(t, join(t, s), "poll")
	second.waits(t)
	receive(t, lead(t, join(t, s), "something else").begun) // names are apart

	c.kill()
	killed := time.Now()
	receive(t, second.begun)
	t.Logf("took over %v after the kill", time.Since(killed).Round(time.Millisecond))

	third := lead(t, join(t, s), "poll")
	third.waits(t)
	// Who loses its session stops, and does not stand in the way of who leads then.
	if n := terminate(t, dsn, leadLocks); n != 2 {
		t.Errorf("%d leads were ended", n)
	}
	receive(t, second.ended)
	other := second // who does not lead now
	select {
	case <-second.begun:
		other = third
	case <-third.begun:
	case <-time.After(patience):
		t.Fatal("nobody leads")
	}
	other.waits(t)
	second.stop()
	if err := receive(t, second.result); err != nil {
		t.Errorf("stopped: %v", err)
	}
	if other == third {
		receive(t, third.begun)
	}
}

// Work that ends by itself ends the lead, with its error.
func TestALeadThatEnds(t *testing.T) {
	t.Parallel()
	r := join(t, open(t, database(t)))
	cause := errors.New("broken")
	if err := r.Lead(t.Context(), "poll", func(context.Context) error { return cause }); !errors.Is(err, cause) {
		t.Errorf("%v", err)
	}
	if err := r.Lead(t.Context(), "poll", func(context.Context) error { return nil }); err != nil {
		t.Errorf("%v", err)
	}
}
