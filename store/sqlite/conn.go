package sqlite

import (
	"context"
	"database/sql"

	"github.com/nastavnik-bot/nastavnik/store/record"
)

// conn runs the SQL of package record in a transaction. A statement is prepared
// once for each transaction that writes, since an import runs the same few
// thousands of times, and once for a connection that reads.
//
// Between statements the context is looked at, and the transaction ends with it;
// a statement itself is not interrupted. The driver would start a goroutine for
// each to watch over microseconds.
type conn struct {
	on interface { // a *sql.Tx, or the *sql.Conn that it is on
		PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	}
	prepared map[string]*sql.Stmt // closed with what they are prepared on
}

var _ record.Conn = (*conn)(nil)

func newConn(tx *sql.Tx) *conn { return &conn{on: tx, prepared: map[string]*sql.Stmt{}} }

func (c *conn) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, ok := c.prepared[query]; ok {
		return s, nil
	}
	s, err := c.on.PrepareContext(ctx, query)
	if err != nil {
		return nil, translate(err)
	}
	c.prepared[query] = s
	return s, nil
}

// Exec implements record.Conn.
func (c *conn) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s, err := c.prepare(ctx, query) //nolint:sqlclosecheck // closed with what it is prepared on
	if err != nil {
		return 0, err
	}
	result, err := s.ExecContext(context.WithoutCancel(ctx), args...)
	if err != nil {
		return 0, translate(err)
	}
	return result.RowsAffected()
}

// Query implements record.Conn.
func (c *conn) Query(ctx context.Context, query string, args ...any) (record.Rows, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s, err := c.prepare(ctx, query) //nolint:sqlclosecheck // closed with what it is prepared on
	if err != nil {
		return nil, err
	}
	r, err := s.QueryContext(context.WithoutCancel(ctx), args...) //nolint:rowserrcheck // package record checks it
	if err != nil {
		return nil, translate(err)
	}
	return rows{r}, nil
}

// rows translates the error of a statement that fails midway.
type rows struct{ *sql.Rows }

// Err implements record.Rows.
func (r rows) Err() error { return translate(r.Rows.Err()) }
