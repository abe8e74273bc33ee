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
	remark verb = iota // a line of its own in the transcript
	say                // write a message
	press              // press a button
	edit               // change a message that was sent
	erase              // delete one
	block              // no longer let the bot write
	unblock
	leave    // close the terminal
	appear   // be made known, and perhaps a senior
	wait     // let the clock go on
	restart  // close everything and open it again
	again    // deliver the latest event once more
	operator // a command of an administrator
)

// step is one line of a script, with those that continue it.
type step struct {
	line   int    // in the script, from 1
	source string // as it stands there
	verb   verb
	who    string
	senior bool
	text   string // what is said, a button's words, or a command
	to     int    // the number of the message replied to, changed or pressed in; 0 for none
	forged bool   // a button that no message has
	room   string // the room where it happens; "" for the private chat
	files  []string
	album  string
	form   bool // the button asks for words in a form: these
	filled string
	after  time.Duration
}

// What people "say" to do something else than write.
const (
	conversationEnds = "(закрывает чат)"
	blocksBot        = "(блокирует бота)"
	unblocksBot      = "(снова пишет боту)"
	removesBot       = "(удаляет бота из комнаты)"
)

var (
	stepName   = regexp.MustCompile(`^([^:(↩✎✗«]+?)(\s*\((?:сеньор|senior)\))?(?:\s+в\s+«([^»]+)»)?(?:\s*([↩✎✗])\s*(\d+)?)?:(?:\s(.*))?$`)
	stepButton = regexp.MustCompile(`^\[(.+?)\](?:\s*(#(\d+)|\?))?(?:\s*⌨(.*))?$`)
	stepFiles  = regexp.MustCompile(`^(.*?)\s*📎\s*(.+?)(?:\s*\(альбом (\S+)\))?$`)
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
	s := step{who: m[1], senior: m[2] != "", room: m[3], text: m[6]}
	if s.who == "оператор" {
		s.verb = operator
		return s, nil
	}
	if m[5] != "" {
		s.to, _ = strconv.Atoi(m[5])
	}
	switch m[4] {
	case "✎":
		s.verb = edit
		return s, nil
	case "✗":
		s.verb = erase
		return s, nil
	}
	return s.spoken()
}

// spoken tells words from buttons and from the rest of what follows a name.
func (s step) spoken() (step, error) {
	if b := stepButton.FindStringSubmatch(s.text); b != nil {
		s.verb, s.text, s.forged = press, b[1], b[2] == "?"
		s.form, s.filled = strings.Contains(b[0], "⌨"), strings.TrimSpace(b[4])
		if b[3] != "" {
			s.to, _ = strconv.Atoi(b[3])
		}
		return s, nil
	}
	s.verb = say
	if f := stepFiles.FindStringSubmatch(s.text); f != nil {
		s.text, s.files, s.album = f[1], strings.Split(f[2], ", "), f[3]
		return s, nil
	}
	switch {
	case s.text == "":
		s.verb = appear
	case s.text == conversationEnds:
		s.verb = leave
	case s.text == blocksBot, s.text == removesBot:
		s.verb = block
	case s.text == unblocksBot:
		s.verb = unblock
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
