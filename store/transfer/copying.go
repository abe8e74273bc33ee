package transfer

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// copying is one run of Copy.
type copying struct {
	from, to database
	o        Options
	pairs    []pair
	r        Report
}

func (c *copying) run(ctx context.Context) (Report, error) {
	var err error
	if c.pairs, err = plan(ctx, c.from, c.to); err != nil {
		return c.r, err
	}
	targets := make([]table, len(c.pairs))
	for i, p := range c.pairs {
		targets[i] = p.to
	}
	if err := c.to.fit(ctx, targets); err != nil {
		return c.r, err
	}
	// One state of the source, from the first row to the last comparison.
	err = c.from.read(ctx, func(source reader) error {
		if err := c.begin(ctx, source); err != nil {
			return err
		}
		if err := c.copyTables(ctx, source); err != nil {
			return err
		}
		if err := c.copyQueue(ctx, source); err != nil {
			return err
		}
		if err := c.copyFiles(ctx, source); err != nil {
			return err
		}
		if err := c.verify(ctx, source); err != nil {
			return err
		}
		return c.finish(ctx)
	})
	return c.r, err
}

// copyFiles has the contents copied that the attachments name.
func (c *copying) copyFiles(ctx context.Context, source reader) error {
	i := slices.IndexFunc(c.pairs, func(p pair) bool { return p.name == "attachments" })
	if c.o.Files == nil || i < 0 {
		return nil
	}
	column := slices.IndexFunc(c.pairs[i].from.columns, func(c column) bool { return c.name == "content" })
	if column < 0 {
		return errors.New("attachments name no contents")
	}
	var keys []string
	err := source.rows(ctx, c.pairs[i].from, nil, 0, func(row []any) error {
		key, ok := row[column].(string)
		if !ok {
			return fmt.Errorf("the key of a content is %T", row[column])
		}
		keys = append(keys, key)
		return nil
	})
	if err != nil {
		return err
	}
	slices.Sort(keys)
	return c.o.Files(ctx, slices.Compact(keys))
}

// begin notes that the copy has begun, unless it has before.
func (c *copying) begin(ctx context.Context, source reader) error {
	id, err := source.identity(ctx)
	if err != nil {
		return err
	}
	return c.to.write(ctx, func(w writer) error {
		n, begun, err := w.noted(ctx, whole)
		switch {
		case err != nil:
			return err
		case begun && n.done != 0:
			return &DoneError{At: n.doneAt()}
		case begun && n.source != id:
			return fmt.Errorf("в целевой базе незаконченная копия другого источника: создайте новую базу или начните заново (--again): %w", ErrOtherSource)
		case begun:
			c.r.Resumed = true
			return nil
		}
		if err := c.empty(ctx, w); err != nil {
			return err
		}
		return w.note(ctx, note{name: whole, source: id})
	})
}

// empty refuses a target in which there is anything.
func (c *copying) empty(ctx context.Context, w writer) error {
	for _, p := range c.pairs {
		n, err := w.count(ctx, p.to)
		if err != nil {
			return err
		}
		if n > 0 {
			return fmt.Errorf("целевая база не пуста (в таблице %s строк: %d), а копировать можно только в новую: создайте другую и выполните на ней nastavnik migrate up: %w", p.name, n, ErrNotEmpty)
		}
	}
	jobs, index, err := w.pending(ctx)
	if err == nil && len(jobs)+len(index) > 0 {
		err = fmt.Errorf("целевая база не пуста (в очереди есть задания), а копировать можно только в новую: создайте другую и выполните на ней nastavnik migrate up: %w", ErrNotEmpty)
	}
	return err
}

