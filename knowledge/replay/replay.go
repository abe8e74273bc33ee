// Package replay lets labelled questions arrive, in random order, at a knowledge
// base that is empty at first, and counts what it costs to fill it: how often a
// senior is asked, what people find by themselves, and what wrong answers they are
// shown.
//
// Everything goes through the product's own rules and its own search. Only people
// are simulated, and they know the labels:
//
//   - the asker accepts a right answer and presses «Помогло»; says «Не помогло» to
//     a wrong one; picks the right one of those that are offered; else presses «Нет
//     моего вопроса»;
//   - the senior answers a question that the base has no entry for, and points to
//     the entry when there is one that the search did not offer.
//
// A wording that people's choices teach becomes a phrasing unless it would disturb
// what others find; then it waits for a decision that nobody takes.
//
// An entry is right for the queries with the same set of expected ids as the one
// that it was made for.
package replay

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/quality"
)

// Record is the record of truth.
type Record interface {
	// Update runs fn in a transaction and commits it when fn returns nil.
	Update(ctx context.Context, fn func(knowledge.Tx) error) error
}

// Finder searches the record.
type Finder interface {
	Find(ctx context.Context, in knowledge.Inquiry) (knowledge.Finding, error)
	// IndexQuestions computes the vectors that the questions lack.
	IndexQuestions(ctx context.Context, ids []string) error
	// Disturbs tells which wordings would find something else if a change were made.
	Disturbs(ctx context.Context, p knowledge.Proposal) ([]knowledge.Conflict, error)
}

// World is an empty knowledge base with its search.
type World struct {
	Record Record
	Finder Finder
}

// Arrival is one question that somebody asks.
type Arrival struct {
	Text   string
	Key    string // equal for questions with the same answer
	Answer string // what a senior answers
}

// Arrivals returns the queries that have an answer, in their order; answers has the
// texts by id. A query whose entries have no text is answered with its own words.
func Arrivals(queries []quality.Query, answers map[string]string) []Arrival {
	var out []Arrival
	for _, q := range queries {
		if len(q.Expected) == 0 {
			continue
		}
		a := Arrival{Text: q.Text, Key: q.Key(), Answer: q.Text}
		for _, id := range q.Expected {
			if text := answers[id]; text != "" {
				a.Answer = text
				break
			}
		}
		out = append(out, a)
	}
	return out
}

