package bot

import (
	"context"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Query is a question to the searcher. It is stored in the inbox of its chat
// and answered outside any transaction; the result is an event.
type Query interface {
	Body
	query()
}

// Purpose says what a search is for.
type Purpose string

// The purposes of a search.
const (
	ForAsk      Purpose = "ask"      // an employee asks
	ForAgain    Purpose = "again"    // «Не помогло»: similar questions without the one shown
	ForExisting Purpose = "existing" // a senior looks for the entry that answers already
)

// Search asks for what the base has on a text.
type Search struct {
	Ask        int64   `json:"ask,omitempty"`
	Text       string  `json:"text"`
	Purpose    Purpose `json:"purpose"`
	Without    string  `json:"without,omitempty"` // a question to leave out
	Escalation int64   `json:"escalation,omitempty"`
	// After is what the text seems to go on with, and Shown the entry that was
	// shown for that; both may be empty.
	After string `json:"after,omitempty"`
	Shown string `json:"shown,omitempty"`
	// Files came with the question.
	Files []SentFile `json:"files,omitempty"`
}

// Show asks for one entry with its answer and related questions.
type Show struct {
	Ask      int64  `json:"ask"`             // 0 when it was opened by a button alone
	Asked    int64  `json:"asked,omitempty"` // what was asked in words before; 0 for nothing
	Question string `json:"question"`
}

// FindOpen asks for an open question that is much the same as an ask's.
type FindOpen struct {
	Ask  int64  `json:"ask"`
	Text string `json:"text"`
	Own  string `json:"own"` // the question that the ask itself opened
}

// Prove asks whether a wording finds the question.
type Prove struct {
	Question string   `json:"question"`
	Entry    string   `json:"entry"` // the entry's text
	Wording  string   `json:"wording"`
	Names    []string `json:"names,omitempty"` // who was told; "" for those without a name
	Changed  bool     `json:"changed,omitempty"`
	Pointed  bool     `json:"pointed,omitempty"` // the entry was there before
	// Accepted says that the answer, or the wording, was held back and has just been
	// let into the base.
	Accepted bool `json:"accepted,omitempty"`
	Learned  bool `json:"learned,omitempty"` // it was the wording that was held back
	// Escalation is the one that it is about, 0 when unknown; LeftOut counts the
	// answer's files that were too many.
	Escalation int64 `json:"escalation,omitempty"`
	LeftOut    int   `json:"left_out,omitempty"`
	// Topics says that there are topics to choose one of.
	Topics bool `json:"topics,omitempty"`
}

// Guard asks what a change of the base would disturb, before it is made. The change
// is the one of the four that is there.
type Guard struct {
	Lesson  *knowledge.Lesson `json:"lesson,omitempty"` // a wording that people have taught
	Reply   *Reply            `json:"reply,omitempty"`
	Revise  *Revise           `json:"revise,omitempty"`
	PointTo *PointTo          `json:"point_to,omitempty"`
}

func (Search) body()    {}
func (Show) body()      {}
func (FindOpen) body()  {}
func (Prove) body()     {}
func (Guard) body()     {}
func (Search) query()   {}
func (Show) query()     {}
func (FindOpen) query() {}
func (Prove) query()    {}
func (Guard) query()    {}

// Searcher finds entries. What it returns has been checked against the record
// of truth.
type Searcher interface {
	// Find decides on a text.
	Find(ctx context.Context, in knowledge.Inquiry) (knowledge.Finding, error)
	// Show returns an entry with related questions, without those in seen. The
	// error wraps knowledge.ErrNotFound when the base does not have it.
	Show(ctx context.Context, question string, seen []string) (knowledge.Page, error)
	// FindOpen returns the open question that is much the same as text, other
	// than own; nil when there is none.
	FindOpen(ctx context.Context, text, own string) (*knowledge.Brief, error)
	// Proves reports whether the wording finds the question: answered at once or
	// among those suggested.
	Proves(ctx context.Context, wording, question string) (bool, error)
	Guardian
}

// Guardian knows what a change of the base would do to those who ask.
type Guardian interface {
	// Disturbs returns the wordings that find the right entry now and would not any
	// more if the proposal went live.
	Disturbs(ctx context.Context, p knowledge.Proposal) ([]knowledge.Conflict, error)
	// Repeats returns the entry that the proposal repeats or contradicts: with much the
	// same answer, or among those refused with much the same question; nil for none.
	Repeats(ctx context.Context, p knowledge.Proposal, refused []string) (*knowledge.Page, error)
}
