package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// executeDesk performs what concerns with whom a question is.
func (c *clerk) executeDesk(ctx context.Context, cmd Command) (Body, bool, error) {
	var b Body
	var err error
	switch m := cmd.(type) {
	case Pass:
		b, err = c.pass(ctx, m)
	case Remind:
		b, err = c.remind(ctx, m)
	case HandOver:
		b, err = c.handOver(ctx, m)
	case TaskLost:
		err = c.taskLost(ctx, m)
	case CannotReach:
		err = c.cannotReach(ctx, m)
	case Redirect:
		err = c.redirect(ctx, m)
	case Refill:
		err = c.refill(ctx, c.e.Person.ID)
	default:
		return c.executeReading(ctx, cmd)
	}
	return b, true, err
}

// executeReading performs what is read for the person of the chat, and their answers
// to it.
func (c *clerk) executeReading(ctx context.Context, cmd Command) (Body, bool, error) {
	var b Body
	var err error
	switch m := cmd.(type) {
	case ReadTasks:
		b, err = c.readTasks(ctx, m)
	case Accept:
		b, err = c.accept(ctx, m)
	case ReadTopics:
		b, err = c.readTopics(ctx, m)
	case SetTopic:
		b, err = c.setTopic(ctx, m)
	default:
		return nil, false, nil
	}
	return b, true, err
}

// given tells whom it concerns that questions are with somebody else now.
func (c *clerk) given(ctx context.Context, given []knowledge.Assignment, err error) error {
	if err != nil {
		return err
	}
	mail, err := givenMail(ctx, c.tx, given)
	c.mail = append(c.mail, mail...)
	return err
}

// refill gives somebody who has settled a question the next of the queue.
func (c *clerk) refill(ctx context.Context, senior int64) error {
	if senior == 0 {
		return nil
	}
	given, err := c.desk.Refill(ctx, senior)
	return c.given(ctx, given, err)
}

func (c *clerk) pass(ctx context.Context, m Pass) (Body, error) {
	a, err := c.desk.Pass(ctx, m.Escalation, c.e.Person.ID, m.To)
	if errors.Is(err, knowledge.ErrConflict) {
		return TooLate{Escalation: m.Escalation, Question: a.Question}, nil
	}
	if err := c.given(ctx, []knowledge.Assignment{a}, err); err != nil {
		return nil, err
	}
	return TaskEnded{Escalation: m.Escalation, PassedTo: a.Senior.Name}, c.refill(ctx, c.e.Person.ID)
}

func (c *clerk) remind(ctx context.Context, m Remind) (Body, error) {
	a, err := c.desk.Remind(ctx, m.Escalation, c.e.Person.ID)
	if errors.Is(err, knowledge.ErrConflict) {
		return TooLate{Escalation: m.Escalation, Question: a.Question}, nil
	}
	if err != nil {
		return nil, err
	}
	task, err := taskOf(ctx, c.tx, a)
	return Reminded{Task: task}, err
}

func (c *clerk) handOver(ctx context.Context, m HandOver) (Body, error) {
	_, late, err := c.ownTask(ctx, m.Escalation)
	if err != nil || late != nil {
		return late, err
	}
	a, err := c.desk.HandOver(ctx, m.Escalation, knowledge.HandedOver)
	if err := c.given(ctx, []knowledge.Assignment{a}, err); err != nil {
		return nil, err
	}
	if a.Exhausted {
		return TaskStays(m), nil
	}
	given, err := c.desk.GiveOut(ctx) // there is room for another one
	return TaskEnded{Escalation: m.Escalation, PassedTo: a.Senior.Name, Overdue: true}, c.given(ctx, given, err)
}

// taskLost hands a question on when its senior will never see it.
func (c *clerk) taskLost(ctx context.Context, m TaskLost) error {
	d, err := c.tx.Delivery(ctx, m.Delivery)
	if err != nil || d.Key != taskKey(m.Escalation, c.e.Chat) {
		return ignoreNotFound(err)
	}
	if _, late, err := c.ownTask(ctx, m.Escalation); err != nil || late != nil {
		return ignoreNotFound(err)
	}
	a, err := c.desk.HandOver(ctx, m.Escalation, knowledge.WasUnreachable)
	return c.given(ctx, []knowledge.Assignment{a}, err)
}

// cannotReach notes that the chat takes nothing. What its person has there goes to
// another chat of theirs, or to somebody else.
func (c *clerk) cannotReach(ctx context.Context, m CannotReach) error {
	moved, err := c.desk.Unreachable(ctx, c.e.Person.ID, string(c.e.Chat), m.Reason)
	if err == nil {
		moved, err = givenOut(ctx, c.desk, moved)
	}
	if err := c.given(ctx, moved, err); err != nil {
		return err
	}
	p, err := c.tx.Person(ctx, c.e.Person.ID)
	if err != nil || len(moved) > 0 || p.Chat == "" || ChatID(p.Chat) == c.e.Chat {
		return err
	}
	// They are written to elsewhere by now; what was brought to them here is not there.
	var left []knowledge.Assignment
	for _, id := range m.Tasks {
		e, late, err := c.ownTask(ctx, id)
		if err != nil {
			return err
		}
		if late != nil {
			continue
		}
		a, err := c.desk.Assignment(ctx, e)
		if err != nil {
			return err
		}
		a.From = a.Senior
		left = append(left, a)
	}
	return c.given(ctx, left, nil)
}

