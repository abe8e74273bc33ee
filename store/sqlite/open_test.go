package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/migrations"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
)

func TestFolderWithAnyName(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "Папка данных", "что? #1 50%+&=;")
	s := open(t, dir)
	write(t, s, func(ctx context.Context, tx bot.Tx) error {
		return tx.PutPerson(ctx, &knowledge.Person{Name: "Иван"})
	})
	if _, err := os.Stat(filepath.Join(dir, sqlite.FileName)); err != nil {
		t.Error(err)
	}
	again := open(t, dir)
	people := read(t, again, func(ctx context.Context, tx bot.Tx) ([]knowledge.Person, error) { return tx.People(ctx, false) })
	if len(people) != 1 || people[0].Name != "Иван" {
		t.Errorf("people: %+v", people)
	}
}

func TestSettings(t *testing.T) {
	s := open(t, t.TempDir())
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
		var got string
		if err := s.WriteDB().QueryRowContext(t.Context(), `PRAGMA `+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s, want %s (%v)", pragma, got, want, err)
		}
	}
}

// tamper runs SQL on a closed database.
func tamper(t *testing.T, dir, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, sqlite.FileName))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// inClosed is how many transactions closed writes.
const inClosed = 30

// closed makes a database with something in it and closes it.
func closed(t *testing.T) (dir string) {
	t.Helper()
	dir = folder(t)
	s, err := sqlite.Open(t.Context(), options(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	for n := range inClosed {
		write(t, s, func(ctx context.Context, tx bot.Tx) error { return writeAll(ctx, tx, n) })
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// refused opens a folder, which must fail with an error that wraps want and
// contains the words.
func refused(t *testing.T, dir string, want error, words ...string) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), options(t, dir))
	if err == nil {
		_ = s.Close()
	}
	if !errors.Is(err, want) {
		t.Fatalf("the error is %v, want %v", err, want)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	for name, statement := range map[string]string{
		"of ours":      `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`,
		"of the queue": `INSERT INTO river_migration (line, version) VALUES ('main', 99999)`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := closed(t)
			tamper(t, dir, statement)
			refused(t, dir, migrations.ErrNewer, dir, "обновите программу")
			if _, err := sqlite.Status(t.Context(), options(t, dir)); !errors.Is(err, migrations.ErrNewer) {
				t.Errorf("status: %v", err)
			}
		})
	}
}

func TestDamagedFileIsRefused(t *testing.T) {
	damage := func(t *testing.T, change func(data []byte) []byte) string {
		t.Helper()
		dir := closed(t)
		path := filepath.Join(dir, sqlite.FileName)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, change(data), 0o600); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	t.Run("another kind of file", func(t *testing.T) {
		dir := damage(t, func([]byte) []byte { return []byte(strings.Repeat("вопрос;ответ\n", 1000)) })
		refused(t, dir, sqlite.ErrDamaged, sqlite.FileName)
	})
	t.Run("cut short", func(t *testing.T) {
		dir := damage(t, func(data []byte) []byte { return data[:len(data)/2] })
		refused(t, dir, sqlite.ErrDamaged, sqlite.FileName)
	})
	t.Run("cut in the first page", func(t *testing.T) {
		dir := damage(t, func(data []byte) []byte { return data[:1000] })
		refused(t, dir, sqlite.ErrDamaged, sqlite.FileName)
	})
}

func TestUnwritableFolderIsRefused(t *testing.T) {
	t.Run("below a file", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, filepath.Join(file, "data"), sqlite.ErrUnwritable, file)
	})
	t.Run("read only", func(t *testing.T) {
		dir := t.TempDir()
		if os.Geteuid() == 0 { // to whom permissions do not apply
			dir = "/proc/self"
		} else if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		refused(t, dir, sqlite.ErrUnwritable, dir, "права")
	})
}

