package bot

import (
	"encoding/json"
	"strings"
	"time"
)

// State is what the bot remembers of one chat between two events. It is stored
// as JSON; a field that is no longer known is ignored.
type State struct {
	// Under is the platform's id of the message beneath which replies to the latest
	// words of the person go.
	Under   string `json:"under,omitempty"`
	Greeted bool   `json:"greeted,omitempty"`
	// Added is the question to which its asker has added something, as of DetailAt.
	Added string `json:"added,omitempty"`
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
	// Places are where the latest asks were made, oldest first: what comes later
	// goes there.
	Places []Place `json:"places,omitempty"`
	// Kept are files that came without words, for the words that follow.
	Kept *Kept `json:"kept,omitempty"`
	// Album is what the latest files that were sent as one belong to.
	Album *Album `json:"album,omitempty"`
	// Given are the senior's latest answers by the messages that they were written
	// in, oldest first: a message that is edited is a new version.
	Given []Given `json:"given,omitempty"`
	// Asleep are escalations of which there is news that the senior gets when their
	// working hours begin, at Morning.
	Asleep  []Task    `json:"asleep,omitempty"`
	Morning time.Time `json:"morning,omitzero"`
	// Shut says that the chat took no messages the last time.
	Shut bool `json:"shut,omitempty"`
	// Refused is when a stranger was last told that the bot is not for them.
	Refused time.Time `json:"refused,omitzero"`
	// Guessed is when they were last told that a code is not valid.
	Guessed time.Time `json:"guessed,omitzero"`
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
	Names      []string   `json:"names"`           // who waits; "" for those without a name
	Teams      []string   `json:"teams,omitempty"` // where they work, "" when unknown
	Rejected   []string   `json:"rejected,omitempty"`
	Details    []Addition `json:"details,omitempty"`
	Files      []SentFile `json:"files,omitempty"` // of those who ask
	Sent       []string   `json:"sent,omitempty"`  // the keys of those that the senior has got
	Since      time.Time  `json:"since"`           // when the first of them began to wait
	Until      time.Time  `json:"until,omitzero"`  // put back until then; zero when it is not
	Shown      bool       `json:"shown,omitempty"`
	From       time.Time  `json:"from,omitzero"` // since when the senior is expected to react
	Next       time.Time  `json:"next,omitzero"` // when they are reminded or it goes on; zero for never
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

// Part is one message of what is written in several.
type Part struct {
	Ref   string     `json:"ref,omitempty"` // the platform's id of the message
	Text  string     `json:"text,omitempty"`
	Files []SentFile `json:"files,omitempty"`
}

// UnmarshalJSON reads a part, and one of when it was its text alone.
func (p *Part) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		*p = Part{}
		return json.Unmarshal(raw, &p.Text)
	}
	type plain Part
	return json.Unmarshal(raw, (*plain)(p))
}

// partBreak stands between the words of two messages.
const partBreak = "\n\n"

// textOf joins the words of parts.
func textOf(parts []Part) string {
	var out []string
	for _, p := range parts {
		if p.Text != "" {
			out = append(out, p.Text)
		}
	}
	return strings.Join(out, partBreak)
}

// filesOf returns the files of parts.
func filesOf(parts []Part) []SentFile {
	var out []SentFile
	for _, p := range parts {
		out = append(out, p.Files...)
	}
	return out
}

// gist returns the words of parts, or the names of their files when there are none.
func gist(parts []Part) string {
	if text := textOf(parts); text != "" {
		return text
	}
	return fileNames(filesOf(parts))
}

func fileNames(files []SentFile) string {
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = f.Name
	}
	return strings.Join(names, ", ")
}

// Draft is what a senior is writing. Several messages in a row are one text.
type Draft struct {
	Kind       DraftKind `json:"kind"`
	Escalation int64     `json:"escalation,omitempty"`
	Question   string    `json:"question,omitempty"`
	Title      string    `json:"title,omitempty"` // the question's text
	Parts      []Part    `json:"parts,omitempty"`
	Last       time.Time `json:"last"`
	// Crossed says that another question has come since: words that do not say
	// what they belong to may be meant for either.
	Crossed bool `json:"crossed,omitempty"`
}

