package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// changed returns the questions that a write has changed, for followers.
func changed(t *testing.T, s bot.Store, fn func(context.Context, bot.Tx) error) (out []string) {
	t.Helper()
	before := read(t, s, func(ctx context.Context, tx bot.Tx) (int64, error) { return tx.LastChange(ctx) })
	write(t, s, fn)
	for _, c := range read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Change, error) { return tx.Changes(ctx, before, 0) }) {
		out = append(out, c.Question)
	}
	return out
}

func testVerdicts(t *testing.T, s bot.Store) {
	entries(t, s, "a", "b", "c")
	of := func(questions ...string) []knowledge.Verdict {
		return read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Verdict, error) { return tx.Verdicts(ctx, questions) })
	}
	put := func(v *knowledge.Verdict) []string {
		return changed(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.PutVerdict(ctx, v) })
	}
	first := knowledge.Verdict{Question: "b", Wording: "Где ЁЛКА?", Person: 7, Outcome: knowledge.Picked, Ask: 41, At: noon()}
	other := knowledge.Verdict{Question: "b", Wording: "где елка", Person: 8, Outcome: knowledge.Rejected, Ask: 42, At: noon()}
	third := knowledge.Verdict{Question: "a", Wording: "Где ёлка?", Person: 7, Outcome: knowledge.NotHelped, At: noon(), Void: true}
	t.Run("come back as they went in, oldest first", func(t *testing.T) {
		for _, v := range []*knowledge.Verdict{&first, &other, &third} {
			equal(t, "changes", put(v), []string{v.Question})
			if v.ID == 0 {
				t.Fatal("no id was filled in")
			}
		}
		equal(t, "of one", of("b"), []knowledge.Verdict{first, other})
		equal(t, "of several", of("a", "b", "нет"), []knowledge.Verdict{first, other, third})
		equal(t, "of all", of(), []knowledge.Verdict{first, other, third})
		equal(t, "of one that has none", of("c"), nil)
	})
	t.Run("a person has one on a wording", func(t *testing.T) {
		again := knowledge.Verdict{Question: "b", Wording: "где   ёлка", Person: 7, Outcome: knowledge.Helped, Ask: 50, At: noon().Add(time.Hour), Void: true}
		equal(t, "changes", put(&again), []string{"b"})
		equal(t, "the id", again.ID, first.ID)
		equal(t, "verdicts", of("b"), []knowledge.Verdict{again, other})
	})
	t.Run("the version of the question stays", func(t *testing.T) { equal(t, "version", question(t, s, "b").Version, 1) })
	t.Run("of an unknown question is refused", func(t *testing.T) {
		refuse(t, s, knowledge.ErrNotFound, func(ctx context.Context, tx bot.Tx) error {
			return tx.PutVerdict(ctx, &knowledge.Verdict{Question: "нет", Wording: "а", Person: 7, Outcome: knowledge.Picked})
		})
	})
	t.Run("what is no outcome of a look is refused", func(t *testing.T) {
		refuse(t, s, knowledge.ErrInvalid, func(ctx context.Context, tx bot.Tx) error {
			return tx.PutVerdict(ctx, &knowledge.Verdict{Question: "a", Wording: "а", Person: 7})
		})
	})
}

func testReviews(t *testing.T, s bot.Store) {
	entries(t, s, "a", "b")
	a := knowledge.Review{Question: "b", Wording: "где «ёлка»", Person: 7, Created: noon(), Conflicts: []knowledge.Conflict{
		{Wording: "где \"сосна\"", Was: knowledge.Brief{ID: "a", Text: "Вопрос a"}, Now: knowledge.Brief{ID: "b", Text: "Вопрос b"}},
		{Wording: "где ель", Was: knowledge.Brief{ID: "a"}, Now: knowledge.Brief{ID: "b"}},
	}}
	b := knowledge.Review{Question: "a", Created: noon().Add(time.Second), Conflicts: a.Conflicts[:1]}
	list := func(question string, open bool) []knowledge.Review {
		return read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Review, error) {
			return tx.Reviews(ctx, question, open)
		})
	}
	get := func(id int64) knowledge.Review {
		return read(t, s, func(ctx context.Context, tx bot.Tx) (knowledge.Review, error) { return tx.Review(ctx, id) })
	}
	t.Run("come back as they went in, oldest first", func(t *testing.T) {
		for _, r := range []*knowledge.Review{&a, &b} {
			write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.PutReview(ctx, r) })
		}
		equal(t, "the first", get(a.ID), a)
		equal(t, "all", list("", false), []knowledge.Review{a, b})
		equal(t, "of a question", list("a", false), []knowledge.Review{b})
	})
	t.Run("a decision is kept, and can be taken back", func(t *testing.T) {
		a.Decided, a.By, a.Accepted = noon().Add(time.Hour), 9, true
		write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.PutReview(ctx, &a) })
		equal(t, "decided", get(a.ID), a)
		equal(t, "open ones", list("", true), []knowledge.Review{b})
		equal(t, "open ones of the question", list("b", true), nil)
		equal(t, "all", list("", false), []knowledge.Review{a, b})
		a.Decided, a.By, a.Accepted, a.Conflicts = time.Time{}, 0, false, a.Conflicts[1:]
		write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.PutReview(ctx, &a) })
		equal(t, "open ones", list("", true), []knowledge.Review{a, b})
	})
	t.Run("what does not exist is not found", func(t *testing.T) {
		for _, fn := range []func(context.Context, bot.Tx) error{
			func(ctx context.Context, tx bot.Tx) error { _, err := tx.Review(ctx, 999); return err },
			func(ctx context.Context, tx bot.Tx) error {
				return tx.PutReview(ctx, &knowledge.Review{ID: 999, Question: "a"})
			},
			func(ctx context.Context, tx bot.Tx) error {
				return tx.PutReview(ctx, &knowledge.Review{Question: "нет"})
			},
		} {
			refuse(t, s, knowledge.ErrNotFound, fn)
		}
	})
}

