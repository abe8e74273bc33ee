package knowledge

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Assignment is a question on its way to a senior, with all that the senior is told.
type Assignment struct {
	Escalation Escalation
	Question   Question
	Senior     Person   // zero while there is none
	Waiters    []Waiter // who still waits, first comer first
	Names      []string // of the waiters; "" for those who do not want to be named
	Rejected   []string // the similar questions that the first asker was shown and refused
	Details    []Detail // what those who wait have added, oldest first
	Usual      time.Duration
	From       Person // who had it before; zero for none. The same as Senior when only the way to reach them is another
	// Exhausted says that there is nobody else to give it to: it stays with whom it is,
	// or waits in the queue.
	Exhausted bool
}

// Detail is what an asker has added to a question.
type Detail struct {
	Name string // "" when the asker does not want to be named
	Text string
}

// Escalated is what came of an ask that goes to a senior.
type Escalated struct {
	Assignment
	Already bool // the asker waits for this question already
	Joined  bool // others wait for it; the senior is not asked again
}

// Escalate sends the question of an ask to a senior: the asker joins those who
// wait, and when the question is not on its way yet a senior is chosen. An asker
// who means something else than the question apart, in the same words, gets a
// question of their own. The error wraps ErrConflict when the question has been
// answered since the ask, and the asker has not seen the answer.
func (d Desk) Escalate(ctx context.Context, ask int64, apart string) (Escalated, error) {
	a, err := d.Tx.Ask(ctx, ask)
	if err != nil {
		return Escalated{}, fmt.Errorf("escalate: %w", err)
	}
	q, err := d.Tx.Question(ctx, a.Question)
	if err != nil {
		return Escalated{}, fmt.Errorf("escalate: %w", err)
	}
	switch {
	case q.Status.Answered() && a.Decision != DecisionAnswer && a.Outcome == NoOutcome:
		return Escalated{Assignment: Assignment{Question: q}}, fmt.Errorf("escalate %s: %w: it has an answer", q.ID, ErrConflict)
	case q.ID == apart:
		q, err = d.openNew(ctx, a.Text, a.Person)
	case !q.Open():
		q, err = d.open(ctx, a.Text, a.Person)
	}
	if err != nil {
		return Escalated{}, fmt.Errorf("escalate: %w", err)
	}
	return d.wait(ctx, a, q)
}

// Join makes the asker of an ask wait for a question that somebody else asked.
// The error wraps ErrConflict when the question has been answered or closed meanwhile.
func (d Desk) Join(ctx context.Context, ask int64, question string) (Escalated, error) {
	a, err := d.Tx.Ask(ctx, ask)
	if err != nil {
		return Escalated{}, fmt.Errorf("join: %w", err)
	}
	q, err := d.Tx.Question(ctx, question)
	if err != nil {
		return Escalated{}, fmt.Errorf("join: %w", err)
	}
	if !q.Open() {
		return Escalated{Assignment: Assignment{Question: q}}, fmt.Errorf("join %s: %w", question, ErrConflict)
	}
	return d.wait(ctx, a, q)
}

// wait adds the asker to those who wait for q and sends q on its way.
func (d Desk) wait(ctx context.Context, a Ask, q Question) (Escalated, error) {
	waiters, err := d.Tx.Waiters(ctx, q.ID)
	if err != nil {
		return Escalated{}, fmt.Errorf("wait for %s: %w", q.ID, err)
	}
	already := slices.ContainsFunc(waiters, func(w Waiter) bool { return w.Person == a.Person && w.State == Waiting })
	if err := d.reject(ctx, a); err != nil {
		return Escalated{}, err
	}
	opened := a.Question
	a.Question, a.Outcome = q.ID, Rejected
	if err := d.Tx.PutAsk(ctx, a); err != nil {
		return Escalated{}, err
	}
	if !already {
		w := Waiter{Question: q.ID, Person: a.Person, Chat: a.Chat, Ask: a.ID, Text: a.Text, Since: d.Now, State: Waiting}
		if err := d.Tx.PutWaiter(ctx, w); err != nil {
			return Escalated{}, err
		}
	}
	if opened != q.ID {
		if err := d.closeUnneeded(ctx, opened); err != nil {
			return Escalated{}, err
		}
	}
	e, joined, err := d.send(ctx, q, a)
	if err != nil {
		return Escalated{}, err
	}
	as, err := d.Assignment(ctx, e)
	return Escalated{Assignment: as, Already: already, Joined: joined}, err
}

