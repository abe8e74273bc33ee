package knowledge

import (
	"math"
	"time"
)

// Verdict is what one person has said, by what they did, about whether a wording
// means a question. A person has one verdict on a wording (by FoldText) and a
// question: the latest.
type Verdict struct {
	ID       int64
	Question string
	Wording  string // the asker's own words
	Person   int64
	Outcome  Outcome // Picked or Helped speak for it, Rejected or NotHelped against
	Ask      int64   // during which it was said
	At       time.Time
	Void     bool // undone: it counts for nothing, but is kept
}

// For reports whether the verdict says that the wording means the question.
func (v Verdict) For() bool { return v.Outcome == Picked || v.Outcome == Helped }

// Lesson is a wording that people's choices have shown to mean a question. It
// becomes a phrasing unless that would disturb what others find.
type Lesson struct {
	Question string
	Wording  string
	Origin   Origin
	Person   int64 // who worded it so; 0 when unknown
	Ask      int64 // whose outcome taught it; 0 for none
}

// Conflict is a wording whose best result would change.
type Conflict struct {
	Wording string `json:"wording"` // a phrasing, or words that people have confirmed
	Was     Brief  `json:"was"`     // what it finds first, rightly
	Now     Brief  `json:"now"`     // what it would find first
}

// Review is an answer or a phrasing that is held back from the base, because it
// would change what others find, until a senior or an administrator decides.
type Review struct {
	ID        int64
	Question  string     // the entry that it belongs to
	Wording   string     // the phrasing that is held; "" when the answer itself is
	Person    int64      // who worded or answered it; 0 when unknown
	Conflicts []Conflict // at least one
	Created   time.Time
	Decided   time.Time // zero while it is open
	By        int64     // who decided; 0 for an administrator at the command line
	Accepted  bool
}

// StepKind says what a step of a question's history was.
type StepKind string

// The kinds of steps.
const (
	StepOpened    StepKind = "opened"     // first asked, or imported; Text is the question
	StepEscalated StepKind = "escalated"  // sent to a senior; Text is the asker's wording, or "" when it goes on from one to another; Was is the Reason, Ref the escalation
	StepAnswered  StepKind = "answered"   // a version of the answer; Text is the answer, Ref its id
	StepStatus    StepKind = "status"     // Was and Text are the statuses' codes, Ref is how many askers the rule for frequent questions wants, 0 when somebody set it
	StepPhrasing  StepKind = "phrasing"   // a wording was learned; Text, Was is its Origin, Ref the ask whose words it is or 0
	StepRefused   StepKind = "refused"    // «Нет моего вопроса» after it was shown; Text is the asker's wording, Ref the verdict
	StepHelped    StepKind = "helped"     // «Помогло»; Text is the asker's wording, Ref the verdict
	StepNotHelped StepKind = "not_helped" // «Не помогло»; Text is the asker's wording, Ref the verdict
	StepHeld      StepKind = "held"       // a phrasing (Text) or the answer (without Text) waits for a decision; Ref is the review
	StepDecided   StepKind = "decided"    // the decision; Text is "accepted" or "refused", Was the phrasing or "" for the answer, Ref the review
	StepTopic     StepKind = "topic"      // another topic; Was and Text are topics, "" for none
	StepUndone    StepKind = "undone"     // Ref is the step that was taken back
)

// Step is one entry of a question's history. Steps are never deleted: undoing one
// adds another.
type Step struct {
	ID       int64
	Question string
	Kind     StepKind
	At       time.Time
	Person   int64 // who did it; 0 for the bot's own rules, an import or the command line
	Text     string
	Was      string // what Text replaced, where there was something
	Ref      int64  // as the kind says
	Undone   bool   // taken back by a later step
}

// StoredCalibration is a fitted calibration as the record keeps it, one for each
// embedder.
type StoredCalibration struct {
	Embedder string // its name; "" for searching by words alone
	Fitted   time.Time
	Asks     int    // labelled asks that it was fitted on
	Data     []byte // JSON of search.Calibration
}

// Learning is what an administrator sets about how the base learns by itself.
type Learning struct {
	// Picks is how many different people must have picked an entry for the same
	// wording before the wording becomes its phrasing. Default 2; a negative number
	// switches it off.
	Picks int
	// Helped is how many different people must have confirmed it by «Помогло».
	// Default 1; a negative number switches it off.
	Helped int
	// FrequentAsks is how many different people must have got an entry within
	// FrequentWithin for it to become a frequent question; below half of that it
	// stops being one. Default 5 in 30 days. A negative number switches it off.
	FrequentAsks   int
	FrequentWithin time.Duration
	// StaleAfter is the age from which an answer is listed for a check. Default 180 days.
	StaleAfter time.Duration
	// StaleShare is the share of «Не помогло» from which an answer is listed, once
	// at least StaleVerdicts people have judged it. Default 0.3 of 3.
	StaleShare    float64
	StaleVerdicts int
}

// WithDefaults fills in what is not set.
func (l Learning) WithDefaults() Learning {
	orInt := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	orInt(&l.Picks, 2)
	orInt(&l.Helped, 1)
	orInt(&l.FrequentAsks, 5)
	orInt(&l.StaleVerdicts, 3)
	if l.FrequentWithin <= 0 {
		l.FrequentWithin = 30 * 24 * time.Hour
	}
	if l.StaleAfter <= 0 {
		l.StaleAfter = 180 * 24 * time.Hour
	}
	if l.StaleShare <= 0 {
		l.StaleShare = 0.3
	}
	return l
}

// Standing is what people's verdicts say about a question.
type Standing struct {
	// Refused are the wordings that more people say it does not answer than say it
	// does.
	Refused []string
	// Doubt is how much less it is trusted, in log odds: ln((against+1)/(for+1)) of
	// the verdicts on its current answer, never below 0.
	Doubt float64
}

// StandingOf sums up the verdicts on a question. Those on an older version of the
// answer than the current one do not count against it, and what has become a
// phrasing is not refused.
func StandingOf(q Question, phrasings []Phrasing, verdicts []Verdict) Standing {
	own := map[string]bool{FoldText(q.Text): true}
	for _, p := range phrasings {
		own[FoldText(p.Text)] = true
	}
	var order []string
	wordings, balance := map[string]string{}, map[string]int{}
	helped, not := 0, 0
	for _, v := range verdicts {
		if v.Void || v.Question != q.ID {
			continue
		}
		fold := FoldText(v.Wording)
		if _, known := wordings[fold]; !known {
			wordings[fold], order = v.Wording, append(order, fold)
		}
		balance[fold] += v.weight(q.Answer)
		switch {
		case v.Outcome == Helped:
			helped++
		case v.Outcome == NotHelped && v.weight(q.Answer) != 0:
			not++
		}
	}
	s := Standing{Doubt: max(0, math.Log(float64(not+1)/float64(helped+1)))}
	for _, fold := range order {
		if balance[fold] < 0 && !own[fold] {
			s.Refused = append(s.Refused, wordings[fold])
		}
	}
	return s
}

// weight is what a verdict adds to those for its wording. That an older version
// of the answer did not help adds nothing.
func (v Verdict) weight(current Answer) int {
	switch {
	case v.For():
		return 1
	case v.Outcome == NotHelped && v.At.Before(current.Created):
		return 0
	}
	return -1
}

// Proposal is what would change in the base, before it does.
type Proposal struct {
	Question string   // id of the entry, which may not be answered yet
	Text     string   // its canonical text; "" when that stays as it is
	Answer   string   // its answer; "" when that stays as it is
	Wordings []string // phrasings to add
}
