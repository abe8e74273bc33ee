package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// picture is a file of a kind that the bot takes.
func picture() attached {
	return attached{"карта.png", "image/png", append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), bytes.Repeat([]byte("карта"), 40)...)}
}

// waysIn are the platforms, and how each of them brings the bot what happens there.
func waysIn() map[string]func(t testing.TB) venue {
	return map[string]func(t testing.TB) venue{
		"Slack by socket":     func(t testing.TB) venue { return newSlackVenue(t, false, anna(), boris(), vera()) },
		"Slack by HTTP":       func(t testing.TB) venue { return newSlackVenue(t, true, anna(), boris(), vera()) },
		"Telegram by polling": func(t testing.TB) venue { return newTelegramVenue(t, false) },
		"Telegram by webhook": func(t testing.TB) venue { return newTelegramVenue(t, true) },
	}
}

// onEachPlatform runs a test with the bot on each platform, in every way.
func onEachPlatform(t *testing.T, test func(t *testing.T, v venue)) {
	t.Helper()
	for name, at := range waysIn() {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t, at(t)) })
	}
}

// The whole way of a question: nobody knows, a senior answers, everybody knows.
func TestFromQuestionToKnowledge(t *testing.T) {
	t.Parallel()
	onEachPlatform(t, func(t *testing.T, v venue) {
		s := newStage(t, newCLI(t), v)
		senior := s.senior(v, boris())
		s.open()
		wholeFlow(s, s.employee(v, anna()), senior, s.employee(v, vera()))
	})
}

// The question comes from one platform, the answer from the other: from Telegram to
// Slack, and from Slack to a senior who was invited to Telegram.
func TestFromOnePlatformToTheOther(t *testing.T) {
	t.Parallel()
	s := newStage(t, newCLI(t), newSlackVenue(t, false, anna(), boris(), vera()), newTelegramVenue(t, false))
	slack, telegram := s.at[0], s.at[1]
	senior := s.senior(slack, boris())
	s.open()
	wholeFlow(s, s.employee(telegram, anna()), senior, s.employee(slack, anna()))

	// Vera has been in Slack only; with the code of her invitation she is the same
	// person in Telegram, and is asked there.
	s.know(slack, vera(), func(p *knowledge.Person) { p.Email = vera().email() })
	code := s.invite(vera())
	invited := s.employee(telegram, vera())
	invited.says("/start " + code)
	invited.reads(0, say(t, "code_accepted", texts.Data{"Name": vera().name}))
	if n := s.c.count(`SELECT COUNT(DISTINCT person) FROM identities WHERE name = ?`, vera().name); n != 1 {
		t.Errorf("Vera is %d persons", n)
	}
	asker := s.employee(slack, anna())
	before := asker.seen()
	asker.says("где оставить мокрый зонт")
	offer := asker.offered(before, label(t, "button_none"))
	asker.presses(offer, label(t, "button_none"))
	task := senior.reads(0, "мокрый зонт")
	senior.presses(task, label(t, "button_pass"))
	senior.presses(senior.offered(0, vera().name), vera().name)
	task = invited.reads(0, "мокрый зонт")
	invited.answers(task, "В стойке у входа.")
	invited.presses(invited.offered(0, label(t, "button_done")), label(t, "button_done"))
	asker.reads(before, "В стойке у входа.", vera().name)
	s.quiet()
}

// invite makes an invitation for somebody who becomes a senior by it.
func (s *stage) invite(h human) (code string) {
	s.t.Helper()
	s.c.desk(time.Now(), func(ctx context.Context, d knowledge.Desk) error {
		all, err := d.Tx.People(ctx, false)
		if err != nil {
			return err
		}
		for _, p := range all {
			if p.Name == h.name {
				i, err := d.InviteSenior(ctx, p.ID, time.Hour)
				code = i.Code
				return err
			}
		}
		return knowledge.ErrNotFound
	})
	return code
}

