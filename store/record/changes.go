package record

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// mark notes that followers of the changes must look at a question again.
func (t *Tx) mark(question string) {
	if !t.changed[question] {
		t.changed[question] = true
		t.changes = append(t.changes, question)
	}
}

// writeChanges stores the changes of the transaction. Older changes of the same
// questions go: who follows reads the question as it is now, once.
func (t *Tx) writeChanges(ctx context.Context) error {
	err := chunks(t.changes, func(in string, args []any) error {
		_, err := t.conn.Exec(ctx, `DELETE FROM changes WHERE question IN `+in, args...)
		return err
	})
	if err != nil {
		return fmt.Errorf("store changes: %w", err)
	}
	for _, question := range t.changes {
		if _, err := t.conn.Exec(ctx, `INSERT INTO changes (question) VALUES (?)`, question); err != nil {
			return fmt.Errorf("store changes: %w", err)
		}
	}
	return nil
}

// Changes implements knowledge.ChangeTx. Of several changes of a question only
// the latest is kept.
func (t *Tx) Changes(ctx context.Context, after int64, limit int) ([]knowledge.Change, error) {
	var w where
	w.add("seq > ?", after)
	query := `SELECT seq, question FROM changes` + w.String() + ` ORDER BY seq` + w.limit(limit)
	out, err := list(ctx, t.conn, func(r Rows) (c knowledge.Change, err error) {
		err = r.Scan(&c.Seq, &c.Question)
		return c, err
	}, query, w.args...)
	if err != nil {
		return nil, fmt.Errorf("changes: %w", err)
	}
	return out, nil
}

// LastChange implements knowledge.ChangeTx.
func (t *Tx) LastChange(ctx context.Context) (int64, error) {
	seq, err := one(ctx, t.conn, scanInt, `SELECT COALESCE(MAX(seq), 0) FROM changes`)
	if err != nil {
		return 0, fmt.Errorf("last change: %w", err)
	}
	return seq, nil
}

// Touch implements knowledge.ChangeTx. The changes are stored by Finish.
func (t *Tx) Touch(_ context.Context, questions []string) error {
	if t.late == nil {
		return fmt.Errorf("touch: %w", errReadOnly)
	}
	for _, question := range questions {
		t.mark(question)
	}
	return nil
}

// Embeddings implements knowledge.EmbeddingTx.
func (t *Tx) Embeddings(ctx context.Context, model string, hashes []string) (map[string][]float32, error) {
	type row struct{ hash, data []byte }
	scan := func(r Rows) (e row, err error) {
		err = r.Scan(&e.hash, &e.data)
		return e, err
	}
	keys := make([][]byte, len(hashes))
	for i, hash := range hashes {
		keys[i] = []byte(hash)
	}
	out := make(map[string][]float32, len(hashes))
	err := chunks(keys, func(in string, args []any) error {
		found, err := list(ctx, t.conn, scan, `SELECT hash, data FROM embeddings WHERE model = ? AND hash IN `+in, slices.Concat([]any{model}, args)...)
		if err != nil {
			return err
		}
		for _, e := range found {
			if out[string(e.hash)], err = decodeVector(e.data); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("embeddings of %s: %w", model, err)
	}
	return out, nil
}

// PutEmbeddings implements knowledge.EmbeddingTx.
func (t *Tx) PutEmbeddings(ctx context.Context, model string, vectors map[string][]float32) error {
	for hash, v := range vectors {
		_, err := t.conn.Exec(ctx, `INSERT INTO embeddings (model, hash, data) VALUES (?, ?, ?) ON CONFLICT (model, hash) DO UPDATE SET data = excluded.data`,
			model, []byte(hash), encodeVector(v))
		if err != nil {
			return fmt.Errorf("put embeddings of %s: %w", model, err)
		}
	}
	return nil
}

// encodeVector writes little-endian float32, 4 bytes a number.
func encodeVector(v []float32) []byte {
	out := make([]byte, 0, 4*len(v))
	for _, x := range v {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
	}
	return out
}

// decodeVector is the inverse of encodeVector.
func decodeVector(data []byte) ([]float32, error) {
	if len(data)%4 != 0 {
		return nil, fmt.Errorf("vector of %d bytes: %w", len(data), knowledge.ErrInvalid)
	}
	out := make([]float32, len(data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return out, nil
}
