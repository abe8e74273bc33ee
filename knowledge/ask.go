package knowledge

import "time"

// Decision is what search made of an ask.
type Decision string

// The three decisions.
const (
	DecisionAnswer  Decision = "answer"  // confident: one answer is shown
	DecisionSuggest Decision = "suggest" // unsure: up to five similar questions are shown
	DecisionNothing Decision = "nothing" // nothing is close
)

// The decisions on asks that were never searched.
const (
	DecisionDetail Decision = "detail" // more words to a question that the asker waits for
	DecisionOpened Decision = "opened" // an entry opened by a button alone
)

// Outcome is what the person did with what was shown.
type Outcome string

// The outcomes; a later one replaces an earlier one.
const (
	NoOutcome Outcome = ""
	Picked    Outcome = "picked"     // opened one of the suggested questions
	Rejected  Outcome = "rejected"   // «Нет моего вопроса»
	Helped    Outcome = "helped"     // «Помогло»
	NotHelped Outcome = "not_helped" // «Не помогло»
)

// Candidate is one question that search found for an ask.
type Candidate struct {
	Question string  // its id
	Rank     int     // 1 is best
	Score    float64 // comparable only within the ask
}

// Ask is one message of an employee with what search decided, what was shown
// and what the person did.
type Ask struct {
	ID         int64
	Person     int64
	Chat       string // where to write to the asker
	Text       string
	Asked      time.Time
	Decision   Decision
	Confidence float64 // the probability that the first candidate is right, 0–1
	Question   string  // the question answered with, or opened for it
	Outcome    Outcome
	Candidates []Candidate
}

// EscalationState is how far an escalation has come.
type EscalationState string

// The states of an escalation.
const (
	EscalationOpen   EscalationState = "open"   // the senior has it
	EscalationPassed EscalationState = "passed" // handed to somebody else
	EscalationDone   EscalationState = "done"   // answered, or closed with the question
)

// Escalation is one question sent to one senior.
type Escalation struct {
	ID       int64
	Question string
	Senior   int64 // 0 while there is no senior to send it to
	State    EscalationState
	Reason   Reason // why it is with whom it is
	Created  time.Time
	Given    time.Time // since when the senior has it; zero while nobody does
	Reminded time.Time // when the senior was last reminded; zero before
	Due      time.Time // when a postponed one is shown again; zero otherwise
	Ended    time.Time // zero while it is open
}

// WaiterState is what has become of somebody's waiting.
type WaiterState string

// The states of a waiter.
const (
	Waiting       WaiterState = "waiting"
	WaitAnswered  WaiterState = "answered"
	WaitCancelled WaiterState = "cancelled"
)

// Waiter is an asker who will get the reply to a question.
type Waiter struct {
	Question  string
	Person    int64
	Chat      string
	Ask       int64
	Text      string // the asker's own words
	Since     time.Time
	Anonymous bool // the senior is not told the name
	State     WaiterState
	Answer    int64 // the version that the person has received last; 0 for none
}
