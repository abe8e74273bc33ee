package knowledge_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
	"github.com/nastavnik-bot/nastavnik/store/sqlite/sqlitetest"
)

// company does at random what people do, in an order that nobody thought of.
type company struct {
	store  *sqlite.Store
	now    time.Time
	people []int64
	limit  int // of open questions a senior
	asks   int64
	last   map[string]knowledge.Status // of each question, before the step
	leap   bool                        // the step may have undone two changes of a status at once
}

// expected are the ways in which a rule may refuse something. Anything else is
// a fault.
func expected(err error) bool {
	return errors.Is(err, knowledge.ErrNotFound) || errors.Is(err, knowledge.ErrConflict) ||
		errors.Is(err, knowledge.ErrInvalid) || errors.Is(err, knowledge.ErrTransition)
}

// do takes one step, which is refused as a whole or done as a whole.
func (c *company) do(t *rapid.T, step func(ctx context.Context, d knowledge.Desk) error) {
	c.now = c.now.Add(time.Minute)
	err := c.store.Write(context.Background(), func(tx bot.Tx) error {
		return step(context.Background(), knowledge.Desk{Tx: tx, Now: c.now, Routing: knowledge.Routing{Limit: c.limit}})
	})
	if err != nil && !expected(err) {
		t.Fatal(err)
	}
}

func (c *company) somebody(t *rapid.T) int64 { return rapid.SampledFrom(c.people).Draw(t, "person") }

func (c *company) someAsk(t *rapid.T) int64 {
	return rapid.Int64Range(1, max(1, c.asks)).Draw(t, "ask")
}

// someQuestion draws a question that there is, or one that there is not.
func (c *company) someQuestion(t *rapid.T) string {
	return rapid.SampledFrom(append([]string{"q0"}, slices.Sorted(maps.Keys(c.last))...)).Draw(t, "question")
}

// someTask draws an escalation, and mostly the senior who has it.
func (c *company) someTask(t *rapid.T) (id, senior int64) {
	var all []knowledge.Escalation
	if err := c.store.Read(context.Background(), func(tx bot.Tx) (err error) {
		all, err = tx.Escalations(context.Background(), knowledge.EscalationFilter{})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		return 1, c.somebody(t)
	}
	e := rapid.SampledFrom(all).Draw(t, "escalation")
	if rapid.IntRange(0, 4).Draw(t, "impostor") == 0 {
		return e.ID, c.somebody(t)
	}
	return e.ID, e.Senior
}

func (c *company) asking() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"ask": func(t *rapid.T) {
			a := knowledge.Ask{ID: c.asks + 1, Person: c.somebody(t), Chat: "test:x", Asked: c.now}
			a.Text = rapid.SampledFrom([]string{"не работает", "Не работает!", "где столовая", "как войти", "кто чинит принтер"}).Draw(t, "text")
			a.Decision = rapid.SampledFrom([]knowledge.Decision{knowledge.DecisionSuggest, knowledge.DecisionNothing, knowledge.DecisionAnswer}).Draw(t, "decision")
			if a.Decision == knowledge.DecisionAnswer {
				a.Candidates = []knowledge.Candidate{{Question: c.answered(t), Rank: 1, Score: 1}}
			}
			c.asks++
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				_, err := d.Record(ctx, a)
				return err
			})
		},
		"ask and send": func(t *rapid.T) {
			who, text := c.somebody(t), rapid.SampledFrom([]string{"не работает", "Не работает!", "где столовая"}).Draw(t, "text")
			c.asks++
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				a, err := d.Record(ctx, knowledge.Ask{ID: c.asks, Person: who, Chat: "test:x", Text: text, Asked: d.Now, Decision: knowledge.DecisionNothing})
				if err != nil {
					return err
				}
				_, err = d.Escalate(ctx, a.ID, "")
				return err
			})
		},
		"pick": func(t *rapid.T) {
			ask, id := c.someAsk(t), c.answered(t)
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				l, err := d.Pick(ctx, ask, id)
				return learn(ctx, d, l, err)
			})
		},
		"feedback": func(t *rapid.T) {
			ask := c.someAsk(t)
			helped := rapid.Bool().Draw(t, "helped")
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				l, err := d.Feedback(ctx, ask, helped)
				return learn(ctx, d, l, err)
			})
		},
		"escalate": func(t *rapid.T) {
			ask, apart := c.someAsk(t), ""
			if rapid.Bool().Draw(t, "apart") {
				apart = c.someQuestion(t)
			}
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				_, err := d.Escalate(ctx, ask, apart)
				return err
			})
		},
		"join": func(t *rapid.T) {
			ask, id := c.someAsk(t), c.someQuestion(t)
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				_, err := d.Join(ctx, ask, id)
				return err
			})
		},
		"cancel": func(t *rapid.T) {
			who, id := c.somebody(t), c.someQuestion(t)
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				_, err := d.CancelWait(ctx, id, who)
				return err
			})
		},
		"hide": func(t *rapid.T) {
			who, id := c.somebody(t), c.someQuestion(t)
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				_, _, err := d.Hide(ctx, id, who)
				return err
			})
		},
	}
}

