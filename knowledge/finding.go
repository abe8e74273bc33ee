package knowledge

import "time"

// Brief is a question by its id and text.
type Brief struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// Page is an entry as it is shown.
type Page struct {
	Brief
	Topic   string    `json:"topic,omitempty"`
	Answer  string    `json:"answer"`       // standard Markdown
	By      string    `json:"by,omitempty"` // who answered; "" when unknown
	Updated time.Time `json:"updated"`
	Related []Brief   `json:"related,omitempty"` // up to 3 useful next questions
	// Files are those of the answer, oldest first.
	Files []Attachment `json:"files,omitempty"`
}

// Match is a question found.
type Match struct {
	Brief
	Score float64 // comparable only within one finding
}

// Finding is what searching made of a text.
type Finding struct {
	Decision   Decision
	Confidence float64 // the probability that the first match is right, 0–1
	Page       *Page   // the answer, when the decision is DecisionAnswer
	Matches    []Match // up to five worth showing, best first, whatever the decision
	Ranked     []Match // the whole ranking, best first, for measuring
	// Together says that the text was understood together with Inquiry.After: it
	// does not stand alone.
	Together bool
}
