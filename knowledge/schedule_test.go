package knowledge_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func hours(t testing.TB, text string) knowledge.Hours {
	t.Helper()
	h, err := knowledge.ParseHours(text)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func days(t testing.TB, texts ...string) map[knowledge.Date]bool {
	t.Helper()
	out := map[knowledge.Date]bool{}
	for _, text := range texts {
		dates, err := knowledge.ParseDates(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range dates {
			out[d] = true
		}
	}
	return out
}

// People write hours in many ways; each of a group means the same.
func TestHoursAsPeopleWriteThem(t *testing.T) {
	week := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC) // a Monday
	for _, group := range [][]string{
		{"Mon-Fri 09:00-18:00", "пн-пт 9-18", "Пн–Пт 9:00 – 18:00", "будни 9.00-18.00", "пн вт ср чт пт 9-18", "mon, tue, wed-fri: 9-18", "понедельник - пятница 09:00-18:00", "weekdays 9-13 13-18"},
		{"", "24/7", "ежедневно 0-24", "daily 0:00-24:00", "0-24"},
		{"пн-пт 9-13 14-18, сб 10-14", "сб 10-14; пн-пт 14-18 9-13"},
		{"вс-вт 22-6", "Sun-Tue 22:00-06:00", "вс,пн,вт 22-24; пн,вт,ср 0-6"},
		{"9-18", "пн-вс 9-18", "ежедневно 9:00-18:00"},
	} {
		want := knowledge.Schedule{Hours: hours(t, group[0])}
		for _, text := range group[1:] {
			got := knowledge.Schedule{Hours: hours(t, text)}
			for at := week; at.Before(week.AddDate(0, 0, 8)); at = at.Add(30 * time.Minute) {
				if got.Open(at) != want.Open(at) {
					t.Errorf("%q and %q differ on %s", group[0], text, at.Format("Mon 15:04"))
					break
				}
			}
		}
	}
}

func TestHoursThatMeanNothing(t *testing.T) {
	for _, text := range []string{"пн-пт", "9", "9-25", "пн-пт 9-18 сб", "пн-абв 9-18", "18:60-19", "9-9", "с утра", "24-6", "-9-18", "9-18-20", "пн-пт-сб 9-18"} {
		if _, err := knowledge.ParseHours(text); !errors.Is(err, knowledge.ErrInvalid) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"", "вчера", "2026-02-30", "2026-01-08..2026-01-01", "2026-01-01..2028-01-01", "32.01", "01-01..2026-01-08"} {
		if _, err := knowledge.ParseDates(text); !errors.Is(err, knowledge.ErrInvalid) {
			t.Errorf("day %q: %v", text, err)
		}
	}
}

func TestDatesAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]int{
		"2026-01-01": 1, "01.01.2026": 1, "01-07": 1, "07.01": 1, "2026-01-01..2026-01-08": 8, "01-01 .. 01-08": 8, "12-30..01-02": 4, "29.02": 1,
	} {
		got, err := knowledge.ParseDates(text)
		if err != nil || len(got) != want {
			t.Errorf("%q: %v, %v; want %d days", text, got, err, want)
		}
	}
}

