package knowledge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
)

// HandOver gives an open question to the next who can answer it: a senior of its topic
// who has not had it, another senior, an administrator. When there is nobody, the
// assignment says so (Exhausted): the question stays with whom it is, or, when they
// cannot answer any more (WasUnreachable, HasLeft), waits in the queue. The error wraps
// ErrConflict when the question is settled.
func (d Desk) HandOver(ctx context.Context, escalation int64, why Reason) (Assignment, error) {
	a, err := d.handOver(ctx, escalation, why)
	if err != nil {
		return a, fmt.Errorf("hand over escalation %d: %w", escalation, err)
	}
	return a, nil
}

func (d Desk) handOver(ctx context.Context, escalation int64, why Reason) (Assignment, error) {
	e, err := d.Tx.Escalation(ctx, escalation)
	if err != nil {
		return Assignment{}, err
	}
	q, err := d.Tx.Question(ctx, e.Question)
	if err != nil {
		return Assignment{}, err
	}
	if e.State != EscalationOpen {
		return Assignment{Question: q}, fmt.Errorf("it is %s: %w", e.State, ErrConflict)
	}
	to, err := d.successor(ctx, q)
	if err != nil {
		return Assignment{}, err
	}
	gone := why == WasUnreachable || why == HasLeft
	switch {
	case to.senior != 0:
		to.reason = why
	case !gone || e.Senior == 0:
		a, err := d.Assignment(ctx, e)
		a.Exhausted = true
		return a, err
	}
	if why.byItself() {
		d.By = 0 // it is nobody's doing
	}
	n, err := d.succeed(ctx, e, to)
	if err != nil {
		return Assignment{}, err
	}
	a, err := d.assignedFrom(ctx, n, e.Senior)
	a.Exhausted = to.senior == 0
	return a, err
}

// succeed ends an escalation and makes the next one of the same question.
func (d Desk) succeed(ctx context.Context, e Escalation, to choice) (Escalation, error) {
	e.State, e.Ended = EscalationPassed, d.Now
	if err := d.Tx.PutEscalation(ctx, &e); err != nil {
		return e, err
	}
	return d.assign(ctx, e.Question, to, Step{Person: d.By})
}

// assignedFrom is Assignment, with who had the question before.
func (d Desk) assignedFrom(ctx context.Context, e Escalation, from int64) (Assignment, error) {
	a, err := d.Assignment(ctx, e)
	if err != nil || from == 0 {
		return a, err
	}
	a.From, err = d.Tx.Person(ctx, from)
	return a, err
}

// successor returns who gets a question after who has it: without a senior, nobody can.
func (d Desk) successor(ctx context.Context, q Question) (choice, error) {
	had, err := d.hadIt(ctx, q.ID)
	if err != nil {
		return choice{}, err
	}
	roster, err := d.roster(ctx)
	if err != nil {
		return choice{}, err
	}
	others := slices.DeleteFunc(roster, func(c candidate) bool { return slices.Contains(had, c.ID) })
	to, err := d.elect(ctx, q, others)
	if err != nil || to.senior != 0 {
		return to, err
	}
	admin, err := d.anAdmin(ctx, q, had)
	if admin != 0 {
		to = choice{senior: admin}
	}
	return to, err
}

// hadIt returns who has or had a question since it was last settled.
func (d Desk) hadIt(ctx context.Context, question string) ([]int64, error) {
	all, err := d.Tx.Escalations(ctx, EscalationFilter{Question: question}) // newest first
	var had []int64
	for _, e := range all {
		if e.State == EscalationDone {
			break
		}
		had = append(had, e.Senior)
	}
	return had, err
}

// anAdmin returns the administrator who can be asked and has the fewest questions, 0
// for none. There is no limit to what they get: there is nobody after them.
func (d Desk) anAdmin(ctx context.Context, q Question, had []int64) (int64, error) {
	all, err := d.Tx.People(ctx, false)
	if err != nil {
		return 0, err
	}
	waiters, err := d.Tx.Waiters(ctx, q.ID)
	if err != nil {
		return 0, err
	}
	var able []candidate
	for _, p := range all {
		if !p.Admin || !d.available(p) || slices.Contains(had, p.ID) || waits(waiters, p.ID) {
			continue
		}
		c, err := d.candidate(ctx, p)
		if err != nil {
			return 0, err
		}
		able = append(able, c)
	}
	if len(able) == 0 {
		return 0, nil
	}
	best, _ := first(able, nil)
	return best.ID, nil
}

