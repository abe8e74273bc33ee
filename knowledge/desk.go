package knowledge

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Desk applies the rules of the domain inside one transaction at one moment.
// It is cheap to make: one for each transaction.
type Desk struct {
	Tx       Tx
	Now      time.Time
	Learning Learning // zero fields mean the defaults
	Routing  Routing
	// By is who acts, for the histories where a method does not say; 0 for the
	// bot's own rules, an import or the command line.
	By int64
	// WithoutFiles makes new versions of answers begin without the files of the
	// version before, which they have otherwise.
	WithoutFiles bool

	without int64 // an attachment that a new version does not get
}

// Record stores an ask that search has decided on. What search did not settle
// opens a question without an answer, or joins the open one with the same
// words; the returned ask names it.
func (d Desk) Record(ctx context.Context, a Ask) (Ask, error) {
	if (a.Decision == DecisionAnswer || a.Decision == DecisionOpened) && len(a.Candidates) > 0 {
		a.Question = a.Candidates[0].Question
	} else {
		q, err := d.open(ctx, a.Text, a.Person)
		if err != nil {
			return a, err
		}
		a.Question = q.ID
	}
	if err := d.Tx.PutAsk(ctx, a); err != nil {
		return a, fmt.Errorf("record ask %d: %w", a.ID, err)
	}
	if err := d.count(ctx, a); err != nil {
		return a, fmt.Errorf("record ask %d: %w", a.ID, err)
	}
	return a, nil
}

// open returns the open question with these words, or makes it.
func (d Desk) open(ctx context.Context, text string, person int64) (Question, error) {
	var same []Question
	var err error
	if fold := FoldText(text); fold != "" { // an empty filter would find every question
		if same, err = d.Tx.Questions(ctx, QuestionFilter{Fold: fold}); err != nil {
			return Question{}, fmt.Errorf("open question: %w", err)
		}
	}
	for _, q := range same {
		if q.Open() {
			return q, nil
		}
	}
	return d.openNew(ctx, text, person)
}

// openNew makes a question with these words, whatever others there are.
func (d Desk) openNew(ctx context.Context, text string, person int64) (Question, error) {
	q := Question{Text: text, Status: Unanswered, Asked: d.Now, AskedBy: person}
	if err := d.Tx.PutQuestion(ctx, &q); err != nil {
		return Question{}, fmt.Errorf("open question: %w", err)
	}
	return q, d.step(ctx, Step{Question: q.ID, Kind: StepOpened, Person: person, Text: text})
}

// Pick records that the asker opened the entry id among those shown. The
// question that the ask had opened is closed when nobody else needs it; one that
// the asker waits for stays theirs. The lesson is not nil when the asker's words
// should become a phrasing of the entry now.
func (d Desk) Pick(ctx context.Context, ask int64, id string) (*Lesson, error) {
	l, err := d.pick(ctx, ask, id)
	if err != nil {
		return nil, fmt.Errorf("pick: %w", err)
	}
	return l, nil
}

func (d Desk) pick(ctx context.Context, ask int64, id string) (*Lesson, error) {
	a, err := d.Tx.Ask(ctx, ask)
	if err != nil {
		return nil, err
	}
	opened := a.Question
	if looks, err := d.onlyLooks(ctx, a, id); err != nil || looks {
		return nil, err
	}
	a.Question, a.Outcome = id, Picked
	if err := d.Tx.PutAsk(ctx, a); err != nil {
		return nil, err
	}
	if err := d.closeUnneeded(ctx, opened); err != nil {
		return nil, err
	}
	if err := d.judge(ctx, a, id, Picked); err != nil {
		return nil, err
	}
	if err := d.count(ctx, a); err != nil {
		return nil, err
	}
	return d.lesson(ctx, a, id)
}

// onlyLooks reports whether somebody who opens an entry says nothing by that:
// they wait for a senior's reply to another question, or have judged this one.
func (d Desk) onlyLooks(ctx context.Context, a Ask, id string) (bool, error) {
	if a.Question == id {
		return a.Outcome == Helped || a.Outcome == NotHelped, nil
	}
	_, err := d.waiting(ctx, a.Question, a.Person)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// closeUnneeded closes an unanswered question that no ask stands behind any more.
func (d Desk) closeUnneeded(ctx context.Context, id string) error {
	q, err := d.Tx.Question(ctx, id)
	if errors.Is(err, ErrNotFound) || err == nil && (q.Status != Unanswered || q.Closed != NotClosed) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("close unneeded: %w", err)
	}
	left, err := d.Tx.Asks(ctx, 0, id, 1)
	if err != nil || len(left) > 0 {
		return err
	}
	q.Closed = PickedExisting
	return d.Tx.PutQuestion(ctx, &q)
}

