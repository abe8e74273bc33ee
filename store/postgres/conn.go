package postgres

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nastavnik-bot/nastavnik/bot"
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
	within  time.Duration // for each statement
}

var _ record.Conn = (*conn)(nil)

// Exec implements record.Conn.
func (c *conn) Exec(ctx context.Context, query string, args ...any) (changed int64, err error) {
	err = within(ctx, c.within, func(ctx context.Context) error {
		tag, err := c.tx.Exec(ctx, c.dollars.of(query), clean(args)...)
		changed = tag.RowsAffected()
		return err
	})
	return changed, translate(err)
}

// Query implements record.Conn.
func (c *conn) Query(ctx context.Context, query string, args ...any) (record.Rows, error) {
	limited, cancel := context.WithTimeout(ctx, c.within)
	r, err := c.tx.Query(limited, c.dollars.of(query), clean(args)...)
	if err != nil {
		cancel()
		return nil, translate(silence(ctx, limited, err))
	}
	return rows{r, func(err error) error { return silence(ctx, limited, err) }, cancel}, nil
}

// clean takes out of texts what PostgreSQL cannot store, and SQLite can: zero
// bytes, and bytes that are no UTF-8. Nobody has typed them on purpose.
func clean(args []any) []any {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = cleanText(s)
		}
	}
	return args
}

func cleanText[S ~string](s S) S {
	if !strings.ContainsAny(string(s), "\x00\uFFFD") { // an invalid byte counts as U+FFFD
		return s
	}
	return S(strings.ReplaceAll(strings.ToValidUTF8(string(s), ""), "\x00", ""))
}

// cleanLate does the same for late work, whose jobs are JSON: PostgreSQL's holds no
// zero byte either, not even escaped.
func cleanLate(jobs []bot.Job, index []string) ([]bot.Job, []string) {
	jobs, index = slices.Clone(jobs), slices.Clone(index)
	for i := range jobs {
		jobs[i].Drain = cleanText(jobs[i].Drain)
		if jobs[i].Event == nil {
			continue
		}
		e := *jobs[i].Event
		e.Key, e.Chat, e.Kind = cleanText(e.Key), cleanText(e.Chat), cleanText(e.Kind)
		f := &e.From
		f.Platform, f.External, f.Name, f.Chat = cleanText(f.Platform), cleanText(f.External), cleanText(f.Name), cleanText(f.Chat)
		jobs[i].Event = &e
	}
	for i := range index {
		index[i] = cleanText(index[i])
	}
	return jobs, index
}

// rows translates the error of a statement that fails midway.
type rows struct {
	pgx.Rows
	silence func(error) error
	cancel  context.CancelFunc
}

// Err implements record.Rows.
func (r rows) Err() error { return translate(r.silence(r.Rows.Err())) }

// Close implements record.Rows.
func (r rows) Close() error {
	r.Rows.Close()
	r.cancel()
	return nil
}
