package sqlite_test

import (
	"log/slog"
	"testing"

	"github.com/nastavnik-bot/nastavnik/store/late"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
)

// options are those of a database in dir with its queue.
func options(tb testing.TB, dir string) sqlite.Options {
	tb.Helper()
	queue, err := late.New(slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatal(err)
	}
	return sqlite.Options{Dir: dir, Queue: queue}
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
