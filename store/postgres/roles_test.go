package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/late"
	"github.com/nastavnik-bot/nastavnik/store/postgres"
	"github.com/nastavnik-bot/nastavnik/store/storetest"
)

func putPerson(ctx context.Context, name string) func(bot.Tx) error {
	return func(tx bot.Tx) error { return tx.PutPerson(ctx, &knowledge.Person{Name: name}) }
}

// twoRoles returns options in which one role owns the tables and another one works
// with them, neither of them a superuser. Both roles are there, the schema is not.
func twoRoles(t *testing.T) postgres.Options {
	t.Helper()
	admin := devenv.Postgres(t)
	owner, runs := "nastavnik_owner_"+suffix(t, admin), "nastavnik_runs_"+suffix(t, admin)
	o := options(t, role(t, admin, runs))
	o.Owner = role(t, admin, owner)
	sqlExec(t, admin, "GRANT CREATE, USAGE ON SCHEMA public TO "+owner)
	return o
}

// The role that runs keeps the whole contract, does late work, and can change no
// table.
//
//nolint:tparallel // they share the database, one after the other
func TestContract(t *testing.T) {
	t.Parallel()
	o := twoRoles(t)
	if n, err := postgres.Migrate(t.Context(), o); err != nil || n == 0 {
		t.Fatalf("%d steps, %v", n, err)
	}
	t.Run("store", func(t *testing.T) {
		storetest.TestStore(t, func(t *testing.T) bot.Store { return emptied(t, o) })
	})
	t.Run("late work", func(t *testing.T) { lateWork(t, o) })
	t.Run("no change of tables", func(t *testing.T) {
		c, err := pgx.Connect(t.Context(), o.DSN)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(context.WithoutCancel(t.Context()))
		for _, s := range []string{
			`CREATE TABLE mine (id INT)`, `DROP TABLE limits`, `ALTER TABLE persons ADD COLUMN x INT`, `CREATE INDEX mine ON persons (name)`,
			`TRUNCATE persons CASCADE`, `DROP TABLE river_job`, `CREATE TRIGGER t BEFORE INSERT ON persons FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()`,
		} {
			_, err := c.Exec(t.Context(), s)
			if e := (*pgconn.PgError)(nil); !errors.As(err, &e) || e.Code != "42501" {
				t.Errorf("%s: %v", s, err)
			}
		}
	})
}

// emptied opens the database after the owner has emptied its tables.
func emptied(t *testing.T, o postgres.Options) *postgres.Store {
	t.Helper()
	sqlExec(t, o.Owner, `DO $$ DECLARE names TEXT; BEGIN
		SELECT string_agg(quote_ident(relname), ', ') INTO names FROM pg_class
		WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname NOT IN ('goose_db_version', 'river_migration');
		EXECUTE 'TRUNCATE ' || names || ' RESTART IDENTITY'; END $$`)
	s, err := postgres.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// heard is a handler that says what it was given.
type heard chan string

func (h heard) PostEvent(_ context.Context, r bot.Row) error { h <- "post " + r.Key; return nil }
func (h heard) Drain(_ context.Context, c bot.ChatID) error  { h <- "drain " + string(c); return nil }
func (h heard) Index(context.Context, []string) error        { h <- "index"; return nil }

func lateWork(t *testing.T, o postgres.Options) {
	s := emptied(t, o)
	r, err := s.Join(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h := make(heard, 10)
	w, err := o.Queue.(*late.PostgresQueue).Workers(s.Pool(), h, r)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(w.Stop(context.Background()), r.Close()); err != nil {
			t.Error(err)
		}
	}()
	write(t, s, func(ctx context.Context, tx bot.Tx) error {
		return tx.Schedule(ctx, bot.Job{At: time.Now(), Drain: "console:иван"})
	})
	if got := receive(t, h); got != "drain console:иван" {
		t.Errorf("%q was done", got)
	}
}

func receive[T any](t *testing.T, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(patience):
		t.Fatal("nothing came")
	}
	return v
}

func TestRolesThatAreNotReady(t *testing.T) {
	t.Parallel()
	t.Run("the role that runs is not there", func(t *testing.T) {
		t.Parallel()
		o := twoRoles(t)
		good := o.DSN
		o.DSN = "postgres://nastavnik_nobody:" + "x" + "@" + pgHost(t, good)
		_, err := postgres.Migrate(t.Context(), o)
		refused(t, "migrate", err, postgres.ErrRefused, `"nastavnik_nobody"`)
		o.DSN = good // it is made, and migrating again is all there is to do
		if _, err := postgres.Migrate(t.Context(), o); err != nil {
			t.Error(err)
		}
		emptied(t, o)
	})
	t.Run("the role that runs has no rights", func(t *testing.T) {
		t.Parallel()
		o := twoRoles(t)
		alone := o
		alone.DSN = o.Owner
		if _, err := postgres.Migrate(t.Context(), alone); err != nil {
			t.Fatal(err)
		}
		_, err := postgres.Open(t.Context(), o)
		refused(t, "open", err, postgres.ErrRefused, "nastavnik migrate up")
		if n, err := postgres.Migrate(t.Context(), o); err != nil || n != 0 {
			t.Errorf("giving rights took %d steps, %v", n, err)
		}
		s := emptied(t, o)
		if err := s.Write(t.Context(), putPerson(t.Context(), "Иван")); err != nil {
			t.Error(err)
		}
	})
	t.Run("the owner may not make tables", func(t *testing.T) {
		t.Parallel()
		o := twoRoles(t)
		o.Owner, o.DSN = o.DSN, o.Owner
		_, err := postgres.Migrate(t.Context(), o)
		refused(t, "migrate", err, postgres.ErrRefused, "прав")
	})
}

// pgHost returns what follows the role in an address.
func pgHost(t *testing.T, dsn string) string {
	t.Helper()
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return c.Host + ":" + itoa(int(c.Port)) + "/" + c.Database + "?sslmode=disable"
}
