package knowledge

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Hours are the working hours of a week. The zero value is every hour.
type Hours struct {
	set  bool
	week [7][]span // by time.Weekday; sorted, apart from each other
}

// span is a part of a day, in minutes after its midnight; to is at most those of a day.
type span struct{ from, to int }

// dayMinutes is a day's length on a clock.
const dayMinutes = 24 * 60

// on returns the moments of a span on a day. A moment that clocks leave out is the one
// that they show instead.
func (p span) on(d Date, zone *time.Location) (from, to time.Time) {
	return time.Date(d.Year, d.Month, d.Day, 0, p.from, 0, 0, zone), time.Date(d.Year, d.Month, d.Day, 0, p.to, 0, 0, zone)
}

// of returns the hours of a weekday.
func (h Hours) of(w time.Weekday) []span {
	if !h.set {
		return []span{{0, dayMinutes}}
	}
	return h.week[w]
}

// extra returns the hours of a day of this weekday that is worked all the same.
func (h Hours) extra(w time.Weekday) []span {
	for i := range 7 {
		if own := h.of((w + time.Weekday(i)) % 7); len(own) > 0 {
			return own
		}
	}
	return nil
}

// ParseHours reads working hours as people write them: "Mon-Fri 09:00-18:00",
// "пн-пт 9-13 14-18, сб 10-14", "будни 22:00-6", "9-18" for every day, "24/7". The
// empty text is every hour. The error wraps ErrInvalid and shows an example.
func ParseHours(text string) (Hours, error) {
	var h Hours
	var days []time.Weekday
	timed := true // the days have got their hours
	for _, word := range hourWords(text) {
		if more, ok := parseDays(word); ok {
			if timed {
				days, timed = nil, false
			}
			days = append(days, more...)
			continue
		}
		p, ok := parseSpan(word)
		if !ok {
			return Hours{}, fmt.Errorf("часы %q: непонятно %q; пример: пн-пт 9:00-18:00, сб 10-14: %w", text, word, ErrInvalid)
		}
		if days == nil {
			days = everyDay()
		}
		for _, d := range days {
			h.add(d, p)
		}
		h.set, timed = true, true
	}
	if !timed {
		return Hours{}, fmt.Errorf("часы %q: у дней нет часов; пример: пн-пт 9:00-18:00: %w", text, ErrInvalid)
	}
	h.settle()
	return h, nil
}

// hourWords splits what people write into days and hours.
func hourWords(text string) []string {
	text = strings.NewReplacer("–", "-", "—", "-", "−", "-", "ё", "е").Replace(strings.ToLower(text))
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\n,;", r) })
	var out []string
	for i, word := range words { // a dash may stand apart
		if n := len(out) - 1; n >= 0 && (strings.HasPrefix(word, "-") || strings.HasSuffix(words[i-1], "-")) {
			out[n] += word
			continue
		}
		out = append(out, word)
	}
	return out
}

func everyDay() []time.Weekday {
	return []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday, time.Sunday}
}

// dayNames are the names of the days from Monday on, without their dots.
func dayNames() [7][]string {
	return [7][]string{
		{"пн", "понедельник", "mo", "mon", "monday"},
		{"вт", "вторник", "tu", "tue", "tues", "tuesday"},
		{"ср", "среда", "we", "wed", "wednesday"},
		{"чт", "четверг", "th", "thu", "thur", "thurs", "thursday"},
		{"пт", "пятница", "fr", "fri", "friday"},
		{"сб", "суббота", "sa", "sat", "saturday"},
		{"вс", "воскресенье", "su", "sun", "sunday"},
	}
}

// parseDays reads a day, a range of days or a word for several.
func parseDays(word string) ([]time.Weekday, bool) {
	switch strings.TrimSuffix(word, ":") {
	case "ежедневно", "каждый", "daily":
		return everyDay(), true
	case "будни", "weekdays":
		return everyDay()[:5], true
	case "выходные", "weekend", "weekends":
		return everyDay()[5:], true
	}
	first, last, isRange := strings.Cut(word, "-")
	from, ok := parseDay(first)
	if !ok || !isRange {
		return []time.Weekday{from}, ok
	}
	to, ok := parseDay(last)
	if !ok {
		return nil, false
	}
	out := []time.Weekday{from}
	for d := from; d != to; {
		d = (d + 1) % 7
		out = append(out, d)
	}
	return out, true
}

