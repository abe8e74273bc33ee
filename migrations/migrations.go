// Package migrations holds the numbered changes of the databases' schemas, in
// the form that goose reads, built into the program.
//
// One folder is one database. A file is never edited after it has been merged:
// somebody's data has been through it. `make migrate-new` begins a new one.
package migrations

import (
	"embed"
	"io/fs"
)

//go:embed sqlite/*.sql
var sqlite embed.FS

//go:embed postgres/*.sql
var postgres embed.FS

// SQLite returns the migrations of the embedded database, at the root of the
// file system.
func SQLite() (fs.FS, error) { return fs.Sub(sqlite, "sqlite") }

// Postgres returns the migrations of PostgreSQL: the same numbers and names.
func Postgres() (fs.FS, error) { return fs.Sub(postgres, "postgres") }
