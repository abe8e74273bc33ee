package bot

import (
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
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
		Like       *knowledge.Page      `json:"-"` // as in Guarded: kept out of the base, too
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
	// Combine makes one entry of an answer that is held back and the entry that it
	// repeats: its text replaces that of the entry, or is added to it. Result: ReplyDone
	// or HeldDecided.
	Combine struct {
		Review          int64
		Question, Entry string
		Merge           bool // add the text
		Escalation      int64
		Sources         []Source // of the answer
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
	// Remind notes that the senior is reminded of an escalation. Result: Reminded or
	// TooLate.
	Remind struct{ Escalation int64 }
	// HandOver gives an escalation to which nobody reacts to the next who can answer.
	// Result: TaskEnded, TaskStays or TooLate.
	HandOver struct{ Escalation int64 }
	// TaskLost gives an escalation to the next when the message that was to bring it
	// cannot be delivered. Result: none.
	TaskLost struct{ Delivery, Escalation int64 }
	// Refill gives the senior what they may have of the queue. Result: none.
	Refill struct{}
	// ReadTasks reads those of the escalations that are still the senior's to settle.
	// Result: TasksRead.
	ReadTasks struct{ Escalations []int64 }
	// ReadTopics reads what a question can be about. Result: Topics.
	ReadTopics struct {
		Question   string
		Escalation int64 // which led to it; 0 when unknown
	}
	// SetTopic says what a question is about. Result: TopicSet.
	SetTopic struct {
		Question, Topic string
		Escalation      int64
	}
)

func (Combine) command()     {}
func (DecideHeld) command()  {}
func (ReadAnswer) command()  {}
func (Reply) command()       {}
func (Revise) command()      {}
func (PointTo) command()     {}
func (Pass) command()        {}
func (Postpone) command()    {}
func (Dismiss) command()     {}
func (ReadTask) command()    {}
func (ReadSeniors) command() {}
func (SetEntry) command()    {}
func (Remind) command()      {}
func (HandOver) command()    {}
func (TaskLost) command()    {}
func (Refill) command()      {}
func (ReadTasks) command()   {}
func (ReadTopics) command()  {}
func (SetTopic) command()    {}

// Results of a senior's commands. They are decided on at once and never stored.
type (
	// ReplyDone says that an answer is given.
	ReplyDone struct {
		Escalation int64
		Replied    knowledge.Replied
		Changed    bool // a newer version of an answer given before
		Pointed    bool // an entry that was there before
		// Held is what is kept back from the base; empty for nothing.
		Held    []knowledge.Review
		Sources []Source        // as in Reply
		LeftOut int             // files that were too many
		Topics  bool            // there are topics, and the question has none
		Like    *knowledge.Page // as in Reply
	}
	// AnswerRead is an answer of which a message has been changed.
	AnswerRead struct {
		Read     ReadAnswer
		Question knowledge.Question
	}
	// TooLong says that two answers are too long for one.
	TooLong struct {
		Question, Title string // of the entry
		Review          int64
		Escalation      int64
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
		Overdue    bool   // the senior has not reacted
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
	// Reminded is an escalation of which its senior is to be reminded.
	Reminded struct{ Task Task }
	// TaskStays says that there is nobody else to give an escalation to.
	TaskStays struct{ Escalation int64 }
	// TasksRead lists escalations as they stand.
	TasksRead struct{ Tasks []Task }
	// Topics lists what a question can be about.
	Topics struct {
		Read  ReadTopics
		Names []string
	}
	// TopicSet says what a question is about now.
	TopicSet struct {
		Question   knowledge.Question
		Escalation int64
		Refused    bool // the name cannot be used
	}
)

func (HeldDecided) body()   {}
func (AnswerRead) body()    {}
func (ReplyDone) body()     {}
func (EntryGone) body()     {}
func (TooLate) body()       {}
func (TaskEnded) body()     {}
func (TaskPostponed) body() {}
func (TaskRead) body()      {}
func (Seniors) body()       {}
func (EntrySet) body()      {}
func (TooLong) body()       {}
func (Reminded) body()      {}
func (TaskStays) body()     {}
func (TasksRead) body()     {}
func (Topics) body()        {}
func (TopicSet) body()      {}
