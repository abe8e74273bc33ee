package bottest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// verb says what a step of a script does.
type verb int

const (
	remark   verb = iota // a line of its own in the transcript
	say                  // write a message
	press                // press a button
	leave                // close the terminal
	appear               // be made known, and perhaps a senior
	wait                 // let the clock go on
	restart              // close everything and open it again
	again                // deliver the latest event once more
	operator             // a command of an administrator
)

// step is one line of a script, with those that continue it.
type step struct {
	line   int    // in the script, from 1
	source string // as it stands there
	verb   verb
	who    string
	senior bool
	text   string // what is said, a button's words, or a command
	to     int    // the number of the message replied to or pressed in; 0 for none
	forged bool   // a button that no message has
	after  time.Duration
}

// conversationEnds is what a person "says" to close their terminal.
const conversationEnds = "(закрывает чат)"

var (
	stepName   = regexp.MustCompile(`^([^:(↩]+?)(\s*\((?:сеньор|senior)\))?(?:\s*↩\s*(\d+))?:(?:\s(.*))?$`)
	stepButton = regexp.MustCompile(`^\[(.+)\](?:\s*(#(\d+)|\?))?$`)
	stepTimes  = regexp.MustCompile(`^(".*")\s*×\s*(\d+)$`)
)

// parse reads a script. The error names the line.
func parse(script string) ([]step, error) {
	var out []step
	for i, l := range strings.Split(script, "\n") {
		switch {
		case strings.TrimSpace(l) == "":
			continue
		case strings.HasPrefix(l, "  ") && len(out) > 0:
			last := &out[len(out)-1]
			last.source += "\n" + l
			last.text += "\n" + strings.TrimPrefix(l, "  ")
			continue
		}
		s, err := parseStep(l)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		s.line, s.source = i+1, l
		out = append(out, s)
	}
	return out, nil
}

func parseStep(l string) (step, error) {
	switch {
	case strings.HasPrefix(l, "#"):
		return step{verb: remark}, nil
	case strings.HasPrefix(l, "+"):
		d, err := time.ParseDuration(l[1:])
		if err != nil {
			return step{}, fmt.Errorf("%q is no time to wait, such as +2m or +1h30m", l)
		}
		return step{verb: wait, after: d}, nil
	case l == "restart":
		return step{verb: restart}, nil
	case l == "again":
		return step{verb: again}, nil
	}
	m := stepName.FindStringSubmatch(l)
	if m == nil {
		return step{}, fmt.Errorf("%q is neither «Name: text» nor a command", l)
	}
	s := step{who: m[1], senior: m[2] != "", text: m[4]}
	if s.who == "оператор" {
		s.verb = operator
		return s, nil
	}
	if m[3] != "" {
		s.to, _ = strconv.Atoi(m[3])
	}
	return s.spoken()
}

// spoken tells words from buttons and from the rest of what follows a name.
func (s step) spoken() (step, error) {
	if b := stepButton.FindStringSubmatch(s.text); b != nil {
		s.verb, s.text, s.forged = press, b[1], b[2] == "?"
		if b[3] != "" {
			s.to, _ = strconv.Atoi(b[3])
		}
		return s, nil
	}
	s.verb = say
	switch {
	case s.text == "":
		s.verb = appear
	case s.text == conversationEnds:
		s.verb = leave
	case strings.HasPrefix(s.text, `"`):
		return s.quoted()
	}
	return s, nil
}

// quoted reads "text" as Go does, and "text" × N.
func (s step) quoted() (step, error) {
	times := 1
	if m := stepTimes.FindStringSubmatch(s.text); m != nil {
		s.text = m[1]
		times, _ = strconv.Atoi(m[2])
	}
	text, err := strconv.Unquote(s.text)
	if err != nil {
		return s, fmt.Errorf("%s: %w", s.text, err)
	}
	s.text = strings.Repeat(text, times)
	return s, nil
}
