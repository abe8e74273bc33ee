package record

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// chunk is how many ids are bound to one statement at most. SQLite allows
// 32,766 and PostgreSQL 65,535; a few hundred are as fast.
const chunk = 512

// Dollar rewrites "?" placeholders to PostgreSQL's $1, $2, … The SQL of this
// package has no other question marks.
func Dollar(query string) string {
	var b strings.Builder
	n := 0
	for {
		before, after, found := strings.Cut(query, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		n++
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
		query = after
	}
}

// list runs a query and scans every row.
func list[T any](ctx context.Context, c Conn, scan func(Rows) (T, error), query string, args ...any) ([]T, error) {
	rows, err := c.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			_ = rows.Close()
			return nil, err
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		_ = rows.Close()
		return nil, err
	}
	return out, rows.Close()
}

// one runs a query and scans its first row; without one the error is
// knowledge.ErrNotFound.
func one[T any](ctx context.Context, c Conn, scan func(Rows) (T, error), query string, args ...any) (T, error) {
	all, err := list(ctx, c, scan, query, args...)
	if err == nil && len(all) == 0 {
		err = knowledge.ErrNotFound
	}
	if err != nil {
		var none T
		return none, err
	}
	return all[0], nil
}

func scanInt(r Rows) (n int64, err error) {
	err = r.Scan(&n)
	return n, err
}

func scanText(r Rows) (s string, err error) {
	err = r.Scan(&s)
	return s, err
}

// chunks calls fn for the values in portions that one statement can bind,
// together with the placeholders for them. Portions are filled up to powers of
// two by repeating the last value, which does not matter to IN, so that few
// different statements are prepared.
func chunks[T any](values []T, fn func(in string, args []any) error) error {
	for len(values) > 0 {
		n := min(len(values), chunk)
		size := 1
		for size < n {
			size *= 2
		}
		args := make([]any, size)
		for i := range args {
			args[i] = values[min(i, n-1)]
		}
		if err := fn("("+strings.Repeat("?, ", size-1)+"?)", args); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

// insertRows inserts rows in as few statements as their parameters allow: head is all
// before VALUES, tail what follows the rows. Statements hold powers of two of rows, so
// that few different ones are prepared.
func insertRows(ctx context.Context, c Conn, head string, rows [][]any, tail string) error {
	for size := chunk; len(rows) > 0; {
		for size > len(rows) {
			size /= 2
		}
		row := "(" + strings.Repeat("?, ", len(rows[0])-1) + "?)"
		query := head + " VALUES " + strings.Repeat(row+", ", size-1) + row + " " + tail
		if _, err := c.Exec(ctx, query, slices.Concat(rows[:size]...)...); err != nil {
			return err
		}
		rows = rows[size:]
	}
	return nil
}

// where collects the conditions of a query.
type where struct {
	conditions []string
	args       []any
}

func (w *where) add(condition string, args ...any) {
	w.conditions = append(w.conditions, condition)
	w.args = append(w.args, args...)
}

func (w *where) String() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conditions, " AND ")
}

// limit returns the clause for at most n rows, 0 for all of them.
func (w *where) limit(n int) string {
	if n <= 0 {
		return ""
	}
	w.args = append(w.args, n)
	return " LIMIT ?"
}

// millis stores a time; the zero time is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// moment is the inverse of millis, in UTC.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// truth reads what bit has stored.
type truth bool

// Scan implements sql.Scanner.
func (t *truth) Scan(src any) error {
	n, ok := src.(int64)
	if !ok {
		return fmt.Errorf("truth of %T: %w", src, knowledge.ErrInvalid)
	}
	*t = n != 0
	return nil
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// longFold is from how many bytes on a folded text is kept by its beginning and
// its digest: PostgreSQL refuses keys of over 2,704 bytes, and people paste pages.
const longFold = 512

// foldOf is what a text is compared by: knowledge.FoldText, as a key of a table.
func foldOf(text string) string {
	fold := knowledge.FoldText(text)
	if len(fold) <= longFold {
		return fold
	}
	sum := sha256.Sum256([]byte(fold))
	return strings.ToValidUTF8(fold[:longFold/2], "") + " #" + hex.EncodeToString(sum[:])
}
