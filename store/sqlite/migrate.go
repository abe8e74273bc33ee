package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"

	"github.com/nastavnik-bot/nastavnik/migrations"
)

// lockRetry is how often a process asks whether another has finished migrating.
const lockRetry = 20 * time.Millisecond

// Status tells how far the database of a data folder has been brought, without
// changing or making it.
func Status(ctx context.Context, o Options) (migrations.Schema, error) {
	if _, err := os.Stat(o.path()); errors.Is(err, fs.ErrNotExist) {
		return emptySchema()
	}
	s, err := connect(ctx, o)
	if err != nil {
		return migrations.Schema{}, err
	}
	schema, err := s.status(ctx)
	return schema, errors.Join(s.explain("schema", err), s.Close())
}

// Migrate brings the database of a data folder up to date, as Open does, and
// returns how many steps that took.
func Migrate(ctx context.Context, o Options) (steps int, err error) {
	s, err := connect(ctx, o)
	if err != nil {
		return 0, err
	}
	steps, err = s.migrate(ctx)
	return steps, errors.Join(s.explain("migrate", err), s.Close())
}

// migrate brings the schema up to date. Of processes that race only one works,
// the others wait for it.
func (s *Store) migrate(ctx context.Context) (steps int, err error) {
	if before, err := s.status(ctx); err != nil || before.Pending() == 0 {
		return 0, err
	}
	l := flock.New(filepath.Join(filepath.Dir(s.path), "migrate.lock"), flock.SetPermissions(0o600))
	if _, err := l.TryLockContext(ctx, lockRetry); err != nil {
		return 0, fmt.Errorf("wait for another process that migrates: %w", err)
	}
	defer l.Unlock() //nolint:errcheck // it ends with the process at the latest
	before, err := s.status(ctx)
	if err != nil || before.Pending() == 0 {
		return 0, err
	}
	if err := s.keepCopy(ctx, before); err != nil {
		return 0, err
	}
	// The file remembers its journal mode. Changing it needs the file alone.
	if _, err := s.writer.ExecContext(ctx, `PRAGMA journal_mode = WAL`); err != nil {
		return 0, err
	}
	provider, err := s.provider(s.writer)
	if err != nil {
		return 0, err
	}
	if _, err := provider.Up(ctx); err != nil {
		return 0, err
	}
	if err := s.queue.Migrate(ctx, s.writer); err != nil {
		return 0, err
	}
	s.log.InfoContext(ctx, "database schema is up to date", "steps", before.Pending())
	return before.Pending(), nil
}

// keepCopy copies a database that somebody has worked with before it is changed.
func (s *Store) keepCopy(ctx context.Context, before migrations.Schema) error {
	version := before.Version()
	if version == 0 {
		return nil
	}
	path := fmt.Sprintf("%s.v%d.%s", s.path, version, time.Now().UTC().Format("20060102T150405.000"))
	if err := s.Backup(ctx, path); err != nil {
		return err
	}
	s.log.InfoContext(ctx, "copied the database before changing its schema", "path", path)
	return nil
}

func (s *Store) provider(db *sql.DB) (*goose.Provider, error) {
	files, err := migrations.SQLite()
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithSlog(s.log), goose.WithDisableGlobalRegistry(true))
}

// status reads how far the schema is. Nothing is written: goose would make its
// table.
func (s *Store) status(ctx context.Context) (migrations.Schema, error) {
	schema, err := emptySchema()
	if err != nil {
		return schema, err
	}
	applied, err := s.applied(ctx)
	if err != nil {
		return schema, err
	}
	queue, expected, err := s.queue.Versions(ctx, s.writer)
	if err != nil {
		return schema, err
	}
	if err := schema.Apply(applied, queue, expected); err != nil {
		return schema, fmt.Errorf("папка данных %s записана более новой версией программы, обновите программу: %w", filepath.Dir(s.path), err)
	}
	return schema, nil
}

// applied returns when goose has applied which version.
func (s *Store) applied(ctx context.Context) (map[int64]time.Time, error) {
	var tables int
	if err := s.writer.QueryRowContext(ctx, `SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = 'goose_db_version'`).Scan(&tables); err != nil || tables == 0 {
		return nil, err
	}
	found, err := s.writer.QueryContext(ctx, `SELECT version_id, tstamp FROM goose_db_version WHERE is_applied = 1 AND version_id > 0`)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	out := map[int64]time.Time{}
	for found.Next() {
		var version int64
		var at time.Time
		if err := found.Scan(&version, &at); err != nil {
			return nil, err
		}
		out[version] = at
	}
	return out, found.Err()
}

// emptySchema lists the program's migrations, all pending.
func emptySchema() (migrations.Schema, error) {
	files, err := migrations.SQLite()
	if err != nil {
		return migrations.Schema{}, err
	}
	return migrations.Pending(files)
}
