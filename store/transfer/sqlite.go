package transfer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/store/late"
	"github.com/nastavnik-bot/nastavnik/store/lock"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
)

// SQLite opens a data folder for a copy. It takes the bot's lock, so that no bot works
// on it until Close; the error is a *lock.HeldError when one does. A schema that is
// older is brought up to date, as by any command.
func SQLite(ctx context.Context, dir string, q *late.SQLiteQueue, holder lock.Holder) (*Base, error) {
	s, err := sqlite.Open(ctx, sqlite.Options{Dir: dir, Queue: q})
	if err != nil {
		return nil, err
	}
	l, err := lock.Acquire(dir, holder)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &Base{db: &sqliteBase{store: s, lock: l, queue: q}}, nil
}

type sqliteBase struct {
	store *sqlite.Store
	lock  *lock.Lock
	queue *late.SQLiteQueue
}

func (b *sqliteBase) close() error { return errors.Join(b.store.Close(), b.lock.Release()) }

func (b *sqliteBase) explain(err error) error { return err }

func (b *sqliteBase) fit(context.Context, []table) error { return nil }

// read holds up everybody who writes, on purpose: what they write would not be copied.
func (b *sqliteBase) read(ctx context.Context, fn func(reader) error) error {
	return b.inTx(ctx, func(t *sqliteTx) error { return fn(t) })
}

func (b *sqliteBase) write(ctx context.Context, fn func(writer) error) error {
	return b.inTx(ctx, func(t *sqliteTx) error { return fn(t) })
}

func (b *sqliteBase) inTx(ctx context.Context, fn func(*sqliteTx) error) error {
	tx, err := b.store.WriteDB().BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back, and else the error is fn's
	if err := fn(&sqliteTx{tx: tx, queue: b.queue}); err != nil {
		return err
	}
	return tx.Commit()
}

