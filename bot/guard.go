package bot

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// guard asks the searcher what a change would disturb. When it cannot tell, the
// change is made in the end: who waits for an answer must get it.
func (r *Runner) guard(ctx context.Context, row Row, g Guard) (Body, error) {
	p, err := r.proposal(ctx, g)
	if errors.Is(err, knowledge.ErrNotFound) {
		return Guarded{Guard: g}, nil // the change itself will find out
	}
	if err != nil {
		return nil, err
	}
	out := Guarded{Guard: g}
	if p.Question == "" {
		return out, nil
	}
	out.Conflicts, err = r.Searcher.Disturbs(ctx, p)
	if err == nil && g.Reply != nil {
		out.Like, err = r.repeats(ctx, *g.Reply, p)
	}
	if err != nil && ctx.Err() == nil && row.Attempts+1 >= maxAttempts {
		r.Log.ErrorContext(ctx, "a change goes live unchecked", "event_id", row.ID, "entry_id", p.Question, "err", err)
		return Guarded{Guard: g}, nil
	}
	return out, err
}

// repeats returns the entry that a reply repeats or contradicts, nil for none.
func (r *Runner) repeats(ctx context.Context, m Reply, p knowledge.Proposal) (*knowledge.Page, error) {
	var refused []string
	err := r.Store.Read(ctx, func(tx Tx) (err error) {
		refused, err = refusedBefore(ctx, tx, m.Escalation)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("what has been refused: %w", err)
	}
	return r.Searcher.Repeats(ctx, p, refused)
}

// refusedBefore returns the entries that those who wait for an answer were shown first.
func refusedBefore(ctx context.Context, tx Tx, escalation int64) ([]string, error) {
	e, err := tx.Escalation(ctx, escalation)
	if err != nil {
		return nil, err
	}
	all, err := tx.Waiters(ctx, e.Question)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, w := range all {
		a, err := tx.Ask(ctx, w.Ask)
		if err != nil {
			return nil, ignoreNotFound(err)
		}
		for _, c := range a.Candidates {
			out = append(out, c.Question)
		}
	}
	return out, nil
}

// proposal returns what a change would bring into the base; a zero one when
// nothing, or nothing that is found.
func (r *Runner) proposal(ctx context.Context, g Guard) (p knowledge.Proposal, err error) {
	err = r.Store.Read(ctx, func(tx Tx) error {
		switch {
		case g.Lesson != nil:
			p = knowledge.Proposal{Question: g.Lesson.Question, Wordings: []string{g.Lesson.Wording}}
		case g.Reply != nil:
			p, err = proposedReply(ctx, tx, *g.Reply)
		case g.Revise != nil:
			p, err = proposedRevision(ctx, tx, *g.Revise)
		case g.PointTo != nil:
			p, err = proposedPointing(ctx, tx, *g.PointTo)
		}
		return err
	})
	if err != nil {
		return p, fmt.Errorf("what is proposed: %w", err)
	}
	return p, nil
}

// proposedReply is a new entry: the question, how those who wait word it, and the answer.
func proposedReply(ctx context.Context, tx Tx, m Reply) (knowledge.Proposal, error) {
	q, wordings, err := waiting(ctx, tx, m.Escalation)
	if err != nil || q.ID == "" {
		return knowledge.Proposal{}, err
	}
	return knowledge.Proposal{Question: q.ID, Text: q.Text, Answer: m.Text, Wordings: wordings}, nil
}

// waiting returns the question of an open escalation, and how those who wait for it
// word it otherwise; the zero question when it is settled.
func waiting(ctx context.Context, tx Tx, escalation int64) (knowledge.Question, []string, error) {
	e, err := tx.Escalation(ctx, escalation)
	if err != nil || e.State != knowledge.EscalationOpen {
		return knowledge.Question{}, nil, err
	}
	q, err := tx.Question(ctx, e.Question)
	if err != nil {
		return q, nil, err
	}
	wordings, err := waitersWordings(ctx, tx, q)
	return q, wordings, err
}

// waitersWordings returns how those who wait for a question word it, where that
// differs from its text.
func waitersWordings(ctx context.Context, tx Tx, q knowledge.Question) ([]string, error) {
	all, err := tx.Waiters(ctx, q.ID)
	seen := map[string]bool{knowledge.FoldText(q.Text): true}
	var out []string
	for _, w := range all {
		if fold := knowledge.FoldText(w.Text); w.State == knowledge.Waiting && !seen[fold] {
			seen[fold] = true
			out = append(out, w.Text)
		}
	}
	return out, err
}

// proposedRevision is a new answer. One that was held back is proposed with all
// wordings of its question; one that somebody keeps out is not proposed at all.
func proposedRevision(ctx context.Context, tx Tx, m Revise) (knowledge.Proposal, error) {
	q, err := tx.Question(ctx, m.Question)
	if err != nil {
		return knowledge.Proposal{}, err
	}
	p := knowledge.Proposal{Question: q.ID, Text: q.Text, Answer: cmp.Or(m.Text, q.Answer.Text)}
	if q.Status.Answered() {
		return p, nil
	}
	held, err := heldAnswer(ctx, tx, q.ID)
	if err != nil || held == nil {
		return knowledge.Proposal{}, err
	}
	phrasings, err := tx.Phrasings(ctx, []string{q.ID})
	for _, f := range phrasings {
		if knowledge.FoldText(f.Text) != knowledge.FoldText(q.Text) {
			p.Wordings = append(p.Wordings, f.Text)
		}
	}
	return p, err
}

// heldAnswer returns what waits for a decision on a question's answer; nil for nothing.
func heldAnswer(ctx context.Context, tx Tx, question string) (*knowledge.Review, error) {
	held, err := knowledge.Desk{Tx: tx}.HeldAnswers(ctx, question)
	if err != nil || len(held) == 0 {
		return nil, err
	}
	return &held[0], nil
}

// proposedPointing is new wordings of an entry: how those who wait word theirs.
func proposedPointing(ctx context.Context, tx Tx, m PointTo) (knowledge.Proposal, error) {
	q, wordings, err := waiting(ctx, tx, m.Escalation)
	if err != nil || q.ID == "" {
		return knowledge.Proposal{}, err
	}
	return knowledge.Proposal{Question: m.Question, Wordings: append([]string{q.Text}, wordings...)}, nil
}