// send returns the open escalation of q (joined), or makes one.
func (d Desk) send(ctx context.Context, q Question, a Ask) (e Escalation, joined bool, err error) {
	open, err := d.Tx.Escalations(ctx, EscalationFilter{Question: q.ID, State: EscalationOpen, Limit: 1})
	if err != nil {
		return e, false, err
	}
	if len(open) > 0 {
		return open[0], true, nil
	}
	if err := q.Status.To(AwaitingSenior); err != nil {
		return e, false, err
	}
	q.Status = AwaitingSenior
	if err := d.Tx.PutQuestion(ctx, &q); err != nil {
		return e, false, err
	}
	to, err := d.route(ctx, q)
	if err != nil {
		return e, false, err
	}
	e, err = d.assign(ctx, q.ID, to, Step{Person: a.Person, Text: a.Text})
	return e, false, err
}

// Assignment gathers what a senior is told about an escalation.
func (d Desk) Assignment(ctx context.Context, e Escalation) (Assignment, error) {
	a := Assignment{Escalation: e}
	var err error
	if a.Question, err = d.Tx.Question(ctx, e.Question); err != nil {
		return a, err
	}
	if e.Senior != 0 {
		if a.Senior, err = d.Tx.Person(ctx, e.Senior); err != nil {
			return a, err
		}
		if a.Usual, err = d.usual(ctx, e.Senior); err != nil {
			return a, err
		}
	}
	all, err := d.Tx.Waiters(ctx, e.Question)
	if err != nil {
		return a, err
	}
	for _, w := range all {
		if w.State != Waiting {
			continue
		}
		name, err := d.nameOf(ctx, w)
		if err != nil {
			return a, err
		}
		a.Waiters, a.Names = append(a.Waiters, w), append(a.Names, name)
	}
	if len(a.Waiters) == 0 {
		return a, nil
	}
	if a.Rejected, err = d.rejected(ctx, a.Waiters[0].Ask); err != nil {
		return a, err
	}
	a.Details, err = d.details(ctx, a)
	return a, err
}

// details returns what those who wait have added.
func (d Desk) details(ctx context.Context, a Assignment) ([]Detail, error) {
	asks, err := d.Tx.Asks(ctx, 0, a.Question.ID, 0)
	if err != nil {
		return nil, err
	}
	slices.Reverse(asks) // oldest first
	var out []Detail
	for _, ask := range asks {
		i := slices.IndexFunc(a.Waiters, func(w Waiter) bool { return w.Person == ask.Person })
		if ask.Decision == DecisionDetail && i >= 0 {
			out = append(out, Detail{Name: a.Names[i], Text: ask.Text})
		}
	}
	return out, nil
}

// AddDetail keeps more words for whoever answers the question that a waits for:
// the senior of today, or the one who gets it next. The error wraps ErrNotFound
// when the person does not wait for it.
func (d Desk) AddDetail(ctx context.Context, a Ask) (Assignment, error) {
	as, err := d.Waits(ctx, a.Question, a.Person)
	if err != nil {
		return as, err
	}
	a.Asked, a.Decision = d.Now, DecisionDetail
	return as, d.Tx.PutAsk(ctx, a)
}

func (d Desk) nameOf(ctx context.Context, w Waiter) (string, error) {
	if w.Anonymous {
		return "", nil
	}
	p, err := d.Tx.Person(ctx, w.Person)
	return p.Name, err
}

// rejected returns the texts of the candidates that an ask showed.
func (d Desk) rejected(ctx context.Context, ask int64) ([]string, error) {
	a, err := d.Tx.Ask(ctx, ask)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, c := range a.Candidates {
		if q, err := d.Tx.Question(ctx, c.Question); err == nil && q.Status.Answered() {
			out = append(out, q.Text)
		}
	}
	return out, nil
}

// usualAtLeast is how many replies of a senior make a usual time: fewer would
// promise what nobody knows.
const usualAtLeast = 3

