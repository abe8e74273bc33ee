package knowledge_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// pick opens kb1 among those shown for an ask, and learns what that teaches.
func (f *fixture) pick(ask int64) (lesson *knowledge.Lesson) {
	f.t.Helper()
	f.do(func(d knowledge.Desk) (err error) {
		lesson, err = d.Pick(context.Background(), ask, "kb1")
		return learn(context.Background(), d, lesson, err)
	})
	return lesson
}

// judge says «Помогло» or «Не помогло», and learns what that teaches.
func (f *fixture) judge(ask int64, helped bool) (lesson *knowledge.Lesson) {
	f.t.Helper()
	f.do(func(d knowledge.Desk) (err error) {
		lesson, err = d.Feedback(context.Background(), ask, helped)
		return learn(context.Background(), d, lesson, err)
	})
	return lesson
}

func learn(ctx context.Context, d knowledge.Desk, l *knowledge.Lesson, err error) error {
	if err != nil || l == nil {
		return err
	}
	return d.Learn(ctx, *l)
}

// answered records an ask that was answered at once with an entry.
func (f *fixture) answered(who int64, text, entry string) knowledge.Ask {
	f.t.Helper()
	f.asks++
	a := knowledge.Ask{
		ID: f.asks, Person: who, Chat: fmt.Sprint("test:", who), Text: text, Decision: knowledge.DecisionAnswer,
		Candidates: []knowledge.Candidate{{Question: entry, Rank: 1, Score: 1}, {Question: "kb2", Rank: 2, Score: 0.5}},
	}
	f.do(func(d knowledge.Desk) (err error) {
		a.Asked = d.Now
		a, err = d.Record(context.Background(), a)
		return err
	})
	return a
}

// verdicts tells what stands about an entry, oldest first.
func (f *fixture) verdicts(id string) (out []string) {
	f.t.Helper()
	f.look(func(tx bot.Tx) error {
		all, err := tx.Verdicts(context.Background(), []string{id})
		for _, v := range all {
			s := fmt.Sprintf("%d %s: %s", v.Person, v.Outcome, v.Wording)
			if v.Void {
				s = "(" + s + ")"
			}
			out = append(out, s)
		}
		return err
	})
	return out
}

// steps tells the history of a question, each step as its kind and text.
func (f *fixture) steps(id string) (out []knowledge.Step) {
	f.t.Helper()
	f.do(func(d knowledge.Desk) (err error) {
		out, err = d.History(context.Background(), id, 0, 0)
		return err
	})
	return out
}

func (f *fixture) kinds(id string) (out []string) {
	f.t.Helper()
	for _, s := range f.steps(id) {
		k := string(s.Kind)
		if s.Undone {
			k = "(" + k + ")"
		}
		out = append(out, k)
	}
	return out
}

// step returns the id of the latest step of a kind.
func (f *fixture) step(id string, kind knowledge.StepKind) int64 {
	f.t.Helper()
	all := f.steps(id)
	for _, s := range slices.Backward(all) {
		if s.Kind == kind {
			return s.ID
		}
	}
	f.t.Fatalf("the history of %s has no step %s: %v", id, kind, all)
	return 0
}

func (f *fixture) undo(step int64) error {
	return f.try(func(d knowledge.Desk) error {
		s, err := d.Undo(context.Background(), step, 0)
		if err == nil && (s.ID != step || !s.Undone) {
			f.t.Errorf("undone: %+v", s)
		}
		return err
	})
}

