package postgres_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/store/late"
	"github.com/nastavnik-bot/nastavnik/store/postgres"
)

// patience is how long a test waits for what must come: it decides only how soon a
// broken one ends.
const patience = time.Minute

// roleVariable makes the test binary another process on the database of its
// argument.
const roleVariable = "NASTAVNIK_TEST_POSTGRES_ROLE"

func TestMain(m *testing.M) {
	name, dsn, ok := strings.Cut(os.Getenv(roleVariable), " ")
	if !ok {
		// toxiproxy leaves some of its own behind when a connection breaks.
		goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run"))
		return
	}
	roles := map[string]func(ctx context.Context, o postgres.Options) error{
		"migrate": migrateRole,
		"claim":   claimRole,
		"lead":    leadRole,
	}
	q, err := late.Postgres(slog.New(slog.DiscardHandler))
	if err == nil {
		err = roles[name](context.Background(), postgres.Options{DSN: dsn, Queue: q})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

// child is a process in a role.
type child struct {
	*exec.Cmd
	t     *testing.T
	lines *bufio.Scanner
}

func spawn(t *testing.T, role, dsn string) *child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{Cmd: exec.Command(self), t: t}
	c.Env = append(os.Environ(), roleVariable+"="+role+" "+dsn)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.lines = bufio.NewScanner(out)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.kill)
	return c
}

// line returns the next line that the child has printed.
func (c *child) line() string {
	c.t.Helper()
	if !c.lines.Scan() {
		c.t.Fatalf("a child says no more: %v", c.lines.Err())
	}
	return c.lines.Text()
}

// kill is kill -9.
func (c *child) kill() {
	_ = c.Process.Kill()
	_ = c.Wait()
}

// migrateRole prints how many steps this process took.
func migrateRole(ctx context.Context, o postgres.Options) error {
	steps, err := postgres.Migrate(ctx, o)
	fmt.Println(steps)
	return err
}

func TestRacingProcessesMigrateOnce(t *testing.T) {
	t.Parallel()
	dsn := devenv.Postgres(t)
	before, err := postgres.Status(t.Context(), options(t, dsn))
	if err != nil {
		t.Fatal(err)
	}
	var children []*child
	for range 5 {
		children = append(children, spawn(t, "migrate", dsn))
	}
	worked := 0
	for _, c := range children {
		steps, err := strconv.Atoi(c.line())
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
		if steps != 0 {
			worked++
			if steps != before.Pending() {
				t.Errorf("a process took %d steps, want %d", steps, before.Pending())
			}
		}
	}
	if worked != 1 {
		t.Errorf("%d processes migrated, want 1", worked)
	}
	open(t, dsn)
}

// The same within one process, as a program that serves several bases would.
func TestRacingCallsMigrateOnce(t *testing.T) {
	t.Parallel()
	dsn := devenv.Postgres(t)
	o := options(t, dsn)
	o.Pool = 2
	type result struct {
		steps int
		err   error
	}
	results := make(chan result)
	for range 5 {
		go func() {
			steps, err := postgres.Migrate(t.Context(), o)
			results <- result{steps, err}
		}()
	}
	worked := 0
	for range 5 {
		r := <-results
		if r.err != nil {
			t.Error(r.err)
		}
		worked += min(r.steps, 1)
	}
	if worked != 1 {
		t.Errorf("%d calls migrated, want 1", worked)
	}
}
