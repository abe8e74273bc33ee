package knowledge_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// refused undoes a step that cannot be undone, and wants the reason to say so.
func (f *fixture) refused(step int64, kind error, why string) {
	f.t.Helper()
	if err := f.undo(step); !errors.Is(err, kind) || !strings.Contains(fmt.Sprint(err), why) {
		f.t.Errorf("undone: %v, want «%s» (%v)", err, why, kind)
	}
}

func (f *fixture) revise(id, text string) {
	f.t.Helper()
	f.do(func(d knowledge.Desk) error {
		_, err := d.Revise(context.Background(), id, 1, text)
		return err
	})
}

func (f *fixture) setStatus(id string, to knowledge.Status) {
	f.t.Helper()
	f.do(func(d knowledge.Desk) error {
		_, err := d.SetStatus(context.Background(), id, to)
		return err
	})
}

func TestUndoAnswer(t *testing.T) {
	f, _ := crowd(t, 0)
	answer := func(want string) {
		t.Helper()
		if got := f.question("kb1").Answer.Text; got != want {
			t.Errorf("answer %q, want %q", got, want)
		}
	}
	f.revise("kb1", "Второй")
	second := f.step("kb1", knowledge.StepAnswered)
	f.revise("kb1", "Третий")
	third := f.step("kb1", knowledge.StepAnswered)
	f.refused(second, knowledge.ErrConflict, "сейчас версия 3, а не 2")
	f.mustUndo(third)
	answer("Второй")
	f.refused(third, knowledge.ErrConflict, "уже отменён")
	undone := f.step("kb1", knowledge.StepUndone)
	f.revise("kb1", "Четвёртый")
	f.refused(undone, knowledge.ErrConflict, "сейчас версия 4")
	f.mustUndo(f.step("kb1", knowledge.StepAnswered))
	answer("Второй") // and not the third, which was taken back
	f.mustUndo(undone)
	answer("Третий")
	f.mustUndo(third)
	f.mustUndo(second)
	answer("Ответ на Как изменить ответственного по сделке?")
	f.wantStatus("kb1", knowledge.InKnowledgeBase, knowledge.NotClosed)
	f.want("history", f.kinds("kb1"), []string{
		"opened", "(answered)", "(answered)", "(undone)", "(answered)", "undone", "undone", "undone", "undone",
	})
}

// Without a version before, an undone answer leaves the base, and comes back.
func TestUndoFirstAnswer(t *testing.T) {
	f, people := crowd(t, 1)
	s := f.send(f.ask(people[0], owner).ID)
	q := s.Question.ID
	f.reply(s.Escalation.ID, s.Senior.ID, "Тому, кто ведёт клиента.")
	step := f.step(q, knowledge.StepAnswered)
	f.mustUndo(step)
	f.wantStatus(q, knowledge.Unanswered, knowledge.AnsweredPrivately)
	f.mustUndo(f.step(q, knowledge.StepUndone))
	f.wantStatus(q, knowledge.InKnowledgeBase, knowledge.NotClosed)
	f.setStatus(q, knowledge.Unanswered)
	f.refused(step, knowledge.ErrConflict, "уже нет в базе")
}

