package migrations

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
)

// ErrNewer says that a newer version of the program has been at a database.
var ErrNewer = errors.New("newer schema")

// Migration is one numbered change of a schema.
type Migration struct {
	Version int64
	Name    string    // of its file
	Applied time.Time // zero while it is pending
}

// Schema is how far a database has been brought.
type Schema struct {
	Migrations    []Migration
	Queue         int // the version of the queue's tables
	QueueExpected int // the one that this program needs
}

// Pending returns how many steps are left, those of the queue included.
func (s Schema) Pending() int {
	n := max(0, s.QueueExpected-s.Queue)
	for _, m := range s.Migrations {
		if m.Applied.IsZero() {
			n++
		}
	}
	return n
}

// Version returns the newest migration that has been applied, 0 for none.
func (s Schema) Version() (version int64) {
	for _, m := range s.Migrations {
		if !m.Applied.IsZero() {
			version = m.Version
		}
	}
	return version
}

// Pending lists the migrations of a database, none of them applied.
func Pending(files fs.FS) (Schema, error) {
	names, err := fs.Glob(files, "*.sql") // sorted
	if err != nil {
		return Schema{}, err
	}
	var s Schema
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return Schema{}, fmt.Errorf("migration %s: %w", name, err)
		}
		s.Migrations = append(s.Migrations, Migration{Version: version, Name: strings.TrimSuffix(name, ".sql")})
	}
	return s, nil
}

// Apply notes when which migrations have been applied, and which versions the
// queue's tables have and should have. The error wraps ErrNewer, and a
// *NewerError says more, when the database is ahead of this program.
func (s *Schema) Apply(applied map[int64]time.Time, queue, expected int) error {
	known := int64(0)
	for i := range s.Migrations {
		m := &s.Migrations[i]
		known = max(known, m.Version)
		m.Applied = applied[m.Version]
	}
	for version := range applied {
		if version > known {
			return &NewerError{Found: version, Known: known}
		}
	}
	s.Queue, s.QueueExpected = queue, expected
	if queue > expected {
		return &NewerError{Found: int64(queue), Known: int64(expected)}
	}
	return nil
}

// NewerError tells by how much a database is ahead of this program.
type NewerError struct{ Found, Known int64 }

// Error implements error.
func (e *NewerError) Error() string {
	return fmt.Sprintf("схема %d, эта версия программы знает %d: %v", e.Found, e.Known, ErrNewer)
}

// Unwrap makes errors.Is(err, ErrNewer) true.
func (e *NewerError) Unwrap() error { return ErrNewer }
