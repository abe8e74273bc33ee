package main

import (
	"bytes"
	"testing"

	"github.com/nastavnik-bot/nastavnik/bot/texts"
)

// picture is a file of a kind that the bot takes.
func picture() attached {
	return attached{"карта.png", "image/png", append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), bytes.Repeat([]byte("карта"), 40)...)}
}

// The whole way of a question: nobody knows, a senior answers, everybody knows.
func TestFromQuestionToKnowledge(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]func(t *testing.T) venue{
		"Slack by socket":     func(t *testing.T) venue { return newSlackVenue(t, false, anna(), boris(), vera()) },
		"Slack by HTTP":       func(t *testing.T) venue { return newSlackVenue(t, true, anna(), boris(), vera()) },
		"Telegram by polling": func(t *testing.T) venue { return newTelegramVenue(t, false) },
		"Telegram by webhook": func(t *testing.T) venue { return newTelegramVenue(t, true) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := at(t)
			s := newStage(t, newCLI(t), v)
			senior := s.senior(v, boris())
			s.open()
			wholeFlow(s, s.employee(v, anna()), senior, s.employee(v, vera()))
		})
	}
}

// wholeFlow has somebody ask, a senior answer, and somebody else ask again.
func wholeFlow(s *stage, asker, senior, other actor) {
	t := s.t
	t.Helper()
	asked := asker.says(passQuestion)
	offer := asker.offered(0, label(t, "button_none"))
	beneath(t, asker, offer, asked)
	asker.presses(offer, label(t, "button_none"))
	told := asker.reads(0, say(t, "sent", texts.Data{"Senior": senior.name}))
	beneath(t, asker, told, asked)
	task := senior.reads(0, asker.name, passQuestion)

	senior.answers(task, "На ресепшен,")
	draft := senior.offered(0, label(t, "button_done"))
	senior.answers(task, "с паспортом.")
	senior.sends(task, picture())
	s.quiet()
	senior.presses(draft, label(t, "button_done"))

	after := asker.seen()
	answer := asker.reads(0, "На ресепшен,", "с паспортом.", senior.name)
	beneath(t, asker, answer, asked)
	file := asker.sees(0, "the file", func(n note) bool { return n.file != "" })
	beneath(t, asker, file, asked)
	if got := asker.at.content(file); !bytes.Equal(got, picture().content) {
		t.Errorf("the file has %d bytes, want %d", len(got), len(picture().content))
	}
	_ = after
	senior.reads(0, say(t, "proof", texts.Data{"Wording": passQuestion}))
	if n := s.c.count(`SELECT COUNT(*) FROM questions q JOIN answers a ON q.answer = a.id WHERE q.text = ? AND q.status = 'in_knowledge_base'`, passQuestion); n != 1 {
		t.Errorf("the base has it %d times", n)
	}

	again := other.says("пропуск на парковку где получить")
	direct := other.reads(0, "На ресепшен,", "с паспортом.")
	beneath(t, other, direct, again)
	if !direct.offers(label(t, "button_helped")) {
		t.Errorf("no direct answer: %q", direct.labels)
	}
	other.sees(0, "the file", func(n note) bool { return n.file != "" })
	s.quiet()
}

// beneath wants a note to stand where its asker looks for it. In Telegram what follows
// a message in a private chat need not reply to it.
func beneath(t testing.TB, a actor, n note, id string) {
	t.Helper()
	if a.at.platform() == "slack" && n.under != id {
		t.Errorf("«%s» stands beneath %q, want %q", n.text, n.under, id)
	}
}
