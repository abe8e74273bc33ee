package knowledge_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// frequent looks through the frequent questions, and tells what has changed.
func (f *fixture) frequent() (promoted, demoted []string) {
	f.t.Helper()
	f.do(func(d knowledge.Desk) error {
		up, down, err := d.Frequent(context.Background())
		for _, q := range up {
			promoted = append(promoted, q.ID)
		}
		for _, q := range down {
			demoted = append(demoted, q.ID)
		}
		return err
	})
	return promoted, demoted
}

// What enough different people ask becomes frequent at once, and stops being it
// when few ask any more.
func TestFrequent(t *testing.T) {
	f, people := crowd(t, 5)
	for range 3 {
		for _, who := range people[:4] {
			f.answered(who, owner, "kb1")
		}
	}
	f.wantStatus("kb1", knowledge.InKnowledgeBase, knowledge.NotClosed)
	f.pick(f.ask(people[4], owner, "kb1").ID)
	f.wantStatus("kb1", knowledge.FAQ, knowledge.NotClosed)
	last := f.steps("kb1")[1]
	if last.Kind != knowledge.StepStatus || last.Person != 0 || last.Ref != 5 {
		t.Errorf("step %+v", last)
	}
	if up, down := f.frequent(); len(up)+len(down) > 0 {
		t.Errorf("up %q, down %q", up, down)
	}
	f.now = f.now.Add(29 * 24 * time.Hour)
	for _, who := range people[:3] { // three of five: not below half
		f.answered(who, owner, "kb1")
	}
	f.now = f.now.Add(29 * 24 * time.Hour)
	_, down := f.frequent()
	f.want("demoted with 3", down, nil)
	f.now = f.now.Add(29 * 24 * time.Hour)
	_, down = f.frequent()
	f.want("demoted with none", down, []string{"kb1"})
	f.wantStatus("kb1", knowledge.InKnowledgeBase, knowledge.NotClosed)
	for _, who := range people {
		f.answered(who, owner, "kb1")
	}
	f.wantStatus("kb1", knowledge.FAQ, knowledge.NotClosed)
}

// What somebody has set by hand stays: frequent, or not.
func TestFrequentByHand(t *testing.T) {
	f, people := crowd(t, 5)
	f.setStatus("kb2", knowledge.FAQ)
	f.now = f.now.Add(1000 * 24 * time.Hour)
	_, down := f.frequent()
	f.want("demoted", down, nil)
	for _, who := range people {
		f.answered(who, owner, "kb1")
	}
	f.setStatus("kb1", knowledge.InKnowledgeBase)
	f.answered(people[0], owner, "kb1")
	up, _ := f.frequent()
	f.want("promoted against somebody's word", up, nil)
	// Undoing that word lets the rule work again, and so does undoing the rule's
	// own step keep it from doing it again.
	f.mustUndo(f.step("kb1", knowledge.StepStatus))
	f.wantStatus("kb1", knowledge.FAQ, knowledge.NotClosed)
}

// A promotion that was taken back is not repeated.
func TestFrequentUndone(t *testing.T) {
	f, people := crowd(t, 5)
	for _, who := range people {
		f.answered(who, owner, "kb1")
	}
	f.mustUndo(f.step("kb1", knowledge.StepStatus))
	f.answered(people[0], owner, "kb1")
	f.wantStatus("kb1", knowledge.InKnowledgeBase, knowledge.NotClosed)
}

// The settings say how many within how long; a changed one takes effect with the
// next look.
func TestFrequentSettings(t *testing.T) {
	f, people := crowd(t, 3)
	f.learning = knowledge.Learning{FrequentAsks: -1}
	for _, who := range people {
		f.answered(who, owner, "kb1")
	}
	up, _ := f.frequent()
	f.want("switched off", up, nil)
	f.learning = knowledge.Learning{FrequentAsks: 3, FrequentWithin: time.Hour}
	f.now = f.now.Add(2 * time.Hour)
	up, _ = f.frequent()
	f.want("too long ago", up, nil)
	f.learning.FrequentWithin = 3 * time.Hour
	up, _ = f.frequent()
	f.want("promoted", up, []string{"kb1"})
}

func TestStale(t *testing.T) {
	f, people := crowd(t, 4)
	f.entry("kb3", "Как закрыть сделку?")
	f.entry("open", "Ещё без ответа")
	f.setStatus("open", knowledge.Unanswered)
	stale := func() (out []string) {
		f.do(func(d knowledge.Desk) error {
			all, err := d.Stale(context.Background())
			for _, s := range all {
				out = append(out, fmt.Sprintf("%s %d/%d old %v doubted %v", s.Question.ID, s.NotHelped, s.Helped+s.NotHelped, s.Old, s.Doubted))
			}
			return err
		})
		return out
	}
	f.want("new answers", stale(), nil)
	f.judge(f.answered(people[0], owner, "kb2").ID, false)
	f.judge(f.answered(people[1], owner, "kb2").ID, false)
	f.want("two verdicts are too few", stale(), nil)
	f.judge(f.answered(people[2], owner, "kb2").ID, true)
	for i, who := range people {
		f.judge(f.answered(who, fmt.Sprint("закрыть ", i), "kb3").ID, i > 0)
	}
	f.want("two of three, one of four", stale(), []string{"kb2 2/3 old false doubted true"})
	f.now = f.now.Add(181 * 24 * time.Hour)
	f.want("half a year later", stale(), []string{
		"kb2 2/3 old true doubted true", "kb1 0/0 old true doubted false", "kb3 1/4 old true doubted false",
	})
	f.revise("kb2", "Новый ответ")
	f.want("with a new answer", stale(), []string{"kb1 0/0 old true doubted false", "kb3 1/4 old true doubted false"})
}
