package record

import (
	"context"
	"fmt"

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
	rows := make([][]any, len(t.changes))
	for i, question := range t.changes {
		rows[i] = []any{question}
	}
	if err := insertRows(ctx, t.conn, `INSERT INTO changes (question)`, rows, ""); err != nil {
		return fmt.Errorf("store changes: %w", err)
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
