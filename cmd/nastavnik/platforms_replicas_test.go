package main

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/internal/flaky"
)

// replica starts one more bot on the stage's database; its log says what it leads.
func (s *stage) replica() *process {
	s.t.Helper()
	return s.configured(s.c, freeAddress(s.t), map[string]any{"log": map[string]any{"level": "info"}}).startBot()
}

// leads waits until a replica is the one that polls.
func leads(t *testing.T, p *process) {
	t.Helper()
	eventually(t, p.name+" polls Telegram", func() bool { return p.err.take("lead=telegram") })
}

// RELIABILITY 29: of two replicas one polls. When it is killed the other takes over;
// when it hangs, too, and it does no harm when it comes to: Telegram tells one of them
// 409, and everybody is answered once.
func TestAnotherReplicaPolls(t *testing.T) {
	t.Parallel()
	v := newTelegramVenue(t, false)
	s := newStage(t, newServer(t), v)
	first := s.replica()
	leads(t, first)
	conflicts := func() int {
		n := 0
		for _, r := range v.proxy.Requests("getUpdates") {
			if r.Status == http.StatusConflict {
				n++
			}
		}
		return n
	}
	second := s.replica()
	asker := s.employee(v, anna())
	asker.says("Как оформить отпуск?")
	asker.reads(0, "Раздел «Кадры»")
	s.quiet() // killed before it has noted what it sent, the bot would send that again
	if n := conflicts(); n > 0 {
		t.Errorf("Telegram has refused %d polls: both poll", n)
	}

	first.kill()
	asker.says("Как добавить наблюдателя в сделку?") // while nobody polls
	leads(t, second)
	asker.reads(0, "Карточка → «Наблюдатели»")
	s.quiet()
	before := conflicts()

	third := s.replica()
	_ = second.cmd.Process.Signal(syscall.SIGSTOP)
	asker.says("Где получить ноутбук?")
	leads(t, third)
	asker.reads(0, "В отделе техники.")
	_ = second.cmd.Process.Signal(syscall.SIGCONT)
	asker.says("Где парковка для велосипедов?")
	asker.reads(0, "За корпусом.")
	s.quiet()
	for _, answer := range []string{"Раздел «Кадры»", "Карточка → «Наблюдатели»", "В отделе техники.", "За корпусом."} {
		if n := asker.told(answer); n != 1 {
			t.Errorf("«%s» is answered %d times", answer, n)
		}
	}
	t.Logf("%d polls were refused when the leader was killed, %d when it hung", before, conflicts()-before)
}

// Somebody else polls with the bot's token, as a forgotten test of it does: the bot says
// so, waits, and takes over.
func TestSomebodyElsePolls(t *testing.T) {
	t.Parallel()
	v := newTelegramVenue(t, false)
	s := newStage(t, newCLI(t), v)
	taken := v.proxy.Fail(flaky.Rule{Path: "getUpdates", Fault: flaky.TelegramError(http.StatusConflict, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running")})
	s.open()
	eventually(t, "the polls are refused", func() bool { return taken.Hits() > 2 })
	asker := s.employee(v, anna())
	v.say(anna(), "", "Как оформить отпуск?", nil) // and does not wait until it has come in
	up := `nastavnik_part_up{part="telegram"}`
	eventually(t, "monitors are told", func() bool { return s.metric(up) == 0 && s.metric(`nastavnik_part_up{part="record"}`) == 1 })
	taken.Lift()
	asker.reads(0, "Раздел «Кадры»")
	eventually(t, "monitors are told that all is well", func() bool { return s.metric(up) == 1 })
	if log := s.bot.err.String(); strings.Count(log, "no updates come") != 1 {
		t.Errorf("the log has:\n%s", log)
	}
}

// RELIABILITY 17: two seniors answer at once, on two platforms and two replicas. The
// first wins, the other is told, and whoever waits is answered once.
func TestTwoSeniorsAnswerAtOnce(t *testing.T) {
	t.Parallel()
	slack, telegram := newSlackVenue(t, false, anna(), boris()), newTelegramVenue(t, false)
	s := newStage(t, newServer(t), slack, telegram)
	inSlack, inTelegram := s.senior(slack, boris()), s.senior(telegram, vera())
	s.open()
	s.replica()
	asker := s.employee(slack, anna())
	ask := func(question string) (has, other actor, task note) {
		before := asker.seen()
		asker.says(question)
		asker.presses(asker.offered(before, label(t, "button_none")), label(t, "button_none"))
		eventually(t, "somebody has the task", func() bool {
			for i, a := range []actor{inSlack, inTelegram} {
				for _, n := range a.at.notes(a.human, "") {
					if n.has(question, "Вопрос для вас") {
						has, other, task = a, []actor{inTelegram, inSlack}[i], n
						return true
					}
				}
			}
			return false
		})
		return has, other, task
	}
	done := label(t, "button_done")
	for _, question := range []string{"где оставить мокрый зонт", "кто поливает фикус в холле", "чей рояль стоит в столовой"} {
		before := map[string]int{inSlack.name: inSlack.seen(), inTelegram.name: inTelegram.seen(), asker.name: asker.seen()}
		has, other, task := ask(question)
		has.answers(task, "Ответ первого.")
		draft := has.sees(before[has.name], "a draft", func(n note) bool { return n.offers(done) })
		id := questionID(t, s.c, question)
		// It is handed on in the moment in which it is answered.
		var both sync.WaitGroup
		both.Go(func() { s.c.run("question", "assign", id, other.name) })
		has.presses(draft, done)
		both.Wait()
		s.quiet()
		if s.c.count(`SELECT COUNT(*) FROM answers WHERE question = ?`, id) == 0 {
			again := other.reads(before[other.name], "Вопрос для вас", question)
			other.answers(again, "Ответ второго.")
			other.presses(other.sees(before[other.name], "a draft", func(n note) bool { return n.offers(done) }), done)
			has.sees(before[has.name], "that another has it", func(n note) bool {
				return n.has(say(t, "task_elsewhere", texts.Data{"Question": question})) || n.has("уже ответили", question)
			})
			t.Log("it was handed on first")
		} else {
			t.Log("it was answered first")
		}
		asker.sees(before[asker.name], "the answer", func(n note) bool { return n.has("отвечает на ваш вопрос", question) })
		s.quiet()
		if n := s.c.count(`SELECT COUNT(*) FROM answers WHERE question = ?`, id); n != 1 {
			t.Errorf("«%s» has %d answers", question, n)
		}
		if n := asker.told("отвечает на ваш вопрос «" + question); n != 1 {
			t.Errorf("«%s» is answered %d times", question, n)
		}
		// Who has lost is told when they go on all the same.
		loser := has
		if a := s.c.count(`SELECT COUNT(*) FROM answers WHERE question = ? AND text = 'Ответ первого.'`, id); a == 1 {
			loser = other
		}
		if lost := slices.IndexFunc(loser.at.notes(loser.human, ""), func(n note) bool { return n.has("Вопрос для вас", question) }); lost >= 0 {
			loser.answers(loser.at.notes(loser.human, "")[lost], "И я отвечу.")
			loser.sees(before[loser.name], "that it is too late", func(n note) bool { return n.has("не отправлено", "И я отвечу") })
		}
	}
}
