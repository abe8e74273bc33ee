package bot

import "time"

// State is what the bot remembers of one chat between two events. It is stored
// as JSON; a field that is no longer known is ignored.
type State struct {
	// Under is the platform's id of the message beneath which replies to the latest
	// words of the person go.
	Under   string `json:"under,omitempty"`
	Greeted bool   `json:"greeted,omitempty"`
	// Detail is the question whose asker is about to add details, as of DetailAt.
	Detail   string    `json:"detail,omitempty"`
	DetailAt time.Time `json:"detail_at,omitzero"`
	// Last is the latest ask, for what refers to it without a button.
	Last *LastAsk `json:"last,omitempty"`
	// Tasks are the open escalations of a senior, oldest first.
	Tasks []Task `json:"tasks,omitempty"`
	// Draft is the reply that a senior is writing.
	Draft *Draft `json:"draft,omitempty"`
	// Held is what a senior has written without saying what for.
	Held *Held `json:"held,omitempty"`
	// Over is the question that the senior's next words may still be meant for.
	Over *Over `json:"over,omitempty"`
}

// LastAsk is the latest ask of a chat.
type LastAsk struct {
	Ask  int64  `json:"ask"`
	Text string `json:"text"`
	// Seen are the questions shown in this dialogue already: related questions
	// are not offered twice.
	Seen []string `json:"seen,omitempty"`
	// Thread is what was asked in a row on one subject, what began it first; it was
	// gone on with At. Shown is the entry shown for it last.
	Thread []string  `json:"thread,omitempty"`
	At     time.Time `json:"at,omitzero"`
	Shown  string    `json:"shown,omitempty"`
}

// Task is an escalation as its senior sees it.
type Task struct {
	Escalation int64      `json:"escalation"`
	Question   string     `json:"question"` // id
	Text       string     `json:"text"`
	Names      []string   `json:"names"` // who waits; "" for those without a name
	Rejected   []string   `json:"rejected,omitempty"`
	Details    []Addition `json:"details,omitempty"`
	Since      time.Time  `json:"since"`          // when the first of them began to wait
	Until      time.Time  `json:"until,omitzero"` // put back until then; zero when it is not
}

// Addition is what an asker has added to a question.
type Addition struct {
	Name string `json:"name"` // "" when the asker does not want to be named
	Text string `json:"text"`
}

// DraftKind says what a senior is writing.
type DraftKind string

// The kinds of drafts.
const (
	DraftReply  DraftKind = "reply"  // the answer of an escalation
	DraftEdit   DraftKind = "edit"   // a new version of an answer
	DraftLookup DraftKind = "lookup" // words to find the entry that answers already
)

// Draft is what a senior is writing. Several messages in a row are one text.
type Draft struct {
	Kind       DraftKind `json:"kind"`
	Escalation int64     `json:"escalation,omitempty"`
	Question   string    `json:"question,omitempty"`
	Title      string    `json:"title,omitempty"` // the question's text
	Parts      []string  `json:"parts,omitempty"`
	Last       time.Time `json:"last"`
	// Crossed says that another question has come since: words that do not say
	// what they belong to may be meant for either.
	Crossed bool `json:"crossed,omitempty"`
}

// Held is text that waits for its purpose to be named.
type Held struct {
	Text    string    `json:"text"`
	At      time.Time `json:"at"`
	Crossed bool      `json:"crossed,omitempty"` // as in Draft
}

// Over is a question that has been settled while the senior may have been
// writing about it: by somebody else, or by silence.
type Over struct {
	Title string    `json:"title"` // the question's text
	At    time.Time `json:"at"`
	// Question and Answer are set when silence gave out the senior's own reply.
	Question string `json:"question,omitempty"`
	Answer   string `json:"answer,omitempty"`
}

// task returns the open escalation with the id.
func (s State) task(escalation int64) (Task, bool) {
	for _, t := range s.Tasks {
		if t.Escalation == escalation {
			return t, true
		}
	}
	return Task{}, false
}

// withTask returns the tasks with t added or replaced.
func (s State) withTask(t Task) []Task {
	out := make([]Task, 0, len(s.Tasks)+1)
	found := false
	for _, o := range s.Tasks {
		if o.Escalation == t.Escalation {
			o, found = t, true
		}
		out = append(out, o)
	}
	if !found {
		out = append(out, t)
	}
	return out
}

// withoutTask returns the tasks without one.
func (s State) withoutTask(escalation int64) []Task {
	var out []Task
	for _, t := range s.Tasks {
		if t.Escalation != escalation {
			out = append(out, t)
		}
	}
	return out
}
