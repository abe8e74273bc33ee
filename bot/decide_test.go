package bot

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

func noon() time.Time { return time.Date(2026, 3, 12, 12, 0, 0, 0, time.UTC) }

func decider(t interface{ Fatal(...any) }) Decider {
	say, err := texts.New("ru")
	if err != nil {
		t.Fatal(err)
	}
	return NewDecider(say, Manner{})
}

// stored returns a state as it is after being written and read.
func stored(t interface{ Fatal(...any) }, s State) State {
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	back, err := readState(Conversation{State: raw})
	if err != nil {
		t.Fatal(err)
	}
	return back
}

// telepathy is a body that no program knows.
type telepathy struct{}

func (telepathy) body() {}

// What is not known changes nothing and says nothing.
func TestUnknownEvent(t *testing.T) {
	s := State{Greeted: true, Tasks: []Task{{Escalation: 1, Text: "как войти"}}}
	after, actions := decider(t).Decide(s, Event{At: noon(), Body: telepathy{}})
	if len(actions) > 0 || !cmp.Equal(s, after) {
		t.Errorf("%v, %s", actions, cmp.Diff(s, after))
	}
}

// A button with a verb that no program knows is refused, politely and only that.
func TestUnknownVerb(t *testing.T) {
	s := State{Greeted: true}
	button := &Button{ID: "1.0.0", Label: "Летать", Press: Press{Verb: "fly"}}
	after, actions := decider(t).Decide(s, Event{At: noon(), Body: Pressed{ID: "1.0.0", Button: button}})
	if !cmp.Equal(s, after) {
		t.Error(cmp.Diff(s, after))
	}
	for _, a := range actions {
		switch a.(type) {
		case Send, Mark:
		default:
			t.Errorf("%#v", a)
		}
	}
}

// checkSent holds every message to what platforms can show.
func checkSent(t interface{ Fatalf(string, ...any) }, actions []Action) {
	for _, a := range actions {
		s, ok := a.(Send)
		if !ok {
			continue
		}
		m := s.Message
		if m.File != nil {
			if m.Text != "" || len(m.Sections) > 0 {
				t.Fatalf("a file with more beside it: %+v", m)
			}
			continue
		}
		if strings.TrimSpace(m.Text) == "" || !utf8.ValidString(m.Text) {
			t.Fatalf("an empty or broken message: %q", m.Text)
		}
		for _, section := range m.Sections {
			if len(section.Buttons) == 0 {
				t.Fatalf("a section without buttons in %q", m.Text)
			}
			for _, b := range section.Buttons {
				if n := utf8.RuneCountInString(b.Label); n == 0 || n > labelRunes || strings.ContainsAny(b.Label, "\n\t") {
					t.Fatalf("label %q of %q", b.Label, m.Text)
				}
			}
		}
	}
}

