package record

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Embeddings implements knowledge.EmbeddingTx.
func (t *Tx) Embeddings(ctx context.Context, model string, hashes []string) (map[string][]float32, error) {
	type row struct {
		hash   []byte
		vector foundVector
	}
	scan := func(r Rows) (e row, err error) {
		err = r.Scan(&e.hash, &e.vector)
		return e, err
	}
	out := make(map[string][]float32, len(hashes))
	keys := make([][]byte, len(hashes))
	for i, hash := range hashes {
		keys[i] = []byte(hash)
	}
	err := chunks(keys, func(in string, args []any) error {
		found, err := list(ctx, t.conn, scan, embeddingsOf(in), append(args, model)...)
		for _, e := range found {
			if e.vector != nil {
				out[string(e.hash)] = e.vector
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("embeddings of %s: %w", model, err)
	}
	return out, nil
}

// embeddingsOf is the query for the vectors of a model, after some hashes; those that
// are not there come without data. It looks each of them up by its key, whatever the
// planner thinks: PostgreSQL, before it has counted what is in a table, takes an IN of
// hundreds for all of it, and reads all of it each time; a start after an import of
// 10,000 questions took 16 s instead of 0.7 s. The first row, which is none, tells it the
// type of the others.
func embeddingsOf(in string) string {
	values := strings.NewReplacer("(", "", ")", "", "?", "(?)").Replace(in)
	return `WITH wanted (hash) AS (VALUES ((SELECT hash FROM embeddings WHERE 1 = 0)), ` + values + `)
		SELECT w.hash, (SELECT e.data FROM embeddings e WHERE e.model = ? AND e.hash = w.hash) FROM wanted w WHERE w.hash IS NOT NULL`
}

// foundVector is a vector that may be missing.
type foundVector vector

// Scan implements sql.Scanner.
func (v *foundVector) Scan(src any) error {
	if src == nil {
		*v = nil
		return nil
	}
	return (*vector)(v).Scan(src)
}

// PutEmbeddings implements knowledge.EmbeddingTx.
func (t *Tx) PutEmbeddings(ctx context.Context, model string, vectors map[string][]float32) error {
	rows := make([][]any, 0, len(vectors))
	for hash, v := range vectors {
		rows = append(rows, []any{model, []byte(hash), vector(v).bytes()})
	}
	err := insertRows(ctx, t.conn, `INSERT INTO embeddings (model, hash, data)`, rows, `ON CONFLICT (model, hash) DO UPDATE SET data = excluded.data`)
	if err != nil {
		return fmt.Errorf("put embeddings of %s: %w", model, err)
	}
	return nil
}

// vector is stored as little-endian float32, 4 bytes a number.
type vector []float32

func (v vector) bytes() []byte {
	out := make([]byte, 0, 4*len(v))
	for _, x := range v {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
	}
	return out
}

// Scan implements sql.Scanner: an index is loaded from tens of thousands of
// these, which would be copied once more on their way through a []byte.
func (v *vector) Scan(src any) error {
	data, ok := src.([]byte)
	if !ok || len(data)%4 != 0 {
		return fmt.Errorf("vector of %d bytes (%T): %w", len(data), src, knowledge.ErrInvalid)
	}
	*v = make([]float32, len(data)/4)
	for i := range *v {
		(*v)[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return nil
}
