package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
)

// Backup writes a copy of the database to a new file, consistent even while
// others write.
func (s *Store) Backup(ctx context.Context, path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("backup %s: %w", path, fs.ErrExist)
	}
	if _, err := s.writer.ExecContext(ctx, `VACUUM INTO ?`, path); err != nil {
		return s.explain("backup "+path, err)
	}
	return nil
}

// Verify reads all of a database that nobody has open and makes sure that it is whole:
// pages, indexes, references. The error wraps ErrDamaged when it is not. Nothing is
// written, not even beside it.
func Verify(ctx context.Context, path string) (err error) {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()+"?mode=ro&immutable=1")
	if err != nil {
		return fmt.Errorf("verify %s: %w", path, err)
	}
	defer db.Close()
	var found string
	if err := db.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&found); err != nil {
		return (&Store{path: path}).explain("verify", err)
	}
	if found != "ok" {
		return fmt.Errorf("файл %s повреждён: %w: %s", path, ErrDamaged, found)
	}
	var lost int
	if err := db.QueryRowContext(ctx, `SELECT COUNT(*) FROM pragma_foreign_key_check`).Scan(&lost); err != nil {
		return (&Store{path: path}).explain("verify", err)
	}
	if lost > 0 {
		return fmt.Errorf("в файле %s ссылки в никуда (%d): %w", path, lost, ErrDamaged)
	}
	return nil
}
