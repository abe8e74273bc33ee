package milvus

import (
	"context"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/milvus-io/milvus-sdk-go/v2/entity"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

const (
	// batchBytes is the size of one write: servers take 4 MB or more.
	batchBytes = 2 << 20
	// pageRows is how many rows are read at once. Servers return up to 16,384.
	pageRows = 10_000
	// deleteKeys and queryQuestions are how many texts stand in one filter.
	deleteKeys, queryQuestions = 1_000, 200
)

// prepare checks vectors and leaves one for each key, the last: a server that is given
// two rows of one key in one write may keep both.
func (x *Index) prepare(ctx context.Context, vectors []knowledge.Vector) ([]knowledge.Vector, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	rows := make([]knowledge.Vector, 0, len(vectors))
	at := make(map[knowledge.VectorKey]int, len(vectors))
	for _, v := range vectors {
		if err := x.validVector(v); err != nil {
			return nil, fmt.Errorf("index %.40q of question %.40q: %w", v.Key, v.Question, err)
		}
		if i, ok := at[v.Key]; ok {
			rows[i] = v
			continue
		}
		at[v.Key] = len(rows)
		rows = append(rows, v)
	}
	return rows, nil
}

func (x *Index) validVector(v knowledge.Vector) error {
	if v.Key == "" {
		return fmt.Errorf("vector without a key: %w", knowledge.ErrInvalid)
	}
	for _, text := range []struct {
		name, value string
		limit       int
	}{{"key", string(v.Key), maxKey}, {"kind", string(v.Kind), maxKind}, {"question", v.Question, maxText}, {"topic", v.Topic, maxText}} {
		if len(text.value) > text.limit {
			return fmt.Errorf("%s of %d bytes, at most %d: %w", text.name, len(text.value), text.limit, knowledge.ErrInvalid)
		}
		if !utf8.ValidString(text.value) {
			return fmt.Errorf("%s is not UTF-8: %w", text.name, knowledge.ErrInvalid)
		}
	}
	return x.validValues(v.Values)
}

// validValues refuses vectors that cannot be compared.
func (x *Index) validValues(values []float32) error {
	if len(values) != x.o.Dim {
		return fmt.Errorf("vector of %d numbers in an index of %d: %w", len(values), x.o.Dim, knowledge.ErrInvalid)
	}
	for _, v := range values {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("vector with a number that is not finite: %w", knowledge.ErrInvalid)
		}
	}
	return nil
}

