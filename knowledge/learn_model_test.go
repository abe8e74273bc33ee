package knowledge_test

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// learning is what the bot does by itself, and what people do about that.
func (c *company) learning() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"hold": func(t *rapid.T) {
			r := knowledge.Review{Question: c.someQuestion(t), Conflicts: []knowledge.Conflict{{Wording: "другое"}}}
			r.Wording = rapid.SampledFrom([]string{"", "не работает", "не включается"}).Draw(t, "wording")
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				_, err := d.Hold(ctx, r)
				return err
			})
		},
		"decide": func(t *rapid.T) {
			id, who, accept := rapid.Int64Range(1, 5).Draw(t, "review"), c.somebody(t), rapid.Bool().Draw(t, "accept")
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				_, _, err := d.DecideReview(ctx, id, who, accept)
				return err
			})
		},
		"frequent": func(t *rapid.T) {
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				d.Learning.FrequentAsks = 2
				_, _, err := d.Frequent(ctx)
				return err
			})
		},
		"unlearn": func(t *rapid.T) {
			id := c.someQuestion(t)
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				_, err := d.Unlearn(ctx, id, "не работает", 0)
				return err
			})
		},
		"undo": func(t *rapid.T) {
			s, found := c.someStep(t)
			if !found {
				return
			}
			c.leap = true
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				_, err := d.Undo(ctx, s.ID, 0)
				return err
			})
		},
		"undo and redo": c.undoAndRedo,
	}
}

// someStep draws a step of somebody's question.
func (c *company) someStep(t *rapid.T) (s knowledge.Step, found bool) {
	steps := c.stepsOf(t, c.someQuestion(t))
	if len(steps) == 0 {
		return s, false
	}
	return rapid.SampledFrom(steps).Draw(t, "step"), true
}

func (c *company) stepsOf(t *rapid.T, id string) (out []knowledge.Step) {
	if err := c.store.Read(context.Background(), func(tx bot.Tx) (err error) {
		out, err = tx.Steps(context.Background(), id, 0, 0)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// undoAndRedo takes a step back and redoes it at once: what people find is as it was.
func (c *company) undoAndRedo(t *rapid.T) {
	s, found := c.someStep(t)
	if !found {
		return
	}
	// An answer that is redone is in the base, but frequent only if it is said again.
	plain := s.Kind != knowledge.StepStatus
	before := c.finds(t, s.Question, plain)
	undone := false
	c.do(t, func(ctx context.Context, d knowledge.Desk) error {
		_, err := d.Undo(ctx, s.ID, 0)
		undone = err == nil
		return err
	})
	if !undone {
		return
	}
	steps := c.stepsOf(t, s.Question)
	last := steps[len(steps)-1]
	if last.Kind != knowledge.StepUndone || last.Ref != s.ID {
		t.Fatalf("undoing %+v left %+v", s, last)
	}
	err := c.store.Write(context.Background(), func(tx bot.Tx) error {
		_, err := knowledge.Desk{Tx: tx, Now: c.now}.Undo(context.Background(), last.ID, 0)
		return err
	})
	if err != nil {
		t.Fatalf("redoing %+v: %v", s, err)
	}
	c.leap = true
	if after := c.finds(t, s.Question, plain); after != before {
		t.Fatalf("undone and redone %+v:\n%s\nwas\n%s", s, after, before)
	}
}

// finds tells what a question is to those who search; plain makes no difference
// between frequent and not.
func (c *company) finds(t *rapid.T, id string, plain bool) string {
	ctx := context.Background()
	var q knowledge.Question
	var words []string
	err := c.store.Read(ctx, func(tx bot.Tx) (err error) {
		if q, err = tx.Question(ctx, id); err != nil {
			return err
		}
		all, err := tx.Phrasings(ctx, []string{id})
		for _, p := range all {
			words = append(words, p.Text)
		}
		return err
	})
	if err != nil && !errors.Is(err, knowledge.ErrNotFound) {
		t.Fatal(err)
	}
	if plain && q.Status == knowledge.FAQ {
		q.Status = knowledge.InKnowledgeBase
	}
	slices.Sort(words)
	return fmt.Sprint(q.Status, " ", q.Closed, " ", q.Answer.ID, " ", words)
}