// Held is what waits for its purpose to be named.
type Held struct {
	Parts   []Part    `json:"parts,omitempty"`
	At      time.Time `json:"at"`
	Crossed bool      `json:"crossed,omitempty"` // as in Draft
}

// UnmarshalJSON reads what is held, and what was when it was a text alone.
func (h *Held) UnmarshalJSON(raw []byte) error {
	type plain Held
	old := struct {
		*plain
		Text string `json:"text"`
	}{plain: (*plain)(h)}
	if err := json.Unmarshal(raw, &old); err != nil {
		return err
	}
	if old.Text != "" {
		h.Parts = append([]Part{{Text: old.Text}}, h.Parts...)
	}
	return nil
}

// Over is a question that has been settled while the senior may have been
// writing about it: by somebody else, or by silence.
type Over struct {
	Title string    `json:"title"` // the question's text
	At    time.Time `json:"at"`
	// Question and Parts are set when silence gave out the senior's own reply. The
	// parts are without their files: those are with the answer.
	Question string `json:"question,omitempty"`
	Parts    []Part `json:"parts,omitempty"`
}

// Place is where somebody has asked.
type Place struct {
	Ask   int64  `json:"ask"`
	Ref   string `json:"ref,omitempty"`   // the platform's id of the message
	Under string `json:"under,omitempty"` // beneath which message replies to it go
	Waits bool   `json:"waits,omitempty"` // a senior's reply is to come
}

// Kept are files without words.
type Kept struct {
	Parts []Part    `json:"parts"`
	At    time.Time `json:"at"`
}

// Album is what files that were sent as one are for.
type Album struct {
	ID       string `json:"id"`
	Ask      int64  `json:"ask,omitempty"`      // the question that they came with
	Question string `json:"question,omitempty"` // or the one to which they were added
	Held     bool   `json:"held,omitempty"`     // or they are held
	Kept     bool   `json:"kept,omitempty"`     // or kept
}

// Given is an answer by the messages that it was written in.
type Given struct {
	Question string   `json:"question"`
	Title    string   `json:"title"` // the question's text
	Version  int      `json:"version"`
	Sources  []Source `json:"sources"`
}

// Source is one message of an answer.
type Source struct {
	Ref   string `json:"ref"`
	Bytes int    `json:"bytes"` // of the answer's text that are its words
}

// sourcesOf says which message gave what of a text; nothing where messages never change.
func sourcesOf(parts []Part) []Source {
	out := make([]Source, len(parts))
	known := false
	for i, p := range parts {
		out[i] = Source{Ref: p.Ref, Bytes: len(p.Text)}
		known = known || p.Ref != ""
	}
	if !known {
		return nil
	}
	return out
}

// task returns the open escalation with the id.
func (s State) task(escalation int64) (Task, bool) { return findTask(s.Tasks, escalation) }

// asleep returns one of which there is news to come.
func (s State) asleep(escalation int64) (Task, bool) { return findTask(s.Asleep, escalation) }

func findTask(tasks []Task, escalation int64) (Task, bool) {
	for _, t := range tasks {
		if t.Escalation == escalation {
			return t, true
		}
	}
	return Task{}, false
}

// withTask returns tasks with t added or replaced.
func withTask(tasks []Task, t Task) []Task {
	out := make([]Task, 0, len(tasks)+1)
	found := false
	for _, o := range tasks {
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

// withoutTask returns tasks without one.
func withoutTask(tasks []Task, escalation int64) []Task {
	var out []Task
	for _, t := range tasks {
		if t.Escalation != escalation {
			out = append(out, t)
		}
	}
	return out
}

// as returns a task that was read anew with what the chat knows of it.
func (t Task) as(old Task) Task {
	t.Until, t.Shown, t.Sent, t.From, t.Next = old.Until, old.Shown, old.Sent, old.From, old.Next
	return t
}
