package main

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	statements "github.com/nastavnik-bot/nastavnik/store/record"
)

// onServer runs commands on a PostgreSQL.
func onServer(t testing.TB, dsn string) cli {
	t.Helper()
	c := emptyCLI(t)
	c.dsn = dsn
	c.config = c.file("nastavnik.yaml", fmt.Sprintf("postgres:\n  dsn: %q\n", dsn))
	return c
}

// newServer is a new database with the schema.
func newServer(t testing.TB) cli {
	t.Helper()
	c := onServer(t, devenv.Postgres(t))
	c.must("migrate", "up")
	return c
}

// onEach runs a test on the embedded database and on PostgreSQL.
func onEach(t *testing.T, test func(t *testing.T, c cli)) {
	t.Helper()
	t.Run("folder", func(t *testing.T) { t.Parallel(); test(t, newCLI(t)) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); test(t, newServer(t)) })
}

// holds is SQLite's way to ask whether a text is in a blob.
var holds = regexp.MustCompile(`instr\(CAST\((\w+) AS TEXT\), \?\)`)

// sql turns a query as tests write it into that of the database.
func (c cli) sql(query string) string {
	if c.dsn == "" {
		return query
	}
	return statements.Dollar(holds.ReplaceAllString(query, "position(convert_to(?, 'UTF8') in $1)"))
}

// copied is a copy of everything, for one more run of a test. Nothing may have the
// original open.
func (c cli) copied(t *testing.T) cli {
	t.Helper()
	if c.dsn == "" {
		return copyFolder(t, c.data)
	}
	dsn := devenv.Postgres(t)
	copied, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	from, err := url.Parse(c.dsn)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	maintenance := *copied
	maintenance.Path = "/postgres"
	conn, err := pgx.Connect(ctx, maintenance.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	name := strings.TrimPrefix(copied.Path, "/")
	for _, statement := range []string{"DROP DATABASE " + name, "CREATE DATABASE " + name + " TEMPLATE " + strings.TrimPrefix(from.Path, "/")} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return onServer(t, dsn)
}