// Assign gives a question that waits for a senior to one by hand, whatever they have
// already. The error wraps ErrConflict when the question does not wait for a senior,
// and ErrInvalid when they wait for its answer themselves or cannot be reached.
func (d Desk) Assign(ctx context.Context, question string, to int64) (Assignment, error) {
	a, err := d.assignTo(ctx, question, to)
	if err != nil {
		return a, fmt.Errorf("assign %s: %w", question, err)
	}
	return a, nil
}

func (d Desk) assignTo(ctx context.Context, question string, to int64) (Assignment, error) {
	p, err := d.Tx.Person(ctx, to)
	if err != nil {
		return Assignment{}, err
	}
	if _, err := d.Tx.Question(ctx, question); err != nil {
		return Assignment{}, err
	}
	a, err := d.openAssignment(ctx, question)
	switch {
	case errors.Is(err, ErrNotFound):
		return a, fmt.Errorf("no senior has it: %w", ErrConflict)
	case err != nil || a.Senior.ID == p.ID:
		return a, err
	case !p.Reachable() || waits(a.Waiters, p.ID):
		return a, fmt.Errorf("person %d: %w", p.ID, ErrInvalid)
	case a.Senior.ID == 0:
		return d.give(ctx, a.Escalation, choice{p.ID, ByHand})
	}
	n, err := d.succeed(ctx, a.Escalation, choice{p.ID, ByHand})
	if err != nil {
		return a, err
	}
	return d.assignedFrom(ctx, n, a.Senior.ID)
}

// Remind notes that the senior who has an escalation is being reminded of it. The
// error wraps ErrConflict when it is not theirs to answer any more.
func (d Desk) Remind(ctx context.Context, escalation, senior int64) (Assignment, error) {
	e, q, err := d.held(ctx, escalation, senior)
	if err != nil {
		return Assignment{Question: q}, err
	}
	e.Reminded = d.Now
	if err := d.Tx.PutEscalation(ctx, &e); err != nil {
		return Assignment{}, err
	}
	return d.Assignment(ctx, e)
}

// Unreachable notes why somebody cannot be written to in a chat of theirs ("": in
// none). Where they can be in another, that is the one from now on, and the questions
// that they have are returned to be sent there again (From is Senior). Else their
// questions go to others, and are returned as HandOver returns them. Nothing is
// returned when the chat is not the one in which they are written to.
func (d Desk) Unreachable(ctx context.Context, person int64, chat, reason string) ([]Assignment, error) {
	out, err := d.unreachable(ctx, person, chat, cmp.Or(reason, "unreachable"))
	if err != nil {
		return nil, fmt.Errorf("person %d cannot be reached: %w", person, err)
	}
	return out, nil
}

func (d Desk) unreachable(ctx context.Context, person int64, chat, reason string) ([]Assignment, error) {
	p, err := d.Tx.Person(ctx, person)
	if err != nil {
		return nil, err
	}
	other, err := d.shut(ctx, p, chat, reason)
	if err != nil || chat != "" && chat != p.Chat {
		return nil, err
	}
	if other != "" {
		p.Chat = other
		if err := d.Tx.PutPerson(ctx, &p); err != nil {
			return nil, err
		}
		return d.heldBy(ctx, p)
	}
	p.Unreachable = reason
	if err := d.Tx.PutPerson(ctx, &p); err != nil {
		return nil, err
	}
	return d.handOverAll(ctx, p.ID, WasUnreachable)
}

// shut notes at a person's identities which chat takes nothing, and returns another
// that does.
func (d Desk) shut(ctx context.Context, p Person, chat, reason string) (other string, err error) {
	all, err := d.Tx.Identities(ctx, p.ID)
	if err != nil {
		return "", err
	}
	for _, i := range all {
		switch {
		case i.Chat == "" || i.Unreachable != "":
		case chat == "" || i.Chat == chat:
			i.Unreachable = reason
			if err := d.Tx.Link(ctx, i, p.ID); err != nil {
				return "", err
			}
		case other == "":
			other = i.Chat
		}
	}
	return other, nil
}

