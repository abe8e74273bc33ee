package postgres

import (
	"context"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/nastavnik-bot/nastavnik/store/record"
)

// dollars remembers the shared statements in PostgreSQL's form. There are some
// hundred of them.
type dollars struct{ known sync.Map }

func (d *dollars) of(query string) string {
	if q, ok := d.known.Load(query); ok {
		return q.(string)
	}
	q := record.Dollar(query)
	d.known.Store(query, q)
	return q
}

// conn runs the SQL of package record in a transaction. pgx prepares each
// statement once for a connection.
type conn struct {
	tx      pgx.Tx
	dollars *dollars
}

var _ record.Conn = (*conn)(nil)

// Exec implements record.Conn.
func (c *conn) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	tag, err := c.tx.Exec(ctx, c.dollars.of(query), clean(args)...)
	if err != nil {
		return 0, translate(err)
	}
	return tag.RowsAffected(), nil
}

// Query implements record.Conn.
func (c *conn) Query(ctx context.Context, query string, args ...any) (record.Rows, error) {
	r, err := c.tx.Query(ctx, c.dollars.of(query), clean(args)...) //nolint:sqlclosecheck // package record closes it
	if err != nil {
		return nil, translate(err)
	}
	return rows{r}, nil
}

// clean takes out of texts what PostgreSQL cannot store, and SQLite can: zero
// bytes, and bytes that are no UTF-8. Nobody has typed them on purpose.
func clean(args []any) []any {
	for i, a := range args {
		if s, ok := a.(string); ok && strings.ContainsAny(s, "\x00\uFFFD") {
			args[i] = strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
		}
	}
	return args
}

// rows translates the error of a statement that fails midway.
type rows struct{ pgx.Rows }

// Err implements record.Rows.
func (r rows) Err() error { return translate(r.Rows.Err()) }

// Close implements record.Rows.
func (r rows) Close() error {
	r.Rows.Close()
	return nil
}
