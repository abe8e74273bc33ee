package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"flag"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/nastavnik-bot/nastavnik/knowledge/e5/e5test"
	"github.com/nastavnik-bot/nastavnik/store/late"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
	"github.com/nastavnik-bot/nastavnik/store/sqlite/sqlitetest"
)

var update = flag.Bool("update", false, "rewrite the golden files of testdata")

// beProgram makes the test binary be the program itself: processes that tests
// start are built with -race exactly when the tests are.
const beProgram = "NASTAVNIK_TEST_BE_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(beProgram) == "1" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		a := &app{std: streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}, environ: os.Environ()}
		a.pace, _ = strconv.ParseFloat(os.Getenv(paceVariable), 64) // or as the platforms ask
		code := a.run(ctx, os.Args[1:])
		stop()
		os.Exit(code)
	}
	// What this machine has set up must not decide a test.
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "NASTAVNIK_") && !strings.HasPrefix(name, "NASTAVNIK_TEST_") && name != seedsVariable {
			_ = os.Unsetenv(name)
		}
	}
	_ = os.Setenv("NASTAVNIK_MODEL_OFF", "true") // withModel turns it on
	os.Exit(m.Run())
}

// withModel gives commands a tiny embedder whose vectors mean nothing.
func withModel(t testing.TB) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "tiny.bin")
	if err := os.WriteFile(path, e5test.File().Encode(), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("NASTAVNIK_MODEL_OFF", "false")
	t.Setenv("NASTAVNIK_MODEL_PATH", path)
	return path
}

// result is what a command did.
type result struct {
	code     int
	out, err string
}

// cli runs commands in this process on one data folder, or on servers.
type cli struct {
	t      testing.TB
	data   string
	config string   // the path of a configuration; "" for none
	dsn    string   // of PostgreSQL; "" where the data folder holds everything
	env    []string // what processes have in their environment besides this one's
}

// newCLI is a data folder that has its tables.
func newCLI(t testing.TB) cli {
	t.Helper()
	c := emptyCLI(t)
	c.migrated()
	return c
}

// emptyCLI is a data folder in which nobody has been.
func emptyCLI(t testing.TB) cli {
	t.Helper()
	return cli{t: t, data: t.TempDir()}
}

// migrated gives a data folder its tables, as the first command does and in less time.
func (c cli) migrated() {
	c.t.Helper()
	queue, err := late.SQLite(slog.New(slog.DiscardHandler))
	if err != nil {
		c.t.Fatal(err)
	}
	if err := sqlitetest.Fill(c.t.Context(), c.data, queue); err != nil {
		c.t.Fatal(err)
	}
}

// run runs a command line with nothing to read.
func (c cli) run(args ...string) result { return c.read("", args...) }

// read runs a command line with standard input.
func (c cli) read(in string, args ...string) result {
	c.t.Helper()
	var out, errs bytes.Buffer
	code := run(c.t.Context(), c.line(args), streams{in: strings.NewReader(in), out: &out, err: &errs})
	return result{code: code, out: out.String(), err: errs.String()}
}

// line puts in front of a command where to run it.
func (c cli) line(args []string) []string {
	where := []string{"--data", c.data}
	if c.config != "" {
		where = append(where, "--config", c.config)
	}
	return append(where, args...)
}

// must runs a command line that has to succeed, and returns what it printed.
func (c cli) must(args ...string) string {
	c.t.Helper()
	r := c.run(args...)
	if r.code != 0 {
		c.t.Fatalf("nastavnik %s: exit %d\n%s", strings.Join(args, " "), r.code, r.err)
	}
	return r.out
}

// file writes a file for a command to read.
func (c cli) file(name, content string) string {
	c.t.Helper()
	path := filepath.Join(c.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return path
}

// count runs a query that gives one number on the database.
func (c cli) count(query string, args ...any) int {
	c.t.Helper()
	db := c.database()
	defer db.Close()
	var n int
	if err := db.QueryRow(c.sql(query), args...).Scan(&n); err != nil {
		c.t.Fatalf("%s: %v", query, err)
	}
	return n
}

// database opens the database for reading.
func (c cli) database() *sql.DB {
	c.t.Helper()
	driver, address := "sqlite", "file:"+filepath.Join(c.data, sqlite.FileName)+"?_pragma=query_only(1)&_pragma=busy_timeout(60000)"
	if c.dsn != "" {
		driver, address = "pgx", c.dsn
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		c.t.Fatal(err)
	}
	return db
}

// decode reads JSON that a command has printed.
func decode(t testing.TB, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
}