func (b *sqliteBase) tables(ctx context.Context) ([]table, error) {
	db := b.store.WriteDB()
	var out []table
	err := each(ctx, db, func(r *sql.Rows) error {
		var t table
		var numbered bool
		if err := r.Scan(&t.name, &numbered); err != nil {
			return err
		}
		if numbered {
			t.sequence = "?" // its key, which is not known yet
		}
		if ours(t.name) {
			out = append(out, t)
		}
		return nil
	}, `SELECT name, instr(upper(sql), 'AUTOINCREMENT') > 0 FROM sqlite_schema WHERE type = 'table' ORDER BY name`)
	if err != nil {
		return nil, err
	}
	for i := range out {
		if err := describe(ctx, db, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// describe fills in a table's columns, key and references.
func describe(ctx context.Context, db *sql.DB, t *table) error {
	key := map[int]string{}
	err := each(ctx, db, func(r *sql.Rows) error {
		var name, declared string
		var inKey int
		if err := r.Scan(&name, &declared, &inKey); err != nil {
			return err
		}
		k, ok := map[string]kind{"INTEGER": integers, "REAL": reals, "TEXT": texts, "BLOB": blobs}[strings.ToUpper(declared)]
		if !ok {
			return differ("столбец %s.%s неизвестного типа %s", t.name, name, declared)
		}
		if inKey > 0 {
			key[inKey] = name
		}
		t.columns = append(t.columns, column{name: name, kind: k})
		return nil
	}, `SELECT name, type, pk FROM pragma_table_info(?) ORDER BY cid`, t.name)
	if err != nil {
		return err
	}
	if len(key) == 0 {
		return differ("у таблицы %s нет первичного ключа", t.name)
	}
	for i := 1; i <= len(key); i++ {
		t.key = append(t.key, key[i])
	}
	if t.sequence != "" {
		t.sequence = t.key[0]
	}
	return each(ctx, db, func(r *sql.Rows) error {
		var ref string
		err := r.Scan(&ref)
		t.refs = append(t.refs, ref)
		return err
	}, `SELECT DISTINCT "table" FROM pragma_foreign_key_list(?)`, t.name)
}

// each calls fn for every row of a query.
func each(ctx context.Context, on interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}, fn func(*sql.Rows) error, query string, args ...any) error {
	r, err := on.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	for r.Next() {
		if err := fn(r); err != nil {
			return err
		}
	}
	return r.Err()
}

// sqliteTx is a transaction on the embedded database.
type sqliteTx struct {
	tx    *sql.Tx
	queue *late.SQLiteQueue
}

func (t *sqliteTx) rows(ctx context.Context, from table, after []any, limit int, fn func([]any) error) error {
	values, to := make([]any, len(from.columns)), make([]any, len(from.columns))
	for i := range values {
		to[i] = &values[i]
	}
	err := each(ctx, t.tx, func(r *sql.Rows) error {
		if err := r.Scan(to...); err != nil {
			return err
		}
		row := make([]any, len(values))
		for i, c := range from.columns {
			var err error
			if row[i], err = normal(c.kind, values[i]); err != nil {
				return err
			}
		}
		return fn(row)
	}, from.selection(after != nil, limit, func(int) string { return "?" }), after...)
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

func (t *sqliteTx) count(ctx context.Context, of table) (n int64, err error) {
	err = t.tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM `+quoted(of.name)).Scan(&n)
	return n, err
}

func (t *sqliteTx) last(ctx context.Context, of table) (n int64, err error) {
	err = t.tx.QueryRowContext(ctx, `SELECT COALESCE((SELECT seq FROM sqlite_sequence WHERE name = ?), 0)`, of.name).Scan(&n)
	return n, err
}

func (t *sqliteTx) pending(ctx context.Context) ([]bot.Job, []string, error) {
	return t.queue.Pending(ctx, t.tx)
}

func (t *sqliteTx) identity(ctx context.Context) (s string, err error) {
	err = t.tx.QueryRowContext(ctx, `SELECT (SELECT group_concat(version_id || ' ' || tstamp, '; ') FROM (SELECT version_id, tstamp FROM goose_db_version ORDER BY id))
		|| '; ' || COALESCE((SELECT key FROM inbox ORDER BY id LIMIT 1), '')`).Scan(&s)
	return hashed(s), err
}

func (t *sqliteTx) noted(ctx context.Context, name string) (note, bool, error) {
	n := note{name: name}
	err := t.tx.QueryRowContext(ctx, `SELECT source, last, copied, done FROM transfers WHERE name = ?`, name).Scan(&n.source, &n.last, &n.copied, &n.done)
	if errors.Is(err, sql.ErrNoRows) {
		return n, false, nil
	}
	return n, err == nil, err
}

func (t *sqliteTx) insert(ctx context.Context, to table, rows [][]any) error {
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(to.columns)), ", ")
	s, err := t.tx.PrepareContext(ctx, `INSERT INTO `+quoted(to.name)+` (`+strings.Join(to.names(), ", ")+`) VALUES (`+marks+`)`) //nolint:gosec // names of the catalogue
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	for _, row := range rows {
		if _, err := s.ExecContext(ctx, row...); err != nil {
			return err
		}
	}
	return nil
}

func (t *sqliteTx) schedule(ctx context.Context, jobs []bot.Job, index []string) error {
	return t.queue.Insert(ctx, t.tx, jobs, index)
}

func (t *sqliteTx) number(ctx context.Context, of table, n int64) error {
	last, err := t.last(ctx, of)
	if err != nil || last >= n {
		return err
	}
	if _, err := t.tx.ExecContext(ctx, `DELETE FROM sqlite_sequence WHERE name = ?`, of.name); err != nil {
		return err
	}
	_, err = t.tx.ExecContext(ctx, `INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)`, of.name, n)
	return err
}

func (t *sqliteTx) note(ctx context.Context, n note) error {
	_, err := t.tx.ExecContext(ctx, `INSERT INTO transfers (name, source, last, copied, done) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET source = excluded.source, last = excluded.last, copied = excluded.copied, done = excluded.done`,
		n.name, n.source, n.last, n.copied, n.done)
	return err
}

func (t *sqliteTx) clear(ctx context.Context, name string) error {
	_, err := t.tx.ExecContext(ctx, `DELETE FROM `+quoted(name)) //nolint:gosec // a name of the catalogue
	return err
}

func (t *sqliteTx) forget(ctx context.Context) error {
	if _, err := t.tx.ExecContext(ctx, `DELETE FROM transfers`); err != nil {
		return err
	}
	_, err := t.tx.ExecContext(ctx, `DELETE FROM river_job`)
	return err
}
