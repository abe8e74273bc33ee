package bot

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// decoders read the bodies that the inbox holds, by the names under which it
// holds them. A name is for ever: rows outlive the program that wrote them.
//
//nolint:gochecknoglobals // a table, never written
var decoders = map[string]func([]byte) (Body, error){
	"said": decode[Said], "pressed": decode[Pressed], "ended": decode[Ended],
	"filled": decode[Filled], "edited": decode[Edited], "deleted": decode[Deleted], "opened": decode[Opened], "undelivered": decode[Undelivered],
	"silence": decode[Silence], "due": decode[Due], "morning": decode[Morning], "overdue": decode[Overdue],
	"assigned": decode[Assigned], "task_changed": decode[TaskChanged], "task_gone": decode[TaskGone], "detail": decode[Detail],
	"answer_came": decode[AnswerCame], "handed_on": decode[HandedOn], "dismissed": decode[Dismissed],
	"search": decode[Search], "show": decode[Show], "find_open": decode[FindOpen], "prove": decode[Prove], "guard": decode[Guard],
}

func decode[B Body](payload []byte) (Body, error) {
	var b B
	err := json.Unmarshal(payload, &b)
	return b, err
}

// kindOf names a body: its type's name in lower case with underscores.
func kindOf(b Body) string {
	name := fmt.Sprintf("%T", b)
	name = name[strings.LastIndexByte(name, '.')+1:]
	var out strings.Builder
	for i, r := range name {
		if 'A' <= r && r <= 'Z' {
			if i > 0 {
				out.WriteByte('_')
			}
			r += 'a' - 'A'
		}
		out.WriteRune(r)
	}
	return out.String()
}

// Encode makes a row of a body. Only bodies that the inbox may hold can be encoded.
func Encode(b Body) (kind string, payload []byte, err error) {
	kind = kindOf(b)
	if _, ok := decoders[kind]; !ok {
		return "", nil, fmt.Errorf("encode %T: not for the inbox", b)
	}
	payload, err = json.Marshal(b)
	return kind, payload, err
}

// Decode is the inverse of Encode.
func Decode(kind string, payload []byte) (Body, error) {
	read, ok := decoders[kind]
	if !ok {
		return nil, fmt.Errorf("inbox row of unknown kind %q: written by a newer version?", kind)
	}
	b, err := read(payload)
	if err != nil {
		return nil, fmt.Errorf("inbox row of kind %q: %w", kind, err)
	}
	return b, nil
}

// ButtonID makes the id of a button: short, and meaningless outside the server.
// Telegram allows 64 bytes.
func ButtonID(delivery int64, section, button int) string {
	return strconv.FormatInt(delivery, 36) + "." + strconv.Itoa(section) + "." + strconv.Itoa(button)
}

// parseButtonID is the inverse of ButtonID.
func parseButtonID(id string) (delivery int64, section, button int, ok bool) {
	parts := strings.Split(id, ".")
	if len(parts) != 3 {
		return 0, 0, 0, false
	}
	delivery, err1 := strconv.ParseInt(parts[0], 36, 64)
	section, err2 := strconv.Atoi(parts[1])
	button, err3 := strconv.Atoi(parts[2])
	return delivery, section, button, err1 == nil && err2 == nil && err3 == nil
}
