package postgres

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Errors that an administrator can do something about. The errors that wrap them
// say what, in Russian, and never name a password.
var (
	ErrDSN        = errors.New("address not understood")
	ErrOlder      = errors.New("older schema")
	ErrRefused    = errors.New("role refused")
	ErrNoDatabase = errors.New("no such database")
	ErrEncoding   = errors.New("not UTF-8")
	ErrFull       = errors.New("disk full")
)

// SQLSTATE codes, https://www.postgresql.org/docs/current/errcodes-appendix.html.
const (
	codeForeignKey   = "23503"
	codeUnique       = "23505"
	codeCheck        = "23514"
	codeNotNull      = "23502"
	codeTooLong      = "54000" // program_limit_exceeded: a key of an index
	codeDiskFull     = "53100"
	codeTooMany      = "53300"
	codePassword     = "28P01"
	codeNoRole       = "28000"
	codeNoDatabase   = "3D000"
	codeNoPrivilege  = "42501"
	codeReadOnly     = "25006"
	codeNoTable      = "42P01"
	classConnection  = "08"
	classInterrupted = "57P"   // shut down, or starting
	codeIdle         = "25P03" // the server has ended a transaction it heard nothing of
)

func code(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// translate gives a violated constraint the domain's meaning.
func translate(err error) error {
	switch code(err) {
	case codeForeignKey:
		return fmt.Errorf("%w: a reference to what does not exist: %w", knowledge.ErrNotFound, err)
	case codeUnique:
		return fmt.Errorf("%w: %w", knowledge.ErrConflict, err)
	case codeCheck, codeNotNull, codeTooLong:
		return fmt.Errorf("%w: %w", knowledge.ErrInvalid, err)
	}
	return err
}

// explain adds what was being done, and for an error that a person can mend, how.
// Errors of pgx name the host and the role, never the password.
func explain(doing string, err error) error {
	if err == nil {
		return nil
	}
	if remedy, is := remedyOf(err); is != nil {
		return fmt.Errorf("%s: %w: %w", remedy, is, err)
	}
	if doing == "" {
		return err
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func remedyOf(err error) (remedy string, is error) {
	c := code(err)
	switch c {
	case codePassword, codeNoRole:
		return "PostgreSQL не пускает эту роль: проверьте роль и пароль в postgres.dsn", ErrRefused
	case codeNoDatabase:
		return "такой базы в PostgreSQL нет: создайте её или поправьте postgres.dsn", ErrNoDatabase
	case codeNoPrivilege:
		return "роли не хватает прав: выполните nastavnik migrate up с ролью-владельцем (postgres.owner), она выдаст права", ErrRefused
	case codeReadOnly:
		if inTransaction(err) {
			return "", nil // a mistake of the program
		}
	case codeNoTable:
		return "в базе PostgreSQL нет таблиц Наставника: выполните nastavnik migrate up", ErrOlder
	case codeDiskFull:
		return "на диске сервера PostgreSQL кончилось место: освободите его", ErrFull
	case codeTooMany:
		return "у сервера PostgreSQL кончились соединения: уменьшите postgres.pool или увеличьте max_connections", knowledge.ErrAway
	}
	if isAway(c, err) {
		return "PostgreSQL недоступен: проверьте, что сервер работает и адрес в postgres.dsn верен", knowledge.ErrAway
	}
	return "", nil
}

func inTransaction(err error) bool { return strings.Contains(err.Error(), "read-only transaction") }

// isAway tells errors of a connection that could not be made or has been lost.
func isAway(c string, err error) bool {
	if c == codeIdle || strings.HasPrefix(c, classConnection) || strings.HasPrefix(c, classInterrupted) {
		return true
	}
	if c != "" {
		return false
	}
	var refused *pgconn.ConnectError
	var broken *net.OpError
	return errors.Is(err, errSilent) || errors.As(err, &refused) || errors.As(err, &broken) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		strings.Contains(err.Error(), "conn closed") // pgx does not export this one
}