func TestFullDisk(t *testing.T) {
	s := open(t, t.TempDir())
	var pages int
	if err := s.WriteDB().QueryRowContext(t.Context(), `PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	// SQLite's own limit gives the same error as a disk that is full.
	if _, err := s.WriteDB().ExecContext(t.Context(), `PRAGMA max_page_count = `+strconv.Itoa(pages+20)); err != nil {
		t.Fatal(err)
	}
	fill := func(n int) error {
		return s.Write(t.Context(), func(tx bot.Tx) error {
			return tx.PutPerson(t.Context(), &knowledge.Person{Name: strings.Repeat("я", n)})
		})
	}
	err := fill(1 << 20)
	if !errors.Is(err, sqlite.ErrUnwritable) || !strings.Contains(err.Error(), "место") {
		t.Errorf("the error is %v", err)
	}
	if err := fill(10); err != nil {
		t.Errorf("a smaller write afterwards: %v", err)
	}
	people := read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Person, error) { return tx.People(ctx, false) })
	if len(people) != 1 {
		t.Errorf("%d people, want the one that was stored", len(people))
	}
}

func TestStatusAndMigrate(t *testing.T) {
	o := options(t, t.TempDir())
	before, err := sqlite.Status(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if before.Pending() == 0 || before.Migrations[0].Name != "00001_init" {
		t.Errorf("status of a new folder: %+v", before)
	}
	if _, err := os.Stat(filepath.Join(o.Dir, sqlite.FileName)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("asking for the status made the database: %v", err)
	}
	if steps, err := sqlite.Migrate(t.Context(), o); err != nil || steps == 0 {
		t.Errorf("migrate: %d steps, %v", steps, err)
	}
	after, err := sqlite.Status(t.Context(), o)
	if err != nil || after.Pending() != 0 || after.Migrations[0].Applied.IsZero() {
		t.Errorf("status afterwards: %+v, %v", after, err)
	}
	if steps, err := sqlite.Migrate(t.Context(), o); err != nil || steps != 0 {
		t.Errorf("migrate again: %d steps, %v", steps, err)
	}
}

// nextQueue is the queue of a later version of the program: it wants one more
// step than the database has.
type nextQueue struct {
	sqlite.Queue
	migrated bool
}

func (q *nextQueue) Versions(ctx context.Context, db *sql.DB) (int, int, error) {
	current, target, err := q.Queue.Versions(ctx, db)
	if q.migrated {
		current++
	}
	return current, target + 1, err
}

func (q *nextQueue) Migrate(ctx context.Context, db *sql.DB) error {
	q.migrated = true
	_, err := db.ExecContext(ctx, `DELETE FROM questions`) // as a migration that goes wrong
	return err
}

func TestCopyBeforeMigrating(t *testing.T) {
	dir := closed(t)
	o := options(t, dir)
	o.Queue = &nextQueue{Queue: o.Queue}
	s, err := sqlite.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	// A copy is named after the last migration that its schema has been through.
	before, err := sqlite.Status(t.Context(), options(t, closed(t)))
	if err != nil {
		t.Fatal(err)
	}
	last := before.Migrations[len(before.Migrations)-1].Version
	copies, err := filepath.Glob(filepath.Join(dir, fmt.Sprintf("%s.v%d.*", sqlite.FileName, last)))
	if err != nil || len(copies) != 1 {
		t.Fatalf("copies: %v, %v", copies, err)
	}
	restored := t.TempDir()
	if err := os.Rename(copies[0], filepath.Join(restored, sqlite.FileName)); err != nil {
		t.Fatal(err)
	}
	checkWhole(t, open(t, restored), inClosed)
	if entries, err := filepath.Glob(filepath.Join(closed(t), sqlite.FileName+".v*")); err != nil || len(entries) != 0 {
		t.Errorf("a new database was copied: %v, %v", entries, err)
	}
}

func TestBackup(t *testing.T) {
	s := open(t, closed(t))
	dir := t.TempDir()
	path := filepath.Join(dir, sqlite.FileName)
	if err := s.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	checkWhole(t, open(t, dir), inClosed)
	if err := s.Backup(t.Context(), path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file that exists: %v", err)
	}
	if err := s.Backup(t.Context(), filepath.Join(dir, "нет", "копия.db")); !errors.Is(err, sqlite.ErrUnwritable) {
		t.Errorf("into a folder that does not exist: %v", err)
	}
}

func TestChanged(t *testing.T) {
	dir := t.TempDir()
	s, other := open(t, dir), open(t, dir)
	changed := func() uint64 {
		n, err := s.Changed(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := changed()
	if again := changed(); again != before {
		t.Errorf("nothing was written, and it went from %d to %d", before, again)
	}
	for name, writer := range map[string]*sqlite.Store{"by another": other, "by itself": s} {
		before := changed()
		write(t, writer, func(ctx context.Context, tx bot.Tx) error {
			return tx.PutPerson(ctx, &knowledge.Person{Name: "Иван"})
		})
		if changed() == before {
			t.Errorf("it did not change when something was written %s", name)
		}
	}
	before = changed()
	err := other.Write(t.Context(), func(tx bot.Tx) error {
		_ = tx.PutPerson(t.Context(), &knowledge.Person{Name: "Никто"})
		return fs.ErrInvalid
	})
	if !errors.Is(err, fs.ErrInvalid) || changed() != before {
		t.Errorf("it changed from %d to %d when a write was undone (%v)", before, changed(), err)
	}
}