// upsert writes rows that prepare has returned, in batches.
func (c collection) upsert(ctx context.Context, rows []knowledge.Vector) error {
	for len(rows) > 0 {
		n, size := 0, 0
		for n < len(rows) && (n == 0 || size < batchBytes) {
			v := rows[n]
			size += 4*len(v.Values) + len(v.Key) + len(v.Kind) + len(v.Question) + len(v.Topic) + 8
			n++
		}
		columns := columnsOf(rows[:n], c.Dim)
		err := c.x.call(ctx, "write vectors", c.x.write(), func(ctx context.Context) error {
			_, err := c.x.client.Upsert(ctx, c.name, "", columns...)
			return err
		})
		if err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

func columnsOf(rows []knowledge.Vector, dim int) []entity.Column {
	keys, kinds := make([]string, len(rows)), make([]string, len(rows))
	questions, topics := make([]string, len(rows)), make([]string, len(rows))
	versions, values := make([]int64, len(rows)), make([][]float32, len(rows))
	for i, v := range rows {
		keys[i], kinds[i], questions[i], topics[i] = string(v.Key), string(v.Kind), v.Question, v.Topic
		versions[i], values[i] = v.Version, v.Values
	}
	return []entity.Column{
		entity.NewColumnVarChar(keyField, keys), entity.NewColumnVarChar(kindField, kinds),
		entity.NewColumnVarChar(questionField, questions), entity.NewColumnVarChar(topicField, topics),
		entity.NewColumnInt64(versionField, versions), entity.NewColumnFloatVector(valuesField, dim, values),
	}
}

// deleteQuestions asks for the keys first: a delete by question sees only what the
// server has digested, and would leave a row that was just written.
func (c collection) deleteQuestions(ctx context.Context, questions []string, keep []knowledge.VectorKey) error {
	kept := make(map[knowledge.VectorKey]bool, len(keep))
	for _, key := range keep {
		kept[key] = true
	}
	var gone []string
	for chunk := range slices.Chunk(questions, queryQuestions) {
		err := c.scan(ctx, in(questionField, chunk), []string{keyField}, func(page fields) error {
			for _, key := range page.texts(keyField) {
				if !kept[knowledge.VectorKey(key)] {
					gone = append(gone, key)
				}
			}
			return page.err
		})
		if err != nil {
			return err
		}
	}
	for chunk := range slices.Chunk(gone, deleteKeys) {
		err := c.x.call(ctx, "delete vectors", c.x.write(), func(ctx context.Context) error {
			return c.x.client.Delete(ctx, c.name, "", in(keyField, chunk))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (c collection) stamps(ctx context.Context) (map[knowledge.VectorKey]knowledge.Stamp, error) {
	stamps := map[knowledge.VectorKey]knowledge.Stamp{}
	err := c.scan(ctx, "", []string{keyField, questionField, versionField}, func(page fields) error {
		questions, versions := page.texts(questionField), page.numbers(versionField)
		for i, key := range page.texts(keyField) {
			if page.err != nil {
				break
			}
			stamps[knowledge.VectorKey(key)] = knowledge.Stamp{Question: questions[i], Version: versions[i]}
		}
		return page.err
	})
	if err != nil {
		return nil, err
	}
	return stamps, nil
}

// scan reads all rows that a filter lets through, "" for every row, page by page in the
// order of their keys: a server returns the rows of the smallest keys when there are
// more than it may return. It sees every write that has returned.
func (c collection) scan(ctx context.Context, filter string, names []string, each func(fields) error) error {
	last, more := "", true
	for more {
		expression := keyField + " > " + quote(last)
		if filter != "" {
			expression += " and " + filter
		}
		var rows client.ResultSet
		err := c.x.call(ctx, "read vectors", c.x.write(), func(ctx context.Context) (err error) {
			rows, err = c.x.client.Query(ctx, c.name, nil, expression, names,
				client.WithLimit(pageRows), client.WithSearchQueryConsistencyLevel(entity.ClStrong))
			return err
		})
		if err != nil {
			return err
		}
		if rows.Len() == 0 {
			return nil
		}
		page := fields{columns: rows, rows: rows.Len()}
		if err := each(page); err != nil {
			return err
		}
		page = fields{columns: rows, rows: rows.Len()}
		top := slices.Max(page.texts(keyField))
		if page.err != nil {
			return page.err
		}
		if top <= last {
			return fmt.Errorf("milvus returned rows up to %.40q as those after %.40q", top, last)
		}
		// Every page but the last is full.
		last, more = top, rows.Len() == pageRows
	}
	return nil
}

// count returns how many rows there are.
func (c collection) count(ctx context.Context) (int64, error) {
	const field = "count(*)"
	var rows client.ResultSet
	err := c.x.call(ctx, "count vectors", c.x.write(), func(ctx context.Context) (err error) {
		rows, err = c.x.client.Query(ctx, c.name, nil, "", []string{field}, client.WithSearchQueryConsistencyLevel(entity.ClStrong))
		return err
	})
	if err != nil {
		return 0, err
	}
	answer := fields{columns: rows, rows: 1}
	return answer.numbers(field)[0], answer.err
}

// fields are the columns of rows that a server returned. The first that is missing,
// or of another kind or length, stands in err.
type fields struct {
	columns client.ResultSet
	rows    int
	err     error
}

func (f *fields) texts(name string) []string {
	if c, ok := f.columns.GetColumn(name).(*entity.ColumnVarChar); ok && c.Len() == f.rows {
		return c.Data()
	}
	f.err = fmt.Errorf("milvus returned no %s", name)
	return make([]string, f.rows)
}

func (f *fields) numbers(name string) []int64 {
	if c, ok := f.columns.GetColumn(name).(*entity.ColumnInt64); ok && c.Len() == f.rows {
		return c.Data()
	}
	f.err = fmt.Errorf("milvus returned no %s", name)
	return make([]int64, f.rows)
}
