package knowledge_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
	"github.com/nastavnik-bot/nastavnik/store/sqlite/sqlitetest"
)

// fixture is the embedded store with a clock, and the people of a company.
type fixture struct {
	t     testing.TB
	store *sqlite.Store
	now   time.Time
	asks  int64

	learning knowledge.Learning
	routing  knowledge.Routing
}

func open(t testing.TB) *fixture {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: sqlitetest.Folder(t, sqlite.NoQueue{}), Queue: sqlite.NoQueue{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &fixture{t: t, store: s, now: time.Date(2026, 3, 12, 10, 0, 0, 0, time.UTC)}
}

// try does something at the desk, a second later than what was before. When it
// fails, nothing of it stays.
func (f *fixture) try(do func(d knowledge.Desk) error) error {
	f.now = f.now.Add(time.Second)
	return f.store.Write(context.Background(), func(tx bot.Tx) error {
		return do(knowledge.Desk{Tx: tx, Now: f.now, Learning: f.learning, Routing: f.routing})
	})
}

func (f *fixture) do(do func(d knowledge.Desk) error) {
	f.t.Helper()
	if err := f.try(do); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) look(do func(tx bot.Tx) error) {
	f.t.Helper()
	if err := f.store.Read(context.Background(), do); err != nil {
		f.t.Fatal(err)
	}
}

// person adds somebody by name and returns the id.
func (f *fixture) person(name string, senior bool) int64 {
	f.t.Helper()
	var p knowledge.Person
	f.do(func(d knowledge.Desk) (err error) {
		p, err = d.Tx.Identify(context.Background(), knowledge.Identity{Platform: "test", External: name, Name: name, Chat: "test:" + name}, d.Now)
		if err != nil {
			return err
		}
		p.Senior = senior
		_, err = d.AddPerson(context.Background(), &p)
		return err
	})
	return p.ID
}

// ask records a question that search has not settled, and returns the ask.
func (f *fixture) ask(who int64, text string, shown ...string) knowledge.Ask {
	f.t.Helper()
	f.asks++
	a := knowledge.Ask{ID: f.asks, Person: who, Chat: fmt.Sprint("test:", who), Text: text, Decision: knowledge.DecisionSuggest}
	for i, id := range shown {
		a.Candidates = append(a.Candidates, knowledge.Candidate{Question: id, Rank: i + 1, Score: 1})
	}
	f.do(func(d knowledge.Desk) (err error) {
		a.Asked = d.Now
		a, err = d.Record(context.Background(), a)
		return err
	})
	return a
}

// send escalates an ask.
func (f *fixture) send(ask int64) knowledge.Escalated {
	f.t.Helper()
	var s knowledge.Escalated
	f.do(func(d knowledge.Desk) (err error) {
		s, err = d.Escalate(context.Background(), ask, "")
		return err
	})
	return s
}

func (f *fixture) join(ask int64, question string) knowledge.Escalated {
	f.t.Helper()
	var s knowledge.Escalated
	f.do(func(d knowledge.Desk) (err error) {
		s, err = d.Join(context.Background(), ask, question)
		return err
	})
	return s
}

func (f *fixture) reply(escalation, senior int64, text string) knowledge.Replied {
	f.t.Helper()
	var r knowledge.Replied
	f.do(func(d knowledge.Desk) (err error) {
		r, err = d.Reply(context.Background(), escalation, senior, text)
		return err
	})
	return r
}

// entry puts a question with its answer into the base.
func (f *fixture) entry(id, text string) {
	f.t.Helper()
	f.do(func(d knowledge.Desk) error {
		q := knowledge.Question{ID: id, Text: text, Status: knowledge.InKnowledgeBase, Asked: d.Now}
		if err := d.Tx.PutQuestion(context.Background(), &q); err != nil {
			return err
		}
		return d.Tx.PutAnswer(context.Background(), &knowledge.Answer{Question: id, Text: "Ответ на " + text, Created: d.Now})
	})
}

func (f *fixture) question(id string) (q knowledge.Question) {
	f.t.Helper()
	f.look(func(tx bot.Tx) (err error) {
		q, err = tx.Question(context.Background(), id)
		return err
	})
	return q
}

func (f *fixture) phrasings(id string) (out []string) {
	f.t.Helper()
	f.look(func(tx bot.Tx) error {
		all, err := tx.Phrasings(context.Background(), []string{id})
		for _, p := range all {
			out = append(out, p.Text)
		}
		return err
	})
	return out
}

func (f *fixture) wantStatus(id string, status knowledge.Status, closed knowledge.Closed) {
	f.t.Helper()
	if q := f.question(id); q.Status != status || q.Closed != closed {
		f.t.Errorf("%s is «%s» %q, want «%s» %q", id, q.Status.Title(), q.Closed, status.Title(), closed)
	}
}