func parseDay(name string) (time.Weekday, bool) {
	name = strings.TrimRight(name, ".:")
	for i, names := range dayNames() {
		if slices.Contains(names, name) {
			return time.Weekday((i + 1) % 7), true
		}
	}
	return 0, false
}

// parseSpan reads hours as 9-18 or 09:00-18:30. What ends before it begins ends on the
// next day.
func parseSpan(word string) (span, bool) {
	if word == "24/7" || word == "24" {
		return span{0, dayMinutes}, true
	}
	first, last, ok := strings.Cut(word, "-")
	from, okFrom := parseClock(first)
	to, okTo := parseClock(last)
	if !ok || !okFrom || !okTo || from == to || from == dayMinutes {
		return span{}, false
	}
	if to < from {
		to += dayMinutes
	}
	return span{from, to}, true
}

// parseClock reads a time of the day as minutes.
func parseClock(text string) (int, bool) {
	first, last, _ := strings.Cut(strings.Replace(text, ".", ":", 1), ":")
	if len(first) > 2 || len(last) != 2 && first != text {
		return 0, false
	}
	hours, err := strconv.ParseUint(first, 10, 8)
	if err != nil {
		return 0, false
	}
	minutes, err := strconv.ParseUint(cmp.Or(last, "0"), 10, 8)
	if err != nil || minutes >= 60 {
		return 0, false
	}
	at := int(hours)*60 + int(minutes)
	return at, at <= dayMinutes
}

// add adds hours to a day, and what is after midnight to the next one.
func (h *Hours) add(d time.Weekday, p span) {
	h.week[d] = append(h.week[d], span{p.from, min(p.to, dayMinutes)})
	if p.to > dayMinutes {
		next := (d + 1) % 7
		h.week[next] = append(h.week[next], span{0, p.to - dayMinutes})
	}
}

// settle sorts the hours of the days and joins those that meet.
func (h *Hours) settle() {
	for d, all := range h.week {
		slices.SortFunc(all, func(a, b span) int { return cmp.Compare(a.from, b.from) })
		var apart []span
		for _, p := range all {
			if n := len(apart); n > 0 && p.from <= apart[n-1].to {
				apart[n-1].to = max(apart[n-1].to, p.to)
				continue
			}
			apart = append(apart, p)
		}
		h.week[d] = apart
	}
}

// maxRange bounds a range of dates: longer than a year is a slip.
const maxRange = 366

// ParseDates reads days of the calendar: "2026-01-01", "01.01.2026", a range
// "2026-01-01..2026-01-08", or without a year, "05-09" or "09.05", for every year. The
// error wraps ErrInvalid.
func ParseDates(text string) ([]Date, error) {
	first, last, isRange := strings.Cut(text, "..")
	from, err := parseDate(first)
	if err != nil || !isRange {
		return []Date{from}, err
	}
	to, err := parseDate(last)
	if err != nil {
		return nil, err
	}
	everyYear := from.Year == 0 && to.Year == 0
	if everyYear {
		from.Year, to.Year = leap, leap
		if to.Month < from.Month || to.Month == from.Month && to.Day < from.Day {
			to.Year++ // over the new year
		}
	}
	var out []Date
	for d := from; len(out) < maxRange; d = d.next(1) {
		if out = append(out, d); everyYear {
			out[len(out)-1].Year = 0
		}
		if d == to {
			return out, nil
		}
	}
	return nil, fmt.Errorf("дни %q: конец не позже начала на год: %w", text, ErrInvalid)
}

// leap is a year that has every day.
const leap = 2024

func parseDate(text string) (Date, error) {
	text = strings.TrimSpace(text)
	for _, layout := range []string{"2006-01-02", "02.01.2006"} {
		if t, err := time.Parse(layout, text); err == nil {
			return dateOf(t), nil
		}
	}
	for _, layout := range []string{"2006-01-02", "2006-02.01"} {
		if t, err := time.Parse(layout, strconv.Itoa(leap)+"-"+text); err == nil {
			d := dateOf(t)
			d.Year = 0
			return d, nil
		}
	}
	return Date{}, fmt.Errorf("день %q: непонятен; пример: 2026-01-01, или 01-07 для каждого года: %w", text, ErrInvalid)
}
