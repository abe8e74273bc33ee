package configs

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// Senior sets how seniors are treated.
type Senior struct {
	// Silence ends a reply of several messages.
	Silence time.Duration `koanf:"silence"`
	// Later is how long [Позже] puts a question back.
	Later time.Duration `koanf:"later"`
	// Hours are the company's working hours, as "пн-пт 9:00-18:00", in Config.Zone; "" is
	// every hour.
	Hours string `koanf:"hours"`
	// Holidays are days off, as "2026-01-01", "2026-01-01..2026-01-08" or "01-07" for
	// every year, or the paths of files with a day on each line.
	Holidays []string `koanf:"holidays"`
	// Workdays are days that are worked though the week says otherwise.
	Workdays []string `koanf:"workdays"`
	// Limit is how many open questions a senior has at most; 0 means no limit.
	Limit int `koanf:"limit"`
	// Remind is after how much working time a senior is reminded, HandOver after how
	// much a question goes to the next; 0 means never.
	Remind   time.Duration `koanf:"remind"`
	HandOver time.Duration `koanf:"handover"`
}

func defaultSenior() Senior {
	return Senior{Silence: 2 * time.Minute, Later: time.Hour, Holidays: []string{}, Workdays: []string{}, Limit: 5, Remind: 4 * time.Hour, HandOver: 8 * time.Hour}
}

// The bounds are wide: they only keep out what is surely a slip.
const (
	maxLimit   = 1_000
	maxWaiting = 30 * 24 * time.Hour
)

func (s Senior) validate(bad func(key, format string, args ...any)) {
	if s.Silence < time.Second || s.Silence > time.Hour {
		bad("senior.silence", "от 1s до 1h, а не %s", s.Silence)
	}
	if s.Later < time.Minute || s.Later > 7*24*time.Hour {
		bad("senior.later", "от 1m до 168h, а не %s", s.Later)
	}
	if s.Limit < 0 || s.Limit > maxLimit {
		bad("senior.limit", "от 0 (без предела) до %d, а не %d", maxLimit, s.Limit)
	}
	for key, d := range map[string]time.Duration{"senior.remind": s.Remind, "senior.handover": s.HandOver} {
		if !isWaiting(d) {
			bad(key, "0 (никогда) или от 1m до %s рабочего времени, а не %s", maxWaiting, d)
		}
	}
	if s.HandOver > 0 && s.Remind >= s.HandOver {
		bad("senior.handover", "позже напоминания (senior.remind: %s), а не %s", s.Remind, s.HandOver)
	}
}

// isWaiting reports whether d is a time to wait for somebody, or never.
func isWaiting(d time.Duration) bool { return d == 0 || time.Minute <= d && d <= maxWaiting }

// Days returns a list of days with the files among them read: in a file, each line is
// a day, and what follows # a remark.
func Days(list []string) ([]string, error) {
	var out []string
	for _, item := range list {
		item = strings.TrimSpace(item)
		if !isFile(item) {
			out = append(out, item)
			continue
		}
		lines, err := readDays(item)
		if err != nil {
			return nil, err
		}
		out = append(out, lines...)
	}
	return slices.DeleteFunc(out, func(day string) bool { return day == "" }), nil
}

// isFile reports whether an item names a file: days have no letters.
func isFile(item string) bool {
	return strings.ContainsFunc(item, func(r rune) bool { return r > '9' })
}

func readDays(path string) ([]string, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("файла %s нет", path)
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var out []string
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		day, _, _ := strings.Cut(lines.Text(), "#")
		out = append(out, strings.TrimSpace(day))
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("файл %s: %w", path, err)
	}
	return out, nil
}
