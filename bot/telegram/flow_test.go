package telegram_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/internal/flaky"
)

// A question goes to the senior and the answer comes back, by polling and by webhook.
func TestFromQuestionToAnswer(t *testing.T) {
	t.Parallel()
	for name, webhook := range map[string]bool{"polling": false, "webhook": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, webhook)
			o.open()
			o.peer.Say(devenv.TelegramSaying{From: anna, Text: "как оформить командировку в <Казань>?"})
			offer := o.awaitButton(anna.ID, "Нет моего вопроса", 0)
			o.press(offer, anna, devenv.TelegramChat{}, "Нет моего вопроса")
			task := o.awaitText(boris.ID, "Казань", 0)
			answer := "Через портал, см. заявку"
			o.peer.Say(devenv.TelegramSaying{From: boris, Text: answer, ReplyTo: task.ID, More: map[string]any{"entities": []any{
				map[string]any{"type": "bold", "offset": 6, "length": 6},
				map[string]any{"type": "text_link", "offset": 18, "length": 6, "url": "https://portal.example.com"},
			}}})
			done := o.awaitButton(boris.ID, "Готово", task.ID)
			o.press(done, boris, devenv.TelegramChat{}, "Готово")
			got := o.awaitText(anna.ID, "портал", offer.ID)
			if !strings.Contains(got.Text, `<b>портал</b>, см. <a href="https://portal.example.com">заявку</a>`) || got.ParseMode != "HTML" {
				t.Errorf("the answer came as %q (%s)", got.Text, got.ParseMode)
			}
			// What was pressed is marked, and the rest of its choice gone.
			o.await(anna.ID, "the choice to be marked", func(m devenv.TelegramMessage) bool {
				return m.ID == offer.ID && dataOf(m, "✓") != ""
			})
			if answered := len(o.proxy.Requests("answerCallbackQuery")); answered != 2 {
				t.Errorf("%d presses of 2 were answered", answered)
			}
		})
	}
}

// In a group's topic the bot speaks when it is spoken to, beneath what it was told, and
// the presses of others do nothing.
func TestGroupTopic(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false)
	o.open()
	in := func(more map[string]any) map[string]any {
		more["message_thread_id"], more["is_topic_message"] = 5, true
		return more
	}
	o.peer.Say(devenv.TelegramSaying{From: anna, Chat: people, Text: "как оформить командировку?", More: in(map[string]any{})}) // to the others
	mention := "@" + devenv.TelegramBotUsername
	id := o.peer.Say(devenv.TelegramSaying{From: anna, Chat: people, Text: mention + " как оформить командировку?", More: in(map[string]any{
		"entities": []any{map[string]any{"type": "mention", "offset": 0, "length": len(mention)}},
	})})
	offer := o.awaitButton(people.ID, "Нет моего вопроса", 0)
	if topic := string(offer.Fields["message_thread_id"]); offer.ReplyTo != id || topic != `"5"` {
		t.Errorf("the offer replies to %d in topic %s, want %d in 5", offer.ReplyTo, topic, id)
	}
	o.press(offer, boris, people, "Нет моего вопроса") // not his
	o.awaitText(boris.ID, "", 0)                       // for him alone
	o.press(offer, anna, people, "Нет моего вопроса")
	o.awaitText(boris.ID, "командировку", 0)
	if first := o.peer.Messages(people.ID)[0]; first.ID != offer.ID {
		t.Errorf("the group heard %+v", first)
	}
}

// RELIABILITY: what was sent before comes again, and ids begin anew.
func TestReplayOfUpdates(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false)
	stop := o.open()
	o.peer.Say(devenv.TelegramSaying{From: anna, Text: "как оформить командировку?"})
	offer := o.awaitButton(anna.ID, "Нет моего вопроса", 0)
	o.press(offer, anna, devenv.TelegramChat{}, "Нет моего вопроса")
	task := o.awaitText(boris.ID, "командировку", 0)
	sent := len(o.peer.Messages(anna.ID)) + len(o.peer.Messages(boris.ID))
	o.updates.Again()
	await(t, "the replay to be taken", func() bool { return o.updates.Pending() == 0 })
	o.updates.Number(7)
	o.peer.Say(devenv.TelegramSaying{From: boris, Text: "Через портал", ReplyTo: task.ID})
	o.awaitButton(boris.ID, "Готово", task.ID)
	stop()
	if now := len(o.peer.Messages(anna.ID)) + len(o.peer.Messages(boris.ID)); now > sent+2 { // the button, and perhaps that the question has gone
		t.Errorf("%d messages and then %d: what came twice was answered twice", sent, now)
	}
	offers := 0
	for _, m := range o.peer.Messages(anna.ID) {
		if dataOf(m, "Нет моего вопроса") != "" {
			offers++
		}
	}
	if offers != 1 {
		t.Errorf("the offer came %d times", offers)
	}
}

// Two pollers: the one that is told 409 stops, and takes over when the other has ended.
func TestTakeoverOnThePeer(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false)
	first := o.open()
	o.peer.Say(devenv.TelegramSaying{From: anna, Text: "как изменить ответственного по сделке"})
	o.awaitText(anna.ID, "owner", 0)
	o.open()
	await(t, "a poll is refused", func() bool {
		return slices.ContainsFunc(o.proxy.Requests("getUpdates"), func(r flaky.Request) bool { return r.Status == 409 })
	})
	first()
	last := o.peer.Messages(anna.ID)
	o.peer.Say(devenv.TelegramSaying{From: anna, Text: "как выставить счёт клиенту"})
	o.awaitText(anna.ID, "invoice", last[len(last)-1].ID)
	if n := strings.Count(fmt.Sprint(o.peer.Messages(anna.ID)), "<b>invoice</b>"); n != 1 {
		t.Errorf("answered %d times", n)
	}
}

