package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/postgres"
)

// A network is what stands between a store and its server.
type network struct {
	t     *testing.T
	proxy *toxiproxy.Proxy
}

// through returns the address of the same database behind a network.
func through(t *testing.T, dsn string) (string, *network) {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	n := &network{t: t, proxy: toxiproxy.NewProxy(server, t.Name(), "127.0.0.1:0", u.Host)}
	if err := n.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.proxy.Stop)
	u.Host = n.proxy.Listen
	return u.String(), n
}

// is makes the network bad: a toxic in toxiproxy's own words, in both directions.
func (n *network) is(toxic, attributes string) {
	n.t.Helper()
	for _, stream := range []string{"upstream", "downstream"} {
		_, err := n.proxy.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"type": %q, "stream": %q, "attributes": {%s}}`, toxic, stream, attributes)))
		if err != nil {
			n.t.Fatal(err)
		}
	}
}

func (n *network) isGood() { n.proxy.Toxics.ResetToxics(context.WithoutCancel(n.t.Context())) }

// calls are all that is asked of a server.
func calls(s *postgres.Store, r *postgres.Replica) map[string]func(ctx context.Context) error {
	return map[string]func(ctx context.Context) error{
		"Write":   func(ctx context.Context) error { return s.Write(ctx, putPerson(ctx, "Иван")) },
		"Changed": func(ctx context.Context) error { _, err := s.Changed(ctx); return err },
		"Check":   func(ctx context.Context) error { _, err := s.Check(ctx); return err },
		"Gone":    func(ctx context.Context) error { _, err := r.Gone(ctx, []string{"никто"}); return err },
		"Join": func(ctx context.Context) error {
			r, err := s.Join(ctx)
			if err != nil {
				return err
			}
			return r.Close()
		},
		"Read": func(ctx context.Context) error {
			return s.Read(ctx, func(tx bot.Tx) error { _, err := tx.People(ctx, false); return err })
		},
		"Claim": func(ctx context.Context) error {
			release, ok, err := r.Claim(ctx, "console:иван")
			if ok {
				release()
			}
			return err
		},
	}
}

// heals waits until every call succeeds again, by itself.
func heals(t *testing.T, s *postgres.Store, r *postgres.Replica) {
	t.Helper()
	for name, call := range calls(s, r) {
		becomes(t, name+" works again", func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			return call(ctx) == nil
		})
	}
}

// On a bad network every call ends in its time, with an error that says what it is,
// and works again when the network does.
func TestBadNetwork(t *testing.T) {
	t.Parallel()
	const allowed = time.Second
	for name, bad := range map[string]struct {
		toxic, attributes string
		want              func(error) bool
	}{
		"slow":       {"latency", `"latency": 100`, func(err error) bool { return err == nil || errors.Is(err, context.DeadlineExceeded) }},
		"too slow":   {"latency", `"latency": 60000`, func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }},
		"blackhole":  {"timeout", `"timeout": 0`, func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }},
		"resets":     {"reset_peer", `"timeout": 0`, func(err error) bool { return errors.Is(err, knowledge.ErrAway) }},
		"cut midway": {"limit_data", `"bytes": 40`, func(err error) bool { return errors.Is(err, knowledge.ErrAway) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dsn, net := through(t, database(t))
			s := open(t, dsn)
			r, err := s.Join(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = r.Close() })
			heals(t, s, r) // connections are there
			net.is(bad.toxic, bad.attributes)
			for name, call := range calls(s, r) {
				ctx, cancel := context.WithTimeout(t.Context(), allowed)
				began := time.Now()
				err := call(ctx)
				cancel()
				// A replica's own session has a limit of its own, on a machine that is busy.
				if took := time.Since(began); took > allowed+5*time.Second {
					t.Errorf("%s took %v of %v: %v", name, took, allowed, err)
				}
				if !bad.want(err) {
					t.Errorf("%s: %v", name, err)
				}
			}
			net.isGood()
			heals(t, s, r)
		})
	}
}

// A caller with all the time in the world is told, too.
func TestASilentServer(t *testing.T) {
	t.Parallel()
	dsn, net := through(t, database(t))
	s := open(t, dsn)
	s.SetLimits(500*time.Millisecond, time.Second)
	undo := errors.New("undo")
	for name, during := range map[string]func(tx bot.Tx) error{
		"before a statement": func(tx bot.Tx) error {
			net.is("timeout", `"timeout": 0`)
			return putPerson(t.Context(), "Иван")(tx)
		},
		"before the commit": func(tx bot.Tx) error {
			err := putPerson(t.Context(), "Иван")(tx)
			net.is("timeout", `"timeout": 0`)
			return err
		},
		"before an undo": func(bot.Tx) error { net.is("timeout", `"timeout": 0`); return undo },
		"before a read": func(tx bot.Tx) error {
			net.is("timeout", `"timeout": 0`)
			_, err := tx.People(t.Context(), false)
			return err
		},
	} {
		err := s.Write(t.Context(), during)
		if !errors.Is(err, knowledge.ErrAway) && !errors.Is(err, undo) {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.Write(t.Context(), putPerson(t.Context(), "Иван")); !errors.Is(err, knowledge.ErrAway) {
			t.Errorf("%s, then another: %v", name, err)
		}
		net.isGood()
		becomes(t, "the store works again", func() bool { return s.Write(t.Context(), putPerson(t.Context(), "Иван")) == nil })
	}
	cancelled, cancel := context.WithCancel(t.Context())
	err := s.Write(cancelled, func(tx bot.Tx) error { cancel(); return tx.PutPerson(cancelled, &knowledge.Person{Name: "Иван"}) })
	if !errors.Is(err, context.Canceled) || errors.Is(err, knowledge.ErrAway) {
		t.Errorf("a caller that gives up is told %v", err)
	}
}

// A replica that the network has swallowed while it wrote, or led, or had a chat,
// holds the others up for a while only.
func TestASwallowedReplica(t *testing.T) {
	t.Parallel()
	dsn := database(t)
	away, net := through(t, dsn)
	lost, here := open(t, away), open(t, dsn)
	r, other := join(t, here), join(t, here)
	keep(t, r)
	keep(t, other)
	swallowed, err := lost.Join(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer swallowed.Close()
	if _, ok := claim(t, swallowed, "console:иван"); !ok {
		t.Fatal("no claim")
	}
	leads := lead(t, swallowed, "poll")
	receive(t, leads.begun)
	next := lead(t, r, "poll")

	holds, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		_ = lost.Write(t.Context(), func(tx bot.Tx) error {
			err := putPerson(t.Context(), "Иван")(tx)
			close(holds)
			<-release
			return err
		})
	})
	<-holds
	defer close(release)
	net.is("timeout", `"timeout": 0`)
	began := time.Now()
	if err := here.Write(t.Context(), putPerson(t.Context(), "Мария")); err != nil {
		t.Error(err)
	}
	t.Logf("others write again after %v", time.Since(began).Round(time.Millisecond))
	receive(t, leads.ended) // it notices by itself
	receive(t, next.begun)
	t.Logf("another leads after %v", time.Since(began).Round(time.Millisecond))
	becomes(t, "the chat is free", func() bool { _, ok := claim(t, other, "console:иван"); return ok })
	becomes(t, "the replica is gone", func() bool {
		gone, err := r.Gone(t.Context(), []string{swallowed.Name()})
		return err == nil && len(gone) == 1
	})
	t.Logf("all is free after %v", time.Since(began).Round(time.Millisecond))
	net.isGood() // it hears of it
	people := read(t, here, func(ctx context.Context, tx bot.Tx) ([]knowledge.Person, error) { return tx.People(ctx, false) })
	if len(people) != 1 || people[0].Name != "Мария" {
		t.Errorf("people: %+v", people)
	}
}

// A server that is killed, again and again, while many write: what was said to be
// written is there, once, and what was not is told as what it is.
func TestKilledServer(t *testing.T) {
	t.Parallel()
	server := devenv.PrivatePostgres(t)
	if _, err := postgres.Migrate(t.Context(), options(t, server.DSN)); err != nil {
		t.Fatal(err)
	}
	s := open(t, server.DSN)
	const writers, kills = 8, 3
	var mu sync.Mutex
	written, unsure := map[string]bool{}, map[string]bool{}
	failed, since := 0, 0 // since the last kill
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				key := fmt.Sprintf("%d/%d", w, n)
				err := s.Write(t.Context(), func(tx bot.Tx) error {
					return errors.Join(tx.Post(t.Context(), &bot.Row{Key: key, Chat: bot.ChatID(fmt.Sprint("console:", w)), Kind: "said"}), putPerson(t.Context(), key)(tx))
				})
				mu.Lock()
				switch {
				case err == nil:
					written[key], since = true, since+1
				case errors.Is(err, knowledge.ErrAway):
					unsure[key], failed = true, failed+1
				default:
					t.Errorf("%s: %v", key, err)
				}
				mu.Unlock()
				if err != nil {
					time.Sleep(10 * time.Millisecond)
				}
			}
		})
	}
	works := func(what string) {
		mu.Lock()
		since = 0
		mu.Unlock()
		becomes(t, what, func() bool { mu.Lock(); defer mu.Unlock(); return since > 5*writers })
	}
	works("all write")
	for n := range kills {
		if n%2 == 0 {
			server.Kill()
		} else {
			server.Stop()
		}
		server.Start()
		works("all write again")
	}
	stop()
	wg.Wait()
	if failed == 0 {
		t.Error("no write met a killed server")
	}
	t.Logf("%d writes, %d failed", len(written), failed)
	people := read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Person, error) { return tx.People(ctx, false) })
	times := map[string]int{}
	for _, p := range people {
		times[p.Name]++
	}
	for key := range written {
		if times[key] != 1 {
			t.Errorf("%s was said to be written and is there %d times", key, times[key])
		}
		delete(times, key)
	}
	for key, n := range times {
		if n != 1 || !unsure[key] {
			t.Errorf("%s is there %d times", key, n)
		}
	}
}
