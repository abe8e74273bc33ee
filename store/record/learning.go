package record

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// PutVerdict implements knowledge.VerdictTx.
func (t *Tx) PutVerdict(ctx context.Context, v *knowledge.Verdict) error {
	id, err := one(ctx, t.conn, scanInt, `INSERT INTO verdicts (question, fold, person, wording, outcome, ask, at, void)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (question, fold, person) DO UPDATE SET wording = excluded.wording, outcome = excluded.outcome,
			ask = excluded.ask, at = excluded.at, void = excluded.void
		RETURNING id`,
		v.Question, foldOf(v.Wording), v.Person, v.Wording, string(v.Outcome), v.Ask, millis(v.At), bit(v.Void))
	if err != nil {
		return fmt.Errorf("put verdict on question %q: %w", v.Question, err)
	}
	v.ID = id
	t.mark(v.Question)
	return nil
}

const selectVerdict = `SELECT id, question, wording, person, outcome, ask, at, void FROM verdicts`

func scanVerdict(r Rows) (v knowledge.Verdict, err error) {
	var at int64
	err = r.Scan(&v.ID, &v.Question, &v.Wording, &v.Person, &v.Outcome, &v.Ask, &at, (*truth)(&v.Void))
	v.At = moment(at)
	return v, err
}

// Verdicts implements knowledge.VerdictTx.
func (t *Tx) Verdicts(ctx context.Context, questions []string) ([]knowledge.Verdict, error) {
	out, err := listOf(ctx, t.conn, rowsOf[knowledge.Verdict]{selectVerdict, scanVerdict, func(v knowledge.Verdict) int64 { return v.ID }}, questions)
	if err != nil {
		return nil, fmt.Errorf("verdicts: %w", err)
	}
	return out, nil
}

// PutReview implements knowledge.ReviewTx.
func (t *Tx) PutReview(ctx context.Context, r *knowledge.Review) error {
	conflicts, err := json.Marshal(r.Conflicts)
	if err != nil {
		return fmt.Errorf("put review: %w", err)
	}
	if r.ID != 0 {
		n, err := t.conn.Exec(ctx, `UPDATE reviews SET conflicts = ?, decided = ?, by_person = ?, accepted = ? WHERE id = ?`,
			string(conflicts), millis(r.Decided), r.By, bit(r.Accepted), r.ID)
		return found(n, err, "review", r.ID)
	}
	r.ID, err = one(ctx, t.conn, scanInt, `INSERT INTO reviews (question, wording, person, conflicts, created, decided, by_person, accepted)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
		r.Question, r.Wording, r.Person, string(conflicts), millis(r.Created), millis(r.Decided), r.By, bit(r.Accepted))
	if err != nil {
		return fmt.Errorf("put review of question %q: %w", r.Question, err)
	}
	return nil
}

const selectReview = `SELECT id, question, wording, person, conflicts, created, decided, by_person, accepted FROM reviews`

func scanReview(r Rows) (v knowledge.Review, err error) {
	var created, decided int64
	var conflicts string
	if err := r.Scan(&v.ID, &v.Question, &v.Wording, &v.Person, &conflicts, &created, &decided, &v.By, (*truth)(&v.Accepted)); err != nil {
		return v, err
	}
	v.Created, v.Decided = moment(created), moment(decided)
	err = json.Unmarshal([]byte(conflicts), &v.Conflicts)
	return v, err
}

// Review implements knowledge.ReviewTx.
func (t *Tx) Review(ctx context.Context, id int64) (knowledge.Review, error) {
	r, err := one(ctx, t.conn, scanReview, selectReview+" WHERE id = ?", id)
	if err != nil {
		return r, fmt.Errorf("review %d: %w", id, err)
	}
	return r, nil
}

// Reviews implements knowledge.ReviewTx.
func (t *Tx) Reviews(ctx context.Context, question string, open bool) ([]knowledge.Review, error) {
	var w where
	if question != "" {
		w.add("question = ?", question)
	}
	if open {
		w.add("decided = 0")
	}
	out, err := list(ctx, t.conn, scanReview, selectReview+w.String()+" ORDER BY id", w.args...)
	if err != nil {
		return nil, fmt.Errorf("reviews: %w", err)
	}
	return out, nil
}

// PutStep implements knowledge.HistoryTx.
func (t *Tx) PutStep(ctx context.Context, s *knowledge.Step) error {
	if s.ID != 0 {
		n, err := t.conn.Exec(ctx, `UPDATE steps SET undone = ? WHERE id = ?`, bit(s.Undone), s.ID)
		return found(n, err, "step", s.ID)
	}
	var err error
	s.ID, err = one(ctx, t.conn, scanInt, `INSERT INTO steps (question, kind, at, person, text, was, ref, undone)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
		s.Question, string(s.Kind), millis(s.At), s.Person, s.Text, s.Was, s.Ref, bit(s.Undone))
	if err != nil {
		return fmt.Errorf("put step of question %q: %w", s.Question, err)
	}
	return nil
}

const selectStep = `SELECT id, question, kind, at, person, text, was, ref, undone FROM steps`

func scanStep(r Rows) (s knowledge.Step, err error) {
	var at int64
	err = r.Scan(&s.ID, &s.Question, &s.Kind, &at, &s.Person, &s.Text, &s.Was, &s.Ref, (*truth)(&s.Undone))
	s.At = moment(at)
	return s, err
}