// Shuffled returns the arrivals in the order of a seed.
func Shuffled(arrivals []Arrival, seed uint64) []Arrival {
	out := slices.Clone(arrivals)
	r := rand.New(rand.NewPCG(seed, 0x5851f42d4c957f2d)) //nolint:gosec // reproducible, not secret
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// Reason says why a senior was asked.
type Reason string

// The reasons, from what cannot be spared to what the search could have spared.
const (
	NewQuestion Reason = "new"       // nobody has asked it before
	NotOffered  Reason = "withheld"  // its entry was among the first five but not offered
	RankedLow   Reason = "low"       // its entry was found, but not among the first five
	NotFound    Reason = "not_found" // its entry was not found at all
)

// Step is what became of one arrival.
type Step struct {
	Direct bool   // answered rightly at once
	Picked bool   // found among those offered
	Wrong  bool   // a wrong answer was given directly
	Asked  Reason // why a senior was asked; "" when nobody was
	Held   bool   // its wording waits for somebody's decision
	Clicks int    // presses until the answer was there, or the senior asked; «Помогло» is courtesy
}

// Run plays the arrivals in their order in a world that is empty. It returns a step
// for each; progress, if given, is told how many are done.
func Run(ctx context.Context, w World, arrivals []Arrival, progress func(done int)) ([]Step, error) {
	s := stage{w: w, now: time.Date(2026, 1, 12, 9, 0, 0, 0, time.UTC), entries: map[string]string{}}
	if err := s.hire(ctx); err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	out := make([]Step, len(arrivals))
	for i, a := range arrivals {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		var err error
		if out[i], err = s.arrive(ctx, int64(i+1), a); err != nil {
			return nil, fmt.Errorf("replay: arrival %d: %w", i+1, err)
		}
		if progress != nil {
			progress(i + 1)
		}
	}
	return out, nil
}

// stage is a world with its people.
type stage struct {
	w       World
	now     time.Time
	senior  knowledge.Person
	entries map[string]string // key → entry
}

// between is how far apart people ask.
const between = 7 * time.Minute

// desk runs fn by the rules of the domain, in one transaction.
func (s *stage) desk(ctx context.Context, fn func(d knowledge.Desk) error) error {
	return s.w.Record.Update(ctx, func(tx knowledge.Tx) error {
		return fn(knowledge.Desk{Tx: tx, Now: s.now})
	})
}

// hire adds the senior.
func (s *stage) hire(ctx context.Context) error {
	return s.desk(ctx, func(d knowledge.Desk) (err error) {
		if s.senior, err = d.Tx.Identify(ctx, identity("senior"), s.now); err != nil {
			return err
		}
		s.senior.Senior = true
		_, err = d.AddPerson(ctx, &s.senior)
		return err
	})
}

func identity(name string) knowledge.Identity {
	return knowledge.Identity{Platform: "replay", External: name, Name: name, Chat: "replay:" + name}
}

// visit is one arrival under way.
type visit struct {
	Arrival
	ask    int64
	entry  string // that answers it; "" when there is none yet
	step   Step
	ranked []knowledge.Match
}

func (s *stage) arrive(ctx context.Context, ask int64, a Arrival) (Step, error) {
	s.now = s.now.Add(between)
	v := &visit{Arrival: a, ask: ask, entry: s.entries[a.Key]}
	f, err := s.w.Finder.Find(ctx, knowledge.Inquiry{Text: a.Text})
	if err != nil {
		return v.step, err
	}
	v.ranked = f.Ranked
	if err := s.record(ctx, v, f); err != nil {
		return v.step, err
	}
	if f.Decision == knowledge.DecisionAnswer && f.Page != nil {
		if f.Page.ID == v.entry {
			v.step.Direct = true
			return v.step, s.confirm(ctx, v)
		}
		if f, err = s.refuse(ctx, v, f.Page.ID); err != nil {
			return v.step, err
		}
	}
	v.step.Clicks++
	if v.entry != "" && slices.ContainsFunc(f.Matches, func(m knowledge.Match) bool { return m.ID == v.entry }) {
		v.step.Picked = true
		return v.step, s.pick(ctx, v)
	}
	return v.step, s.escalate(ctx, v)
}

// record stores the ask of somebody who has not asked before.
func (s *stage) record(ctx context.Context, v *visit, f knowledge.Finding) error {
	return s.desk(ctx, func(d knowledge.Desk) error {
		who := identity(fmt.Sprint("asker ", v.ask))
		p, err := d.Tx.Identify(ctx, who, s.now)
		if err != nil {
			return err
		}
		a := knowledge.Ask{
			ID: v.ask, Person: p.ID, Chat: who.Chat, Text: v.Text, Asked: s.now,
			Decision: f.Decision, Confidence: f.Confidence,
		}
		for i, m := range f.Matches {
			a.Candidates = append(a.Candidates, knowledge.Candidate{Question: m.ID, Rank: i + 1, Score: m.Score})
		}
		_, err = d.Record(ctx, a)
		return err
	})
}

// refuse says «Не помогло» to a wrong answer and returns what is offered instead.
func (s *stage) refuse(ctx context.Context, v *visit, shown string) (knowledge.Finding, error) {
	v.step.Wrong = true
	v.step.Clicks++
	err := s.desk(ctx, func(d knowledge.Desk) error {
		_, err := d.Feedback(ctx, v.ask, false) // which teaches nothing
		return err
	})
	if err != nil {
		return knowledge.Finding{}, err
	}
	return s.w.Finder.Find(ctx, knowledge.Inquiry{Text: v.Text, Without: shown})
}

func (s *stage) pick(ctx context.Context, v *visit) error {
	var l *knowledge.Lesson
	err := s.desk(ctx, func(d knowledge.Desk) (err error) {
		l, err = d.Pick(ctx, v.ask, v.entry)
		return err
	})
	if err != nil {
		return err
	}
	if err := s.learn(ctx, v, l); err != nil {
		return err
	}
	return s.confirm(ctx, v)
}

// confirm says «Помогло».
func (s *stage) confirm(ctx context.Context, v *visit) error {
	var l *knowledge.Lesson
	err := s.desk(ctx, func(d knowledge.Desk) (err error) {
		l, err = d.Feedback(ctx, v.ask, true)
		return err
	})
	if err != nil {
		return err
	}
	return s.learn(ctx, v, l)
}

// learn makes a lesson a phrasing, or holds it back as the bot would.
func (s *stage) learn(ctx context.Context, v *visit, l *knowledge.Lesson) error {
	if l == nil {
		return nil
	}
	conflicts, err := s.w.Finder.Disturbs(ctx, knowledge.Proposal{Question: l.Question, Wordings: []string{l.Wording}})
	if err != nil {
		return err
	}
	if len(conflicts) > 0 {
		v.step.Held = true
		return s.desk(ctx, func(d knowledge.Desk) error {
			_, err := d.Hold(ctx, knowledge.Review{Question: l.Question, Wording: l.Wording, Person: l.Person, Conflicts: conflicts})
			return err
		})
	}
	if err := s.desk(ctx, func(d knowledge.Desk) error { return d.Learn(ctx, *l) }); err != nil {
		return err
	}
	return s.w.Finder.IndexQuestions(ctx, []string{l.Question})
}

// escalate says «Нет моего вопроса»; the senior answers before the next arrival.
func (s *stage) escalate(ctx context.Context, v *visit) error {
	v.step.Asked = v.reason()
	err := s.desk(ctx, func(d knowledge.Desk) error {
		sent, err := d.Escalate(ctx, v.ask, "")
		if err != nil {
			return err
		}
		if sent.Senior.ID != s.senior.ID {
			return errors.New("the question has reached no senior")
		}
		if v.entry != "" {
			_, err = d.PointTo(ctx, sent.Escalation.ID, s.senior.ID, v.entry)
			return err
		}
		r, err := d.Reply(ctx, sent.Escalation.ID, s.senior.ID, v.Answer)
		v.entry = r.Question.ID
		return err
	})
	if err != nil {
		return err
	}
	s.entries[v.Key] = v.entry
	return s.w.Finder.IndexQuestions(ctx, []string{v.entry})
}

// offered is how many questions are offered at most.
const offered = 5

func (v *visit) reason() Reason {
	if v.entry == "" {
		return NewQuestion
	}
	switch at := slices.IndexFunc(v.ranked, func(m knowledge.Match) bool { return m.ID == v.entry }); {
	case at < 0:
		return NotFound
	case at < offered:
		return NotOffered
	default:
		return RankedLow
	}
}