// usual returns the median time in which a senior has replied lately, 0 when
// too little is known. What was cancelled or dismissed tells nothing.
func (d Desk) usual(ctx context.Context, senior int64) (time.Duration, error) {
	done, err := d.Tx.Escalations(ctx, EscalationFilter{Senior: senior, State: EscalationDone, Limit: 30})
	if err != nil || len(done) < usualAtLeast {
		return 0, err
	}
	var times []time.Duration
	for _, e := range done {
		q, err := d.Tx.Question(ctx, e.Question)
		if err != nil {
			return 0, err
		}
		if q.Answer.ID != 0 || q.Closed == PickedExisting {
			times = append(times, e.Ended.Sub(e.Created))
		}
	}
	if len(times) < usualAtLeast {
		return 0, nil
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}

// Withdrawn is what came of an asker's taking a question back.
type Withdrawn struct {
	Assignment
	Left int // how many still wait
}

// CancelWait ends one asker's waiting. When nobody waits any more, the question
// is closed and its escalation ended. The error wraps ErrNotFound when the
// person does not wait for it.
func (d Desk) CancelWait(ctx context.Context, question string, person int64) (Withdrawn, error) {
	w, err := d.waiting(ctx, question, person)
	if err != nil {
		return Withdrawn{}, err
	}
	w.State = WaitCancelled
	if err := d.Tx.PutWaiter(ctx, w); err != nil {
		return Withdrawn{}, err
	}
	out := Withdrawn{}
	if out.Assignment, err = d.openAssignment(ctx, question); err != nil {
		return out, err
	}
	out.Left = len(out.Waiters)
	if out.Left > 0 {
		return out, nil
	}
	d.By = person
	return out, d.close(ctx, out.Question, Cancelled)
}

// Hide keeps an asker's name from the senior; changed is false when it was kept
// already. The error wraps ErrNotFound when the person does not wait.
func (d Desk) Hide(ctx context.Context, question string, person int64) (a Assignment, changed bool, err error) {
	w, err := d.waiting(ctx, question, person)
	if err != nil {
		return a, false, err
	}
	changed = !w.Anonymous
	w.Anonymous = true
	if err := d.Tx.PutWaiter(ctx, w); err != nil {
		return a, false, err
	}
	a, err = d.openAssignment(ctx, question)
	return a, changed, err
}

// Waits returns the open assignment that a person waits for; the error wraps
// ErrNotFound when the person does not wait for the question.
func (d Desk) Waits(ctx context.Context, question string, person int64) (Assignment, error) {
	if _, err := d.waiting(ctx, question, person); err != nil {
		return Assignment{}, err
	}
	return d.openAssignment(ctx, question)
}

func (d Desk) waiting(ctx context.Context, question string, person int64) (Waiter, error) {
	all, err := d.Tx.Waiters(ctx, question)
	if err != nil {
		return Waiter{}, err
	}
	for _, w := range all {
		if w.Person == person && w.State == Waiting {
			return w, nil
		}
	}
	return Waiter{}, fmt.Errorf("person %d waiting for %s: %w", person, question, ErrNotFound)
}

func (d Desk) openAssignment(ctx context.Context, question string) (Assignment, error) {
	open, err := d.Tx.Escalations(ctx, EscalationFilter{Question: question, State: EscalationOpen, Limit: 1})
	if err != nil {
		return Assignment{}, err
	}
	if len(open) == 0 {
		return Assignment{}, fmt.Errorf("open escalation of %s: %w", question, ErrNotFound)
	}
	return d.Assignment(ctx, open[0])
}

// close ends a question without an entry of its own.
func (d Desk) close(ctx context.Context, q Question, why Closed) error {
	if err := q.Status.To(Unanswered); err != nil {
		return err
	}
	was := q.Status
	q.Status, q.Closed = Unanswered, why
	if err := d.setStatus(ctx, &q, was); err != nil {
		return err
	}
	return d.endEscalations(ctx, q.ID)
}

func (d Desk) endEscalations(ctx context.Context, question string) error {
	open, err := d.Tx.Escalations(ctx, EscalationFilter{Question: question, State: EscalationOpen})
	if err != nil {
		return err
	}
	for _, e := range open {
		e.State, e.Ended = EscalationDone, d.Now
		if err := d.Tx.PutEscalation(ctx, &e); err != nil {
			return err
		}
	}
	return nil
}