// Feedback records «Помогло» or «Не помогло» on the answer of an ask. The lesson
// is not nil when the asker's words should become a phrasing of the entry now.
func (d Desk) Feedback(ctx context.Context, ask int64, helped bool) (*Lesson, error) {
	l, err := d.feedback(ctx, ask, helped)
	if err != nil {
		return nil, fmt.Errorf("feedback: %w", err)
	}
	return l, nil
}

func (d Desk) feedback(ctx context.Context, ask int64, helped bool) (*Lesson, error) {
	a, err := d.Tx.Ask(ctx, ask)
	if err != nil {
		return nil, err
	}
	a.Outcome = NotHelped
	if helped {
		a.Outcome = Helped
	}
	if err := d.Tx.PutAsk(ctx, a); err != nil {
		return nil, err
	}
	if err := d.judge(ctx, a, a.Question, a.Outcome); err != nil || !helped {
		return nil, err
	}
	return d.lesson(ctx, a, a.Question)
}

// SetStatus changes a question's status by hand. A question cannot be said to
// be in the base while it has no answer.
func (d Desk) SetStatus(ctx context.Context, id string, to Status) (Question, error) {
	q, err := d.Tx.Question(ctx, id)
	if err != nil {
		return q, err
	}
	if err := settable(q, to); err != nil || q.Status == to {
		return q, err
	}
	was := q.Status
	if to == Unanswered {
		if err := d.endWaiting(ctx, q.ID); err != nil {
			return q, err
		}
		if err := d.endEscalations(ctx, q.ID); err != nil {
			return q, err
		}
		if q.Status.Answered() {
			q.Closed = AnsweredPrivately
		}
	} else {
		q.Closed = NotClosed
		if err := d.settleHeld(ctx, q.ID); err != nil {
			return q, err
		}
	}
	q.Status = to
	err = d.setStatus(ctx, &q, was)
	return q, err
}

// settable returns why a status cannot be set by hand.
func settable(q Question, to Status) error {
	if to.Answered() && q.Answer.ID == 0 {
		return fmt.Errorf("question %s: %w: у вопроса ещё нет ответа; сначала: nastavnik question answer %s", q.ID, ErrInvalid, q.ID)
	}
	if to == AwaitingSenior && q.Status != AwaitingSenior {
		return fmt.Errorf("question %s: %w: к сеньору вопрос отправляет тот, кто спросил", q.ID, ErrInvalid)
	}
	return q.Status.To(to)
}

// setStatus stores a question whose status is another one than it was.
func (d Desk) setStatus(ctx context.Context, q *Question, was Status) error {
	if err := d.Tx.PutQuestion(ctx, q); err != nil || q.Status == was {
		return err
	}
	return d.step(ctx, Step{Question: q.ID, Kind: StepStatus, Was: string(was), Text: string(q.Status)})
}

// Withdraw takes an answer out of the base: it stays with those who got it.
func (d Desk) Withdraw(ctx context.Context, id string) (Question, error) {
	q, err := d.Tx.Question(ctx, id)
	if err != nil || !q.Status.Answered() {
		return q, err
	}
	was := q.Status
	q.Status, q.Closed = Unanswered, AnsweredPrivately
	err = d.setStatus(ctx, &q, was)
	return q, err
}

// Restore puts a withdrawn answer back into the base.
func (d Desk) Restore(ctx context.Context, id string) (Question, error) {
	q, err := d.Tx.Question(ctx, id)
	if err != nil || q.Status.Answered() {
		return q, err
	}
	if q.Closed != AnsweredPrivately || q.Answer.ID == 0 {
		return q, fmt.Errorf("restore question %s: %w: no withdrawn answer", id, ErrInvalid)
	}
	if err := d.settleHeld(ctx, q.ID); err != nil {
		return q, err
	}
	q.Status, q.Closed = InKnowledgeBase, NotClosed
	err = d.setStatus(ctx, &q, Unanswered)
	return q, err
}

// endWaiting ends the waiting of everybody who still waits for a question.
func (d Desk) endWaiting(ctx context.Context, question string) error {
	all, err := d.Tx.Waiters(ctx, question)
	if err != nil {
		return err
	}
	for _, w := range all {
		if w.State != Waiting {
			continue
		}
		w.State = WaitCancelled
		if err := d.Tx.PutWaiter(ctx, w); err != nil {
			return err
		}
	}
	return nil
}
