package bot

import (
	"context"
	"errors"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// executeGuarded performs the changes that were checked for what they disturb.
func (c *clerk) executeGuarded(ctx context.Context, cmd Command) (Body, bool, error) {
	var b Body
	var err error
	switch m := cmd.(type) {
	case Learn:
		err = c.desk.Learn(ctx, m.Lesson)
	case Hold:
		_, err = c.desk.Hold(ctx, knowledge.Review{Question: m.Lesson.Question, Wording: m.Lesson.Wording, Person: m.Lesson.Person, Conflicts: m.Conflicts})
	case Reply:
		b, err = c.reply(ctx, m)
	case Revise:
		b, err = c.revise(ctx, m)
	case PointTo:
		b, err = c.pointTo(ctx, m)
	case DecideHeld:
		b, err = c.decideHeld(ctx, m)
	case Combine:
		b, err = c.combine(ctx, m)
	default:
		return nil, false, nil
	}
	return b, true, err
}

func (c *clerk) reply(ctx context.Context, m Reply) (Body, error) {
	r, err := c.desk.Reply(ctx, m.Escalation, c.e.Person.ID, m.Text)
	if errors.Is(err, knowledge.ErrConflict) {
		return TooLate{Escalation: m.Escalation, Question: r.Question, Parts: []Part{{Text: m.Text, Files: m.Files}}}, nil
	}
	if err != nil {
		return nil, err
	}
	done := ReplyDone{Escalation: m.Escalation, Sources: m.Sources}
	if done.LeftOut, err = c.attachToAnswer(ctx, &r, m.Files); err != nil {
		return nil, err
	}
	conflicts := m.Conflicts
	if done.Like = m.Like; m.Like != nil {
		q := knowledge.Brief{ID: r.Question.ID, Text: r.Question.Text}
		conflicts = append([]knowledge.Conflict{{Wording: q.Text, Was: m.Like.Brief, Now: q}}, conflicts...)
	}
	if len(conflicts) > 0 {
		if done.Held, err = c.holdAnswer(ctx, &r.Question, conflicts); err != nil {
			return nil, err
		}
	}
	return c.replied(ctx, r, done)
}

// attachToAnswer adds files to an answer that has just been given. Those that are too
// many for it are left out, and counted.
func (c *clerk) attachToAnswer(ctx context.Context, r *knowledge.Replied, files []SentFile) (leftOut int, err error) {
	for _, f := range files {
		_, err := c.desk.Attach(ctx, r.Question.ID, f.attachment())
		switch {
		case errors.Is(err, knowledge.ErrInvalid):
			leftOut++
		case err != nil:
			return 0, err
		}
	}
	if len(files) > leftOut {
		r.Files, err = c.tx.Attachments(ctx, knowledge.AttachmentFilter{Answers: []int64{r.Question.Answer.ID}})
	}
	return leftOut, err
}

// holdAnswer takes an answer out of the base until somebody decides.
func (c *clerk) holdAnswer(ctx context.Context, q *knowledge.Question, conflicts []knowledge.Conflict) ([]knowledge.Review, error) {
	held, err := c.desk.Hold(ctx, knowledge.Review{Question: q.ID, Person: c.e.Person.ID, Conflicts: conflicts})
	if err != nil {
		return nil, err
	}
	*q, err = c.tx.Question(ctx, q.ID)
	return []knowledge.Review{held}, err
}

func (c *clerk) revise(ctx context.Context, m Revise) (Body, error) {
	held, err := heldAnswer(ctx, c.tx, m.Question)
	if err != nil {
		return nil, err
	}
	if m.Text == "" { // only files are added
		q, err := c.tx.Question(ctx, m.Question)
		if err != nil {
			return nil, err
		}
		m.Text = q.Answer.Text
	}
	r, err := c.desk.Revise(ctx, m.Question, c.e.Person.ID, m.Text)
	if err != nil {
		return nil, err
	}
	done := ReplyDone{Changed: true, Escalation: m.Escalation, Sources: m.Sources}
	if done.LeftOut, err = c.attachToAnswer(ctx, &r, m.Files); err != nil {
		return nil, err
	}
	switch conflicts := len(m.Conflicts) > 0; {
	case held != nil && conflicts: // the new text disturbs others as well
		held.Conflicts = m.Conflicts
		done.Held, err = []knowledge.Review{*held}, c.tx.PutReview(ctx, held)
	case held != nil: // the new text has put it right
		_, r.Question, err = c.desk.DecideReview(ctx, held.ID, c.e.Person.ID, true)
	case conflicts && r.Question.Status.Answered():
		done.Held, err = c.holdAnswer(ctx, &r.Question, m.Conflicts)
	}
	if err != nil {
		return nil, err
	}
	return c.replied(ctx, r, done)
}

func (c *clerk) pointTo(ctx context.Context, m PointTo) (Body, error) {
	known, err := c.tx.Phrasings(ctx, []string{m.Question})
	if err != nil {
		return nil, err
	}
	r, err := c.desk.PointTo(ctx, m.Escalation, c.e.Person.ID, m.Question)
	switch {
	case errors.Is(err, knowledge.ErrConflict):
		return TooLate{Escalation: m.Escalation, Question: r.Question}, nil
	case errors.Is(err, knowledge.ErrInvalid):
		return EntryGone{Escalation: m.Escalation}, nil
	case err != nil:
		return nil, err
	}
	done := ReplyDone{Escalation: m.Escalation, Pointed: true}
	if len(m.Conflicts) > 0 {
		if done.Held, err = c.holdWordings(ctx, r, known, m.Conflicts); err != nil {
			return nil, err
		}
	}
	return c.replied(ctx, r, done)
}

// holdWordings takes back the wordings that an entry has just got, until somebody
// decides; those that it had before stay.
func (c *clerk) holdWordings(ctx context.Context, r knowledge.Replied, known []knowledge.Phrasing, conflicts []knowledge.Conflict) ([]knowledge.Review, error) {
	seen := map[string]bool{}
	for _, p := range known {
		seen[knowledge.FoldText(p.Text)] = true
	}
	wordings := append([]knowledge.Waiter(nil), r.Waiters...)
	if len(wordings) == 0 {
		wordings = []knowledge.Waiter{{Text: r.Wording}}
	}
	var out []knowledge.Review
	for _, w := range wordings {
		fold := knowledge.FoldText(w.Text)
		if seen[fold] {
			continue
		}
		seen[fold] = true
		if _, err := c.desk.Unlearn(ctx, r.Question.ID, w.Text, 0); err != nil {
			return nil, err
		}
		held, err := c.desk.Hold(ctx, knowledge.Review{Question: r.Question.ID, Wording: w.Text, Person: w.Person, Conflicts: conflicts})
		if err != nil {
			return nil, err
		}
		out = append(out, held)
	}
	return out, nil
}

// decideHeld decides on what was held back, unless somebody has done so before.
func (c *clerk) decideHeld(ctx context.Context, m DecideHeld) (Body, error) {
	out := HeldDecided{Escalation: m.Escalation}
	for _, id := range m.Reviews {
		review, err := c.tx.Review(ctx, id)
		if err != nil {
			return nil, err
		}
		if out.Question, err = c.tx.Question(ctx, review.Question); err != nil {
			return nil, err
		}
		if late := !review.Decided.IsZero() || m.Accept && !acceptable(review, out.Question); late {
			out.Late = true
		} else if review, out.Question, err = c.desk.DecideReview(ctx, id, c.e.Person.ID, m.Accept); err != nil {
			return nil, err
		}
		out.Reviews = append(out.Reviews, review)
	}
	return out, nil
}

// acceptable reports whether what is held can still go into the base: the question
// may have been asked anew, or closed, since.
func acceptable(r knowledge.Review, q knowledge.Question) bool {
	return r.Wording != "" || q.Status.Answered() || q.Closed == knowledge.AnsweredPrivately
}
