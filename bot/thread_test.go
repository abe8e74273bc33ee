package bot

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// talk is the chat of one employee.
type talk struct {
	t  *testing.T
	d  Decider
	s  State
	at time.Time
	id int64
}

func newTalk(t *testing.T) *talk {
	t.Helper()
	return &talk{t: t, d: decider(t), s: State{Greeted: true}, at: noon()}
}

func (k *talk) event(b Body) []Action {
	k.t.Helper()
	k.id++
	after, actions := k.d.Decide(k.s, Event{ID: k.id, Chat: "console:x", At: k.at, Body: b, Person: knowledge.Person{ID: 1}})
	checkSent(k.t, actions)
	k.s = stored(k.t, after)
	return actions
}

// ask writes a text and returns the search that it leads to.
func (k *talk) ask(text string) Search {
	k.t.Helper()
	for _, a := range k.event(Said{Text: text}) {
		if l, ok := a.(Look); ok {
			return l.Query.(Search)
		}
	}
	k.t.Fatalf("%q is not searched for", text)
	return Search{}
}

// found brings a search's result and returns the words by which the ask is stored.
func (k *talk) found(q Search, r knowledge.Finding) string {
	k.t.Helper()
	for _, a := range k.event(Found{Search: q, Result: r}) {
		if d, ok := a.(Do); ok {
			return d.Command.(RecordAsk).Ask.Text
		}
	}
	k.t.Fatalf("the ask %q is not stored", q.Text)
	return ""
}

func answer(id, text string) knowledge.Finding {
	return knowledge.Finding{Decision: knowledge.DecisionAnswer, Page: &knowledge.Page{Brief: knowledge.Brief{ID: id, Text: text}, Answer: "так"}}
}

func together() knowledge.Finding {
	return knowledge.Finding{Decision: knowledge.DecisionNothing, Together: true}
}

// A chain of follow-ups is searched with the question that began it and the latest
// before it, and each is stored with what it follows.
func TestThread(t *testing.T) {
	k := newTalk(t)
	q := k.ask("как сменить ответственного в сделке")
	if q.After != "" || q.Shown != "" {
		t.Fatalf("the first question goes on with %q", q.After)
	}
	if got := k.found(q, answer("owner", "Как изменить ответственного?")); got != "как сменить ответственного в сделке" {
		t.Errorf("stored as %q", got)
	}
	after := "как сменить ответственного в сделке"
	for _, step := range []struct{ text, after string }{
		{"а если уволился?", after},
		{"а если давно?", after + " — а если уволился?"},
		{"и кто это делает?", after + " — а если уволился? а если давно?"},
		{"а когда?", after + " — а если давно? и кто это делает?"},
	} {
		k.at = k.at.Add(10 * time.Minute)
		q := k.ask(step.text)
		if q.After != step.after || q.Shown != "owner" {
			t.Fatalf("%q goes on with %q after %q", step.text, q.After, q.Shown)
		}
		if got, want := k.found(q, together()), joinThread([]string{step.after, step.text}); got != want {
			t.Errorf("%q is stored as %q, want %q", step.text, got, want)
		}
	}
}

func TestThreadEnds(t *testing.T) {
	begin := func(t *testing.T) *talk {
		t.Helper()
		k := newTalk(t)
		k.found(k.ask("как сменить ответственного в сделке"), answer("owner", "Как изменить ответственного?"))
		return k
	}
	t.Run("by a question of its own", func(t *testing.T) {
		k := begin(t)
		if q := k.ask("сколько дней отпуска у меня осталось"); q.After != "" {
			t.Errorf("it goes on with %q", q.After)
		}
	})
	t.Run("by time", func(t *testing.T) {
		k := begin(t)
		k.at = k.at.Add(threadFor + time.Second)
		if q := k.ask("а если уволился?"); q.After != "" {
			t.Errorf("it goes on with %q", q.After)
		}
	})
	t.Run("by another subject", func(t *testing.T) {
		k := begin(t)
		q := k.ask("а больничный?")
		if got := k.found(q, answer("sick", "Как оформить больничный?")); got != "а больничный?" {
			t.Errorf("stored as %q", got)
		}
		if q := k.ask("а если он за границей?"); q.After != "Как оформить больничный?" || q.Shown != "sick" {
			t.Errorf("it goes on with %q, %s", q.After, q.Shown)
		}
	})
	t.Run("by an entry that is opened", func(t *testing.T) {
		k := begin(t)
		k.event(Shown{Show: Show{Question: "vacation"}, Page: &knowledge.Page{Brief: knowledge.Brief{ID: "vacation", Text: "Как оформить отпуск?"}, Answer: "так"}})
		if q := k.ask("а если не дают?"); q.After != "Как оформить отпуск?" || q.Shown != "vacation" {
			t.Errorf("it goes on with %q, %s", q.After, q.Shown)
		}
	})
}

// However long people write, a thread stays short enough to be searched and stored.
func TestThreadIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var thread []string
		first := ""
		for i := range rapid.IntRange(1, 8).Draw(t, "turns") {
			text := oneLine(rapid.StringN(1, 2*threadRunes, -1).Draw(t, "text"), threadRunes)
			if i == 0 {
				first = text
			}
			thread = continued(thread, text)
			if len(thread) > threadTurns || thread[0] != first || thread[len(thread)-1] != text {
				t.Fatalf("after %q: %q", text, thread)
			}
		}
		if joined := joinThread(thread); utf8.RuneCountInString(joined)+200 > knowledge.MaxQuestionRunes || !strings.HasPrefix(joined, first) {
			t.Fatalf("%q", joined)
		}
	})
}

// What reads as if it went on with something teaches nothing; the question and what
// follows it together do.
func TestFollowUpsTeachNothingByThemselves(t *testing.T) {
	for wording, learned := range map[string]bool{
		"а больничный?":    false,
		"а если уволился?": false,
		"как сменить ответственного в сделке — а если уволился?": true,
		"отдать сделку Олегу": true,
	} {
		k := newTalk(t)
		checked := false
		for _, a := range k.event(Taught{Lesson: knowledge.Lesson{Question: "q1", Wording: wording, Origin: knowledge.PickedSo}}) {
			l, ok := a.(Look)
			checked = checked || ok && l.Query.(Guard).Lesson.Wording == wording
		}
		if checked != learned {
			t.Errorf("%q is on its way to be learned: %v", wording, checked)
		}
	}
}

// What was shown an hour ago may be offered again.
func TestSeenIsForgotten(t *testing.T) {
	k := newTalk(t)
	k.found(k.ask("как сменить ответственного в сделке"), answer("owner", "Как изменить ответственного?"))
	k.at = k.at.Add(dialogueFor)
	if k.ask("как оформить отпуск"); len(k.s.Last.Seen) != 1 {
		t.Errorf("within the hour: %q", k.s.Last.Seen)
	}
	k.at = k.at.Add(time.Second)
	if k.ask("как оформить отпуск"); len(k.s.Last.Seen) != 0 {
		t.Errorf("after it: %q", k.s.Last.Seen)
	}
}