// Whatever is written, and whoever writes it: nothing breaks, and there is an answer.
func FuzzSaid(f *testing.F) {
	for _, text := range []string{
		"как сменить ответственного", "", "/", "/start", "/faq  кадры", "вопрос:", "вопрос: как?", "да", "\x00\u202e", "👍",
		"позовите человека", "/cancel@bot x", strings.Repeat("я", knowledge.MaxAnswerRunes+1), "ghbdtn", "**[x](http://y)**", "«»\n> \n",
		"/help\nпомоги", "/" + strings.Repeat("я", knowledge.MaxQuestionRunes),
	} {
		f.Add(text)
	}
	d := decider(f)
	states := map[string]State{
		"new":         {},
		"greeted":     {Greeted: true, Last: &LastAsk{Ask: 1, Text: "было"}},
		"detail":      {Greeted: true, Detail: "q1", DetailAt: noon()},
		"one task":    {Greeted: true, Tasks: []Task{{Escalation: 1, Question: "q1", Text: "как войти", Names: []string{"Иван"}}}},
		"two tasks":   {Greeted: true, Tasks: []Task{{Escalation: 1, Question: "q1", Text: "как войти", Names: []string{""}}, {Escalation: 2, Question: "q2", Text: "как выйти"}}},
		"draft":       {Tasks: []Task{{Escalation: 1, Question: "q1"}}, Draft: &Draft{Kind: DraftReply, Escalation: 1, Question: "q1", Parts: []Part{{Text: "так"}}, Last: noon()}},
		"lookup":      {Tasks: []Task{{Escalation: 1, Question: "q1"}}, Draft: &Draft{Kind: DraftLookup, Escalation: 1, Question: "q1", Last: noon()}},
		"edit":        {Draft: &Draft{Kind: DraftEdit, Question: "q1", Title: "как войти", Last: noon()}},
		"held, over":  {Held: &Held{Parts: []Part{{Text: "туда"}}, At: noon()}, Over: &Over{Title: "как войти", At: noon(), Question: "q1", Parts: []Part{{Text: "так"}}}},
		"postponed":   {Tasks: []Task{{Escalation: 1, Question: "q1", Until: noon().Add(time.Hour)}}},
		"lost answer": {Tasks: []Task{{Escalation: 2, Question: "q2"}}, Draft: &Draft{Kind: DraftReply, Escalation: 1, Last: noon(), Crossed: true}},
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range slices.Sorted(maps.Keys(states)) {
			for _, about := range []int64{0, 1, 99} {
				e := Event{ID: 7, Chat: "console:x", At: noon(), Body: Said{Text: text}, About: about, Person: knowledge.Person{ID: 3, Senior: true}}
				after, actions := d.Decide(states[name], e)
				checkSent(t, actions)
				if back := stored(t, after); !cmp.Equal(after, back, cmpopts.EquateEmpty()) {
					t.Fatalf("%s: the state changes when it is stored:\n%s", name, cmp.Diff(after, back))
				}
				if again, twice := d.Decide(states[name], e); !reflect.DeepEqual(actions, twice) || !cmp.Equal(after, again) {
					t.Fatalf("%s: equal events, different decisions", name)
				}
				if len(actions) == 0 && after.Held == nil && after.Draft == nil {
					t.Fatalf("%s: %q gets no answer at all", name, text)
				}
			}
		}
	})
}

// desk is a senior's chat at random: questions come and go, and the senior
// writes, replies to messages and presses whatever button is there.
type desk struct {
	d       Decider
	s       State
	at      time.Time
	next    int64 // the next escalation
	word    int   // the next word that the senior writes
	buttons []Button
	timers  []Wake

	// For each word: the escalations that it may answer.
	may     map[string]map[int64]bool
	arrived int            // questions that have come so far
	before  map[string]int // arrived, when a word was written
	taken   map[int64]int  // arrived, when [Ответить] of a question was pressed
	sent    map[string]int64
}

func (k *desk) event(t *rapid.T, b Body, about int64) {
	k.at = k.at.Add(time.Second)
	k.decide(t, Event{ID: 1000 + int64(k.word), Chat: "console:анна", At: k.at, Body: b, About: about, Person: knowledge.Person{ID: 1, Name: "Анна", Senior: true}})
}

func (k *desk) decide(t *rapid.T, e Event) {
	tasks := k.s.Tasks
	after, actions := k.d.Decide(k.s, e)
	checkSent(t, actions)
	k.s = stored(t, after)
	if !cmp.Equal(after, k.s, cmpopts.EquateEmpty()) {
		t.Fatalf("the state changes when it is stored:\n%s", cmp.Diff(after, k.s))
	}
	var checks []Guard
	for _, a := range actions {
		switch a := a.(type) {
		case Send:
			for _, section := range a.Message.Sections {
				k.buttons = append(k.buttons, section.Buttons...)
			}
		case Wake:
			k.timers = append(k.timers, a)
		case Look:
			if g, ok := a.Query.(Guard); ok {
				checks = append(checks, g)
			}
		case Do:
			k.perform(t, a.Command, tasks)
		}
	}
	for _, g := range checks { // the searcher answers after the transaction
		k.event(t, Guarded{Guard: g}, 0)
	}
}

