package transfer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/store/late"
	"github.com/nastavnik-bot/nastavnik/store/postgres"
)

// Postgres opens a PostgreSQL database for a copy, as the role that owns its tables:
// only that one may set from where on rows are numbered. Until Close nobody else
// writes to it; the error wraps knowledge.ErrConflict when a bot works on it. The
// schema must be this program's, see postgres.Open.
func Postgres(ctx context.Context, dsn string, q *late.PostgresQueue) (*Base, error) {
	const connections = 2
	s, err := postgres.Open(ctx, postgres.Options{DSN: dsn, Pool: connections, Queue: q})
	if err != nil {
		return nil, err
	}
	c, err := s.Alone(ctx)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &Base{db: &postgresBase{store: s, conn: c, queue: q}}, nil
}

type postgresBase struct {
	store *postgres.Store
	conn  *pgx.Conn // holds the lock of who writes
	queue *late.PostgresQueue
}

func (b *postgresBase) close() error {
	return errors.Join(b.conn.Close(context.Background()), b.store.Close())
}

func (b *postgresBase) explain(err error) error { return postgres.Explain("copy", err) }

func (b *postgresBase) read(ctx context.Context, fn func(reader) error) error {
	return b.inTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(t *postgresTx) error { return fn(t) })
}

func (b *postgresBase) write(ctx context.Context, fn func(writer) error) error {
	return b.inTx(ctx, pgx.TxOptions{}, func(t *postgresTx) error { return fn(t) })
}

func (b *postgresBase) inTx(ctx context.Context, o pgx.TxOptions, fn func(*postgresTx) error) error {
	tx, err := b.conn.BeginTx(ctx, o)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // after a commit there is nothing to roll back, and else the error is fn's
	if err := fn(&postgresTx{tx: tx, queue: b.queue}); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// fit makes sure of the rights before hours of copying.
func (b *postgresBase) fit(ctx context.Context, tables []table) error {
	for _, t := range tables {
		if t.sequence == "" {
			continue
		}
		var may bool
		err := b.conn.QueryRow(ctx, `SELECT has_sequence_privilege(pg_get_serial_sequence($1, $2), 'UPDATE')`, quoted(t.name), t.sequence).Scan(&may)
		if err != nil {
			return err
		}
		if !may {
			return fmt.Errorf("копирует роль-владелец таблиц, а не та, под которой работает бот: назовите её адрес (тот же, что в postgres.owner): %w", postgres.ErrRefused)
		}
	}
	return nil
}

func (b *postgresBase) tables(ctx context.Context) ([]table, error) {
	rows, err := b.conn.Query(ctx, `SELECT c.relname, COALESCE((SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attidentity <> '' AND NOT a.attisdropped), ''),
			ARRAY(SELECT DISTINCT confrelid::regclass::text FROM pg_constraint WHERE conrelid = c.oid AND contype = 'f'),
			ARRAY(SELECT a.attname::text FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS k(attnum, place), pg_attribute a
				WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid AND a.attnum = k.attnum ORDER BY k.place)
		FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') ORDER BY c.relname`)
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (t table, err error) {
		err = r.Scan(&t.name, &t.sequence, &t.refs, &t.key)
		return t, err
	})
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(t table) bool { return !ours(t.name) })
	for i := range all {
		if len(all[i].key) == 0 {
			return nil, differ("у таблицы %s нет первичного ключа", all[i].name)
		}
		if all[i].columns, err = b.columns(ctx, all[i].name); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (b *postgresBase) columns(ctx context.Context, of string) ([]column, error) {
	rows, err := b.conn.Query(ctx, `SELECT a.attname, format_type(a.atttypid, NULL), COALESCE(c.collname NOT IN ('C', 'POSIX'), FALSE)
		FROM pg_attribute a LEFT JOIN pg_collation c ON c.oid = a.attcollation
		WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`, quoted(of))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(r pgx.CollectableRow) (c column, err error) {
		var declared string
		if err := r.Scan(&c.name, &declared, &c.collate); err != nil {
			return c, err
		}
		var ok bool
		c.kind, ok = map[string]kind{
			"bigint": integers, "integer": integers, "smallint": integers, "double precision": reals, "text": texts, "bytea": blobs,
		}[declared]
		if !ok {
			return c, differ("столбец %s.%s неизвестного типа %s", of, c.name, declared)
		}
		return c, nil
	})
}