// answered draws a question that has an answer, or one that does not exist.
func (c *company) answered(t *rapid.T) string {
	ids := []string{"q0"}
	for _, id := range slices.Sorted(maps.Keys(c.last)) {
		if c.last[id].Answered() {
			ids = append(ids, id)
		}
	}
	return rapid.SampledFrom(ids).Draw(t, "entry")
}

func (c *company) answering() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"reply": func(t *rapid.T) {
			task, who := c.someTask(t)
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				_, err := d.Reply(ctx, task, who, "Ответ")
				return err
			})
		},
		"point to": func(t *rapid.T) {
			task, who := c.someTask(t)
			id := c.answered(t)
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				_, err := d.PointTo(ctx, task, who, id)
				return err
			})
		},
		"dismiss": func(t *rapid.T) {
			task, who := c.someTask(t)
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				_, err := d.Dismiss(ctx, task, who)
				return err
			})
		},
		"pass": func(t *rapid.T) {
			task, who := c.someTask(t)
			to := c.somebody(t)
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				_, err := d.Pass(ctx, task, who, to)
				return err
			})
		},
		"postpone": func(t *rapid.T) {
			task, who := c.someTask(t)
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				_, err := d.Postpone(ctx, task, who, time.Hour)
				return err
			})
		},
		"answer": func(t *rapid.T) {
			who, id := c.somebody(t), c.someQuestion(t)
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				_, err := d.Answer(ctx, id, who, "Ответ")
				return err
			})
		},
		"withdraw": func(t *rapid.T) {
			id := c.someQuestion(t)
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				_, err := d.Withdraw(ctx, id)
				return err
			})
		},
		"restore": func(t *rapid.T) {
			id := c.someQuestion(t)
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				_, err := d.Restore(ctx, id)
				return err
			})
		},
		"set status": func(t *rapid.T) {
			id, to := c.someQuestion(t), rapid.SampledFrom(knowledge.Statuses()).Draw(t, "status")
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				_, err := d.SetStatus(ctx, id, to)
				return err
			})
		},
		"new senior": func(t *rapid.T) {
			who := c.somebody(t)
			c.do(t, func(ctx context.Context, d knowledge.Desk) error {
				p, err := d.Tx.Person(ctx, who)
				if err != nil {
					return err
				}
				p.Senior = true
				_, err = d.AddPerson(ctx, &p)
				return err
			})
		},
	}
}

