package knowledge

import (
	"strings"
	"time"
)

// Person is somebody who asks, answers or administers.
type Person struct {
	ID      int64
	Name    string
	Senior  bool   // gets escalations
	Admin   bool   // sees and changes everything
	Chat    string // where to write to first, as of the latest message; "" before any
	Created time.Time

	Email string // by which platforms' people are recognised, folded (FoldEmail); "" when unknown
	Team  string
	Zone  string // IANA time zone; "" is the company's
	// Hours are their own working hours, as ParseHours reads them; "" are the company's.
	Hours string
	// Away is until when they get no questions; zero for not away.
	Away time.Time
	// Left says that they have left the company: nobody writes to them, and they are
	// strangers.
	Left bool
	// Admitted says that an administrator or an invitation has let them in.
	Admitted bool
	// Unreachable is why nothing can be written to them; "" when something can, as far
	// as is known.
	Unreachable string
}

// Reachable reports whether the person can be written to: they have a chat, have
// not shut the bot out, and are still there.
func (p Person) Reachable() bool { return p.Chat != "" && p.Unreachable == "" && !p.Left }

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
	// Outsider says that they do not belong to the company's own space there: their
	// e-mail is vouched for by somebody else, and names nobody.
	Outsider bool
	// Unreachable is why their chat there takes nothing; "" when it does. Only a store
	// fills it in.
	Unreachable string
}

// Vouched returns the e-mail by which the platform says who this is, folded; "" when
// it does not.
func (i Identity) Vouched() string {
	if i.Outsider {
		return ""
	}
	return FoldEmail(i.Email)
}

// FoldEmail returns an e-mail as it is compared: in lower case, without space around.
func FoldEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// Topic is what a senior answers for.
type Topic struct {
	Name    string
	Seniors []int64
}

// Access says who may use the bot.
type Access string

// The ways of access.
const (
	AccessOpen       Access = "open"       // everybody of the company's own spaces
	AccessInvitation Access = "invitation" // who was invited, or added by an administrator
	AccessList       Access = "list"       // who was added by name by an administrator
)

// Accesses returns the ways of access, from the widest to the narrowest.
func Accesses() []Access { return []Access{AccessOpen, AccessInvitation, AccessList} }

// Admits reports whether somebody whom a platform knows by an identity may use the
// bot. The zero Access is AccessOpen. Who has left may not, and outsiders only when
// they have been let in by name.
func (a Access) Admits(p Person, i Identity) bool {
	switch {
	case p.Left:
		return false
	case p.Admitted || p.Senior || p.Admin:
		return true
	case i.Outsider:
		return false
	}
	return a == AccessOpen || a == ""
}