// perform checks what goes out, and answers as the clerk would.
func (k *desk) perform(t *rapid.T, c Command, tasks []Task) {
	switch c := c.(type) {
	case Reply:
		if !slices.ContainsFunc(tasks, func(task Task) bool { return task.Escalation == c.Escalation }) {
			t.Fatalf("a reply to %d, which is not open", c.Escalation)
		}
		k.checkReply(t, c)
		k.event(t, ReplyDone{Escalation: c.Escalation, Replied: knowledge.Replied{Question: knowledge.Question{ID: fmt.Sprint("q", c.Escalation), Status: knowledge.InKnowledgeBase}}}, 0)
	case Postpone:
		k.event(t, TaskPostponed{Escalation: c.Escalation, Due: k.at.Add(c.Delay)}, 0)
	case Dismiss:
		k.event(t, TaskEnded{Escalation: c.Escalation}, 0)
	case ReadTask:
		task, open := k.s.task(c.Escalation)
		if open {
			k.event(t, TaskRead{Task: task, Then: c.Then, Parts: c.Parts}, 0)
		} else {
			k.event(t, TooLate{Escalation: c.Escalation, Parts: c.Parts}, 0)
		}
	}
}

// checkReply is the rule: each word of a reply was meant for its question, as
// far as anybody could know when it was written.
func (k *desk) checkReply(t *rapid.T, c Reply) {
	previous := ""
	for _, w := range strings.Fields(c.Text) {
		if e, twice := k.sent[w]; twice {
			t.Fatalf("%s was sent to %d already", w, e)
		}
		k.sent[w] = c.Escalation
		goesOn := previous != "" && k.before[previous] == k.before[w]
		if !k.may[w][c.Escalation] && !goesOn {
			t.Fatalf("%s goes to %d, and was meant for %v", w, c.Escalation, slices.Sorted(maps.Keys(k.may[w])))
		}
		previous = w
	}
}

func (k *desk) say(t *rapid.T, about int64) {
	k.word++
	w := fmt.Sprint("слово", k.word)
	k.may[w], k.before[w] = map[int64]bool{}, k.arrived
	switch {
	case about != 0:
		k.may[w][about] = true
	case len(k.s.Tasks) == 1 && (k.s.Tasks[0].Until.IsZero() || k.writing(k.s.Tasks[0].Escalation)):
		// The only one there is: not put back, or taken up again in spite of that.
		k.may[w][k.s.Tasks[0].Escalation] = true
	}
	// What the senior has taken up by a button, and nothing has come since.
	if d := k.s.Draft; about == 0 && d != nil && d.Kind == DraftReply && k.taken[d.Escalation] == k.arrived {
		k.may[w][d.Escalation] = true
	}
	k.event(t, Said{Text: w}, about)
}

// writing reports whether the senior has a reply to the question begun.
func (k *desk) writing(escalation int64) bool {
	d := k.s.Draft
	return d != nil && d.Kind == DraftReply && d.Escalation == escalation
}

func (k *desk) press(t *rapid.T) {
	if len(k.buttons) == 0 {
		return
	}
	k.pressed(t, rapid.SampledFrom(k.buttons).Draw(t, "button"))
}

func (k *desk) pressed(t *rapid.T, b Button) {
	if b.Press.Verb == TakeTask {
		k.taken[b.Press.Escalation] = k.arrived
		// Chosen by hand: what is held is meant for it now.
		if h := k.s.Held; h != nil {
			for _, w := range strings.Fields(textOf(h.Parts)) {
				k.may[w][b.Press.Escalation] = true
			}
		}
	}
	k.event(t, Pressed{ID: "1.0.0", Button: &b}, 0)
}