// A senior of Moscow who works from nine to six, through the Russian holidays of
// January and a Saturday that is worked instead of a Monday.
func TestScheduleCountsWorkingTime(t *testing.T) {
	moscow := zone(t, "Europe/Moscow")
	s := knowledge.Schedule{
		Hours: hours(t, "пн-пт 9-18"), Zone: moscow,
		Holidays: days(t, "2026-01-01..2026-01-11", "05-09"),
		Workdays: days(t, "2026-02-21"),
	}
	at := func(text string) time.Time {
		out, err := time.ParseInLocation("2006-01-02 15:04", text, moscow)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, c := range []struct {
		from string
		add  time.Duration
		want string
	}{
		{"2026-03-12 10:00", 4 * time.Hour, "2026-03-12 14:00"},
		{"2026-03-12 16:00", 4 * time.Hour, "2026-03-13 11:00"},
		{"2026-03-13 17:00", 8 * time.Hour, "2026-03-16 16:00"}, // over a weekend
		{"2026-03-14 12:00", time.Hour, "2026-03-16 10:00"},     // on a Saturday
		{"2026-03-12 09:00", 9 * time.Hour, "2026-03-12 18:00"}, // a whole day
		{"2025-12-31 17:00", 2 * time.Hour, "2026-01-12 10:00"}, // over the holidays
		{"2026-02-20 17:00", 2 * time.Hour, "2026-02-21 10:00"}, // the Saturday is worked
		{"2027-05-07 17:00", 2 * time.Hour, "2027-05-10 10:00"}, // the ninth of May of any year
		{"2026-03-12 03:00", 0, "2026-03-12 03:00"},
	} {
		if got := s.Add(at(c.from), c.add); !got.Equal(at(c.want)) {
			t.Errorf("%s and %s of work: %s, want %s", c.from, c.add, got.In(moscow), c.want)
		}
	}
	if got := s.Between(at("2026-03-13 17:00"), at("2026-03-16 16:00")); got != 8*time.Hour {
		t.Errorf("over a weekend there are %s", got)
	}
	if got := s.Next(at("2026-01-01 10:00")); !got.Equal(at("2026-01-12 09:00")) {
		t.Errorf("after the holidays work begins %s", got)
	}
	if !s.Open(at("2026-03-12 09:00")) || s.Open(at("2026-03-12 18:00")) || s.Open(at("2026-05-08 08:59")) {
		t.Error("hours begin with their beginning and end before their end")
	}
}

// A day on which clocks are changed has an hour less or more.
func TestScheduleOverClockChanges(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	all := knowledge.Schedule{Hours: hours(t, "0-24"), Zone: berlin}
	nights := knowledge.Schedule{Hours: hours(t, "22-6"), Zone: berlin}
	for day, want := range map[string][2]time.Duration{"2026-03-29": {23, 7}, "2026-10-25": {25, 9}, "2026-10-20": {24, 8}} {
		from, err := time.ParseInLocation("2006-01-02", day, berlin)
		if err != nil {
			t.Fatal(err)
		}
		to := from.AddDate(0, 0, 1)
		if got := all.Between(from, to); got != want[0]*time.Hour {
			t.Errorf("%s has %s", day, got)
		}
		if got := nights.Between(from.Add(-6*time.Hour), from.Add(12*time.Hour)); got != want[1]*time.Hour {
			t.Errorf("the night to %s has %s", day, got)
		}
	}
}

func TestScheduleWithoutWorkingHours(t *testing.T) {
	never := knowledge.Schedule{Hours: hours(t, "вс 9-10"), Holidays: map[knowledge.Date]bool{}}
	for _, d := range dates(t, "01-01..12-31") {
		never.Holidays[d] = true
	}
	now := time.Date(2026, 3, 12, 10, 0, 0, 0, time.UTC)
	if !never.Next(now).IsZero() || !never.Add(now, time.Hour).IsZero() || never.Open(now) || never.Between(now, now.AddDate(3, 0, 0)) != 0 {
		t.Error("it opens")
	}
	never.Workdays = days(t, "2027-02-01") // a Monday, over 300 days later: Sunday's hours
	if got := never.Next(now); !got.Equal(time.Date(2027, 2, 1, 9, 0, 0, 0, time.UTC)) {
		t.Errorf("it opens %s", got)
	}
}

func dates(t testing.TB, text string) []knowledge.Date {
	t.Helper()
	out, err := knowledge.ParseDates(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Whatever the hours, in whatever zone, over whatever change of clocks: working time
// that is added is what there is between, opening is the end of being closed, and
// nothing goes back.
func TestScheduleProperties(t *testing.T) {
	zones := []string{"UTC", "Europe/Moscow", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "America/Santiago", "Africa/Cairo", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Beirut", "America/Havana"}
	texts := []string{"", "пн-пт 9-18", "0-24", "пн-пт 9-13 14-18, сб 10-14", "22-6", "вс 0-1", "пт-пн 23:30-0:30", "сб 2-3"}
	rapid.Check(t, func(t *rapid.T) {
		z, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		h, err := knowledge.ParseHours(rapid.SampledFrom(texts).Draw(t, "hours"))
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC)
		moment := func(name string) time.Time {
			return begin.Add(time.Duration(rapid.Int64Range(0, 20*365*24*60).Draw(t, name)) * time.Minute)
		}
		from := moment("from")
		s := knowledge.Schedule{Hours: h, Zone: z, Holidays: map[knowledge.Date]bool{}, Workdays: map[knowledge.Date]bool{}}
		for range rapid.IntRange(0, 3).Draw(t, "holidays") {
			y, m, d := from.AddDate(0, 0, rapid.IntRange(-2, 10).Draw(t, "day")).Date()
			set := s.Holidays
			if rapid.Bool().Draw(t, "worked") {
				set = s.Workdays
			}
			set[knowledge.Date{Year: y, Month: m, Day: d}] = true
		}
		work := time.Duration(rapid.Int64Range(1, 40*60).Draw(t, "work")) * time.Minute
		more := time.Duration(rapid.Int64Range(1, 40*60).Draw(t, "more")) * time.Minute
		to := s.Add(from, work)
		switch {
		case to.Before(from.Add(work)):
			t.Fatalf("%s of work end %s, before they can", work, to)
		case s.Between(from, to) != work:
			t.Fatalf("%s of work end %s, and there are %s until then", work, to, s.Between(from, to))
		case !s.Add(to, more).Equal(s.Add(from, work+more)):
			t.Fatalf("%s and %s of work are not both together", work, more)
		}
		next := s.Next(from)
		switch {
		case next.Before(from), !s.Open(next):
			t.Fatalf("from %s on it opens %s, and is open then: %t", from, next, s.Open(next))
		case s.Open(from) != next.Equal(from):
			t.Fatal("what is open has not to open")
		case s.Between(from, next) != 0:
			t.Fatalf("there are %s of work before it opens", s.Between(from, next))
		}
		middle := from.Add(time.Duration(rapid.Int64Range(0, int64(to.Sub(from)/time.Second)).Draw(t, "middle")) * time.Second)
		if s.Between(from, middle)+s.Between(middle, to) != work {
			t.Fatalf("the parts until and after %s are not the whole", middle)
		}
	})
}

func FuzzParseHours(f *testing.F) {
	for _, text := range []string{"", "пн-пт 9:00-18:00, сб 10-14", "24/7", "Mon–Fri 9 - 18", "вс-вт 22-6", "-", "пн", "9-18-"} {
		f.Add(text)
	}
	now := time.Date(2026, 3, 12, 10, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		h, err := knowledge.ParseHours(text)
		if err != nil {
			if !errors.Is(err, knowledge.ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		if (knowledge.Schedule{Hours: h}).Next(now).IsZero() {
			t.Errorf("%q is taken, and is never", text)
		}
	})
}
