package bot

import (
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Command is a change of the knowledge base, or a reading of it that belongs
// to the transaction. Its result is an event body.
type Command interface{ command() }

// Commands of an employee's chat.
type (
	// RecordAsk stores an ask. Result: none.
	RecordAsk struct{ Ask knowledge.Ask }
	// RecordPick stores that an ask led to an entry. Result: Taught, or none.
	RecordPick struct {
		Ask      int64
		Question string
	}
	// RecordFeedback stores «Помогло» or «Не помогло». Result: AskRead.
	RecordFeedback struct {
		Ask      int64 // that led to the answer
		Question string
		Asked    int64 // what was asked in words; 0 for nothing
		Helped   bool
	}
	// Learn makes what people's choices have taught a phrasing. Result: none.
	Learn struct{ Lesson knowledge.Lesson }
	// Hold keeps it back for an administrator, because it would disturb what others
	// find. Result: none.
	Hold struct {
		Lesson    knowledge.Lesson
		Conflicts []knowledge.Conflict
	}
	// ReadAsk reads an ask for what follows. Result: AskRead.
	ReadAsk struct {
		Ask  int64
		Then Verb
	}
	// Escalate sends an ask's question to a senior, but not together with the
	// question Apart ("" for none). Result: Sent, or AnsweredMeanwhile.
	Escalate struct {
		Ask   int64
		Apart string
	}
	// Join makes the asker wait for somebody else's question. Result: Sent, or
	// AnsweredMeanwhile.
	Join struct {
		Ask      int64
		Question string
	}
	// Cancel ends the asker's waiting. Result: WaitEnded.
	Cancel struct{ Question string }
	// Hide keeps the asker's name from the senior. Result: NameHidden.
	Hide struct{ Question string }
	// AddDetail sends more words and files to the senior; Quiet when that need not be
	// said. Result: DetailSent.
	AddDetail struct {
		Question string
		Text     string
		Files    []SentFile
		Quiet    bool
	}
	// AttachFiles adds files to an ask, and brings them to the senior who has it.
	// Result: none.
	AttachFiles struct {
		Ask   int64
		Files []SentFile
	}
	// ChangeAsk follows a change of the message that an ask was made with. Text is the
	// new wording, which goes to the senior who has the question; "" when the message
	// was deleted. Result: AskChanged.
	ChangeAsk struct {
		Ask  int64
		Ref  string // the message
		Text string
	}
	// Accept lets who has come with an invitation's code in. Result: Accepted.
	Accept struct{ Code string }
	// CannotReach follows when nothing can be sent to the chat. Tasks are those that
	// its senior has there. Result: none.
	CannotReach struct {
		Reason string
		Tasks  []int64
	}
	// Redirect sends what a room did not take to the person alone. Result: none.
	Redirect struct{ Delivery int64 }
	// ReadMine reads the asker's questions. Result: Mine.
	ReadMine struct {
		WaitingOnly bool
	}
	// ReadFAQ reads frequent questions. Result: FAQ.
	ReadFAQ struct {
		Topic string
		Limit int
		For   FAQUse
	}
)

func (RecordAsk) command()      {}
func (RecordPick) command()     {}
func (RecordFeedback) command() {}
func (Learn) command()          {}
func (Hold) command()           {}
func (ReadAsk) command()        {}
func (Escalate) command()       {}
func (Join) command()           {}
func (Cancel) command()         {}
func (Hide) command()           {}
func (AddDetail) command()      {}
func (AttachFiles) command()    {}
func (ChangeAsk) command()      {}
func (Accept) command()         {}
func (CannotReach) command()    {}
func (Redirect) command()       {}
func (ReadMine) command()       {}
func (ReadFAQ) command()        {}

// FAQUse says what frequent questions are read for.
type FAQUse string

// The uses of frequent questions.
const (
	FAQWelcome FAQUse = "welcome" // three of them under the first greeting
	FAQList    FAQUse = "list"    // /faq: topics
	FAQOfTopic FAQUse = "topic"   // those of one topic
)

// Results of commands. They are decided on at once and never stored.
type (
	// AskRead is an ask as it stands.
	AskRead struct {
		Ask   knowledge.Ask
		Then  Verb
		Shown string           // the question that did not help, after RecordFeedback
		Waits bool             // the asker waits for its question already
		Same  *knowledge.Brief // its question, when others wait for it; else nil
		// Lesson is what RecordFeedback has taught, else nil.
		Lesson *knowledge.Lesson
	}
	// Taught is what a pick has taught.
	Taught struct{ Lesson knowledge.Lesson }
	// Sent says what came of an escalation.
	Sent struct {
		Escalated knowledge.Escalated
		Before    int // how many questions its senior, or the queue, had before it
	}
	// AnsweredMeanwhile says that the question of an ask has got an answer that the
	// asker has not seen.
	AnsweredMeanwhile struct {
		Ask      int64
		Question knowledge.Question
	}
	// WaitEnded says that the asker's waiting is over.
	WaitEnded struct {
		Text  string // the question's
		Ask   int64  // the asker's; 0 when unknown
		Found bool   // false when the person did not wait
	}
	// NameHidden says that the senior is no longer shown the name.
	NameHidden struct{ Found bool }
	// DetailSent says that more words are on their way.
	DetailSent struct {
		Senior string // "" while there is none
		Found  bool   // false when the question no longer waits
		Text   string
		Files  []SentFile
		Quiet  bool // as in AddDetail
	}
	// AskChanged says what a changed message means for its ask.
	AskChanged struct {
		Change   ChangeAsk
		Waits    bool       // for a senior's reply
		Senior   string     // who has been told of the new wording; "" for nobody
		Detail   bool       // it was no question, but more words for one
		Files    []SentFile // that came with it
		Question knowledge.Brief
	}
	// Accepted says what came of an invitation's code.
	Accepted struct {
		Person knowledge.Person // who they are from now on; zero when it is not valid
		Used   bool             // somebody else has used it
	}
	// Mine lists the asker's questions, newest first.
	Mine struct {
		Items       []MyQuestion
		WaitingOnly bool
	}
	// FAQ lists frequent questions.
	FAQ struct {
		For    FAQUse
		Topic  string
		Topics []string
		Items  []knowledge.Brief
		Senior bool // they are read for a senior
	}
)

// MyQuestion is one of an asker's questions.
type MyQuestion struct {
	Question knowledge.Question
	Text     string // the asker's own words
	Ask      int64
	Waits    bool
	// Of what they wait for: who has it, and what is before it there or in the queue.
	Senior knowledge.Person // zero while it is in the queue
	Usual  time.Duration    // as in knowledge.Assignment
	Before int
}

func (AskRead) body()           {}
func (Taught) body()            {}
func (Sent) body()              {}
func (AnsweredMeanwhile) body() {}
func (WaitEnded) body()         {}
func (NameHidden) body()        {}
func (DetailSent) body()        {}
func (AskChanged) body()        {}
func (Accepted) body()          {}
func (Mine) body()              {}
func (FAQ) body()               {}
