package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"testing"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/store/late"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
	"github.com/nastavnik-bot/nastavnik/store/sqlite/sqlitetest"
)

// roleVariable makes the test binary another process that has the database of
// its argument open, too.
const roleVariable = "NASTAVNIK_TEST_ROLE"

func TestMain(m *testing.M) {
	role, ok := os.LookupEnv(roleVariable)
	if !ok {
		os.Exit(m.Run())
	}
	roles := map[string]func(ctx context.Context, dir string) error{
		"count":   countRole,
		"migrate": migrateRole,
		"write":   writeRole,
	}
	if err := roles[role](context.Background(), os.Getenv(roleVariable+"_DIR")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// process is a child in a role. It begins when start is called, or its input is
// closed.
type process struct {
	*exec.Cmd
	start io.Closer
	lines *bufio.Scanner // of its output
}

func spawn(t *testing.T, role, dir string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.Command(self)}
	p.Env = append(os.Environ(), roleVariable+"="+role, roleVariable+"_DIR="+dir)
	p.Stderr = os.Stderr
	in, err := p.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.start, p.lines = in, bufio.NewScanner(out)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Process.Kill()
		_ = p.Wait()
	})
	return p
}

// awaitStart is called by a child: children begin together.
func awaitStart() { _, _ = io.Copy(io.Discard, os.Stdin) }

func queue() (*late.SQLiteQueue, error) { return late.SQLite(slog.New(slog.DiscardHandler)) }

// options are those of a database in dir with its queue.
func options(tb testing.TB, dir string) sqlite.Options {
	tb.Helper()
	q, err := queue()
	if err != nil {
		tb.Fatal(err)
	}
	return sqlite.Options{Dir: dir, Queue: q}
}

// folder returns a data folder whose database has its tables and nothing else.
func folder(tb testing.TB) string {
	tb.Helper()
	return sqlitetest.Folder(tb, options(tb, "").Queue)
}

// open opens the database in dir until the end of the test.
func open(tb testing.TB, dir string) *sqlite.Store {
	tb.Helper()
	s, err := sqlite.Open(tb.Context(), options(tb, dir))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// openChild is open for a process that is no test.
func openChild(ctx context.Context, dir string) (*sqlite.Store, error) {
	q, err := queue()
	if err != nil {
		return nil, err
	}
	return sqlite.Open(ctx, sqlite.Options{Dir: dir, Queue: q})
}

func write(tb testing.TB, s *sqlite.Store, fn func(context.Context, bot.Tx) error) {
	tb.Helper()
	ctx := tb.Context()
	if err := s.Write(ctx, func(tx bot.Tx) error { return fn(ctx, tx) }); err != nil {
		tb.Fatal(err)
	}
}

func read[T any](tb testing.TB, s *sqlite.Store, fn func(context.Context, bot.Tx) (T, error)) T {
	tb.Helper()
	var out T
	ctx := tb.Context()
	err := s.Read(ctx, func(tx bot.Tx) (err error) {
		out, err = fn(ctx, tx)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return out
}
