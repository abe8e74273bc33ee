package bot

import (
	"time"

	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

// Manner is what can be set about the conversation.
type Manner struct {
	// Silence ends a senior's reply: no further message for so long. Default 2 min.
	Silence time.Duration
	// Later is how long [Позже] puts a question back. Default 1 h.
	Later time.Duration
	// Zone is the time zone in which times are shown. Default UTC.
	Zone *time.Location
	// FileBytes is how large a file may be, as people are told. Default
	// knowledge.MaxFileBytes.
	FileBytes int64
	// Routing sets whom questions go to, and their hours.
	Routing knowledge.Routing
	// Access says who may use the bot. Default knowledge.AccessOpen.
	Access knowledge.Access
}

// WithDefaults fills in what is not set.
func (m Manner) WithDefaults() Manner {
	if m.Silence <= 0 {
		m.Silence = 2 * time.Minute
	}
	if m.Later <= 0 {
		m.Later = time.Hour
	}
	if m.Zone == nil {
		m.Zone = time.UTC
	}
	if m.FileBytes <= 0 {
		m.FileBytes = knowledge.MaxFileBytes
	}
	return m
}

// Decider decides what the bot does. It holds no state and does no I/O: equal
// inputs give equal outputs, for ever.
type Decider struct {
	manner Manner
	say    *texts.Catalogue
	parser *search.Parser // tells questions from small talk
}

// NewDecider returns a decider that speaks the catalogue's language.
func NewDecider(say *texts.Catalogue, m Manner) Decider {
	return Decider{manner: m.WithDefaults(), say: say, parser: search.NewParser(search.ParserOptions{})}
}

// Decide returns the chat's next state and what is to be done.
func (d Decider) Decide(s State, e Event) (State, []Action) {
	t := &turn{Decider: d, s: s, e: e}
	t.place()
	if t.stranger() {
		t.refuse()
		return t.s, t.out
	}
	if !t.fromPerson() && !t.fromSearcher() && !t.fromCommand() {
		t.fromElsewhere()
	}
	return t.s, t.out
}

// turn is one call of Decide: the state as it changes, and the actions so far.
type turn struct {
	Decider
	s   State
	e   Event
	out []Action
}

func (t *turn) do(c Command)   { t.out = append(t.out, Do{c}) }
func (t *turn) look(q Query)   { t.out = append(t.out, Look{q}) }
func (t *turn) send(m Message) { t.sendAs("", m) }

// reply sends a plain text of the catalogue.
func (t *turn) reply(id string, data texts.Data) { t.send(Message{Text: t.say.Say(id, data)}) }

// fromPerson handles what the person of the chat did.
func (t *turn) fromPerson() bool {
	switch b := t.e.Body.(type) {
	case Said:
		t.said(b)
	case Pressed:
		t.pressed(b)
	case Filled:
		t.filled(b)
	case Edited:
		t.edited(b)
	case Deleted:
		t.deleted(b)
	case Opened:
		t.look(Show{Question: b.Question})
	case Ended:
		t.finishDraft()
	default:
		return false
	}
	return true
}

// fromSearcher handles the results of queries.
func (t *turn) fromSearcher() bool {
	switch b := t.e.Body.(type) {
	case Found:
		t.found(b)
	case Shown:
		t.shown(b)
	case OpenFound:
		t.openFound(b)
	case Proved:
		t.proved(b)
	case Guarded:
		t.guarded(b)
	default:
		return false
	}
	return true
}

// fromCommand handles the results of commands.
func (t *turn) fromCommand() bool {
	switch b := t.e.Body.(type) {
	case AskRead:
		t.askRead(b)
	case Sent:
		t.sent(b)
	case AnsweredMeanwhile:
		t.do(RecordPick{Ask: b.Ask, Question: b.Question.ID})
		t.look(Show{Ask: b.Ask, Question: b.Question.ID})
	case WaitEnded:
		t.waitEnded(b)
	case NameHidden:
		t.reply(pick(b.Found, "name_hidden", "not_waiting"), nil)
	case DetailSent:
		t.detailSent(b)
	case AskChanged:
		t.askChanged(b)
	default:
		return t.fromReading() || t.fromSeniorCommand()
	}
	return true
}

// fromReading handles what was read for the person of the chat, and what was noted.
func (t *turn) fromReading() bool {
	switch b := t.e.Body.(type) {
	case Accepted:
		t.accepted(b)
	case Mine:
		t.mine(b)
	case FAQ:
		t.faq(b)
	case Taught:
		t.taught(&b.Lesson)
	default:
		return false
	}
	return true
}

func (t *turn) fromSeniorCommand() bool {
	switch b := t.e.Body.(type) {
	case ReplyDone:
		t.replyDone(b)
	case TooLate:
		t.tooLate(b)
	case Seniors:
		t.seniors(b)
	case EntrySet:
		t.entrySet(b)
	case EntryGone:
		t.entryGone(b)
	case HeldDecided:
		t.heldDecided(b)
	case AnswerRead:
		t.answerRead(b)
	case TooLong:
		t.tooLongTogether(b)
	case Topics:
		t.topics(b)
	case TopicSet:
		t.topicSet(b)
	default:
		return t.fromDesk()
	}
	return true
}

// fromDesk handles what has become of a question's being with the senior.
func (t *turn) fromDesk() bool {
	switch b := t.e.Body.(type) {
	case TaskEnded:
		t.taskEnded(b)
	case TaskPostponed:
		t.taskPostponed(b)
	case TaskRead:
		t.taskRead(b)
	case TasksRead:
		t.tasksRead(b)
	case TaskStays:
		t.taskStays(b)
	case Reminded:
		t.reminded(b)
	default:
		return false
	}
	return true
}

// fromElsewhere handles timers and events of other chats.
func (t *turn) fromElsewhere() {
	switch b := t.e.Body.(type) {
	case Silence:
		t.silence(b)
	case Due:
		t.due(b)
	case Morning:
		t.morning(b)
	case Overdue:
		t.overdue(b)
	case Assigned:
		t.assigned(b.Task)
	case TaskChanged:
		t.taskChanged(b)
	case TaskGone:
		t.taskGone(b)
	case Detail:
		t.detail(b)
	case Undelivered:
		t.undelivered(b)
	default:
		t.forAsker()
	}
}

// forAsker handles what has become of a question that somebody waits for.
func (t *turn) forAsker() {
	switch b := t.e.Body.(type) {
	case AnswerCame:
		t.answerCame(b)
	case HandedOn:
		data := texts.Data{"Question": title(b.Wording), "Senior": b.Senior}
		t.tellAsker(b.Ask, Message{Text: t.say.Say(pick(b.Senior != "", "handed_on", "back_in_queue"), data)})
	case Dismissed:
		data := texts.Data{"Question": title(b.Wording), "Senior": b.Senior}
		t.waitsHere(b.Ask, false)
		t.tellAsker(b.Ask, Message{Text: t.say.Say(pick(b.Senior != "", "dismissed", "taken_back"), data)})
	}
}

func pick(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}