// heldBy returns what a senior has, oldest first, with From the senior: only the way
// to reach them has changed.
func (d Desk) heldBy(ctx context.Context, p Person) ([]Assignment, error) {
	open, err := d.Tx.Escalations(ctx, EscalationFilter{Senior: p.ID, State: EscalationOpen})
	if err != nil {
		return nil, err
	}
	slices.Reverse(open)
	var out []Assignment
	for _, e := range open {
		a, err := d.assignedFrom(ctx, e, p.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// handOverAll hands over all that somebody has, oldest first.
func (d Desk) handOverAll(ctx context.Context, person int64, why Reason) ([]Assignment, error) {
	open, err := d.Tx.Escalations(ctx, EscalationFilter{Senior: person, State: EscalationOpen})
	if err != nil {
		return nil, err
	}
	slices.Reverse(open)
	var out []Assignment
	for _, e := range open {
		a, err := d.handOver(ctx, e.ID, why)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// PassOwn gives to others the questions that a senior has and waits for the answer of:
// two people have turned out to be one. They are returned as HandOver returns them;
// where there is nobody else, the question stays.
func (d Desk) PassOwn(ctx context.Context, senior int64) ([]Assignment, error) {
	p, err := d.Tx.Person(ctx, senior)
	if err != nil {
		return nil, fmt.Errorf("pass on what %d asks: %w", senior, err)
	}
	held, err := d.heldBy(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("pass on what %d asks: %w", p.ID, err)
	}
	var out []Assignment
	for _, a := range held {
		if !waits(a.Waiters, p.ID) {
			continue
		}
		if a, err = d.HandOver(ctx, a.Escalation.ID, AskedBySenior); err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// Departure is what follows from somebody's leaving the company.
type Departure struct {
	Person     Person
	HandedOver []Assignment // what they had, as HandOver returns it
	Withdrawn  []Withdrawn  // what they waited for
}

// Leave notes that somebody has left the company: their questions go to others, they
// wait for nothing any more, and are told nothing.
func (d Desk) Leave(ctx context.Context, person int64) (Departure, error) {
	out, err := d.leave(ctx, person)
	if err != nil {
		return out, fmt.Errorf("person %d leaves: %w", person, err)
	}
	return out, nil
}

func (d Desk) leave(ctx context.Context, person int64) (out Departure, err error) {
	p, err := d.Tx.Person(ctx, person)
	if err != nil {
		return out, err
	}
	p.Left, p.Admin, p.Admitted = true, false, false
	out.Person = p
	if err := d.Tx.PutPerson(ctx, &p); err != nil {
		return out, err
	}
	if err := d.Tx.RevokeInvitations(ctx, p.ID); err != nil {
		return out, err
	}
	if out.Withdrawn, err = d.withdrawAll(ctx, p.ID); err != nil {
		return out, err
	}
	out.HandedOver, err = d.handOverAll(ctx, p.ID, HasLeft)
	return out, err
}

// withdrawAll ends all that somebody waits for.
func (d Desk) withdrawAll(ctx context.Context, person int64) ([]Withdrawn, error) {
	asks, err := d.Tx.Asks(ctx, person, "", 0)
	if err != nil {
		return nil, err
	}
	slices.Reverse(asks)
	var out []Withdrawn
	for _, a := range asks {
		w, err := d.CancelWait(ctx, a.Question, person)
		switch {
		case errors.Is(err, ErrNotFound):
		case err != nil:
			return nil, err
		default:
			out = append(out, w)
		}
	}
	return out, nil
}

// SetTopic says what a question is about; "" for nothing. A topic that there is
// already is written as it is there.
func (d Desk) SetTopic(ctx context.Context, question, topic string) (Question, error) {
	q, err := d.Tx.Question(ctx, question)
	if err != nil {
		return q, fmt.Errorf("set the topic: %w", err)
	}
	all, err := d.Tx.Topics(ctx)
	if err != nil {
		return q, fmt.Errorf("set the topic of %s: %w", question, err)
	}
	if topic, err = NameTopic(topic, all); err != nil || topic == q.Topic {
		return q, err
	}
	was := q.Topic
	q.Topic = topic
	if err := d.Tx.PutQuestion(ctx, &q); err != nil {
		return q, fmt.Errorf("set the topic of %s: %w", question, err)
	}
	return q, d.step(ctx, Step{Question: q.ID, Kind: StepTopic, Was: was, Text: topic})
}

// MaxTopicRunes bounds the name of a topic, in code points: it stands on a button,
// and Slack allows 75.
const MaxTopicRunes = 60

// NameTopic returns a topic as it is written among all, or as it is given when it is
// new; "" stays so. The error wraps ErrInvalid when it is too long.
func NameTopic(topic string, all []Topic) (string, error) {
	fold := FoldText(topic)
	if fold == "" {
		return "", nil
	}
	for _, t := range all {
		if FoldText(t.Name) == fold {
			return t.Name, nil
		}
	}
	return CleanText(topic, MaxTopicRunes)
}