// check is called after every step: nobody waits in vain, no senior has a
// question for nothing, and statuses follow the table.
func (c *company) check(t *rapid.T) {
	err := c.store.Read(context.Background(), func(tx bot.Tx) error {
		all, err := tx.Questions(context.Background(), knowledge.QuestionFilter{WithClosed: true})
		for _, q := range all {
			if err == nil {
				err = c.checkQuestion(t, tx, q)
			}
		}
		c.leap = false
		if err != nil {
			return err
		}
		return c.checkSeniors(t, tx)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checkSeniors holds that no question is with somebody who cannot answer it.
func (c *company) checkSeniors(t *rapid.T, tx bot.Tx) error {
	open, err := tx.Escalations(context.Background(), knowledge.EscalationFilter{State: knowledge.EscalationOpen})
	if err != nil {
		return err
	}
	for _, e := range open {
		if (e.Senior == 0) != e.Given.IsZero() || e.Reason == knowledge.NoReason {
			t.Fatalf("%s is with %d since %s: %q", e.Question, e.Senior, e.Given, e.Reason)
		}
		if e.Senior == 0 {
			continue
		}
		p, err := tx.Person(context.Background(), e.Senior)
		if err != nil {
			return err
		}
		if p.ID != e.Senior || !p.Reachable() {
			t.Fatalf("%s is with %+v", e.Question, p)
		}
	}
	return nil
}

func (c *company) checkQuestion(t *rapid.T, tx bot.Tx, q knowledge.Question) error {
	ctx := context.Background()
	before, known := c.last[q.ID]
	if !known {
		before = knowledge.Unanswered
	}
	leaps := c.leap && before == knowledge.Unanswered && q.Status == knowledge.FAQ
	if err := before.To(q.Status); err != nil && !leaps {
		t.Fatalf("%s: %v", q.ID, err)
	}
	c.last[q.ID] = q.Status
	open, err := tx.Escalations(ctx, knowledge.EscalationFilter{Question: q.ID, State: knowledge.EscalationOpen})
	if err != nil {
		return err
	}
	waiters, err := tx.Waiters(ctx, q.ID)
	if err != nil {
		return err
	}
	waiting := 0
	for _, w := range waiters {
		if w.State == knowledge.Waiting {
			waiting++
		}
		if w.State == knowledge.WaitAnswered && w.Answer == 0 {
			t.Fatalf("%s: %d got an answer, and nobody knows which", q.ID, w.Person)
		}
	}
	awaiting := q.Status == knowledge.AwaitingSenior
	switch {
	case len(open) > 1:
		t.Fatalf("%s is with %d seniors at once", q.ID, len(open))
	case awaiting != (len(open) == 1):
		t.Fatalf("%s is «%s» with %d open escalations", q.ID, q.Status.Title(), len(open))
	case awaiting != (waiting > 0):
		t.Fatalf("%s is «%s» and %d wait for it", q.ID, q.Status.Title(), waiting)
	case q.Status.Answered() && q.Answer.ID == 0:
		t.Fatalf("%s is «%s» without an answer", q.ID, q.Status.Title())
	case q.Closed != knowledge.NotClosed && q.Status != knowledge.Unanswered:
		t.Fatalf("%s is closed (%s) and «%s»", q.ID, q.Closed, q.Status.Title())
	}
	return nil
}

// Whatever people do, in whatever order: every waiter ends up answered or
// cancelled or still has an open escalation, a question is with one senior at a
// time, and statuses change only by the table.
func TestDeskInvariants(t *testing.T) {
	fewer(t, 30)
	dirs := 0
	rapid.Check(t, func(rt *rapid.T) {
		dirs++
		dir := fmt.Sprintf("%s/%d", t.TempDir(), dirs)
		if err := sqlitetest.Fill(t.Context(), dir, sqlite.NoQueue{}); err != nil {
			rt.Fatal(err)
		}
		s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: dir, Queue: sqlite.NoQueue{}})
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		c := &company{store: s, now: time.Date(2026, 3, 12, 10, 0, 0, 0, time.UTC), last: map[string]knowledge.Status{}}
		c.limit = rapid.IntRange(0, 2).Draw(rt, "limit")
		for i := range 4 {
			c.do(rt, func(ctx context.Context, d knowledge.Desk) error {
				p, err := d.Tx.Identify(ctx, knowledge.Identity{Platform: "test", External: fmt.Sprint(i), Chat: fmt.Sprint("test:", i)}, d.Now)
				c.people = append(c.people, p.ID)
				return err
			})
		}
		steps := c.asking()
		maps.Copy(steps, c.answering())
		maps.Copy(steps, c.learning())
		maps.Copy(steps, c.staffing())
		steps[""] = c.check
		rt.Repeat(steps)
	})
}

// fewer makes rapid try fewer cases, each of which needs a database of its own,
// unless -rapid.checks says how many.
func fewer(t *testing.T, checks int) {
	t.Helper()
	const name = "rapid.checks"
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == name })
	if asked {
		return
	}
	before := flag.Lookup(name).Value.String()
	if err := flag.Set(name, strconv.Itoa(checks)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = flag.Set(name, before) })
}