// wholeFlow has somebody ask, a senior answer, and somebody else ask again.
func wholeFlow(s *stage, asker, senior, other actor) {
	t := s.t
	t.Helper()
	asked := asker.says(passQuestion)
	offer := asker.offered(0, label(t, "button_none"))
	if len(offer.labels) < 1+5 {
		t.Errorf("five similar questions are not among %q", offer.labels)
	}
	beneath(asker, offer, asked)
	asker.presses(offer, label(t, "button_none"))
	told := asker.reads(0, say(t, "sent", texts.Data{"Senior": senior.name}))
	beneath(asker, told, asked)
	task := senior.reads(0, asker.name, passQuestion)

	first := senior.answers(task, "На ресепшен,")
	draft := senior.offered(0, label(t, "button_done"))
	beneath(senior, draft, task.id)
	senior.answers(task, "с паспортом.")
	senior.sends(task, picture())
	s.quiet()
	senior.presses(draft, label(t, "button_done"))

	answer := asker.reads(0, "На ресепшен,", "с паспортом.", senior.name)
	beneath(asker, answer, asked)
	file := asker.sees(0, "the file", func(n note) bool { return n.file != "" })
	beneath(asker, file, asked)
	if got := asker.at.content(file); !bytes.Equal(got, picture().content) {
		t.Errorf("the file has %d bytes, want %d", len(got), len(picture().content))
	}
	proof := senior.reads(0, say(t, "proof", texts.Data{"Wording": passQuestion}))
	beneath(senior, proof, task.id)
	if n := s.c.count(`SELECT COUNT(*) FROM questions q JOIN answers a ON q.answer = a.id WHERE q.text = ? AND q.status = 'in_knowledge_base'`, passQuestion); n != 1 {
		t.Errorf("the base has it %d times", n)
	}

	before := other.seen()
	again := other.says("пропуск на парковку где получить")
	direct := other.reads(before, "На ресепшен,", "с паспортом.")
	beneath(other, direct, again)
	if !direct.offers(label(t, "button_helped")) || other.seen() == 0 {
		t.Errorf("no direct answer: %q", direct.labels)
	}
	other.sees(before, "the file", func(n note) bool { return n.file != "" })

	// An answer that is put right reaches those who got the old one.
	senior.edits(first, "У охраны,")
	changed := asker.reads(0, "У охраны,", "с паспортом.")
	beneath(asker, changed, asked)
	s.quiet()
}

// beneath wants a note to stand where its reader looks for it. In Telegram what the
// bot says in a private chat stands beneath nothing but a senior's question.
func beneath(a actor, n note, id string) {
	a.s.t.Helper()
	if a.at.platform() == "telegram" && !strings.HasPrefix(n.text, "Записываю") {
		return
	}
	if n.under != id && !a.copies(n.under, id) {
		a.s.t.Errorf("«%s» stands beneath %q, want %q", n.text, n.under, id)
	}
}

// copies reports whether two messages are one that Telegram has shown twice: the bot
// was killed before it knew that the first had arrived.
func (a actor) copies(id, other string) bool {
	texts := map[string]string{}
	for _, n := range a.at.notes(a.human, "") {
		texts[n.id] = n.text
	}
	return a.at.platform() == "telegram" && texts[id] != "" && texts[id] == texts[other]
}

// In a room the bot speaks when it is spoken to, beneath what it was told; the task is
// between it and the senior; the buttons are those of who has asked.
func TestInARoom(t *testing.T) {
	t.Parallel()
	onEachPlatform(t, func(t *testing.T, v venue) {
		s := newStage(t, newCLI(t), v)
		senior := s.senior(v, boris())
		s.open()
		asker, other := s.employee(v, anna()), s.employee(v, vera())
		before := senior.seen()
		asked := v.say(asker.human, v.room(), passQuestion, nil)
		offer := asker.seesIn(v.room(), 0, "an offer", func(n note) bool { return n.offers(label(t, "button_none")) })
		other.presses(offer, label(t, "button_none")) // not hers
		s.quiet()
		if n := s.c.count(`SELECT COUNT(*) FROM escalations`); n != 0 {
			t.Errorf("a press by somebody else has sent %d questions to a senior", n)
		}
		asker.presses(offer, label(t, "button_none"))
		task := senior.reads(before, asker.name, passQuestion)
		senior.answers(task, "На ресепшен.")
		senior.presses(senior.offered(0, label(t, "button_done")), label(t, "button_done"))
		answer := asker.seesIn(v.room(), 0, "the answer", func(n note) bool { return n.has("На ресепшен.", senior.name) })
		for what, n := range map[string]note{"offer": offer, "answer": answer} {
			if n.under != asked {
				t.Errorf("the %s stands beneath %q, want %q", what, n.under, asked)
			}
		}
		s.quiet()
		for _, n := range asker.at.notes(asker.human, v.room()) {
			if n.has("Вопрос для вас") {
				t.Errorf("the room reads the senior's task: %q", n.text)
			}
		}
	})
}