// A reply never reaches the asker of another question: words go out only to the
// question that they were written for, and only once.
func TestRepliesReachTheirAskers(t *testing.T) {
	d := decider(t)
	rapid.Check(t, func(t *rapid.T) {
		k := &desk{d: d, at: noon(), may: map[string]map[int64]bool{}, before: map[string]int{}, taken: map[int64]int{}, sent: map[string]int64{}}
		t.Repeat(map[string]func(*rapid.T){
			"question": func(t *rapid.T) {
				k.next++
				k.arrived++
				k.event(t, Assigned{Task: Task{Escalation: k.next, Question: fmt.Sprint("q", k.next), Text: fmt.Sprint("вопрос ", k.next), Names: []string{"Иван"}, Since: k.at}}, 0)
			},
			"cancelled": func(t *rapid.T) {
				if len(k.s.Tasks) > 0 {
					k.event(t, TaskGone{Escalation: rapid.SampledFrom(k.s.Tasks).Draw(t, "task").Escalation, Text: "вопрос"}, 0)
				}
			},
			"say": func(t *rapid.T) { k.say(t, 0) },
			"reply": func(t *rapid.T) {
				if k.next > 0 {
					k.say(t, rapid.Int64Range(1, k.next).Draw(t, "about"))
				}
			},
			"press": k.press,
			"take": func(t *rapid.T) {
				if len(k.s.Tasks) > 0 {
					k.pressed(t, Button{Label: "Ответить", Press: Press{Verb: TakeTask, Escalation: rapid.SampledFrom(k.s.Tasks).Draw(t, "task").Escalation}})
				}
			},
			"time": func(t *rapid.T) {
				k.at = k.at.Add(time.Duration(rapid.IntRange(1, 20).Draw(t, "minutes")) * time.Minute)
				due := k.timers
				k.timers = nil
				for _, w := range due {
					if w.At.After(k.at) {
						k.timers = append(k.timers, w)
					} else {
						k.event(t, w.Body, 0)
					}
				}
			},
			"leave": func(t *rapid.T) { k.event(t, Ended{}, 0) },
		})
	})
}

// everything draws an event of any type, with anything in it.
func TestDecideNeverPanics(t *testing.T) {
	d := decider(t)
	rapid.Check(t, func(t *rapid.T) {
		var s State
		fill(t, reflect.ValueOf(&s).Elem(), 2)
		for range rapid.IntRange(1, 6).Draw(t, "events") {
			kind := rapid.SampledFrom(bodies()).Draw(t, "kind")
			v := reflect.New(reflect.TypeOf(kind)).Elem()
			fillAll(t, v, 2)
			e := Event{ID: 5, Chat: "console:x", At: noon(), Body: v.Interface().(Body), About: rapid.Int64Range(0, 3).Draw(t, "about")}
			if p, ok := e.Body.(Pressed); ok && p.Button != nil {
				p.Button.Press.Verb = rapid.SampledFrom(verbs()).Draw(t, "verb")
				e.Body = p
			}
			s, _ = d.Decide(s, e)
			s = stored(t, s)
		}
	})
}

func verbs() []Verb {
	return []Verb{
		OpenEntry, SayHelped, SayNot, NotMine, JoinOpen, SendMine, AddDetails, CancelWait, HideName, FAQTopic,
		TakeTask, DraftDone, DraftDrop, HeldDrop, HeldOwn, HeldAppend, HasEntry, PickEntry, PassOn, PassTo, Later, NotOnTopic,
		EditAnswer, KeepOut, PutBack, MakeFAQ, HeldYes, HeldNo, FillIn, ShowTask, ChooseTopic, PickTopic, ReplaceEntry, MergeEntries, "fly",
	}
}

func TestPuttingOffDropsTheDraft(t *testing.T) {
	d := decider(t)
	s := State{
		Tasks: []Task{{Escalation: 1, Question: "q1", Text: "вопрос"}},
		Draft: &Draft{Kind: DraftReply, Escalation: 1, Question: "q1", Parts: []Part{{Text: "начатый ответ"}}, Last: noon()},
	}
	s, actions := d.Decide(s, Event{ID: 7, Chat: "console:x", At: noon(), Body: TaskPostponed{Escalation: 1, Due: noon().Add(time.Hour)}, Person: knowledge.Person{ID: 3, Senior: true}})
	if s.Draft != nil || s.Tasks[0].Until.IsZero() {
		t.Errorf("the draft would still be sent by silence: %+v", s)
	}
	if !slices.ContainsFunc(actions, func(a Action) bool {
		m, ok := a.(Send)
		return ok && strings.Contains(m.Message.Text, "начатый ответ")
	}) {
		t.Errorf("the senior is not told that it was not sent: %+v", actions)
	}
}

// A command ends at white space of any kind, as when it has a line of its own.
func TestCommandHasALineOfItsOwn(t *testing.T) {
	_, actions := decider(t).Decide(State{Greeted: true}, Event{ID: 7, Chat: "console:x", At: noon(), Body: Said{Text: "/my\nчто там с моим вопросом"}})
	if want := []Action{Do{ReadMine{}}}; !reflect.DeepEqual(actions, want) {
		t.Errorf("actions: %+v, want %+v", actions, want)
	}
}
