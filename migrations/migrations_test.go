package migrations_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite"

	"github.com/nastavnik-bot/nastavnik/migrations"
)

// schema returns the statements that made what is in the database, without
// what goose and SQLite keep for themselves.
func schema(t *testing.T, db *sql.DB) map[string]string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT name, COALESCE(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' AND tbl_name <> 'goose_db_version'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	out := map[string]string{}
	for rows.Next() {
		var name, statement string
		if err := rows.Scan(&name, &statement); err != nil {
			t.Fatal(err)
		}
		out[name] = statement
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func openSQLite(t *testing.T) (*sql.DB, *goose.Provider) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "test.db")+"?_pragma=foreign_keys(1)")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	files, err := migrations.SQLite()
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	return db, provider
}

func TestUpDownUp(t *testing.T) {
	ctx := context.Background()
	db, provider := openSQLite(t)
	var after []map[string]string // the schema after each migration
	for range provider.ListSources() {
		if _, err := provider.UpByOne(ctx); err != nil {
			t.Fatal(err)
		}
		after = append(after, schema(t, db))
	}
	for i := len(after) - 1; i >= 0; i-- {
		if diff := cmp.Diff(after[i], schema(t, db)); diff != "" {
			t.Errorf("before migration %d goes down (-as it was +as it is):\n%s", i+1, diff)
		}
		if _, err := provider.Down(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if left := schema(t, db); len(left) != 0 {
		t.Errorf("after all went down there are %v", left)
	}
	if _, err := provider.Up(ctx); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(after[len(after)-1], schema(t, db)); diff != "" {
		t.Errorf("up again (-first time +second time):\n%s", diff)
	}
}

func TestNumbering(t *testing.T) {
	_, provider := openSQLite(t)
	for i, source := range provider.ListSources() {
		if want := fmt.Sprintf("%05d_", i+1); !strings.HasPrefix(filepath.Base(source.Path), want) {
			t.Errorf("migration %s: its name must begin with %s", source.Path, want)
		}
	}
}

// A reference without an index makes every deletion on the other side read the
// whole table.
func TestReferencesAreIndexed(t *testing.T) {
	db, provider := openSQLite(t)
	if _, err := provider.Up(context.Background()); err != nil {
		t.Fatal(err)
	}
	rows, err := db.QueryContext(t.Context(), `SELECT m.name, f."from" FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f
		WHERE m.type = 'table' AND NOT EXISTS (
			SELECT 1 FROM pragma_index_list(m.name) l JOIN pragma_index_info(l.name) i WHERE i.seqno = 0 AND i.name = f."from")`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		t.Errorf("%s.%s refers to another table and has no index", table, column)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}