func testSteps(t *testing.T, s bot.Store) {
	entries(t, s, "a", "b")
	var all []knowledge.Step
	for _, step := range []knowledge.Step{
		{Question: "a", Kind: knowledge.StepOpened, At: noon(), Person: 3, Text: "Где ёлка?"},
		{Question: "b", Kind: knowledge.StepPhrasing, At: noon(), Text: "где ель", Was: "pick", Ref: 41},
		{Question: "a", Kind: knowledge.StepAnswered, At: noon().Add(time.Second), Text: "Во дворе", Was: "Нигде", Ref: 5},
		{Question: "a", Kind: knowledge.StepStatus, At: noon().Add(time.Second), Text: "faq", Was: "in_knowledge_base"},
	} {
		write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.PutStep(ctx, &step) })
		if step.ID == 0 {
			t.Fatal("no id was filled in")
		}
		all = append(all, step)
	}
	steps := func(question string, after int64, limit int) []knowledge.Step {
		return read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Step, error) {
			return tx.Steps(ctx, question, after, limit)
		})
	}
	equal(t, "of a question, oldest first", steps("a", 0, 0), []knowledge.Step{all[0], all[2], all[3]})
	equal(t, "a page", steps("a", all[0].ID, 1), []knowledge.Step{all[2]})
	equal(t, "after the last", steps("a", all[3].ID, 0), nil)
	t.Run("can be marked as undone", func(t *testing.T) {
		all[2].Undone = true
		write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.PutStep(ctx, &all[2]) })
		equal(t, "step", read(t, s, func(ctx context.Context, tx bot.Tx) (knowledge.Step, error) { return tx.Step(ctx, all[2].ID) }), all[2])
	})
	t.Run("what does not exist is not found", func(t *testing.T) {
		for _, fn := range []func(context.Context, bot.Tx) error{
			func(ctx context.Context, tx bot.Tx) error { _, err := tx.Step(ctx, 999); return err },
			func(ctx context.Context, tx bot.Tx) error {
				return tx.PutStep(ctx, &knowledge.Step{ID: 999, Question: "a"})
			},
			func(ctx context.Context, tx bot.Tx) error {
				return tx.PutStep(ctx, &knowledge.Step{Question: "нет", Kind: knowledge.StepOpened})
			},
		} {
			refuse(t, s, knowledge.ErrNotFound, fn)
		}
	})
}

func testCalibrations(t *testing.T, s bot.Store) {
	get := func(embedder string) knowledge.StoredCalibration {
		return read(t, s, func(ctx context.Context, tx bot.Tx) (knowledge.StoredCalibration, error) {
			return tx.Calibration(ctx, embedder)
		})
	}
	put := func(c knowledge.StoredCalibration) {
		t.Helper()
		equal(t, "changes", changed(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.PutCalibration(ctx, c) }), []string{""})
	}
	missing := func(ctx context.Context, tx bot.Tx) error {
		_, err := tx.Calibration(ctx, "e5 int8")
		return err
	}
	refuse(t, s, knowledge.ErrNotFound, missing)
	c := knowledge.StoredCalibration{Embedder: "e5 int8", Fitted: noon(), Asks: 120, Data: []byte(`{"a": 1}`)}
	words := knowledge.StoredCalibration{Fitted: noon(), Asks: 7, Data: []byte(`{}`)}
	put(c)
	put(words)
	equal(t, "of the embedder", get("e5 int8"), c)
	equal(t, "of words alone", get(""), words)
	c.Asks, c.Data, c.Fitted = 300, []byte(`{"a": 2}`), noon().Add(time.Hour)
	put(c)
	equal(t, "replaced", get("e5 int8"), c)
	put(knowledge.StoredCalibration{Embedder: "e5 int8"})
	refuse(t, s, knowledge.ErrNotFound, missing)
	equal(t, "the other stays", get(""), words)
	t.Run("not in a transaction for reading", func(t *testing.T) {
		if err := s.Read(t.Context(), func(tx bot.Tx) error { return tx.PutCalibration(t.Context(), c) }); err == nil {
			t.Error("it was written")
		}
	})
}

