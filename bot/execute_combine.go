package bot

import (
	"context"
	"errors"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// combine makes one entry of an answer that is held back and the one that it repeats,
// unless somebody has decided before. Where the entry has left the base since, the
// answer takes its place.
func (c *clerk) combine(ctx context.Context, m Combine) (Body, error) {
	review, err := c.tx.Review(ctx, m.Review)
	if err != nil {
		return nil, err
	}
	q, err := c.tx.Question(ctx, m.Question)
	if err != nil {
		return nil, err
	}
	entry, err := c.tx.Question(ctx, m.Entry)
	if err != nil {
		return nil, err
	}
	switch {
	case !review.Decided.IsZero() || !acceptable(review, q):
		return HeldDecided{Reviews: []knowledge.Review{review}, Question: q, Late: true, Escalation: m.Escalation}, nil
	case !entry.Status.Answered():
		return c.decideHeld(ctx, DecideHeld{Reviews: []int64{m.Review}, Accept: true, Escalation: m.Escalation})
	}
	text, sources := q.Answer.Text, m.Sources
	if m.Merge {
		before := entry.Answer.Text
		text = before + partBreak + text
		if _, err := knowledge.CleanText(text, knowledge.MaxAnswerRunes); errors.Is(err, knowledge.ErrInvalid) {
			return TooLong{Review: m.Review, Question: entry.ID, Title: entry.Text, Escalation: m.Escalation}, nil
		}
		if len(sources) > 0 {
			sources = append([]Source{{Bytes: len(before)}}, sources...)
		}
	}
	if _, _, err := c.desk.DecideReview(ctx, m.Review, c.e.Person.ID, false); err != nil {
		return nil, err
	}
	return c.replaceAnswer(ctx, m, q, text, sources)
}

// replaceAnswer gives the entry of m its new text, with the files of the answer, and
// makes the answer's question part of it.
func (c *clerk) replaceAnswer(ctx context.Context, m Combine, q knowledge.Question, text string, sources []Source) (Body, error) {
	desk := c.desk
	desk.WithoutFiles = !m.Merge // what they belonged to is gone
	r, err := desk.Revise(ctx, m.Entry, c.e.Person.ID, text)
	if err != nil {
		return nil, err
	}
	files, err := c.tx.Attachments(ctx, knowledge.AttachmentFilter{Answers: []int64{q.Answer.ID}})
	if err != nil {
		return nil, err
	}
	done := ReplyDone{Changed: true, Escalation: m.Escalation, Sources: sources}
	if done.LeftOut, err = c.attachToAnswer(ctx, &r, attached(files)); err != nil {
		return nil, err
	}
	if err := c.desk.Absorb(ctx, q.ID, m.Entry); err != nil {
		return nil, err
	}
	r.Wording = q.Text
	return c.replied(ctx, r, done)
}
