package record

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

const selectQuestion = `SELECT q.seq, q.id, q.text, q.status, q.closed, q.topic, q.asked, q.asked_by, q.version,
	COALESCE(a.id, 0), COALESCE(a.version, 0), COALESCE(a.text, ''), COALESCE(a.author, 0), COALESCE(a.by_name, ''), COALESCE(a.created, 0)
	FROM questions q LEFT JOIN answers a ON a.id = q.answer`

// seqQuestion is a question with its place in lists.
type seqQuestion struct {
	seq int64
	knowledge.Question
}

func scanQuestion(r Rows) (seqQuestion, error) {
	var q seqQuestion
	var asked, answered int64
	err := r.Scan(&q.seq, &q.ID, &q.Text, &q.Status, &q.Closed, &q.Topic, &asked, &q.AskedBy, &q.Version,
		&q.Answer.ID, &q.Answer.Version, &q.Answer.Text, &q.Answer.Author, &q.Answer.ByName, &answered)
	q.Asked, q.Answer.Created = moment(asked), moment(answered)
	if q.Answer.ID != 0 {
		q.Answer.Question = q.ID
	}
	return q, err
}

// Question implements knowledge.QuestionTx.
func (t *Tx) Question(ctx context.Context, id string) (knowledge.Question, error) {
	q, err := one(ctx, t.conn, scanQuestion, selectQuestion+" WHERE q.id = ?", id)
	if err != nil {
		return knowledge.Question{}, fmt.Errorf("question %q: %w", id, err)
	}
	return q.Question, nil
}

// PutQuestion implements knowledge.QuestionTx. Its Answer is left to PutAnswer,
// its Version is filled in. A question that is stored already as it is does not
// change.
func (t *Tx) PutQuestion(ctx context.Context, q *knowledge.Question) error {
	if err := t.putQuestion(ctx, q); err != nil {
		return fmt.Errorf("put question %q: %w", q.ID, err)
	}
	return nil
}

func (t *Tx) putQuestion(ctx context.Context, q *knowledge.Question) error {
	if q.ID == "" {
		id, err := t.newQuestionID(ctx)
		if err != nil {
			return err
		}
		q.ID = id
	}
	// Most are new: an import stores thousands.
	inserted, err := t.insertQuestion(ctx, q)
	if err != nil || inserted {
		return err
	}
	old, err := t.Question(ctx, q.ID)
	if err != nil {
		return err
	}
	return t.updateQuestion(ctx, old, q)
}

// newQuestionID returns "q" and a number that no imported id has taken.
func (t *Tx) newQuestionID(ctx context.Context) (string, error) {
	next, err := one(ctx, t.conn, scanInt, `SELECT COALESCE(MAX(seq), 0) + 1 FROM questions`)
	for ; err == nil; next++ {
		id := "q" + strconv.FormatInt(next, 10)
		_, err = one(ctx, t.conn, scanInt, `SELECT seq FROM questions WHERE id = ?`, id)
		if errors.Is(err, knowledge.ErrNotFound) {
			return id, nil
		}
	}
	return "", err
}

// insertQuestion stores a question unless there is one with its id.
func (t *Tx) insertQuestion(ctx context.Context, q *knowledge.Question) (inserted bool, err error) {
	n, err := t.conn.Exec(ctx, `INSERT INTO questions (id, text, fold, status, closed, topic, asked, asked_by, version)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (id) DO NOTHING`,
		q.ID, q.Text, foldOf(q.Text), string(q.Status), string(q.Closed), q.Topic, millis(q.Asked), q.AskedBy)
	if err != nil || n == 0 {
		return false, err
	}
	q.Version = 1
	t.versioned[q.ID] = true
	t.index = append(t.index, q.ID)
	t.mark(q.ID)
	return true, t.putCanonical(ctx, q)
}

func (t *Tx) updateQuestion(ctx context.Context, old knowledge.Question, q *knowledge.Question) error {
	same := old.Text == q.Text && old.Status == q.Status && old.Closed == q.Closed && old.Topic == q.Topic &&
		millis(old.Asked) == millis(q.Asked) && old.AskedBy == q.AskedBy
	q.Version = old.Version
	if same {
		return nil
	}
	_, err := t.conn.Exec(ctx, `UPDATE questions SET text = ?, fold = ?, status = ?, closed = ?, topic = ?, asked = ?, asked_by = ? WHERE id = ?`,
		q.Text, foldOf(q.Text), string(q.Status), string(q.Closed), q.Topic, millis(q.Asked), q.AskedBy, q.ID)
	if err != nil {
		return err
	}
	first, err := t.bump(ctx, q.ID)
	if err != nil {
		return err
	}
	if first {
		q.Version++
	}
	if old.Text == q.Text {
		return nil
	}
	return t.putCanonical(ctx, q)
}