// asks stores asks that are as little as they may be.
func asks(t *testing.T, s bot.Store, all ...knowledge.Ask) {
	t.Helper()
	write(t, s, func(ctx context.Context, tx bot.Tx) error {
		for _, a := range all {
			a.Text = "Вопрос"
			if a.Decision == "" {
				a.Decision = knowledge.DecisionSuggest
			}
			if err := tx.PutAsk(ctx, a); err != nil {
				return err
			}
		}
		return nil
	})
}

func testAskers(t *testing.T, s bot.Store) {
	since := noon()
	asks(t, s,
		knowledge.Ask{ID: 1, Person: 1, Question: "a", Asked: since.Add(-time.Millisecond)},
		knowledge.Ask{ID: 2, Person: 2, Question: "a", Asked: since},
		knowledge.Ask{ID: 3, Person: 2, Question: "a", Asked: since.Add(time.Hour)},
		knowledge.Ask{ID: 4, Person: 3, Question: "a", Asked: since.Add(time.Hour), Outcome: knowledge.Helped, Decision: knowledge.DecisionAnswer},
		knowledge.Ask{ID: 5, Person: 4, Question: "b", Asked: since.Add(time.Hour)},
		knowledge.Ask{ID: 6, Person: 5, Question: "a", Asked: since.Add(time.Hour), Decision: knowledge.DecisionOpened},
		knowledge.Ask{ID: 7, Person: 6, Question: "a", Asked: since.Add(time.Hour), Decision: knowledge.DecisionDetail},
		knowledge.Ask{ID: 8, Person: 7, Question: "a", Asked: since.Add(time.Hour), Outcome: knowledge.NotHelped},
	)
	for question, want := range map[string]int{"a": 2, "b": 1, "c": 0} {
		got := read(t, s, func(ctx context.Context, tx bot.Tx) (int, error) { return tx.Askers(ctx, question, since) })
		equal(t, "askers of "+question, got, want)
	}
}

func testAskedNext(t *testing.T, s bot.Store) {
	entries(t, s, "a", "b", "c", "d")
	write(t, s, func(ctx context.Context, tx bot.Tx) error {
		return tx.PutQuestion(ctx, &knowledge.Question{ID: "open", Text: "Открытый", Status: knowledge.Unanswered})
	})
	id := int64(0)
	dialogue := func(chat string, gap time.Duration, questions ...string) {
		for i, q := range questions {
			id++
			asks(t, s, knowledge.Ask{ID: id, Person: 1, Chat: chat, Question: q, Asked: noon().Add(time.Duration(i) * gap)})
		}
	}
	dialogue("one", time.Minute, "a", "b", "a", "b")
	dialogue("two", time.Minute, "a", "c")
	dialogue("three", 2*time.Hour, "a", "c")
	dialogue("four", time.Minute, "a", "a", "open", "b")
	dialogue("five", time.Minute, "a", "b")
	dialogue("six", time.Minute, "d", "a")
	next := func(question string, limit int) map[string]int {
		return read(t, s, func(ctx context.Context, tx bot.Tx) (map[string]int, error) {
			return tx.AskedNext(ctx, question, limit)
		})
	}
	equal(t, "after a", next("a", 9), map[string]int{"b": 3, "c": 1})
	equal(t, "after a, the most frequent", next("a", 1), map[string]int{"b": 3})
	equal(t, "after d", next("d", 9), map[string]int{"a": 1})
	equal(t, "after c", next("c", 9), nil)
}

func testForgottenPhrasings(t *testing.T, s bot.Store) {
	entries(t, s, "a", "b")
	put := func(question, text string) (added bool) {
		write(t, s, func(ctx context.Context, tx bot.Tx) (err error) {
			added, err = tx.PutPhrasing(ctx, knowledge.Phrasing{Question: question, Text: text})
			return err
		})
		return added
	}
	forget := func(question, text string) func(context.Context, bot.Tx) error {
		return func(ctx context.Context, tx bot.Tx) error { return tx.DeletePhrasing(ctx, question, text) }
	}
	left := func() (out []string) {
		for _, p := range read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Phrasing, error) { return tx.Phrasings(ctx, nil) }) {
			out = append(out, p.Question+": "+p.Text)
		}
		return out
	}
	put("a", "Где ЁЛКА?")
	put("b", "где елка")
	before := question(t, s, "a").Version
	equal(t, "changes", changed(t, s, forget("a", "где ёлка")), []string{"a"})
	equal(t, "phrasings", left(), []string{"a: Вопрос a", "b: Вопрос b", "b: где елка"})
	equal(t, "the question's version", question(t, s, "a").Version, before+1)
	refuse(t, s, knowledge.ErrNotFound, forget("a", "где ёлка"))
	refuse(t, s, knowledge.ErrNotFound, forget("нет", "где ёлка"))
	refuse(t, s, knowledge.ErrInvalid, forget("b", "вопрос B!"))
	equal(t, "it can be learned again", put("a", "где ёлка"), true)
}
