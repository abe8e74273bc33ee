package knowledge

import "time"

// Person is somebody who asks, answers or administers.
type Person struct {
	ID      int64
	Name    string
	Senior  bool   // gets escalations
	Admin   bool   // sees and changes everything
	Chat    string // where to write to first, as of the latest message; "" before any
	Created time.Time
}

// Identity is a person as one platform knows them.
type Identity struct {
	Platform string // "console", "slack", …
	External string // the platform's own id of the person
	Name     string // as the platform shows it
	Chat     string // the chat in which the person can be written to directly

	// What the platform vouches for; "" when it does not tell.
	Email string
	Team  string
	Zone  string // IANA time zone
	// Outsider says that they do not belong to the company's own space there.
	Outsider bool
}

// Topic is what a senior answers for.
type Topic struct {
	Name    string
	Seniors []int64
}