// putCanonical keeps the question's own text among its phrasings, letter for
// letter: it is what is embedded.
func (t *Tx) putCanonical(ctx context.Context, q *knowledge.Question) error {
	origin := knowledge.AskedSo
	if q.AskedBy == 0 {
		origin = knowledge.Imported
	}
	_, err := t.conn.Exec(ctx, `INSERT INTO phrasings (question, fold, text, origin, person, created) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (question, fold) DO UPDATE SET text = excluded.text`,
		q.ID, foldOf(q.Text), q.Text, string(origin), q.AskedBy, millis(q.Asked))
	return err
}

// bump gives a question its new version, once in a transaction; first tells
// whether this was the time.
func (t *Tx) bump(ctx context.Context, id string) (first bool, err error) {
	if t.versioned[id] {
		return false, nil
	}
	n, err := t.conn.Exec(ctx, `UPDATE questions SET version = version + 1 WHERE id = ?`, id)
	if err == nil && n == 0 {
		err = fmt.Errorf("question %q: %w", id, knowledge.ErrNotFound)
	}
	if err != nil {
		return false, err
	}
	t.versioned[id] = true
	t.index = append(t.index, id)
	t.mark(id)
	return true, nil
}

// PutPhrasing implements knowledge.QuestionTx.
func (t *Tx) PutPhrasing(ctx context.Context, p knowledge.Phrasing) (bool, error) {
	n, err := t.conn.Exec(ctx, `INSERT INTO phrasings (question, fold, text, origin, person, created) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (question, fold) DO NOTHING`,
		p.Question, foldOf(p.Text), p.Text, string(p.Origin), p.Person, millis(p.Created))
	if err != nil {
		return false, fmt.Errorf("put phrasing of question %q: %w", p.Question, err)
	}
	if n == 0 {
		return false, nil
	}
	_, err = t.bump(ctx, p.Question)
	return true, err
}

// PutAnswer implements knowledge.QuestionTx.
func (t *Tx) PutAnswer(ctx context.Context, a *knowledge.Answer) error {
	if err := t.putAnswer(ctx, a); err != nil {
		return fmt.Errorf("put answer of question %q: %w", a.Question, err)
	}
	return nil
}

func (t *Tx) putAnswer(ctx context.Context, a *knowledge.Answer) error {
	if a.ID != 0 {
		return t.useAnswer(ctx, *a)
	}
	type key struct{ id, version int64 }
	got, err := one(ctx, t.conn, func(r Rows) (k key, err error) {
		err = r.Scan(&k.id, &k.version)
		return k, err
	}, `INSERT INTO answers (question, version, text, author, by_name, created)
		SELECT q.id, COALESCE((SELECT MAX(version) FROM answers WHERE question = q.id), 0) + 1, ?, ?, ?, ?
		FROM questions q WHERE q.id = ?
		RETURNING id, version`,
		a.Text, a.Author, a.ByName, millis(a.Created), a.Question)
	if err != nil {
		return err
	}
	if _, err := t.conn.Exec(ctx, `UPDATE questions SET answer = ? WHERE id = ?`, got.id, a.Question); err != nil {
		return err
	}
	a.ID, a.Version = got.id, int(got.version)
	_, err = t.bump(ctx, a.Question)
	return err
}

// useAnswer makes a version that is stored the current one again.
func (t *Tx) useAnswer(ctx context.Context, a knowledge.Answer) error {
	n, err := t.conn.Exec(ctx, `UPDATE questions SET answer = ? WHERE id = ? AND EXISTS (SELECT 1 FROM answers WHERE id = ? AND question = ?)`,
		a.ID, a.Question, a.ID, a.Question)
	if err == nil && n == 0 {
		err = fmt.Errorf("version %d: %w", a.ID, knowledge.ErrNotFound)
	}
	if err != nil {
		return err
	}
	_, err = t.bump(ctx, a.Question)
	return err
}