func (c *copying) copyTables(ctx context.Context, source reader) error {
	total := int64(0)
	for _, p := range c.pairs {
		n, err := source.count(ctx, p.from)
		if err != nil {
			return err
		}
		total += n
	}
	done := int64(0)
	for _, p := range c.pairs {
		before := done
		added, err := c.copyTable(ctx, source, p, func(copied int64) {
			done = before + copied
			c.o.Progress(Copying, done, total)
		})
		if err != nil {
			return fmt.Errorf("table %s: %w", p.name, err)
		}
		c.r.Tables = append(c.r.Tables, TableReport{Name: p.name, New: added})
	}
	return nil
}

// copyTable copies the rows of a table that have not come yet, and returns how many
// those were.
func (c *copying) copyTable(ctx context.Context, source reader, p pair, progress func(copied int64)) (added int64, err error) {
	var n note
	if err := c.to.read(ctx, func(r reader) error {
		n, _, err = r.noted(ctx, p.name)
		return err
	}); err != nil {
		return 0, err
	}
	n.name = p.name
	progress(n.copied)
	for n.done == 0 {
		rows, last, err := c.next(ctx, source, p, n)
		if err != nil {
			return added, err
		}
		if len(rows) == 0 {
			n.done = c.o.Now().UnixMilli()
		} else {
			n.last, n.copied = last, n.copied+int64(len(rows))
		}
		if err := c.to.write(ctx, func(w writer) error {
			return c.store(ctx, source, w, portion{pair: p, rows: rows, note: n})
		}); err != nil {
			return added, err
		}
		added += int64(len(rows))
		progress(n.copied)
	}
	return added, nil
}

// portion is what goes in one transaction: rows, and how far the table is with them.
type portion struct {
	pair
	rows [][]any
	note note
}

// next reads the next rows of a table and the key of the last of them.
func (c *copying) next(ctx context.Context, source reader, p pair, n note) (rows [][]any, last string, err error) {
	var after []any
	if n.last != "" {
		if after, err = decodeKey(n.last, p.from.keyColumns()); err != nil {
			return nil, "", err
		}
	}
	filled := 0
	err = source.rows(ctx, p.from, after, c.o.Portion, func(row []any) error {
		if filled >= portionBytes {
			return errEnough
		}
		filled += size(row)
		last, err = encodeKey(p.from.keyOf(row))
		c.r.Cleaned += cleaned(row)
		rows = append(rows, row)
		return err
	})
	return rows, last, err
}

// store writes a portion, and in the end from where on the table is numbered.
func (c *copying) store(ctx context.Context, source reader, w writer, p portion) error {
	n := p.note
	if len(p.rows) > 0 {
		if err := w.insert(ctx, p.to, p.rows); err != nil {
			return err
		}
	}
	if n.done != 0 && p.to.sequence != "" && p.from.sequence != "" {
		// Numbers of rows that are gone must not be given again: they stand in keys.
		last, err := source.last(ctx, p.from)
		if err != nil {
			return err
		}
		if err := w.number(ctx, p.to, last); err != nil {
			return err
		}
	}
	return w.note(ctx, n)
}

// copyQueue stores anew the late work that is not done, all at once.
func (c *copying) copyQueue(ctx context.Context, source reader) error {
	jobs, index, err := source.pending(ctx)
	if err != nil {
		return err
	}
	c.r.Jobs, c.r.Index = len(jobs), len(index)
	return c.to.write(ctx, func(w writer) error {
		n, noted, err := w.noted(ctx, queue)
		if err != nil || noted && n.done != 0 {
			return err
		}
		if err := w.schedule(ctx, slices.Clone(jobs), index); err != nil {
			return err
		}
		return w.note(ctx, note{name: queue, copied: int64(len(jobs) + len(index)), done: c.o.Now().UnixMilli()})
	})
}

// finish notes that all is there.
func (c *copying) finish(ctx context.Context) error {
	return c.to.write(ctx, func(w writer) error {
		n, _, err := w.noted(ctx, whole)
		if err != nil {
			return err
		}
		n.done, n.copied = c.o.Now().UnixMilli(), c.r.Rows()
		return w.note(ctx, n)
	})
}
