package transfer

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// kind is what a column holds, on every database.
type kind int

const (
	integers kind = iota + 1
	reals
	texts
	blobs
)

// column is a column as the catalogue has it.
type column struct {
	name    string
	kind    kind
	collate bool // its order has to be asked for to be that of its bytes
}

// table is a table as the catalogue has it.
type table struct {
	name     string
	columns  []column
	key      []string // the columns of the primary key, in its order
	refs     []string // the tables that it refers to
	sequence string   // the column that is numbered by the database, "" for none
}

// keyOf returns the values of the primary key in a row.
func (t table) keyOf(row []any) []any {
	out := make([]any, len(t.key))
	for i, name := range t.key {
		out[i] = row[slices.IndexFunc(t.columns, func(c column) bool { return c.name == name })]
	}
	return out
}

func (t table) keyColumns() []column {
	out := make([]column, len(t.key))
	for i, name := range t.key {
		out[i] = t.columns[slices.IndexFunc(t.columns, func(c column) bool { return c.name == name })]
	}
	return out
}

// selection is the statement that reads a table in the order of its key, after a key
// when that is wanted. mark writes the placeholder of a number.
func (t table) selection(after bool, limit int, mark func(n int) string) string {
	var key, marks []string
	for i, c := range t.keyColumns() {
		name := quoted(c.name)
		if c.collate {
			name += ` COLLATE "C"`
		}
		key, marks = append(key, name), append(marks, mark(i+1))
	}
	q := "SELECT " + strings.Join(t.names(), ", ") + " FROM " + quoted(t.name)
	if after {
		q += " WHERE (" + strings.Join(key, ", ") + ") > (" + strings.Join(marks, ", ") + ")"
	}
	q += " ORDER BY " + strings.Join(key, ", ")
	if limit > 0 {
		q += fmt.Sprintf(" LIMIT %d", limit)
	}
	return q
}

func (t table) names() []string {
	out := make([]string, len(t.columns))
	for i, c := range t.columns {
		out[i] = quoted(c.name)
	}
	return out
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// ours reports whether a table is copied as it is. The migrations' own and the queue's
// are not: late work is read and stored anew.
func ours(name string) bool {
	return name != "goose_db_version" && name != "transfers" && !strings.HasPrefix(name, "river_") && !strings.HasPrefix(name, "sqlite_")
}

// plan returns the tables as the source has them, those first that others refer to,
// when the target has the same.
func plan(ctx context.Context, from, to database) ([]pair, error) {
	source, err := from.tables(ctx)
	if err != nil {
		return nil, err
	}
	target, err := to.tables(ctx)
	if err != nil {
		return nil, err
	}
	var pairs []pair
	for _, s := range source {
		i := slices.IndexFunc(target, func(t table) bool { return t.name == s.name })
		if i < 0 {
			return nil, differ("таблица %s есть только в источнике", s.name)
		}
		there, err := aligned(s, target[i])
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, pair{name: s.name, from: s, to: there})
		target = slices.Delete(target, i, i+1)
	}
	if len(target) > 0 {
		return nil, differ("таблица %s есть только в целевой базе", target[0].name)
	}
	return ordered(pairs)
}

// pair is one table on both sides, with the same columns in the same order.
type pair struct {
	name     string
	from, to table
}

func differ(format string, args ...any) error {
	return fmt.Errorf("схемы баз различаются: %s; обе должны быть приведены к этой версии программы (nastavnik migrate up): %w", fmt.Sprintf(format, args...), ErrSchemas)
}

// aligned returns the target's table with its columns in the source's order.
func aligned(source, target table) (table, error) {
	if !slices.Equal(source.key, target.key) {
		return target, differ("у таблицы %s разные ключи", source.name)
	}
	columns := make([]column, 0, len(source.columns))
	for _, c := range source.columns {
		i := slices.IndexFunc(target.columns, func(t column) bool { return t.name == c.name })
		switch {
		case i < 0:
			return target, differ("столбец %s.%s есть только в источнике", source.name, c.name)
		case target.columns[i].kind != c.kind:
			return target, differ("столбец %s.%s разного типа", source.name, c.name)
		}
		columns = append(columns, target.columns[i])
	}
	if len(columns) != len(target.columns) {
		return target, differ("в таблице %s целевой базы есть лишний столбец", source.name)
	}
	target.columns = columns
	return target, nil
}

// ordered puts tables behind those that they refer to.
func ordered(pairs []pair) ([]pair, error) {
	var out []pair
	placed := map[string]bool{}
	for len(out) < len(pairs) {
		before := len(out)
		for _, p := range pairs {
			waits := slices.ContainsFunc(append(slices.Clone(p.from.refs), p.to.refs...), func(r string) bool { return r != p.name && !placed[r] })
			if !placed[p.name] && !waits {
				placed[p.name] = true
				out = append(out, p)
			}
		}
		if len(out) == before {
			return nil, differ("таблицы ссылаются друг на друга по кругу")
		}
	}
	return out, nil
}
