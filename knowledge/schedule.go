package knowledge

import "time"

// Schedule is when somebody works: the hours of a week in a time zone, without the
// holidays and with the extra working days. Its zero value is always open. What it
// counts are moments, so that a day on which clocks are changed is as long as it is.
type Schedule struct {
	Hours Hours
	// Zone is that of Hours and of the days; nil means UTC.
	Zone *time.Location
	// Holidays are days without working hours. A date of the year 0 is in every year.
	Holidays map[Date]bool
	// Workdays are days that are worked though the week or a holiday says otherwise, at
	// the hours of that weekday, or of the first day that has some.
	Workdays map[Date]bool
}

// Date is a day of the calendar. The year 0 stands for every year.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// dateOf returns the day of a moment in its location.
func dateOf(t time.Time) Date {
	var d Date
	d.Year, d.Month, d.Day = t.Date()
	return d
}

// next returns the day after, or n days after.
func (d Date) next(n int) Date {
	return dateOf(time.Date(d.Year, d.Month, d.Day+n, 12, 0, 0, 0, time.UTC))
}

func (d Date) weekday() time.Weekday {
	return time.Date(d.Year, d.Month, d.Day, 12, 0, 0, 0, time.UTC).Weekday()
}

// among reports whether a set has the day, in this year or in every year.
func (d Date) among(set map[Date]bool) bool {
	return set[d] || set[Date{Month: d.Month, Day: d.Day}]
}

// maxClosed is for how many days in a row without working hours what comes next is
// looked for: longer than a year, so that what is worked once a year is found.
const maxClosed = 400

// Always reports whether the schedule is never closed.
func (s Schedule) Always() bool { return !s.Hours.set && len(s.Holidays) == 0 }

// Open reports whether t is in working hours.
func (s Schedule) Open(t time.Time) bool {
	at := s.Next(t)
	return !at.IsZero() && at.Equal(t)
}

// Next returns when working hours begin: t itself when it is in them, and the zero
// time when none begin for over a year.
func (s Schedule) Next(t time.Time) time.Time {
	at := time.Time{}
	s.walk(t, func(from, _ time.Time) bool {
		at = from
		return false
	})
	return at
}

// Add returns the moment by which d of working time has passed since t: t itself
// without d, and the zero time when that never comes.
func (s Schedule) Add(t time.Time, d time.Duration) time.Time {
	if d <= 0 {
		return t
	}
	if s.Always() {
		return t.Add(d)
	}
	at := time.Time{}
	s.walk(t, func(from, to time.Time) bool {
		if long := to.Sub(from); long < d {
			d -= long
			return true
		}
		at = from.Add(d)
		return false
	})
	return at
}

// Between returns how much working time there is from one moment to another, 0 when
// that is not later.
func (s Schedule) Between(from, to time.Time) time.Duration {
	if !from.Before(to) {
		return 0
	}
	if s.Always() {
		return to.Sub(from)
	}
	sum := time.Duration(0)
	s.walk(from, func(begin, end time.Time) bool {
		if !begin.Before(to) {
			return false
		}
		if end.After(to) {
			end = to
		}
		sum += end.Sub(begin)
		return end.Before(to)
	})
	return sum
}

// walk calls fn for the working hours from t on, in their order and apart from each
// other, until it returns false or none come for maxClosed days.
func (s Schedule) walk(t time.Time, fn func(from, to time.Time) bool) {
	zone := s.Zone
	if zone == nil {
		zone = time.UTC
	}
	// A day earlier: where clocks are changed at midnight, hours may begin before it.
	day := dateOf(t.In(zone)).next(-1)
	for closed := 0; closed < maxClosed; closed++ {
		for _, h := range s.day(day) {
			from, to := h.on(day, zone)
			if from.Before(t) {
				from = t
			}
			if !from.Before(to) {
				continue
			}
			if !fn(from, to) {
				return
			}
			t, closed = to, 0
		}
		day = day.next(1)
	}
}

// day returns the hours of a day.
func (s Schedule) day(d Date) []span {
	switch {
	case d.among(s.Workdays):
		return s.Hours.extra(d.weekday())
	case d.among(s.Holidays):
		return nil
	}
	return s.Hours.of(d.weekday())
}
