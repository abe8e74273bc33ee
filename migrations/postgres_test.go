package migrations_test

import (
	"database/sql"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/migrations"
)

func openPostgres(t *testing.T) (*sql.DB, *goose.Provider) {
	t.Helper()
	db, err := sql.Open("pgx", devenv.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	files, err := migrations.Postgres()
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	return db, provider
}

// lines runs a query of one column.
func lines(t *testing.T, db *sql.DB, query string) (out []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%v in %s", err, query)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		out = append(out, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// postgresSchema describes the columns, the constraints and the indexes that are in
// the database, without what goose keeps for itself.
func postgresSchema(t *testing.T, db *sql.DB) []string {
	t.Helper()
	const ours = `n.nspname = 'public' AND c.relname NOT LIKE 'goose_%'`
	return lines(t, db, `SELECT format('%s.%s %s %s null=%s %s default=%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), l.collname, NOT a.attnotnull, a.attidentity, pg_get_expr(d.adbin, d.adrelid))
			FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
			LEFT JOIN pg_collation l ON l.oid = a.attcollation LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
			WHERE c.relkind = 'r' AND `+ours+`
		UNION ALL SELECT c.relname || ' ' || s.conname || ' ' || pg_get_constraintdef(s.oid) FROM pg_constraint s JOIN pg_class c ON c.oid = s.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE `+ours+`
		UNION ALL SELECT pg_get_indexdef(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'i' AND `+ours+`
		UNION ALL SELECT 'sequence ' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'S' AND `+ours+`
		ORDER BY 1`)
}

func TestPostgresUpDownUp(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db, provider := openPostgres(t)
	var after [][]string // the schema after each migration
	for range provider.ListSources() {
		if _, err := provider.UpByOne(ctx); err != nil {
			t.Fatal(err)
		}
		after = append(after, postgresSchema(t, db))
	}
	for i := len(after) - 1; i >= 0; i-- {
		if diff := cmp.Diff(after[i], postgresSchema(t, db)); diff != "" {
			t.Errorf("before migration %d goes down (-as it was +as it is):\n%s", i+1, diff)
		}
		if _, err := provider.Down(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if left := postgresSchema(t, db); len(left) != 0 {
		t.Errorf("after all went down there are %v", left)
	}
	if _, err := provider.Up(ctx); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(after[len(after)-1], postgresSchema(t, db)); diff != "" {
		t.Errorf("up again (-first time +second time):\n%s", diff)
	}
}

func TestSameFiles(t *testing.T) {
	names := func(of func() (fs.FS, error)) []string {
		files, err := of()
		if err != nil {
			t.Fatal(err)
		}
		names, err := fs.Glob(files, "*.sql")
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	if diff := cmp.Diff(names(migrations.SQLite), names(migrations.Postgres)); diff != "" {
		t.Errorf("the folders differ (-sqlite +postgres):\n%s", diff)
	}
}

// The SQL of the store is shared, so tables, columns and their order are, too. Text
// is compared byte by byte on both.
func TestSameTables(t *testing.T) {
	t.Parallel()
	embedded, provider := openSQLite(t)
	if _, err := provider.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	server, provider := openPostgres(t)
	if _, err := provider.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := lines(t, embedded, `SELECT m.name || '.' || c.name || ' ' || c.type || (CASE WHEN c."notnull" OR c.pk THEN ' filled' ELSE '' END)
		FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'goose_db_version' ORDER BY m.name, c.cid`)
	got := lines(t, server, `SELECT table_name || '.' || column_name || ' ' || data_type || (CASE is_nullable WHEN 'NO' THEN ' filled' ELSE '' END)
		FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'goose_db_version' ORDER BY table_name COLLATE "C", ordinal_position`)
	types := strings.NewReplacer(" bigint", " INTEGER", " text", " TEXT", " bytea", " BLOB", " double precision", " REAL")
	for i := range got {
		got[i] = types.Replace(got[i])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the tables differ (-sqlite +postgres):\n%s", diff)
	}
	if other := lines(t, server, `SELECT c.relname || '.' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_collation l ON l.oid = a.attcollation
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> 'goose_db_version' AND l.collname <> 'C'`); len(other) > 0 {
		t.Errorf(`not COLLATE "C": %v`, other)
	}
	indexes := func(db *sql.DB, query string) []string { out := lines(t, db, query); slices.Sort(out); return out }
	if diff := cmp.Diff(
		indexes(embedded, `SELECT name FROM sqlite_schema WHERE type = 'index' AND name NOT LIKE 'sqlite_%'`),
		indexes(server, `SELECT c.relname FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_constraint s ON s.conindid = c.oid
			WHERE c.relnamespace = 'public'::regnamespace AND s.oid IS NULL`)); diff != "" {
		t.Errorf("the indexes differ (-sqlite +postgres):\n%s", diff)
	}
}

func TestPostgresReferencesAreIndexed(t *testing.T) {
	t.Parallel()
	db, provider := openPostgres(t)
	if _, err := provider.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, reference := range lines(t, db, `SELECT conrelid::regclass || ' ' || pg_get_constraintdef(s.oid) FROM pg_constraint s
		WHERE contype = 'f' AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = s.conrelid AND i.indkey[0] = s.conkey[1] AND i.indpred IS NULL)`) {
		t.Error(fmt.Sprint(reference, ": no index begins with it"))
	}
}
