package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
)

// maxPrepared bounds how many statements a connection keeps prepared. The program
// has some fifty; where there are more, all go and the frequent ones come back.
const maxPrepared = 128

// readers are the connections that read, each with its prepared statements: parsing
// a statement takes longer than most of what is read by one.
type readers struct {
	db   *sql.DB
	idle chan *reader // n of them; who takes one out reads
}

// reader is one connection that reads; conn is nil until it is needed.
type reader struct {
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
}

func newReaders(db *sql.DB, n int) *readers {
	r := &readers{db: db, idle: make(chan *reader, n)}
	for range n {
		r.idle <- &reader{}
	}
	return r
}

// view runs fn on one consistent state.
func (r *readers) view(ctx context.Context, fn func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var c *reader
	select {
	case c = <-r.idle:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { r.idle <- c }()
	err := c.view(ctx, r.db, fn)
	if code(err) != 0 || errors.Is(err, driver.ErrBadConn) {
		err = errors.Join(err, c.close()) // the next view has a fresh one
	}
	return err
}

// view does not end with ctx by itself: what runs in it looks at ctx.
func (c *reader) view(ctx context.Context, db *sql.DB, fn func(*conn) error) error {
	if c.conn == nil {
		var err error
		if c.conn, err = db.Conn(ctx); err != nil {
			return err
		}
		c.prepared = map[string]*sql.Stmt{}
	}
	tx, err := c.conn.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // it has only read
	if len(c.prepared) > maxPrepared {
		if err := c.forget(); err != nil {
			return err
		}
	}
	return fn(&conn{on: c.conn, prepared: c.prepared})
}

// forget closes the prepared statements.
func (c *reader) forget() error {
	var all []error
	for query, s := range c.prepared {
		all = append(all, s.Close())
		delete(c.prepared, query)
	}
	return errors.Join(all...)
}

// close closes the connection; the next view opens another.
func (c *reader) close() error {
	if c.conn == nil {
		return nil
	}
	err := c.forget()
	if closed := c.conn.Close(); !errors.Is(closed, sql.ErrConnDone) { // database/sql closes a bad one itself
		err = errors.Join(err, closed)
	}
	c.conn = nil
	return err
}

// close waits for what is running and closes the connections. A view afterwards
// fails.
func (r *readers) close() error {
	var all []error
	for range cap(r.idle) {
		all = append(all, (<-r.idle).close())
	}
	all = append(all, r.db.Close())
	for range cap(r.idle) {
		r.idle <- &reader{}
	}
	return errors.Join(all...)
}
