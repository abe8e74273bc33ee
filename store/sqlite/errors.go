package sqlite

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Errors that the person who runs the program can do something about. The
// errors that wrap them say what, in Russian, and name the file.
var (
	ErrDamaged    = errors.New("not a whole database")
	ErrUnwritable = errors.New("cannot be written")
)

// code returns SQLite's extended result code, 0 for an error of another kind.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

// primary returns SQLite's result code without its extension, 0 for an error of
// another kind.
func primary(err error) int { return code(err) & 0xff }

// translate gives a violated constraint the domain's meaning.
func translate(err error) error {
	switch code(err) {
	case lib.SQLITE_CONSTRAINT_FOREIGNKEY:
		return fmt.Errorf("%w: a reference to what does not exist: %w", knowledge.ErrNotFound, err)
	case lib.SQLITE_CONSTRAINT_UNIQUE, lib.SQLITE_CONSTRAINT_PRIMARYKEY:
		return fmt.Errorf("%w: %w", knowledge.ErrConflict, err)
	case lib.SQLITE_CONSTRAINT_CHECK, lib.SQLITE_CONSTRAINT_NOTNULL:
		return fmt.Errorf("%w: %w", knowledge.ErrInvalid, err)
	}
	return err
}

// explain adds what was being done, and for an error that a person can mend,
// how.
func (s *Store) explain(doing string, err error) error {
	if err == nil {
		return nil
	}
	switch primary(err) {
	case lib.SQLITE_NOTADB, lib.SQLITE_CORRUPT:
		return fmt.Errorf("файл %s повреждён или это не база Наставника: верните его из резервной копии: %w: %w", s.path, ErrDamaged, err)
	case lib.SQLITE_FULL:
		return fmt.Errorf("на диске с %s кончилось место: освободите его и повторите: %w: %w", s.path, ErrUnwritable, err)
	case lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN, lib.SQLITE_PERM, lib.SQLITE_AUTH:
		return fmt.Errorf("в %s нельзя писать: проверьте права на папку данных: %w: %w", s.path, ErrUnwritable, err)
	case lib.SQLITE_BUSY:
		return fmt.Errorf("базу %s больше минуты держит другой процесс: завершите его и повторите: %w", s.path, err)
	}
	if doing == "" {
		return err
	}
	return fmt.Errorf("%s: %w", doing, err)
}
