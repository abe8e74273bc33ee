package bottest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Rules are how a company of a script works.
type Rules struct {
	Routing knowledge.Routing
	Access  knowledge.Access
}

// parseRules reads lines of «name: value».
func parseRules(text string) (r Rules, err error) {
	r.Routing.Hours.Zone = moscow()
	for l := range strings.Lines(text) {
		if strings.TrimSpace(l) == "" {
			continue
		}
		name, value, _ := strings.Cut(l, ":")
		if err := r.set(strings.TrimSpace(name), strings.TrimSpace(value)); err != nil {
			return r, fmt.Errorf("rule %q: %w", strings.TrimSpace(l), err)
		}
	}
	return r, nil
}

func (r *Rules) set(name, value string) (err error) {
	switch name {
	case "limit":
		r.Routing.Limit, err = strconv.Atoi(value)
	case "hours":
		r.Routing.Hours.Hours, err = knowledge.ParseHours(value)
	case "holidays":
		r.Routing.Hours.Holidays, err = parseDays(value)
	case "workdays":
		r.Routing.Hours.Workdays, err = parseDays(value)
	case "remind":
		r.Routing.Remind, err = time.ParseDuration(value)
	case "hand over":
		r.Routing.HandOver, err = time.ParseDuration(value)
	case "access":
		r.Access = knowledge.Access(value)
	default:
		err = fmt.Errorf("there are limit, hours, holidays, workdays, remind, hand over and access")
	}
	return err
}

// parseDays reads days that differ from their week.
func parseDays(text string) (map[knowledge.Date]bool, error) {
	all, err := knowledge.ParseDates(text)
	out := map[knowledge.Date]bool{}
	for _, d := range all {
		out[d] = true
	}
	return out, err
}
