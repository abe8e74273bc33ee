package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot/texts"
)

// platformSeeds is how many seeds TestPlatformChaos runs on each platform when nobody
// says otherwise; make chaos-long runs a hundred.
const platformSeeds = 10

// TestPlatformChaos kills the bot with kill -9 at some moment of the whole flow on a
// platform: after a number of commits that the seed draws. What people do meanwhile
// reaches the next bot as the platform has it: messages come again, a press that was
// not taken is pressed again. In the end nobody lacks anything, the database has
// everything once, and people have everything once where the platform lets the bot
// look; where it does not, what they have twice is counted.
//
// A seed is replayed by its name: go test -run 'TestPlatformChaos/telegram/seed=7$'.
func TestPlatformChaos(t *testing.T) {
	t.Parallel()
	seeds := platformSeeds
	if s := os.Getenv(seedsVariable); s != "" {
		var err error
		if seeds, err = strconv.Atoi(s); err != nil || seeds < 1 {
			t.Fatalf("%s=%s: not a number of seeds", seedsVariable, s)
		}
	}
	for name, at := range map[string]func(t testing.TB, seed int) venue{
		"slack": func(t testing.TB, seed int) venue {
			return newSlackVenue(t, seed%2 == 0, anna(), boris(), vera()).remember()
		},
		"telegram": func(t testing.TB, seed int) venue { return newTelegramVenue(t, seed%2 == 0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Undisturbed, to know how long the way is.
			first := newChaosFlow(t, at(t, 1))
			commits := first.run(nil)
			first.check(0)
			var mu sync.Mutex
			stages := map[string]int{}
			t.Run("seeds", func(t *testing.T) {
				for seed := 1; seed <= seeds; seed++ {
					t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
						t.Parallel()
						f := newChaosFlow(t, at(t, seed))
						k := &killer{flow: f, r: rand.New(rand.NewPCG(uint64(seed), 1))}
						k.after = k.r.IntN(commits + 1)
						f.run(k)
						t.Logf("killed %d times, first after %d commits of about %d, when %s", k.kills, k.after, commits, k.stage)
						f.check(k.kills)
						mu.Lock()
						defer mu.Unlock()
						stages[k.stage]++
					})
				}
			})
			for _, s := range slices.Sorted(maps.Keys(stages)) {
				t.Logf("killed %3d times when %s", stages[s], s)
			}
		})
	}
}

// chaosFlow is the whole flow with a bot that may be killed.
type chaosFlow struct {
	*stage
	asker, senior, other actor
	d                    *desk
}

func newChaosFlow(t *testing.T, v venue) *chaosFlow {
	t.Helper()
	s := newStage(t, newCLI(t), v)
	f := &chaosFlow{stage: s, senior: s.senior(v, boris()), asker: s.employee(v, anna()), other: s.employee(v, vera())}
	f.d = openDesk(t, s.c)
	return f
}

// killer kills the bot once it has committed so much, and perhaps once more while the
// next one starts; then it lets one be.
type killer struct {
	flow  *chaosFlow
	r     *rand.Rand
	after int
	kills int
	stage string
}

func (k *killer) work(stop <-chan struct{}) {
	f := k.flow
	f.d.seen(k.after, stop)
	time.Sleep(time.Duration(k.r.IntN(3_000)) * time.Microsecond)
	f.bot.kill()
	k.kills++
	k.stage = f.progress()
	for k.r.IntN(2) == 0 {
		b := f.c.start("serve")
		time.Sleep(time.Duration(k.r.IntN(400)) * time.Millisecond) // somewhere in its start
		b.kill()
		k.kills++
	}
	f.bot = f.c.start("serve")
}

// seen waits until n commits have been seen or stop is closed, and returns how many
// were.
func (d *desk) seen(n int, stop <-chan struct{}) (seen int) {
	for last := d.change(); seen < n; time.Sleep(100 * time.Microsecond) {
		select {
		case <-stop:
			return seen
		default:
		}
		if v := d.change(); v != last {
			last = v
			seen++
		}
	}
	return seen
}

// run plays the flow, with a killer or without, and returns how many commits it took
// if nobody killed it.
func (f *chaosFlow) run(k *killer) (commits int) {
	t := f.t
	t.Helper()
	f.open()
	stop, worked := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(worked)
		if k != nil {
			k.work(stop)
			return
		}
		commits = f.d.seen(1<<30, stop)
	}()
	f.asker.says(passQuestion)
	f.insist(f.asker, f.asker.offered(0, label(t, "button_none")), label(t, "button_none"))
	task := f.senior.reads(0, f.asker.name, passQuestion)
	f.senior.answers(task, chaosReply)
	f.senior.sends(task, picture())
	draft := f.senior.offered(0, label(t, "button_done"))
	f.taken()
	f.insist(f.senior, draft, label(t, "button_done"))
	f.asker.reads(0, chaosReply, f.senior.name)
	f.asker.sees(0, "the file", func(n note) bool { return n.file != "" })
	f.senior.reads(0, say(t, "proof", texts.Data{"Wording": passQuestion}))
	f.other.says("пропуск на парковку где получить")
	f.other.reads(0, chaosReply)
	f.other.sees(0, "the file", func(n note) bool { return n.file != "" })
	close(stop)
	<-worked // at the latest now it is killed, and another has begun
	f.taken()
	f.quiet()
	return commits
}