func (f *fixture) mustUndo(step int64) {
	f.t.Helper()
	if err := f.undo(step); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) want(what string, got, want []string) {
	f.t.Helper()
	if !slices.Equal(got, want) {
		f.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// crowd is a company with two entries and some people who ask.
func crowd(t testing.TB, askers int) (f *fixture, people []int64) {
	f = open(t)
	f.person("Анна", true)
	f.entry("kb1", "Как изменить ответственного по сделке?")
	f.entry("kb2", "Как удалить сделку?")
	for i := range askers {
		people = append(people, f.person(fmt.Sprint("Иван ", i), false))
	}
	return f, people
}

const owner = "кому передать сделку"

// One who picks and says that it helped teaches the wording.
func TestPickThenHelped(t *testing.T) {
	f, people := crowd(t, 2)
	a := f.ask(people[0], owner, "kb1", "kb2")
	if l := f.pick(a.ID); l != nil {
		t.Errorf("one pick taught %+v", l)
	}
	l := f.judge(a.ID, true)
	if l == nil || *l != (knowledge.Lesson{Question: "kb1", Wording: owner, Origin: knowledge.PickedSo, Person: people[0], Ask: a.ID}) {
		t.Fatalf("lesson %+v", l)
	}
	f.want("phrasings", f.phrasings("kb1"), []string{"Как изменить ответственного по сделке?", owner})
	f.want("history", f.kinds("kb1"), []string{"opened", "helped", "phrasing"})
	b := f.ask(people[1], "Кому передать сделку?!", "kb1")
	f.pick(b.ID)
	if l := f.judge(b.ID, true); l != nil {
		t.Errorf("what is known was taught again: %+v", l)
	}
}

// Two who pick the same teach it; one who picks twice does not.
func TestTwoPick(t *testing.T) {
	f, people := crowd(t, 2)
	for range 2 {
		if l := f.pick(f.ask(people[0], owner, "kb1", "kb2").ID); l != nil {
			t.Fatalf("one person taught %+v", l)
		}
	}
	if l := f.pick(f.ask(people[1], "Кому передать сделку", "kb1").ID); l == nil || l.Person != people[1] {
		t.Errorf("lesson %+v", l)
	}
}

// How many are needed is set; a negative number means never.
func TestLearningSettings(t *testing.T) {
	for _, c := range []struct {
		l             knowledge.Learning
		picks, helped int // after how many people something is learned; 0 for never
	}{
		{knowledge.Learning{}, 2, 1},
		{knowledge.Learning{Picks: 3, Helped: 2}, 3, 2},
		{knowledge.Learning{Picks: -1, Helped: -1}, 0, 0},
		{knowledge.Learning{Picks: 1, Helped: -1}, 1, 1},
	} {
		for _, helped := range []bool{false, true} {
			f, people := crowd(t, 4)
			f.learning = c.l
			got := 0
			for i, who := range people {
				a := f.ask(who, owner, "kb1")
				l := f.pick(a.ID)
				if l == nil && helped {
					l = f.judge(a.ID, true)
				}
				if l != nil {
					got = i + 1
					break
				}
			}
			if want := map[bool]int{false: c.picks, true: c.helped}[helped]; got != want {
				t.Errorf("%+v, helped %v: learned from %d people, want %d", c.l, helped, got, want)
			}
		}
	}
}

// A direct answer that helped teaches its wording; one that did not, lowers.
func TestDirectAnswer(t *testing.T) {
	f, people := crowd(t, 3)
	if l := f.judge(f.answered(people[0], owner, "kb1").ID, true); l == nil || l.Question != "kb1" {
		t.Errorf("lesson %+v", l)
	}
	bad := f.answered(people[1], "удалить всё", "kb1")
	if l := f.judge(bad.ID, false); l != nil {
		t.Errorf("what did not help taught %+v", l)
	}
	f.look(func(tx bot.Tx) error {
		q, err := tx.Question(context.Background(), "kb1")
		if err != nil {
			return err
		}
		phrasings, err := tx.Phrasings(context.Background(), []string{"kb1"})
		if err != nil {
			return err
		}
		verdicts, err := tx.Verdicts(context.Background(), []string{"kb1"})
		f.want("refused", knowledge.StandingOf(q, phrasings, verdicts).Refused, []string{"удалить всё"})
		return err
	})
	f.wantStatus("kb1", knowledge.InKnowledgeBase, knowledge.NotClosed)
	// Who changes their mind has the last word.
	f.judge(bad.ID, true)
	f.want("verdicts", f.verdicts("kb1"), []string{
		fmt.Sprintf("%d helped: %s", people[0], owner), fmt.Sprintf("%d helped: удалить всё", people[1]),
	})
	// As many against as for teach nothing.
	f.judge(f.answered(people[1], "сделка чужая", "kb1").ID, false)
	if l := f.judge(f.answered(people[2], "сделка чужая", "kb1").ID, true); l != nil {
		t.Errorf("one for and one against taught %+v", l)
	}
}

// Only words that were searched say anything about words.
func TestOpenedTeachesNothing(t *testing.T) {
	f, people := crowd(t, 1)
	f.asks++
	a := knowledge.Ask{
		ID: f.asks, Person: people[0], Text: "Как удалить сделку?", Decision: knowledge.DecisionOpened, Outcome: knowledge.Picked,
		Candidates: []knowledge.Candidate{{Question: "kb1", Rank: 1, Score: 1}},
	}
	f.do(func(d knowledge.Desk) error {
		_, err := d.Record(context.Background(), a)
		return err
	})
	if l := f.judge(a.ID, true); l != nil {
		t.Errorf("lesson %+v", l)
	}
	f.judge(a.ID, false)
	f.send(a.ID)
	f.want("verdicts", f.verdicts("kb1"), nil)
}

// «Нет моего вопроса» refuses what was shown, and nothing else.
func TestRejectedCandidates(t *testing.T) {
	f, people := crowd(t, 3)
	f.entry("kb3", "Как закрыть сделку?")
	f.send(f.ask(people[0], owner, "kb1", "kb2").ID)
	f.send(f.answered(people[1], owner, "kb1").ID)
	again := f.answered(people[2], owner, "kb1")
	f.judge(again.ID, false) // and is offered the others
	f.send(again.ID)
	f.want("of the first", f.verdicts("kb1"), []string{
		fmt.Sprintf("%d rejected: %s", people[0], owner), fmt.Sprintf("%d rejected: %s", people[1], owner), fmt.Sprintf("%d rejected: %s", people[2], owner),
	})
	f.want("of the second", f.verdicts("kb2"), []string{fmt.Sprintf("%d rejected: %s", people[0], owner), fmt.Sprintf("%d rejected: %s", people[2], owner)})
	f.want("of what was not shown", f.verdicts("kb3"), nil)
	f.want("history", f.kinds("kb2"), []string{"opened", "refused", "refused"})
	f.send(again.ID) // who waits already refuses nothing anew
	f.want("history afterwards", f.kinds("kb2"), []string{"opened", "refused", "refused"})
}

// A senior who points to an entry overrules those who refused it, and their asks
// belong to it from then on.
func TestPointToOverrules(t *testing.T) {
	f, people := crowd(t, 2)
	anna := int64(1)
	a := f.ask(people[0], owner, "kb1", "kb2")
	s := f.send(a.ID)
	f.send(f.ask(people[1], "куда деть сделку", "kb1").ID)
	f.do(func(d knowledge.Desk) error {
		_, err := d.PointTo(context.Background(), s.Escalation.ID, anna, "kb1")
		return err
	})
	f.want("verdicts", f.verdicts("kb1"), []string{
		fmt.Sprintf("(%d rejected: %s)", people[0], owner), fmt.Sprintf("%d rejected: куда деть сделку", people[1]),
	})
	f.want("verdicts on the other", f.verdicts("kb2"), []string{fmt.Sprintf("%d rejected: %s", people[0], owner)})
	steps := f.steps("kb1")
	last := steps[len(steps)-1]
	if last.Kind != knowledge.StepPhrasing || last.Text != owner || last.Was != string(knowledge.SeniorSaid) || last.Person != anna || last.Ref != a.ID {
		t.Errorf("step %+v", last)
	}
	if l := f.judge(a.ID, true); l != nil {
		t.Errorf("lesson %+v", l)
	}
	f.want("helped", f.verdicts("kb1")[:1], []string{fmt.Sprintf("%d helped: %s", people[0], owner)})
	// Taking the wording back takes the overruling back, but for what has been said since.
	f.mustUndo(last.ID)
	f.want("phrasings", f.phrasings("kb1"), []string{"Как изменить ответственного по сделке?"})
}

// A reply makes the asker's words the question, and all of it can be read.
func TestHistoryOfAReply(t *testing.T) {
	f, people := crowd(t, 2)
	a := f.ask(people[0], owner)
	s := f.send(a.ID)
	q := s.Question.ID
	f.join(f.ask(people[1], "куда деть сделку").ID, q)
	f.reply(s.Escalation.ID, s.Senior.ID, "Тому, кто ведёт клиента.")
	f.judge(a.ID, true)
	f.judge(a.ID, true) // pressed twice
	if got := f.question(q); got.Text != owner || !got.Status.Answered() {
		t.Errorf("question %+v", got)
	}
	var got []string
	for _, s := range f.steps(q) {
		got = append(got, fmt.Sprint(s.Kind, " ", s.Person, " ", s.Text))
	}
	f.want("history", got, []string{
		fmt.Sprintf("opened %d %s", people[0], owner), fmt.Sprintf("escalated %d %s", people[0], owner),
		fmt.Sprint("answered ", s.Senior.ID, " Тому, кто ведёт клиента."), fmt.Sprint("phrasing ", s.Senior.ID, " куда деть сделку"),
		fmt.Sprintf("helped %d %s", people[0], owner),
	})
}

// An imported question begins with what its row says.
func TestHistoryOfAnImport(t *testing.T) {
	f, _ := crowd(t, 0)
	steps := f.steps("kb1")
	if len(steps) != 1 || steps[0].Kind != knowledge.StepOpened || steps[0].ID != 0 || steps[0].Text != "Как изменить ответственного по сделке?" || steps[0].At.IsZero() {
		t.Errorf("history %+v", steps)
	}
	f.do(func(d knowledge.Desk) error {
		for i := range 4 {
			if _, err := d.Revise(context.Background(), "kb1", 1, fmt.Sprint("Ответ ", i)); err != nil {
				return err
			}
		}
		page, err := d.History(context.Background(), "kb1", 0, 3)
		if len(page) != 3 || page[0].ID != 0 || page[2].Text != "Ответ 1" {
			t.Errorf("the first page: %+v", page)
		}
		if err != nil {
			return err
		}
		page, err = d.History(context.Background(), "kb1", page[2].ID, 3)
		if len(page) != 2 || page[0].Text != "Ответ 2" {
			t.Errorf("the next page: %+v", page)
		}
		return err
	})
	if err := f.try(func(d knowledge.Desk) error {
		_, err := d.History(context.Background(), "нет", 0, 0)
		return err
	}); !errors.Is(err, knowledge.ErrNotFound) {
		t.Errorf("the history of nothing: %v", err)
	}
}

// An undone lesson is not learned again from those who taught it, but from new people.
func TestUndoneLesson(t *testing.T) {
	f, people := crowd(t, 4)
	f.pick(f.ask(people[0], owner, "kb1").ID)
	f.judge(f.ask(people[1], owner, "kb1").ID, true) // never picked: nothing
	f.pick(f.ask(people[1], owner, "kb1").ID)
	f.want("learned", f.phrasings("kb1")[1:], []string{owner})
	f.mustUndo(f.step("kb1", knowledge.StepPhrasing))
	f.want("forgotten", f.phrasings("kb1")[1:], nil)
	if l := f.pick(f.ask(people[1], owner, "kb1").ID); l != nil {
		t.Errorf("somebody who has taught it before teaches it again: %+v", l)
	}
	if l := f.pick(f.ask(people[2], owner, "kb1").ID); l != nil {
		t.Errorf("one new person taught it: %+v", l)
	}
	if l := f.pick(f.ask(people[3], owner, "kb1").ID); l == nil {
		t.Error("two new people did not teach it")
	}
	f.want("learned again", f.phrasings("kb1")[1:], []string{owner})
}

// Redoing gives back the wording, and what people's choices count for.
func TestRedoneLesson(t *testing.T) {
	f, people := crowd(t, 1)
	a := f.ask(people[0], owner, "kb1")
	f.pick(a.ID)
	f.judge(a.ID, true)
	before := f.verdicts("kb1")
	f.mustUndo(f.step("kb1", knowledge.StepPhrasing))
	f.want("undone", f.verdicts("kb1"), []string{"(" + before[0] + ")"})
	f.mustUndo(f.step("kb1", knowledge.StepUndone))
	f.want("redone", f.verdicts("kb1"), before)
	f.look(func(tx bot.Tx) error {
		all, err := tx.Phrasings(context.Background(), []string{"kb1"})
		if p := all[len(all)-1]; p.Text != owner || p.Origin != knowledge.PickedSo || p.Person != people[0] {
			t.Errorf("phrasing %+v", p)
		}
		return err
	})
	f.want("history", f.kinds("kb1"), []string{"opened", "helped", "phrasing", "(undone)", "undone"})
}

func TestUnlearn(t *testing.T) {
	f, people := crowd(t, 1)
	f.judge(f.answered(people[0], owner, "kb1").ID, true)
	f.do(func(d knowledge.Desk) error {
		_, err := d.Tx.PutPhrasing(context.Background(), knowledge.Phrasing{Question: "kb1", Text: "смена владельца", Origin: knowledge.Imported, Created: d.Now.Add(-time.Hour)})
		return err
	})
	unlearn := func(wording string) (s knowledge.Step, err error) {
		err = f.try(func(d knowledge.Desk) (err error) {
			s, err = d.Unlearn(context.Background(), "kb1", wording, 1)
			return err
		})
		return s, err
	}
	if s, err := unlearn("Кому передать сделку?"); err != nil || s.Text != owner || !s.Undone {
		t.Errorf("%+v, %v", s, err)
	}
	s, err := unlearn("смена владельца")
	if err != nil || s.Was != string(knowledge.Imported) {
		t.Errorf("%+v, %v", s, err)
	}
	f.want("left", f.phrasings("kb1"), []string{"Как изменить ответственного по сделке?"})
	f.mustUndo(f.step("kb1", knowledge.StepUndone))
	f.want("given back", f.phrasings("kb1")[1:], []string{"смена владельца"})
	if _, err := unlearn("чего не было"); !errors.Is(err, knowledge.ErrNotFound) {
		t.Errorf("what it does not have: %v", err)
	}
	if _, err := unlearn("как изменить ответственного по сделке"); !errors.Is(err, knowledge.ErrInvalid) {
		t.Errorf("its own text: %v", err)
	}
	f.want("history", f.kinds("kb1"), []string{"opened", "helped", "(phrasing)", "undone", "phrasing", "(undone)", "undone"})
}

// What was undone by itself stays undone when the wording is given back.
func TestRedoneLessonLeavesUndoneVerdicts(t *testing.T) {
	f, people := crowd(t, 2)
	for _, who := range people {
		f.judge(f.answered(who, owner, "kb1").ID, true)
	}
	f.mustUndo(f.step("kb1", knowledge.StepHelped)) // of the second
	want := []string{fmt.Sprintf("%d helped: %s", people[0], owner), fmt.Sprintf("(%d helped: %s)", people[1], owner)}
	f.want("one undone", f.verdicts("kb1"), want)
	f.mustUndo(f.step("kb1", knowledge.StepPhrasing))
	f.mustUndo(f.step("kb1", knowledge.StepUndone))
	f.want("the wording undone and redone", f.verdicts("kb1"), want)
}

// «Помогло» says more than a later pick.
func TestPickAfterHelped(t *testing.T) {
	f, people := crowd(t, 1)
	f.learning.Helped = 2
	f.judge(f.answered(people[0], owner, "kb1").ID, true)
	f.pick(f.ask(people[0], owner, "kb1").ID)
	f.want("verdicts", f.verdicts("kb1"), []string{fmt.Sprintf("%d helped: %s", people[0], owner)})
}