func TestUndoStatus(t *testing.T) {
	f, people := crowd(t, 1)
	f.setStatus("kb1", knowledge.FAQ)
	faq := f.step("kb1", knowledge.StepStatus)
	f.mustUndo(faq)
	f.wantStatus("kb1", knowledge.InKnowledgeBase, knowledge.NotClosed)
	f.mustUndo(f.step("kb1", knowledge.StepUndone))
	f.wantStatus("kb1", knowledge.FAQ, knowledge.NotClosed)
	f.setStatus("kb1", knowledge.Unanswered)
	f.wantStatus("kb1", knowledge.Unanswered, knowledge.AnsweredPrivately)
	f.refused(faq, knowledge.ErrConflict, "сейчас «Без ответа», а не «Часто задаваемый вопрос»")
	f.mustUndo(f.step("kb1", knowledge.StepStatus))
	f.wantStatus("kb1", knowledge.FAQ, knowledge.NotClosed)

	s := f.send(f.ask(people[0], owner).ID)
	f.setStatus(s.Question.ID, knowledge.Unanswered)
	f.refused(f.step(s.Question.ID, knowledge.StepStatus), knowledge.ErrConflict, "задать ещё раз")
	f.refused(f.step(s.Question.ID, knowledge.StepEscalated), knowledge.ErrInvalid, "событие")
	f.refused(f.step(s.Question.ID, knowledge.StepOpened), knowledge.ErrInvalid, "событие")
	if err := f.undo(999); !errors.Is(err, knowledge.ErrNotFound) {
		t.Errorf("a step that there is not: %v", err)
	}
}

// What one person said can be made to count for nothing, while it is what they
// said last.
func TestUndoVerdict(t *testing.T) {
	f, people := crowd(t, 1)
	a := f.answered(people[0], owner, "kb1")
	f.judge(a.ID, false)
	not := f.step("kb1", knowledge.StepNotHelped)
	f.mustUndo(not)
	f.want("undone", f.verdicts("kb1"), []string{fmt.Sprintf("(%d not_helped: %s)", people[0], owner)})
	f.mustUndo(f.step("kb1", knowledge.StepUndone))
	f.want("redone", f.verdicts("kb1"), []string{fmt.Sprintf("%d not_helped: %s", people[0], owner)})
	f.judge(a.ID, true)
	f.refused(not, knowledge.ErrConflict, "с тех пор ответил иначе")
	f.mustUndo(f.step("kb1", knowledge.StepPhrasing))
	f.refused(f.step("kb1", knowledge.StepHelped), knowledge.ErrConflict, "отменена его формулировка")

	f.send(f.ask(people[0], "другое", "kb2").ID)
	f.mustUndo(f.step("kb2", knowledge.StepRefused))
	f.want("refused", f.verdicts("kb2"), []string{fmt.Sprintf("(%d rejected: другое)", people[0])})
}

// Undoing a wording that a senior matched takes the overruling back too.
func TestUndoPointTo(t *testing.T) {
	f, people := crowd(t, 1)
	s := f.send(f.ask(people[0], owner, "kb1").ID)
	f.do(func(d knowledge.Desk) error {
		_, err := d.PointTo(context.Background(), s.Escalation.ID, s.Senior.ID, "kb1")
		return err
	})
	refused := fmt.Sprintf("%d rejected: %s", people[0], owner)
	f.want("overruled", f.verdicts("kb1"), []string{"(" + refused + ")"})
	f.mustUndo(f.step("kb1", knowledge.StepPhrasing))
	f.want("undone", f.verdicts("kb1"), []string{refused})
	f.mustUndo(f.step("kb1", knowledge.StepUndone))
	f.want("redone", f.verdicts("kb1"), []string{"(" + refused + ")"})
}

// Those who got an answer are told of the version that is current again.
func TestRetell(t *testing.T) {
	f, people := crowd(t, 1)
	s := f.send(f.ask(people[0], owner).ID)
	f.reply(s.Escalation.ID, s.Senior.ID, "Первый")
	f.revise(s.Question.ID, "Второй")
	f.mustUndo(f.step(s.Question.ID, knowledge.StepAnswered))
	retell := func() (n int) {
		f.do(func(d knowledge.Desk) error {
			q, err := d.Tx.Question(context.Background(), s.Question.ID)
			if err != nil {
				return err
			}
			r, err := d.Retell(context.Background(), q)
			n = len(r.Waiters)
			return err
		})
		return n
	}
	if n := retell(); n != 1 {
		t.Errorf("%d are told", n)
	}
	if n := retell(); n != 0 {
		t.Errorf("%d are told again", n)
	}
}