// redirect sends what a room did not take to the person alone. What changes another
// message makes no sense by itself.
func (c *clerk) redirect(ctx context.Context, m Redirect) error {
	d, err := c.tx.Delivery(ctx, m.Delivery)
	if err != nil {
		return ignoreNotFound(err)
	}
	p := c.e.Person
	if d.Message.Replaces != "" || !p.Reachable() || ChatID(p.Chat) == c.e.Chat {
		return nil
	}
	d.Message.Under, d.Message.Beneath, d.Message.Private = "", "", false
	return c.tx.PutDelivery(ctx, &Delivery{
		Key: fmt.Sprintf("%d/redirected", c.e.ID), Chat: ChatID(p.Chat), Message: d.Message, State: DeliveryPending, Created: c.e.At,
	})
}

// readTasks reads those of the escalations that are the senior's, as they stand.
func (c *clerk) readTasks(ctx context.Context, m ReadTasks) (Body, error) {
	var out TasksRead
	for _, id := range m.Escalations {
		e, late, err := c.ownTask(ctx, id)
		if errors.Is(err, knowledge.ErrNotFound) || late != nil {
			continue
		}
		if err != nil {
			return nil, err
		}
		a, err := c.desk.Assignment(ctx, e)
		if err != nil {
			return nil, err
		}
		task, err := taskOf(ctx, c.tx, a)
		if err != nil {
			return nil, err
		}
		out.Tasks = append(out.Tasks, task)
	}
	return out, nil
}

// accept lets somebody in by an invitation's code.
func (c *clerk) accept(ctx context.Context, m Accept) (Body, error) {
	p, err := c.desk.Accept(ctx, m.Code, c.e.Person)
	switch {
	case errors.Is(err, knowledge.ErrNotFound):
		return Accepted{}, nil
	case errors.Is(err, knowledge.ErrConflict):
		return Accepted{Used: true}, nil
	case err != nil:
		return nil, err
	}
	c.e.Person, c.desk.By = p, p.ID
	own, err := c.desk.PassOwn(ctx, p.ID)
	if err := c.given(ctx, own, err); err != nil {
		return nil, err
	}
	return Accepted{Person: p}, c.refill(ctx, p.ID)
}

// ownTask returns an escalation that the senior still has to settle; else late
// says what has become of it.
func (c *clerk) ownTask(ctx context.Context, id int64) (e knowledge.Escalation, late Body, err error) {
	e, err = c.tx.Escalation(ctx, id)
	if err != nil || e.State == knowledge.EscalationOpen && e.Senior == c.e.Person.ID {
		return e, nil, err
	}
	q, err := c.tx.Question(ctx, e.Question)
	if err != nil {
		return e, nil, err
	}
	return e, TooLate{Escalation: e.ID, Question: q}, nil
}

func (c *clerk) readSeniors(ctx context.Context, m ReadSeniors) (Body, error) {
	e, late, err := c.ownTask(ctx, m.Escalation)
	if err != nil || late != nil {
		return late, err
	}
	all, err := c.tx.People(ctx, true)
	if err != nil {
		return nil, err
	}
	waiters, err := c.tx.Waiters(ctx, e.Question)
	if err != nil {
		return nil, err
	}
	out := Seniors{Escalation: m.Escalation}
	for _, p := range all {
		asks := slices.ContainsFunc(waiters, func(w knowledge.Waiter) bool { return w.Person == p.ID })
		if p.ID != c.e.Person.ID && !asks && p.Reachable() {
			out.Others = append(out.Others, p)
		}
	}
	return out, nil
}

func (c *clerk) readTopics(ctx context.Context, m ReadTopics) (Body, error) {
	names, err := topicNames(ctx, c.tx)
	return Topics{Read: m, Names: names}, err
}

func topicNames(ctx context.Context, tx knowledge.Tx) ([]string, error) {
	all, err := tx.Topics(ctx)
	var names []string
	for _, t := range all {
		names = append(names, t.Name)
	}
	return names, err
}

func (c *clerk) setTopic(ctx context.Context, m SetTopic) (Body, error) {
	q, err := c.desk.SetTopic(ctx, m.Question, m.Topic)
	if errors.Is(err, knowledge.ErrInvalid) {
		return TopicSet{Question: q, Escalation: m.Escalation, Refused: true}, nil
	}
	return TopicSet{Question: q, Escalation: m.Escalation}, err
}
