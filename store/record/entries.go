package record

import (
	"context"
	"fmt"
	"slices"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// PutEntries implements knowledge.QuestionTx: a handful of statements for hundreds of
// entries, where PutQuestion and its like take one or two for each row.
func (t *Tx) PutEntries(ctx context.Context, entries []knowledge.Entry) error {
	for portion := range slices.Chunk(entries, chunk) {
		if err := t.putEntries(ctx, portion); err != nil {
			return fmt.Errorf("put %d entries: %w", len(portion), err)
		}
	}
	return nil
}

func (t *Tx) putEntries(ctx context.Context, entries []knowledge.Entry) error {
	var questions, phrasings, answers [][]any
	ids := make([]string, len(entries))
	for i, e := range entries {
		q := e.Question
		if q.ID == "" {
			return fmt.Errorf("an entry without an id: %w", knowledge.ErrInvalid)
		}
		asked := millis(q.Asked)
		ids[i] = q.ID
		questions = append(questions, []any{q.ID, q.Text, foldOf(q.Text), string(q.Status), string(q.Closed), q.Topic, asked, q.AskedBy, 1})
		for _, text := range append([]string{q.Text}, e.Aliases...) {
			phrasings = append(phrasings, []any{q.ID, foldOf(text), text, string(knowledge.Imported), q.AskedBy, asked})
		}
		answers = append(answers, []any{q.ID, 1, e.Answer.Text, e.Answer.Author, e.Answer.ByName, millis(e.Answer.Created)})
	}
	err := insertRows(ctx, t.conn, `INSERT INTO questions (id, text, fold, status, closed, topic, asked, asked_by, version)`, questions, "")
	if err != nil {
		return err
	}
	// An alias may be there twice, or be the question itself.
	err = insertRows(ctx, t.conn, `INSERT INTO phrasings (question, fold, text, origin, person, created)`, phrasings, `ON CONFLICT (question, fold) DO NOTHING`)
	if err != nil {
		return err
	}
	if err := insertRows(ctx, t.conn, `INSERT INTO answers (question, version, text, author, by_name, created)`, answers, ""); err != nil {
		return err
	}
	err = chunks(ids, func(in string, args []any) error {
		_, err := t.conn.Exec(ctx, `UPDATE questions SET answer = (SELECT a.id FROM answers a WHERE a.question = questions.id) WHERE id IN `+in, args...)
		return err
	})
	for _, id := range ids {
		t.versioned[id] = true
		t.index = append(t.index, id)
		t.mark(id)
	}
	return err
}
