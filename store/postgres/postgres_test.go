package postgres_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/store/late"
	"github.com/nastavnik-bot/nastavnik/store/postgres"
)

// options are those of a database with its queue.
func options(tb testing.TB, dsn string) postgres.Options {
	tb.Helper()
	q, err := late.Postgres(slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatal(err)
	}
	return postgres.Options{DSN: dsn, Queue: q}
}

// database returns the address of a new database with this program's schema.
func database(tb testing.TB) string {
	tb.Helper()
	dsn := devenv.Postgres(tb)
	if _, err := postgres.Migrate(tb.Context(), options(tb, dsn)); err != nil {
		tb.Fatal(err)
	}
	return dsn
}

// open opens a database until the end of the test.
func open(tb testing.TB, dsn string) *postgres.Store {
	tb.Helper()
	s, err := postgres.Open(tb.Context(), options(tb, dsn))
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

func write(tb testing.TB, s *postgres.Store, fn func(context.Context, bot.Tx) error) {
	tb.Helper()
	ctx := tb.Context()
	if err := s.Write(ctx, func(tx bot.Tx) error { return fn(ctx, tx) }); err != nil {
		tb.Fatal(err)
	}
}

func read[T any](tb testing.TB, s *postgres.Store, fn func(context.Context, bot.Tx) (T, error)) T {
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
