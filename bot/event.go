package bot

import (
	"strings"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// ChatID names a chat on a platform: "console:иван".
type ChatID string

// NewChat makes the id of a platform's chat.
func NewChat(platform, address string) ChatID { return ChatID(platform + ":" + address) }

// NewShared makes the id of one person's talk in a room that others read too: in a
// thread of it, "" where a room has none.
func NewShared(platform, room, thread, person string) ChatID {
	return NewChat(platform, room+"/"+thread+"/"+person)
}

// Platform returns the part before the colon.
func (c ChatID) Platform() string {
	p, _, _ := strings.Cut(string(c), ":")
	return p
}

// Address returns the part behind the colon: what the platform calls the chat.
func (c ChatID) Address() string {
	_, a, _ := strings.Cut(string(c), ":")
	return a
}

// Room returns the chat without its thread and person: what platforms limit, and
// where messages are sent.
func (c ChatID) Room() ChatID {
	room, _, _ := strings.Cut(string(c), "/")
	return ChatID(room)
}

// Shared reports whether others than its person read the chat.
func (c ChatID) Shared() bool { return strings.Contains(string(c), "/") }

// Thread returns the thread of the room, "" for none.
func (c ChatID) Thread() string {
	_, rest, _ := strings.Cut(string(c), "/")
	thread, _, _ := strings.Cut(rest, "/")
	return thread
}

// External returns the platform's id of the person whose chat it is.
func (c ChatID) External() string {
	a := c.Address()
	return a[strings.LastIndexByte(a, '/')+1:]
}

// Event is something that happened in a chat. Key is unique for ever: the same
// event stored twice is one event.
type Event struct {
	ID   int64 // the inbox row; the id of the ask that the event begins
	Key  string
	Chat ChatID
	At   time.Time
	From knowledge.Identity // who did it; zero when it comes from another chat or a timer
	Body Body

	// Alias is another key by which the same event may have come already: of two with
	// the same one the first counts. "" for none.
	Alias string
	// Again is what it is instead when its Key has come before, such as a change of
	// what was said; nil for nothing.
	Again *Event

	// The runner fills these in before it decides.
	Person knowledge.Person // whom the chat belongs to
	About  int64            // the escalation whose message this replies to, else 0
}

// Body says what happened. The kinds that adapters make are Said, Pressed,
// Filled, Edited, Deleted, Opened and Ended; the others come from queries,
// commands, timers and other chats.
type Body interface{ body() }

// Said is a message that somebody wrote.
type Said struct {
	Text    string `json:"text"`
	ReplyTo int64  `json:"reply_to,omitempty"` // the delivery that it replies to, 0 for none
	// Answers is the same where only the platform's id of that message is known.
	Answers string `json:"answers,omitempty"`
	// Ref is the platform's id of the message, "" where messages never change.
	Ref string `json:"ref,omitempty"`
	// Under is the platform's id of the message beneath which replies to this one
	// go; "" for none.
	Under string `json:"under,omitempty"`
	Files []File `json:"files,omitempty"`
	// Album is common to messages that were sent as one; "" for none.
	Album string `json:"album,omitempty"`
}

// File is a file that somebody has sent. Adapters fill in the first four.
type File struct {
	Ref   string `json:"ref"` // by which the platform gives it
	Name  string `json:"name"`
	Media string `json:"media,omitempty"` // as the platform names it
	Size  int64  `json:"size,omitempty"`  // in bytes, as the platform names it; 0 when unknown

	// The runner fetches it before it decides.
	Content knowledge.Content `json:"-"` // no Key: there is a Problem
	Problem FileProblem       `json:"-"`
}

// FileProblem says why a file could not be kept.
type FileProblem string

// The problems of files.
const (
	FileTooLarge FileProblem = "too_large"
	FileEmpty    FileProblem = "empty"
	FileRefused  FileProblem = "refused" // of a kind that is not accepted
	FileLost     FileProblem = "lost"    // the platform does not give it
)

// Pressed is a press of a button. Adapters fill in only ID and Under.
type Pressed struct {
	ID     string  `json:"id"`
	Under  string  `json:"under,omitempty"` // as in Said
	Button *Button `json:"-"`               // nil when there is no such button
	Taken  string  `json:"-"`               // the label pressed before among the same choice, "" for none
	// Foreign says that the button was shown to somebody else.
	Foreign bool `json:"-"`
}

// Filled is a form that was filled in instead of pressing a button and writing
// what it asks for.
type Filled struct {
	Pressed
	Text string `json:"text"`
}

// Edited says that a message was changed after it had been sent.
type Edited struct {
	Ref  string `json:"ref"`
	Text string `json:"text"`
}

// Deleted says that a message was deleted.
type Deleted struct {
	Ref string `json:"ref"`
}

// Opened asks for an entry from where there are no messages: a start page.
type Opened struct {
	Question string `json:"question"`
}

// Ended says that the person will write no more for now: a terminal was closed.
type Ended struct{}

// Found is the result of Search.
type Found struct {
	Search Search
	Result knowledge.Finding
}

// Shown is the result of Show.
type Shown struct {
	Show Show
	Page *knowledge.Page // nil when the question is no longer in the base
}

// OpenFound is the result of FindOpen: the open question that is much the same.
type OpenFound struct {
	Ask  int64
	Open *knowledge.Brief // nil when there is none
}

// Proved is the result of Prove.
type Proved struct {
	Prove Prove
	Found bool
}

// Guarded is the result of Guard.
type Guarded struct {
	Guard     Guard
	Conflicts []knowledge.Conflict // empty when the change disturbs nothing
}

// Undelivered says that a message could not be sent and will not be tried again.
type Undelivered struct {
	Delivery int64  `json:"delivery"`
	About    int64  `json:"about,omitempty"` // the escalation that it brought, else 0
	Reason   string `json:"reason"`          // for administrators
	// Unreachable says that nothing at all can be sent to the person there.
	Unreachable bool `json:"unreachable,omitempty"`
}

// Timer events.
type (
	// Silence ends a draft when nothing has been added since Last.
	Silence struct {
		Last time.Time `json:"last"`
	}
	// Due brings a postponed escalation back.
	Due struct {
		Escalation int64 `json:"escalation"`
	}
	// Morning begins a senior's working hours.
	Morning struct {
		At time.Time `json:"at"`
	}
	// Overdue follows when nobody has reacted to an escalation until At.
	Overdue struct {
		Escalation int64     `json:"escalation"`
		Stage      Stage     `json:"stage"`
		At         time.Time `json:"at"`
	}
)

// Stage says what follows when nobody reacts.
type Stage string

// The stages.
const (
	StageRemind   Stage = "remind"
	StageHandOver Stage = "hand_over"
)

// Events from another chat, or from the command line.
type (
	// Assigned brings a question to a senior.
	Assigned struct {
		Task Task `json:"task"`
	}
	// TaskChanged tells a senior that who asks, or how many, has changed.
	TaskChanged struct {
		Task    Task       `json:"task"`
		Kind    TaskChange `json:"kind"`
		Name    string     `json:"name,omitempty"`    // who has joined, "" for no name
		Wording string     `json:"wording,omitempty"` // in which words
	}
	// TaskGone tells a senior that a question no longer needs an answer.
	TaskGone struct {
		Escalation int64  `json:"escalation"`
		Text       string `json:"text"`
		By         string `json:"by,omitempty"` // who has answered it; "" for nobody
		To         string `json:"to,omitempty"` // who has it now; "" for nobody
	}
	// Detail brings a senior what an asker added.
	Detail struct {
		Escalation int64      `json:"escalation"`
		Name       string     `json:"name"` // "" when the asker does not want to be named
		Text       string     `json:"text"`
		Question   string     `json:"question"` // the question's text
		Files      []SentFile `json:"files,omitempty"`
		// Quiet says that the files go on with those that have just come.
		Quiet bool `json:"quiet,omitempty"`
	}
	// AnswerCame brings an asker the reply that was waited for.
	AnswerCame struct {
		Ask     int64          `json:"ask"`
		Wording string         `json:"wording"` // the asker's own words
		Page    knowledge.Page `json:"page"`
		Changed bool           `json:"changed,omitempty"` // a newer version of what the asker got
		Pointed bool           `json:"pointed,omitempty"` // an entry that was there before
	}
	// HandedOn tells an asker that another senior has the question now.
	HandedOn struct {
		Question string `json:"question"`
		Wording  string `json:"wording"`
		Senior   string `json:"senior"`
		Ask      int64  `json:"ask,omitempty"` // the asker's
	}
	// Dismissed tells an asker that the question was closed without an answer.
	Dismissed struct {
		Wording string `json:"wording"`
		Senior  string `json:"senior"`
		Ask     int64  `json:"ask,omitempty"`
	}
)

// TaskChange says what has changed about a task.
type TaskChange string

// The changes of a task.
const (
	AskerJoined TaskChange = "joined" // one more waits
	AskerLeft   TaskChange = "left"   // one no longer waits, others do
	NameDropped TaskChange = "hidden" // a name is no longer to be shown
)

func (Said) body()        {}
func (Pressed) body()     {}
func (Filled) body()      {}
func (Edited) body()      {}
func (Deleted) body()     {}
func (Opened) body()      {}
func (Undelivered) body() {}
func (Ended) body()       {}
func (Found) body()       {}
func (Shown) body()       {}
func (OpenFound) body()   {}
func (Proved) body()      {}
func (Guarded) body()     {}
func (Silence) body()     {}
func (Due) body()         {}
func (Morning) body()     {}
func (Overdue) body()     {}
func (Assigned) body()    {}
func (TaskChanged) body() {}
func (TaskGone) body()    {}
func (Detail) body()      {}
func (AnswerCame) body()  {}
func (HandedOn) body()    {}
func (Dismissed) body()   {}