// postgresTx is a transaction on PostgreSQL.
type postgresTx struct {
	tx    pgx.Tx
	queue *late.PostgresQueue
}

func (t *postgresTx) rows(ctx context.Context, from table, after []any, limit int, fn func([]any) error) error {
	r, err := t.tx.Query(ctx, from.selection(after != nil, limit, func(n int) string { return fmt.Sprintf("$%d", n) }), after...)
	if err != nil {
		return err
	}
	defer r.Close()
	for r.Next() {
		row, err := r.Values()
		if err != nil {
			return err
		}
		for i, c := range from.columns {
			if row[i], err = normal(c.kind, row[i]); err != nil {
				return err
			}
		}
		if err := fn(row); errors.Is(err, errEnough) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return r.Err()
}

func (t *postgresTx) count(ctx context.Context, of table) (n int64, err error) {
	err = t.tx.QueryRow(ctx, `SELECT COUNT(*) FROM `+quoted(of.name)).Scan(&n)
	return n, err
}

func (t *postgresTx) last(ctx context.Context, of table) (n int64, err error) {
	var sequence string
	if err := t.tx.QueryRow(ctx, `SELECT pg_get_serial_sequence($1, $2)`, quoted(of.name), of.sequence).Scan(&sequence); err != nil {
		return 0, err
	}
	err = t.tx.QueryRow(ctx, `SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM `+sequence).Scan(&n) // it comes quoted
	return n, err
}

func (t *postgresTx) pending(ctx context.Context) ([]bot.Job, []string, error) {
	return t.queue.Pending(ctx, t.tx)
}

func (t *postgresTx) identity(ctx context.Context) (s string, err error) {
	err = t.tx.QueryRow(ctx, `SELECT (SELECT string_agg(version_id || ' ' || tstamp, '; ' ORDER BY id) FROM goose_db_version)
		|| '; ' || COALESCE((SELECT key FROM inbox ORDER BY id LIMIT 1), '')`).Scan(&s)
	return hashed(s), err
}

func (t *postgresTx) noted(ctx context.Context, name string) (note, bool, error) {
	n := note{name: name}
	err := t.tx.QueryRow(ctx, `SELECT source, last, copied, done FROM transfers WHERE name = $1`, name).Scan(&n.source, &n.last, &n.copied, &n.done)
	if errors.Is(err, pgx.ErrNoRows) {
		return n, false, nil
	}
	return n, err == nil, err
}

func (t *postgresTx) insert(ctx context.Context, to table, rows [][]any) error {
	names := make([]string, len(to.columns))
	for i, c := range to.columns {
		names[i] = c.name
	}
	_, err := t.tx.CopyFrom(ctx, pgx.Identifier{to.name}, names, pgx.CopyFromRows(rows))
	return err
}

func (t *postgresTx) schedule(ctx context.Context, jobs []bot.Job, index []string) error {
	return t.queue.Insert(ctx, t.tx, jobs, index)
}

// number never lets the sequence fall behind the rows that are there.
func (t *postgresTx) number(ctx context.Context, of table, n int64) error {
	var most int64
	err := t.tx.QueryRow(ctx, `SELECT COALESCE(MAX(`+quoted(of.sequence)+`), 0) FROM `+quoted(of.name)).Scan(&most)
	if err != nil {
		return err
	}
	if n = max(n, most); n < 1 {
		return nil
	}
	_, err = t.tx.Exec(ctx, `SELECT setval(pg_get_serial_sequence($1, $2), $3)`, quoted(of.name), of.sequence, n)
	return err
}

func (t *postgresTx) note(ctx context.Context, n note) error {
	_, err := t.tx.Exec(ctx, `INSERT INTO transfers (name, source, last, copied, done) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (name) DO UPDATE SET source = excluded.source, last = excluded.last, copied = excluded.copied, done = excluded.done`,
		n.name, n.source, n.last, n.copied, n.done)
	return err
}

func (t *postgresTx) clear(ctx context.Context, name string) error {
	_, err := t.tx.Exec(ctx, `DELETE FROM `+quoted(name))
	return err
}

func (t *postgresTx) forget(ctx context.Context) error {
	_, err := t.tx.Exec(ctx, strings.Join([]string{`DELETE FROM transfers`, `DELETE FROM river_job`}, "; "))
	return err
}
