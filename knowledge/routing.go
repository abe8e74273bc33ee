package knowledge

import "time"

// Routing sets how questions are given to seniors. Its zero value gives anybody any
// number at any hour, and neither reminds nor hands over.
type Routing struct {
	// Limit is how many open questions a senior has at most; the others wait in a
	// queue. 0 means no limit.
	Limit int
	// Hours are the company's.
	Hours Schedule
	// Remind is after how much of a senior's working time they are reminded, HandOver
	// after how much a question goes to the next. 0 means never.
	Remind, HandOver time.Duration
}

// Schedule returns the working hours of a person: their own where they have some, in
// their own time zone, with the company's holidays.
func (r Routing) Schedule(p Person) Schedule {
	s := r.Hours
	if h, err := ParseHours(p.Hours); err == nil && p.Hours != "" {
		s.Hours = h
	}
	if p.Zone != "" {
		if z, err := time.LoadLocation(p.Zone); err == nil {
			s.Zone = z
		}
	}
	return s
}

// RemindAt returns when a senior is to be reminded of what they have had since from;
// zero for never.
func (r Routing) RemindAt(senior Person, from time.Time) time.Time {
	return r.after(senior, from, r.Remind)
}

// HandOverAt returns when what a senior has had since from is to go to the next one;
// zero for never.
func (r Routing) HandOverAt(senior Person, from time.Time) time.Time {
	return r.after(senior, from, r.HandOver)
}

func (r Routing) after(senior Person, from time.Time, d time.Duration) time.Time {
	if d <= 0 {
		return time.Time{}
	}
	return r.Schedule(senior).Add(from, d)
}