// Step implements knowledge.HistoryTx.
func (t *Tx) Step(ctx context.Context, id int64) (knowledge.Step, error) {
	s, err := one(ctx, t.conn, scanStep, selectStep+" WHERE id = ?", id)
	if err != nil {
		return s, fmt.Errorf("step %d: %w", id, err)
	}
	return s, nil
}

// Steps implements knowledge.HistoryTx.
func (t *Tx) Steps(ctx context.Context, question string, after int64, limit int) ([]knowledge.Step, error) {
	var w where
	w.add("question = ?", question)
	w.add("id > ?", after)
	query := selectStep + w.String() + " ORDER BY id" + w.limit(limit)
	out, err := list(ctx, t.conn, scanStep, query, w.args...)
	if err != nil {
		return nil, fmt.Errorf("steps of question %q: %w", question, err)
	}
	return out, nil
}

// Calibration implements knowledge.CalibrationTx.
func (t *Tx) Calibration(ctx context.Context, embedder string) (knowledge.StoredCalibration, error) {
	c, err := one(ctx, t.conn, func(r Rows) (c knowledge.StoredCalibration, err error) {
		var fitted int64
		err = r.Scan(&c.Embedder, &fitted, &c.Asks, &c.Data)
		c.Fitted = moment(fitted)
		return c, err
	}, `SELECT embedder, fitted, asks, data FROM calibrations WHERE embedder = ?`, embedder)
	if err != nil {
		return c, fmt.Errorf("calibration of %q: %w", embedder, err)
	}
	return c, nil
}

// PutCalibration implements knowledge.CalibrationTx.
func (t *Tx) PutCalibration(ctx context.Context, c knowledge.StoredCalibration) error {
	if t.late == nil {
		return fmt.Errorf("put calibration: %w", errReadOnly)
	}
	t.mark("")
	var err error
	if len(c.Data) == 0 {
		_, err = t.conn.Exec(ctx, `DELETE FROM calibrations WHERE embedder = ?`, c.Embedder)
	} else {
		_, err = t.conn.Exec(ctx, `INSERT INTO calibrations (embedder, fitted, asks, data) VALUES (?, ?, ?, ?)
			ON CONFLICT (embedder) DO UPDATE SET fitted = excluded.fitted, asks = excluded.asks, data = excluded.data`,
			c.Embedder, millis(c.Fitted), c.Asks, c.Data)
	}
	if err != nil {
		return fmt.Errorf("put calibration of %q: %w", c.Embedder, err)
	}
	return nil
}

// Askers implements knowledge.AskTx.
func (t *Tx) Askers(ctx context.Context, question string, since time.Time) (int, error) {
	n, err := one(ctx, t.conn, scanInt, `SELECT COUNT(DISTINCT person) FROM asks WHERE question = ? AND asked >= ?
		AND decision NOT IN ('opened', 'detail') AND outcome <> 'not_helped'`, question, millis(since))
	if err != nil {
		return 0, fmt.Errorf("askers of question %q: %w", question, err)
	}
	return int(n), nil
}

// nextWithin is how long after an ask another one counts as asked next.
const nextWithin = time.Hour

// AskedNext implements knowledge.AskTx.
func (t *Tx) AskedNext(ctx context.Context, question string, limit int) (map[string]int, error) {
	type next struct {
		question string
		n        int
	}
	all, err := list(ctx, t.conn, func(r Rows) (n next, err error) {
		err = r.Scan(&n.question, &n.n)
		return n, err
	}, `SELECT b.question, COUNT(*) FROM asks a
		JOIN asks b ON b.chat = a.chat AND b.id = (SELECT MIN(c.id) FROM asks c WHERE c.chat = a.chat AND c.id > a.id)
		JOIN questions q ON q.id = b.question
		WHERE a.question = ? AND b.question <> a.question AND b.asked - a.asked <= ? AND q.status IN ('in_knowledge_base', 'faq')
		GROUP BY b.question ORDER BY COUNT(*) DESC, b.question LIMIT ?`, question, nextWithin.Milliseconds(), limit)
	if err != nil {
		return nil, fmt.Errorf("asked next to question %q: %w", question, err)
	}
	out := make(map[string]int, len(all))
	for _, n := range all {
		out[n.question] = n.n
	}
	return out, nil
}

// DeletePhrasing implements knowledge.QuestionTx.
func (t *Tx) DeletePhrasing(ctx context.Context, question, wording string) error {
	if err := t.deletePhrasing(ctx, question, foldOf(wording)); err != nil {
		return fmt.Errorf("delete phrasing of question %q: %w", question, err)
	}
	return nil
}

func (t *Tx) deletePhrasing(ctx context.Context, question, fold string) error {
	own, err := one(ctx, t.conn, scanText, `SELECT fold FROM questions WHERE id = ?`, question)
	if err != nil {
		return err
	}
	if own == fold {
		return fmt.Errorf("%w: it is the question's own text", knowledge.ErrInvalid)
	}
	n, err := t.conn.Exec(ctx, `DELETE FROM phrasings WHERE question = ? AND fold = ?`, question, fold)
	if err != nil {
		return err
	}
	if n == 0 {
		return knowledge.ErrNotFound
	}
	_, err = t.bump(ctx, question)
	return err
}

// found turns an update of nothing into knowledge.ErrNotFound.
func found(n int64, err error, noun string, id int64) error {
	if err == nil && n == 0 {
		err = knowledge.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("put %s %d: %w", noun, id, err)
	}
	return nil
}
