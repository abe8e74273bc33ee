package knowledge

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// choice is to whom a question goes, and why; without a senior it waits in the queue.
type choice struct {
	senior int64
	reason Reason
}

// candidate is a senior who can get questions now.
type candidate struct {
	Person
	opens time.Time // when they work next: now, if they do
	load  int       // open questions
}

// roster returns the seniors who can get questions: those who can be reached and are
// not away, with what they have.
func (d Desk) roster(ctx context.Context) ([]candidate, error) {
	seniors, err := d.Tx.People(ctx, true)
	if err != nil {
		return nil, err
	}
	var out []candidate
	for _, p := range seniors {
		if !d.available(p) {
			continue
		}
		c, err := d.candidate(ctx, p)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// available reports whether somebody can get a question now.
func (d Desk) available(p Person) bool { return p.Reachable() && !p.Away.After(d.Now) }

func (d Desk) candidate(ctx context.Context, p Person) (candidate, error) {
	// More than the limit need not be counted.
	open, err := d.Tx.Escalations(ctx, EscalationFilter{Senior: p.ID, State: EscalationOpen, Limit: d.Routing.Limit})
	return candidate{Person: p, opens: d.Routing.Schedule(p).Next(d.Now), load: len(open)}, err
}

// full reports whether a senior has as many questions as they may.
func (d Desk) full(c candidate) bool { return d.Routing.Limit > 0 && c.load >= d.Routing.Limit }

// route chooses who gets a question; see elect.
func (d Desk) route(ctx context.Context, q Question) (choice, error) {
	roster, err := d.roster(ctx)
	if err != nil {
		return choice{}, err
	}
	return d.elect(ctx, q, roster)
}

// elect chooses who of a roster gets a question: somebody who does not wait for it
// and has fewer open ones than the limit, of the topic's seniors if there is one of
// them, who works now or is the first to, with the fewest open questions.
func (d Desk) elect(ctx context.Context, q Question, roster []candidate) (choice, error) {
	waiters, err := d.Tx.Waiters(ctx, q.ID)
	if err != nil {
		return choice{}, err
	}
	able := slices.DeleteFunc(slices.Clone(roster), func(c candidate) bool { return waits(waiters, c.ID) })
	if len(able) == 0 {
		return choice{0, NobodyThere}, nil
	}
	free := slices.DeleteFunc(slices.Clone(able), d.full)
	if len(free) == 0 {
		return choice{0, Queued}, nil
	}
	own, err := d.Tx.TopicSeniors(ctx, q.Topic)
	if err != nil {
		return choice{}, err
	}
	best, reason := first(free, own)
	if len(able) == 1 {
		reason = OnlyOne
	}
	return choice{best.ID, reason}, nil
}

// waits reports whether somebody is among those who still wait.
func waits(waiters []Waiter, person int64) bool {
	return slices.ContainsFunc(waiters, func(w Waiter) bool { return w.Person == person && w.State == Waiting })
}

// first returns the best of some candidates, and what made them that.
func first(all []candidate, own []int64) (candidate, Reason) {
	reason := ByLoad
	if of := slices.DeleteFunc(slices.Clone(all), func(c candidate) bool { return !slices.Contains(own, c.ID) }); len(of) > 0 {
		all, reason = of, ByTopic
	}
	best := slices.MinFunc(all, func(a, b candidate) int {
		return cmp.Or(compareOpening(a.opens, b.opens), cmp.Compare(a.load, b.load), cmp.Compare(a.ID, b.ID))
	})
	later := func(c candidate) bool { return compareOpening(c.opens, best.opens) > 0 }
	if reason == ByLoad && slices.ContainsFunc(all, later) {
		reason = ByHours
	}
	return best, reason
}

// compareOpening puts the earlier first, and who never works last.
func compareOpening(a, b time.Time) int {
	switch {
	case a.IsZero() != b.IsZero():
		if a.IsZero() {
			return 1
		}
		return -1
	default:
		return a.Compare(b)
	}
}

// assign makes an escalation of a question; by tells who sends it.
func (d Desk) assign(ctx context.Context, question string, to choice, by Step) (Escalation, error) {
	e := Escalation{Question: question, Senior: to.senior, Reason: to.reason, State: EscalationOpen, Created: d.Now}
	if to.senior != 0 {
		e.Given = d.Now
	}
	if err := d.Tx.PutEscalation(ctx, &e); err != nil {
		return e, err
	}
	by.Question, by.Kind, by.Ref, by.Was = question, StepEscalated, e.ID, string(to.reason)
	return e, d.step(ctx, by)
}

// queue returns the escalations that no senior has, oldest first.
func (d Desk) queue(ctx context.Context) ([]Escalation, error) {
	queued, err := d.Tx.Escalations(ctx, EscalationFilter{Unassigned: true, State: EscalationOpen})
	slices.Reverse(queued)
	return queued, err
}

// give gives a senior what no senior had.
func (d Desk) give(ctx context.Context, e Escalation, to choice) (Assignment, error) {
	if to.reason == FromQueue {
		d.By = 0 // it is nobody's doing
	}
	e.Senior, e.Given, e.Reason = to.senior, d.Now, to.reason
	if err := d.Tx.PutEscalation(ctx, &e); err != nil {
		return Assignment{}, err
	}
	if err := d.step(ctx, Step{Question: e.Question, Kind: StepEscalated, Was: string(to.reason), Ref: e.ID}); err != nil {
		return Assignment{}, err
	}
	return d.Assignment(ctx, e)
}

// NextQueued gives a senior the question of the queue that is theirs to answer: the
// oldest of their topics, else the oldest. It is false when there is none, and when
// they have as many as they may or cannot get any now.
func (d Desk) NextQueued(ctx context.Context, senior int64) (Assignment, bool, error) {
	p, err := d.Tx.Person(ctx, senior)
	if err != nil || !p.Senior || !d.available(p) {
		return Assignment{}, false, err
	}
	c, err := d.candidate(ctx, p)
	if err != nil || d.full(c) {
		return Assignment{}, false, err
	}
	e, err := d.nextFor(ctx, p.ID)
	if err != nil || e.ID == 0 {
		return Assignment{}, false, err
	}
	a, err := d.give(ctx, e, choice{p.ID, FromQueue})
	return a, err == nil, err
}

// nextFor returns what of the queue is a senior's; without an ID there is none.
func (d Desk) nextFor(ctx context.Context, senior int64) (Escalation, error) {
	queued, err := d.queue(ctx)
	if err != nil {
		return Escalation{}, err
	}
	var oldest Escalation
	for _, e := range queued {
		waiters, err := d.Tx.Waiters(ctx, e.Question)
		if err != nil {
			return e, err
		}
		if waits(waiters, senior) {
			continue
		}
		q, err := d.Tx.Question(ctx, e.Question)
		if err != nil {
			return e, err
		}
		own, err := d.Tx.TopicSeniors(ctx, q.Topic)
		if err != nil || slices.Contains(own, senior) {
			return e, err
		}
		if oldest.ID == 0 {
			oldest = e
		}
	}
	return oldest, nil
}

// GiveOut gives what waits in the queue to the seniors who can get it now, oldest
// first. It is for moments at which more than one senior may have become free.
func (d Desk) GiveOut(ctx context.Context) ([]Assignment, error) {
	queued, err := d.queue(ctx)
	if err != nil || len(queued) == 0 {
		return nil, err
	}
	roster, err := d.roster(ctx)
	if err != nil {
		return nil, err
	}
	var out []Assignment
	for _, e := range queued {
		if !slices.ContainsFunc(roster, func(c candidate) bool { return !d.full(c) }) {
			return out, nil
		}
		q, err := d.Tx.Question(ctx, e.Question)
		if err != nil {
			return out, err
		}
		to, err := d.elect(ctx, q, roster)
		if err != nil {
			return out, err
		}
		if to.senior == 0 {
			continue
		}
		a, err := d.give(ctx, e, choice{to.senior, FromQueue})
		if err != nil {
			return out, err
		}
		i := slices.IndexFunc(roster, func(c candidate) bool { return c.ID == to.senior })
		roster[i].load++
		out = append(out, a)
	}
	return out, nil
}

// AddPerson makes somebody a senior or an administrator, or just known. What of the
// queue is theirs from now on is returned: not what they wait for themselves. What
// somebody has who is neither any more goes to others, and is returned too.
func (d Desk) AddPerson(ctx context.Context, p *Person) ([]Assignment, error) {
	var before Person
	var err error
	if p.ID != 0 {
		if before, err = d.Tx.Person(ctx, p.ID); err != nil {
			return nil, err
		}
	}
	if err := d.Tx.PutPerson(ctx, p); err != nil {
		return nil, err
	}
	if (before.Senior || before.Admin) && !p.Senior && !p.Admin {
		return d.handOverAll(ctx, p.ID, HasLeft)
	}
	return d.Refill(ctx, p.ID)
}

// Refill gives a senior of the queue what they may have: NextQueued for as long as
// there is any.
func (d Desk) Refill(ctx context.Context, senior int64) ([]Assignment, error) {
	var out []Assignment
	for {
		a, ok, err := d.NextQueued(ctx, senior)
		if err != nil || !ok {
			return out, err
		}
		out = append(out, a)
	}
}
