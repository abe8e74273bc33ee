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

// Commands of a senior's chat.
type (
	// Reply answers an escalation. Those who wait get the answer in any case; with
	// conflicts it is held back from the base. Result: ReplyDone or TooLate.
	Reply struct {
		Escalation int64                `json:"escalation"`
		Text       string               `json:"text"`
		Files      []SentFile           `json:"files,omitempty"`
		Sources    []Source             `json:"sources,omitempty"` // the messages that it was written in
		Conflicts  []knowledge.Conflict `json:"-"`
	}
	// Revise changes an answer, like Reply. Without a Text it only gets Files more.
	// Result: ReplyDone.
	Revise struct {
		Question   string               `json:"question"`
		Escalation int64                `json:"escalation,omitempty"` // which it answered; 0 when unknown
		Text       string               `json:"text"`
		Files      []SentFile           `json:"files,omitempty"`
		Sources    []Source             `json:"sources,omitempty"`
		Conflicts  []knowledge.Conflict `json:"-"`
	}
	// ReadAnswer reads an answer of which a message has been changed. Result: AnswerRead.
	ReadAnswer struct {
		Question string
		Change   Edited
		Deleted  bool // it was deleted
	}
	// PointTo settles an escalation by an entry. With conflicts the wordings of
	// those who wait are held back. Result: ReplyDone, TooLate or EntryGone.
	PointTo struct {
		Escalation int64                `json:"escalation"`
		Question   string               `json:"question"`
		Conflicts  []knowledge.Conflict `json:"-"`
	}
	// DecideHeld lets what was held back into the base, or keeps it out. Result: HeldDecided.
	DecideHeld struct {
		Reviews    []int64
		Accept     bool
		Escalation int64 // which led to it; 0 when unknown
	}
	// Pass hands an escalation to another senior. Result: TaskEnded or TooLate.
	Pass struct{ Escalation, To int64 }
	// Postpone puts an escalation back. Result: TaskPostponed or TooLate.
	Postpone struct {
		Escalation int64
		Delay      time.Duration
	}
	// Dismiss closes an escalation as off topic. Result: TaskEnded or TooLate.
	Dismiss struct{ Escalation int64 }
	// ReadTask reads an escalation. Result: TaskRead or TooLate.
	ReadTask struct {
		Escalation int64
		Then       Verb
		Parts      []Part // what was written about it
	}
	// ReadSeniors reads who else could answer. Result: Seniors.
	ReadSeniors struct{ Escalation int64 }
	// SetEntry takes an answer out of the base, puts it back, or makes it a
	// frequent question. Result: EntrySet.
	SetEntry struct {
		Question   string
		To         Verb  // KeepOut, PutBack or MakeFAQ
		Escalation int64 // which led to it; 0 when unknown
	}
)

func (RecordAsk) command()      {}
func (RecordPick) command()     {}
func (RecordFeedback) command() {}
func (Learn) command()          {}
func (Hold) command()           {}
func (DecideHeld) command()     {}
func (ReadAsk) command()        {}
func (Escalate) command()       {}
func (Join) command()           {}
func (Cancel) command()         {}
func (Hide) command()           {}
func (AddDetail) command()      {}
func (AttachFiles) command()    {}
func (ChangeAsk) command()      {}
func (ReadAnswer) command()     {}
func (ReadMine) command()       {}
func (ReadFAQ) command()        {}
func (Reply) command()          {}
func (Revise) command()         {}
func (PointTo) command()        {}
func (Pass) command()           {}
func (Postpone) command()       {}
func (Dismiss) command()        {}
func (ReadTask) command()       {}
func (ReadSeniors) command()    {}
func (SetEntry) command()       {}

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
	}
	// ReplyDone says that an answer is given.
	ReplyDone struct {
		Escalation int64
		Replied    knowledge.Replied
		Changed    bool // a newer version of an answer given before
		Pointed    bool // an entry that was there before
		// Held is what is kept back from the base; empty for nothing.
		Held    []knowledge.Review
		Sources []Source // as in Reply
		LeftOut int      // files that were too many
	}
	// AnswerRead is an answer of which a message has been changed.
	AnswerRead struct {
		Read     ReadAnswer
		Question knowledge.Question
	}
	// HeldDecided says what came of what was held back.
	HeldDecided struct {
		Reviews    []knowledge.Review
		Question   knowledge.Question
		Late       bool  // somebody has decided before
		Escalation int64 // as in DecideHeld
	}
	// EntryGone says that an entry is no longer in the base.
	EntryGone struct{ Escalation int64 }
	// TooLate says that an escalation is no longer the senior's to settle.
	TooLate struct {
		Escalation int64
		Question   knowledge.Question
		Parts      []Part // what was not sent
	}
	// TaskEnded says that the senior is rid of an escalation.
	TaskEnded struct {
		Escalation int64
		PassedTo   string // the name of the senior who has it now; "" when it was dismissed
	}
	// TaskPostponed says when an escalation comes back.
	TaskPostponed struct {
		Escalation int64
		Due        time.Time
	}
	// TaskRead is an escalation as it stands.
	TaskRead struct {
		Task  Task
		Then  Verb
		Parts []Part // as in ReadTask
	}
	// Seniors lists who else could answer.
	Seniors struct {
		Escalation int64
		Others     []knowledge.Person
	}
	// EntrySet says what became of an answer.
	EntrySet struct {
		Question   knowledge.Question
		To         Verb
		Escalation int64 // as in SetEntry
	}
)

// MyQuestion is one of an asker's questions.
type MyQuestion struct {
	Question knowledge.Question
	Text     string // the asker's own words
	Ask      int64
	Waits    bool
}

func (AskRead) body()           {}
func (Taught) body()            {}
func (HeldDecided) body()       {}
func (Sent) body()              {}
func (AnsweredMeanwhile) body() {}
func (WaitEnded) body()         {}
func (NameHidden) body()        {}
func (DetailSent) body()        {}
func (AskChanged) body()        {}
func (AnswerRead) body()        {}
func (Mine) body()              {}
func (FAQ) body()               {}
func (ReplyDone) body()         {}
func (EntryGone) body()         {}
func (TooLate) body()           {}
func (TaskEnded) body()         {}
func (TaskPostponed) body()     {}
func (TaskRead) body()          {}
func (Seniors) body()           {}
func (EntrySet) body()          {}
