package knowledge

import (
	"fmt"
	"slices"
	"strings"
)

// Status says how far a question has come. There are exactly four; everything
// else about a question (closed, its topic, …) is a field of its own.
type Status string

// The four statuses, by their codes as stored and as used in --json.
const (
	// Unanswered: asked, not found, and not sent to a senior (yet).
	Unanswered Status = "unanswered"
	// AwaitingSenior: sent to a senior, or waiting for the first senior to be added.
	AwaitingSenior Status = "awaiting_senior"
	// InKnowledgeBase: has an answer that the bot gives.
	InKnowledgeBase Status = "in_knowledge_base"
	// FAQ: in the knowledge base, and asked often.
	FAQ Status = "faq"
)

// Statuses returns the four statuses in the order in which a question passes them.
func Statuses() []Status { return []Status{Unanswered, AwaitingSenior, InKnowledgeBase, FAQ} }

// Title returns the Russian name that people see.
func (s Status) Title() string {
	switch s {
	case Unanswered:
		return "Без ответа"
	case AwaitingSenior:
		return "Ожидание ответа сеньора"
	case InKnowledgeBase:
		return "Добавлен в базу знаний"
	case FAQ:
		return "Часто задаваемый вопрос"
	}
	return string(s)
}

// Answered reports whether questions of this status have an answer that the bot
// gives: only those are search results.
func (s Status) Answered() bool { return s == InKnowledgeBase || s == FAQ }

// ParseStatus reads a status from its code or its Russian name, in any case.
// The error wraps ErrInvalid and lists what is accepted.
func ParseStatus(text string) (Status, error) {
	want := foldStatus(text)
	var known []string
	for _, s := range Statuses() {
		if want == foldStatus(string(s)) || want == foldStatus(s.Title()) {
			return s, nil
		}
		known = append(known, fmt.Sprintf("%s («%s»)", s, s.Title()))
	}
	return "", fmt.Errorf("статус %q: %w: бывает %s", text, ErrInvalid, strings.Join(known, ", "))
}

func foldStatus(s string) string {
	s = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(s)), "ё", "е")
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '_' || r == '-' }), " ")
}

// next is the one table of status changes. A status that is set again is no
// change and always allowed.
//
//nolint:gochecknoglobals // a table, never written
var next = map[Status][]Status{
	// A question that nobody has answered goes to a senior, or an administrator
	// answers it directly.
	Unanswered: {AwaitingSenior, InKnowledgeBase},
	// The senior replies, or the question is closed without an entry (off topic,
	// cancelled, answered by an existing entry).
	AwaitingSenior: {InKnowledgeBase, Unanswered},
	// Often asked, or the answer is taken out of the base again.
	InKnowledgeBase: {FAQ, Unanswered},
	FAQ:             {InKnowledgeBase, Unanswered},
}

// To returns nil when a question of status s may get the status to, else an
// error that wraps ErrTransition and names both.
func (s Status) To(to Status) error {
	if s == to || slices.Contains(next[s], to) {
		return nil
	}
	return fmt.Errorf("%w: «%s» → «%s»", ErrTransition, s.Title(), to.Title())
}

// Closed says why a question is over without an entry of its own. Closed
// questions have the status Unanswered and are left out of lists by default.
type Closed string

// The reasons to close. The empty value means that the question is not closed.
const (
	NotClosed         Closed = ""
	AnsweredPrivately Closed = "answered_privately" // the asker got a reply that must not enter the base
	OffTopic          Closed = "off_topic"          // the senior said that it is not a matter for the bot
	Cancelled         Closed = "cancelled"          // every asker took it back
	PickedExisting    Closed = "picked_existing"    // an entry of the base answers it
)

// Title returns the reason in Russian, for lists.
func (c Closed) Title() string {
	switch c {
	case AnsweredPrivately:
		return "отвечено лично"
	case OffTopic:
		return "не по теме"
	case Cancelled:
		return "отменён"
	case PickedExisting:
		return "нашлось в базе"
	case NotClosed:
		return ""
	}
	return string(c)
}
