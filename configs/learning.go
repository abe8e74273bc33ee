package configs

import "fmt"

// Learning sets how the base learns by itself.
type Learning struct {
	// Picks is how many different people must pick an entry for the same words
	// before the words become its phrasing; 0 means never.
	Picks int `koanf:"picks"`
	// Helped is how many of them must say that it helped; 0 means never.
	Helped int   `koanf:"helped"`
	FAQ    FAQ   `koanf:"faq"`
	Stale  Stale `koanf:"stale"`
}

// FAQ sets when an entry becomes a frequent question.
type FAQ struct {
	// Asks is how many different people must ask it within Days; 0 leaves it to people.
	Asks int `koanf:"asks"`
	Days int `koanf:"days"`
}

// Stale sets which answers are listed for a check.
type Stale struct {
	// Days is the age.
	Days int `koanf:"days"`
	// Share is that of «Не помогло», above 0 and up to 1.
	Share float64 `koanf:"share"`
}

func defaultLearning() Learning {
	return Learning{Picks: 2, Helped: 1, FAQ: FAQ{Asks: 5, Days: 30}, Stale: Stale{Days: 180, Share: 0.3}}
}

// The bounds are wide: they only keep out what is surely a slip.
const (
	maxPeople = 1_000
	maxDays   = 3_650 // ten years
)

func (l Learning) validate(bad func(key, format string, args ...any)) {
	between := func(key string, v, low, high int) {
		if v < low || v > high {
			bad("learning."+key, "от %d до %d, а не %d", low, high, v)
		}
	}
	between("picks", l.Picks, 0, maxPeople)
	between("helped", l.Helped, 0, maxPeople)
	between("faq.asks", l.FAQ.Asks, 0, maxPeople)
	between("faq.days", l.FAQ.Days, 1, maxDays)
	between("stale.days", l.Stale.Days, 1, maxDays)
	if !(l.Stale.Share > 0 && l.Stale.Share <= 1) {
		bad("learning.stale.share", "%s", fmt.Sprintf("больше 0 и до 1, а не %v", l.Stale.Share))
	}
}
