// Package sqlitetest gives tests data folders.
package sqlitetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/nastavnik-bot/nastavnik/store/sqlite"
)

// migrated holds a database file for each kind of queue, made once in a process:
// under the race detector, making the tables takes seconds, and opening a file that
// has them a few hundredths of one.
//
//nolint:gochecknoglobals // each is made at most once a process and never changes after that
var migrated = struct {
	sync.Mutex
	files map[string][]byte
}{files: map[string][]byte{}}

// Folder returns a data folder whose database is empty and up to date; it goes with the
// test. A test of how the tables are made begins with an empty folder instead.
func Folder(tb testing.TB, queue sqlite.Queue) string {
	tb.Helper()
	dir := tb.TempDir()
	if err := Fill(tb.Context(), dir, queue); err != nil {
		tb.Fatal(err)
	}
	return dir
}

// Fill puts a database that is empty and up to date into a folder that has none; the
// folder is made when it does not exist.
func Fill(ctx context.Context, dir string, queue sqlite.Queue) error {
	path := filepath.Join(dir, sqlite.FileName)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := template(ctx, queue)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, file, 0o600)
}

// template returns the file of a database that has nothing but its tables.
func template(ctx context.Context, queue sqlite.Queue) (file []byte, err error) {
	kind := fmt.Sprintf("%T", queue)
	migrated.Lock()
	defer migrated.Unlock()
	if file, ok := migrated.files[kind]; ok {
		return file, nil
	}
	scratch, err := os.MkdirTemp("", "sqlitetest")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	if _, err := sqlite.Migrate(ctx, sqlite.Options{Dir: scratch, Queue: queue}); err != nil {
		return nil, err
	}
	if file, err = os.ReadFile(filepath.Join(scratch, sqlite.FileName)); err != nil {
		return nil, err
	}
	migrated.files[kind] = file
	return file, nil
}