// Questions implements knowledge.QuestionList. IDs that are given but empty
// choose nothing.
func (t *Tx) Questions(ctx context.Context, f knowledge.QuestionFilter) ([]knowledge.Question, error) {
	w, err := t.filterQuestions(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("questions: %w", err)
	}
	var found []seqQuestion
	if f.IDs == nil {
		query := selectQuestion + w.String() + " ORDER BY q.seq" + w.limit(f.Limit)
		found, err = list(ctx, t.conn, scanQuestion, query, w.args...)
	} else {
		err = chunks(f.IDs, func(in string, args []any) error {
			portion := where{conditions: slices.Clone(w.conditions), args: slices.Clone(w.args)}
			portion.add("q.id IN "+in, args...)
			some, err := list(ctx, t.conn, scanQuestion, selectQuestion+portion.String(), portion.args...)
			found = append(found, some...)
			return err
		})
		found = inOrder(found, func(q seqQuestion) int64 { return q.seq }, f.Limit)
	}
	if err != nil {
		return nil, fmt.Errorf("questions: %w", err)
	}
	out := make([]knowledge.Question, len(found))
	for i, q := range found {
		out[i] = q.Question
	}
	return out, nil
}

func (t *Tx) filterQuestions(ctx context.Context, f knowledge.QuestionFilter) (*where, error) {
	w := &where{}
	byStatus := "q.status"
	if f.IDs != nil {
		// An expression keeps SQLite from scanning the status index when the ids
		// are there to be looked up.
		byStatus = "(q.status || '')"
	}
	if len(f.Statuses) > 0 {
		w.add(byStatus+" IN ("+strings.Repeat("?, ", len(f.Statuses)-1)+"?)", texts(f.Statuses)...)
	}
	if !f.WithClosed {
		w.add("q.closed = ''")
	}
	if f.Answered {
		w.add(byStatus+" IN (?, ?) AND q.answer <> 0", string(knowledge.InKnowledgeBase), string(knowledge.FAQ))
	}
	if f.Fold != "" {
		w.add("q.fold = ?", foldOf(f.Fold))
	}
	if f.After != "" {
		seq, err := one(ctx, t.conn, scanInt, `SELECT seq FROM questions WHERE id = ?`, f.After)
		if err != nil {
			return nil, fmt.Errorf("after %q: %w", f.After, err)
		}
		w.add("q.seq > ?", seq)
	}
	return w, nil
}

func texts[S ~string](values []S) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = string(v)
	}
	return out
}

// inOrder puts together what was found in portions: sorted, each thing once, at
// most limit of them.
func inOrder[T any](found []T, key func(T) int64, limit int) []T {
	slices.SortFunc(found, func(a, b T) int { return int(key(a) - key(b)) })
	found = slices.CompactFunc(found, func(a, b T) bool { return key(a) == key(b) })
	if limit > 0 && len(found) > limit {
		found = found[:limit]
	}
	return found
}

const selectPhrasing = `SELECT id, question, text, origin, person, created FROM phrasings`

func scanPhrasing(r Rows) (p knowledge.Phrasing, err error) {
	var created int64
	err = r.Scan(&p.ID, &p.Question, &p.Text, &p.Origin, &p.Person, &created)
	p.Created = moment(created)
	return p, err
}

// Phrasings implements knowledge.QuestionList.
func (t *Tx) Phrasings(ctx context.Context, questions []string) ([]knowledge.Phrasing, error) {
	found, err := listOf(ctx, t.conn, rowsOf[knowledge.Phrasing]{selectPhrasing, scanPhrasing, func(p knowledge.Phrasing) int64 { return p.ID }}, questions)
	if err != nil {
		return nil, fmt.Errorf("phrasings: %w", err)
	}
	return found, nil
}

// rowsOf is a table whose rows belong to questions.
type rowsOf[T any] struct {
	query string // without a condition
	scan  func(Rows) (T, error)
	id    func(T) int64
}

// listOf lists the rows of the questions (nil: of all) by id.
func listOf[T any](ctx context.Context, c Conn, of rowsOf[T], questions []string) ([]T, error) {
	if questions == nil {
		return list(ctx, c, of.scan, of.query+" ORDER BY id")
	}
	var found []T
	err := chunks(questions, func(in string, args []any) error {
		some, err := list(ctx, c, of.scan, of.query+" WHERE question IN "+in, args...)
		found = append(found, some...)
		return err
	})
	return inOrder(found, of.id, 0), err
}

// Answers implements knowledge.QuestionList.
func (t *Tx) Answers(ctx context.Context, question string) ([]knowledge.Answer, error) {
	out, err := list(ctx, t.conn, func(r Rows) (a knowledge.Answer, err error) {
		var created int64
		err = r.Scan(&a.ID, &a.Question, &a.Version, &a.Text, &a.Author, &a.ByName, &created)
		a.Created = moment(created)
		return a, err
	}, `SELECT id, question, version, text, author, by_name, created FROM answers WHERE question = ? ORDER BY version`, question)
	if err != nil {
		return nil, fmt.Errorf("answers of question %q: %w", question, err)
	}
	return out, nil
}
