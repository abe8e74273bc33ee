package knowledge_test

import (
	"context"
	"errors"
	"testing"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// hold keeps a phrasing of kb1, or its answer, for a decision.
func (f *fixture) hold(wording string) (r knowledge.Review) {
	f.t.Helper()
	f.do(func(d knowledge.Desk) (err error) {
		r, err = d.Hold(context.Background(), knowledge.Review{Question: "kb1", Wording: wording, Person: 2, Conflicts: []knowledge.Conflict{
			{Wording: "стереть сделку", Was: knowledge.Brief{ID: "kb2", Text: "Как удалить сделку?"}, Now: knowledge.Brief{ID: "kb1"}},
		}})
		return err
	})
	return r
}

func (f *fixture) decide(id int64, accept bool) (r knowledge.Review, q knowledge.Question, err error) {
	err = f.try(func(d knowledge.Desk) (err error) {
		r, q, err = d.DecideReview(context.Background(), id, 1, accept)
		return err
	})
	return r, q, err
}

func (f *fixture) mustDecide(id int64, accept bool) {
	f.t.Helper()
	if r, _, err := f.decide(id, accept); err != nil || r.Accepted != accept || r.By != 1 || r.Decided.IsZero() {
		f.t.Fatalf("%+v, %v", r, err)
	}
}

func (f *fixture) open() (out []int64) {
	f.t.Helper()
	f.look(func(tx bot.Tx) error {
		all, err := tx.Reviews(context.Background(), "", true)
		for _, r := range all {
			out = append(out, r.ID)
		}
		return err
	})
	return out
}

// A held wording goes live when somebody accepts it, and can be taken out again.
func TestHeldPhrasing(t *testing.T) {
	f, people := crowd(t, 2)
	r := f.hold(owner)
	if again := f.hold("Кому передать сделку?"); again.ID != r.ID {
		t.Errorf("held twice: %+v", again)
	}
	f.want("phrasings", f.phrasings("kb1")[1:], nil)
	a := f.ask(people[0], owner, "kb1")
	f.pick(a.ID)
	if l := f.judge(a.ID, true); l != nil {
		t.Errorf("what is held is taught again: %+v", l)
	}
	f.mustDecide(r.ID, true)
	f.want("accepted", f.phrasings("kb1")[1:], []string{owner})
	if got, q, err := f.decide(r.ID, false); !errors.Is(err, knowledge.ErrConflict) || !got.Accepted || q.ID != "kb1" {
		t.Errorf("decided again: %+v, %v", got, err)
	}
	f.mustUndo(f.step("kb1", knowledge.StepDecided))
	f.want("undone", f.phrasings("kb1")[1:], nil)
	if got := f.open(); len(got) != 1 || got[0] != r.ID {
		t.Errorf("open: %v", got)
	}
	f.mustUndo(f.step("kb1", knowledge.StepUndone))
	f.want("redone", f.phrasings("kb1")[1:], []string{owner})
	f.refused(f.step("kb1", knowledge.StepHeld), knowledge.ErrInvalid, "question accept")
	f.want("history", f.kinds("kb1"), []string{"opened", "held", "helped", "decided", "(undone)", "undone"})
}

// What somebody has decided against is not proposed again by itself.
func TestRefusedPhrasing(t *testing.T) {
	f, people := crowd(t, 3)
	r := f.hold(owner)
	f.mustDecide(r.ID, false)
	for _, who := range people {
		a := f.ask(who, owner, "kb1")
		if l := f.pick(a.ID); l != nil {
			t.Errorf("taught by a pick: %+v", l)
		}
		if l := f.judge(a.ID, true); l != nil {
			t.Errorf("taught by «Помогло»: %+v", l)
		}
	}
	f.mustUndo(f.step("kb1", knowledge.StepDecided))
	f.mustDecide(r.ID, true)
	f.want("accepted after all", f.phrasings("kb1")[1:], []string{owner})
}

// A held answer is out of the base until somebody accepts it.
func TestHeldAnswer(t *testing.T) {
	f, _ := crowd(t, 0)
	r := f.hold("")
	f.wantStatus("kb1", knowledge.Unanswered, knowledge.AnsweredPrivately)
	if f.question("kb1").Answer.ID == 0 {
		t.Error("the answer is gone")
	}
	f.mustDecide(r.ID, true)
	f.wantStatus("kb1", knowledge.InKnowledgeBase, knowledge.NotClosed)
	f.mustUndo(f.step("kb1", knowledge.StepDecided))
	f.wantStatus("kb1", knowledge.Unanswered, knowledge.AnsweredPrivately)
	f.mustDecide(r.ID, false)
	f.wantStatus("kb1", knowledge.Unanswered, knowledge.AnsweredPrivately)
	if got := f.open(); len(got) != 0 {
		t.Errorf("open: %v", got)
	}
}

// Who puts a held answer into the base another way has decided by that.
func TestHeldAnswerSettledElsewhere(t *testing.T) {
	for name, settle := range map[string]func(ctx context.Context, d knowledge.Desk) error{
		"restored": func(ctx context.Context, d knowledge.Desk) error {
			_, err := d.Restore(ctx, "kb1")
			return err
		},
		"answered anew": func(ctx context.Context, d knowledge.Desk) error {
			_, err := d.Answer(ctx, "kb1", 1, "Иначе")
			return err
		},
		"set by hand": func(ctx context.Context, d knowledge.Desk) error {
			_, err := d.SetStatus(ctx, "kb1", knowledge.InKnowledgeBase)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := crowd(t, 0)
			r := f.hold("")
			f.do(func(d knowledge.Desk) error { return settle(context.Background(), d) })
			f.wantStatus("kb1", knowledge.InKnowledgeBase, knowledge.NotClosed)
			if got, _, err := f.decide(r.ID, false); !errors.Is(err, knowledge.ErrConflict) || !got.Accepted {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func TestHoldNeedsAConflict(t *testing.T) {
	f, _ := crowd(t, 0)
	if err := f.try(func(d knowledge.Desk) error {
		_, err := d.Hold(context.Background(), knowledge.Review{Question: "kb1", Wording: owner})
		return err
	}); !errors.Is(err, knowledge.ErrInvalid) {
		t.Errorf("held for nothing: %v", err)
	}
}