// taken waits until the bot has what people have done, and has dealt with it.
func (f *chaosFlow) taken() {
	f.t.Helper()
	eventually(f.t, "all that people have done is taken", func() bool {
		return f.at[0].idle() && f.c.count(`SELECT COUNT(*) FROM inbox WHERE done = 0`) == 0
	})
}

// insist has somebody press a button until the bot has taken it.
func (f *chaosFlow) insist(a actor, n note, label string) {
	f.t.Helper()
	pressed := func() int { return f.c.count(`SELECT COUNT(*) FROM inbox WHERE kind = 'pressed'`) }
	for before := pressed(); ; {
		a.presses(n, label)
		eventually(f.t, "the press is taken or lost", f.at[0].idle)
		if pressed() > before {
			return
		}
	}
}

// progress tells from the database how far the flow has come.
func (f *chaosFlow) progress() string {
	for _, s := range []struct{ stage, query string }{
		{"5 the base had answered", `SELECT COUNT(*) FROM asks WHERE decision = 'answer'`},
		{"4 the answer was in the base", `SELECT COUNT(*) FROM answers WHERE text = '` + chaosReply + `'`},
		{"3 the senior was answering", `SELECT COUNT(*) FROM inbox WHERE kind = 'said' AND chat LIKE '%` + f.at[0].external(f.senior.human) + `'`},
		{"2 the question was with the senior", `SELECT COUNT(*) FROM escalations`},
		{"1 the question had come", `SELECT COUNT(*) FROM inbox`},
	} {
		if f.c.count(s.query) > 0 {
			return s.stage
		}
	}
	return "0 nothing had come"
}

// check is the oracle.
func (f *chaosFlow) check(kills int) {
	t := f.t
	t.Helper()
	want := func(what string, n int, query string, args ...any) {
		t.Helper()
		if got := f.c.count(query, args...); got != n {
			t.Errorf("%s: %d, want %d", what, got, n)
		}
	}
	want("answers in the base", 1, `SELECT COUNT(*) FROM answers WHERE text = ?`, chaosReply)
	want("questions with it", 1, `SELECT COUNT(*) FROM questions q JOIN answers a ON q.answer = a.id WHERE a.text = ? AND q.status = 'in_knowledge_base' AND q.text = ?`, chaosReply, passQuestion)
	want("questions in all", 9, `SELECT COUNT(*) FROM questions`)
	want("files of the answer", 1, `SELECT COUNT(*) FROM attachments`)
	want("askers who have it", 1, `SELECT COUNT(*) FROM waiters WHERE state = 'answered'`)
	want("open escalations", 0, `SELECT COUNT(*) FROM escalations WHERE state = 'open'`)
	want("escalations", 1, `SELECT COUNT(*) FROM escalations`)
	want("failures", 0, `SELECT COUNT(*) FROM inbox WHERE failure <> ''`)
	want("messages of people", 4, `SELECT COUNT(*) FROM inbox WHERE kind = 'said'`)
	want("deliveries that were not sent", 0, `SELECT COUNT(*) FROM outbox WHERE state <> 'sent'`)
	for _, a := range []actor{f.asker, f.senior, f.other} {
		if twice := f.twice(a); len(twice) > 0 {
			// Telegram cannot be asked whether a message has arrived.
			switch doubts := int(f.metric(`nastavnik_send_doubts_total{platform="telegram"}`)); {
			case a.at.platform() != "telegram", len(twice) > kills:
				t.Errorf("%s has been told twice, after %d kills: %q", a.name, kills, twice)
			case kills == 1 && doubts < len(twice): // what a bot that was killed has counted is gone
				t.Errorf("%s has been told twice, and %d are counted: %q", a.name, doubts, twice)
			}
		}
	}
}

// twice lists what somebody has been told more than once.
func (f *chaosFlow) twice(a actor) (out []string) {
	f.t.Helper()
	seen := map[string]bool{}
	for _, n := range a.at.notes(a.human, "") {
		if key := n.text + n.file; seen[key] {
			out = append(out, key)
		} else {
			seen[key] = true
		}
	}
	return out
}
