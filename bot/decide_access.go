package bot

import (
	"strings"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot/texts"
)

// How often a stranger is told that the bot is not for them, and that a code is not
// valid: whoever writes more gets nothing.
const (
	refuseEvery = 24 * time.Hour
	codeEvery   = 10 * time.Second
)

// stranger reports whether the event is something that somebody did for whom the bot
// is not.
func (t *turn) stranger() bool {
	switch t.e.Body.(type) {
	case Said, Pressed, Filled, Edited, Deleted, Opened, Ended:
		return t.e.From.External != "" && !t.manner.Access.Admits(t.e.Person, t.e.From)
	default:
		return false
	}
}

// refuse says once that the bot is not for everybody, and does nothing else. An
// invitation is what a stranger can come with.
func (t *turn) refuse() {
	b, ok := t.e.Body.(Said)
	if !ok || t.invited(b.Text) || t.e.At.Sub(t.s.Refused) < refuseEvery {
		return
	}
	t.s.Refused = t.e.At
	t.alone(Message{Text: t.say.Say("stranger", nil)})
}

// invited accepts an invitation: /start and its code.
func (t *turn) invited(text string) bool {
	code, ok := startCode(text)
	if ok {
		t.do(Accept{Code: code})
	}
	return ok
}

// startCode returns the code of «/start CODE».
func startCode(text string) (code string, ok bool) {
	words := strings.Fields(text)
	if len(words) != 2 {
		return "", false
	}
	command, _, _ := strings.Cut(words[0], "@")
	return words[1], strings.EqualFold(command, "/start")
}

// accepted says what came of an invitation's code.
func (t *turn) accepted(b Accepted) {
	switch {
	case b.Person.ID != 0:
		t.s.Greeted, t.s.Refused, t.s.Guessed = true, time.Time{}, time.Time{}
		t.alone(Message{Text: t.say.Say("code_accepted", texts.Data{"Name": b.Person.Name})})
		t.do(ReadFAQ{For: FAQWelcome, Limit: welcomeFAQ})
	case t.manner.Access.Admits(t.e.Person, t.e.From):
		t.alone(Message{Text: t.say.Say(pick(b.Used, "code_used", "code_wrong"), nil)})
		t.do(ReadFAQ{For: FAQWelcome, Limit: welcomeFAQ})
	case t.e.At.Sub(t.s.Guessed) >= codeEvery:
		t.s.Guessed = t.e.At
		t.alone(Message{Text: t.say.Say(pick(b.Used, "code_used", "code_wrong"), nil)})
	}
}

// undelivered follows when a message could not be sent. Nothing is said: it could not
// be sent either.
func (t *turn) undelivered(b Undelivered) {
	switch {
	case b.Unreachable && t.e.Chat.Shared():
		t.do(Redirect{Delivery: b.Delivery})
	case b.Unreachable:
		var ids []int64
		for _, task := range append(append([]Task(nil), t.s.Tasks...), t.s.Asleep...) {
			ids = append(ids, task.Escalation)
		}
		t.s.Shut, t.s.Tasks, t.s.Asleep, t.s.Draft = true, nil, nil, nil
		t.do(CannotReach{Reason: b.Reason, Tasks: ids})
	case b.About != 0:
		t.do(TaskLost{Delivery: b.Delivery, Escalation: b.About})
	}
}

// heardAgain gives a senior who writes again what they may have of the queue.
func (t *turn) heardAgain() {
	if t.s.Shut {
		t.s.Shut = false
		t.do(Refill{})
	}
}