// What the network and Telegram do to a message on its way: it arrives all the same,
// and twice only where nobody could know.
func TestFaultsOnTheWayOut(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		fault  flaky.Fault
		copies int // of the message that was hit
		result string
		doubts int
	}{
		{"429", flaky.TelegramRateLimited(time.Second), 1, "slow_down", 0},
		{"503", flaky.TelegramError(503, "Service Unavailable"), 1, "away", 0},
		{"reset before", flaky.Reset, 1, "away", 1},
		{"reset after it was accepted", flaky.ResetAfter, 2, "away", 1},
		{"markup refused", flaky.TelegramError(400, "Bad Request: can't parse entities: Can't find end tag"), 1, "", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, false)
			script := o.proxy.Fail(flaky.Rule{Path: "sendMessage", Times: 1, Fault: test.fault, If: func(r flaky.Request) bool {
				return strings.Contains(string(r.Body), "owner")
			}})
			o.open()
			o.peer.Say(devenv.TelegramSaying{From: anna, Text: "как изменить ответственного по сделке"})
			o.awaitText(anna.ID, "owner", 0)
			o.await(anna.ID, "all copies", func(m devenv.TelegramMessage) bool {
				return strings.Count(fmt.Sprint(o.peer.Messages(anna.ID)), "owner") == test.copies
			})
			counts, doubts := map[string]int{}, 0
			await(t, "it is counted", func() bool { counts, doubts = o.results(); return counts["sent"] >= 2 }) // the greeting too
			if script.Hits() != 1 || doubts != test.doubts || test.result != "" && counts[test.result] == 0 {
				t.Errorf("hit %d times; results %v, %d in doubt", script.Hits(), counts, doubts)
			}
		})
	}
}

// A person who has blocked the bot is known as such, and others are served.
func TestBlockedByOne(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false)
	o.proxy.Fail(flaky.Rule{Path: "sendMessage", Fault: flaky.TelegramError(403, "Forbidden: bot was blocked by the user"), If: func(r flaky.Request) bool {
		return strings.Contains(string(r.Body), "chat_id="+strconv.FormatInt(anna.ID, 10))
	}})
	o.open()
	o.peer.Say(devenv.TelegramSaying{From: anna, Text: "как выставить счёт клиенту"})
	o.peer.Say(devenv.TelegramSaying{From: boris, Text: "как выставить счёт клиенту"})
	o.awaitText(boris.ID, "invoice", 0)
	await(t, "the message to Anna is given up", func() bool { counts, _ := o.results(); return counts["dead"] > 0 })
}

// killSeeds is how many times the bot is killed; make chaos-long has more.
func killSeeds(t *testing.T) int {
	t.Helper()
	seeds := 10
	if s := os.Getenv("NASTAVNIK_CHAOS_SEEDS"); s != "" {
		var err error
		if seeds, err = strconv.Atoi(s); err != nil || seeds < 1 {
			t.Fatalf("NASTAVNIK_CHAOS_SEEDS=%s: not a number of seeds", s)
		}
	}
	return seeds
}

// A bot that is killed at any moment between getUpdates and its confirmation loses no
// message and stores none twice.
func TestKilledWhilePolling(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false)
	seeds := killSeeds(t)
	draw := rand.New(rand.NewPCG(6, uint64(seeds)))
	said := 0
	for seed := range seeds {
		kill := o.spawnPoller()
		for n := 5 + draw.IntN(20); n > 0; n-- {
			o.peer.Say(devenv.TelegramSaying{From: anna, Text: "вопрос " + strconv.Itoa(said)})
			said++
		}
		// At a moment that the seed says: after so many polls have reached the API.
		polls := len(o.proxy.Requests("getUpdates")) + draw.IntN(3)
		await(t, fmt.Sprintf("seed %d: the moment to kill", seed), func() bool { return len(o.proxy.Requests("getUpdates")) >= polls })
		time.Sleep(time.Duration(draw.IntN(15)) * time.Millisecond) // anywhere between two calls
		kill()
	}
	kill := o.spawnPoller()
	await(t, "all updates are confirmed", func() bool { return o.updates.Pending() == 0 })
	kill()
	rows := inbox(t, o.store)
	seen := map[string]bool{}
	for i, row := range rows {
		if want := fmt.Sprintf(`"вопрос %d"`, i); !strings.Contains(string(row.Payload), want) {
			t.Fatalf("row %d is %s, want %s", i, row.Payload, want)
		}
		seen[row.Key] = true
	}
	if len(rows) != said || len(seen) != said {
		t.Errorf("%d rows with %d keys for %d messages", len(rows), len(seen), said)
	}
}

// spawnPoller starts a process that polls into the office's database, and returns how to
// kill it.
func (o *office) spawnPoller() (kill func()) {
	o.t.Helper()
	self, err := os.Executable()
	if err != nil {
		o.t.Fatal(err)
	}
	c := exec.CommandContext(context.WithoutCancel(o.t.Context()), self)
	c.Env = append(os.Environ(), roleVariable+"="+strings.Join([]string{o.proxy.URL, o.peer.Token, o.dir}, " "))
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		o.t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		o.t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "polls\n" {
		o.t.Fatalf("the poller says %q, %v", line, err)
	}
	killed := false
	kill = func() {
		if killed {
			return
		}
		killed = true
		_ = c.Process.Kill()
		_ = c.Wait()
	}
	o.t.Cleanup(kill)
	return kill
}
