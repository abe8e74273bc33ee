package slack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	api "github.com/slack-go/slack"
)

// The kinds of requests, as Socket Mode names them.
const (
	kindEvents   = "events_api"
	kindAction   = "interactive"
	kindCommand  = "slash_commands"
	verification = "url_verification"
)

// errMalformed says that a request cannot be read: Slack does not gain by sending it
// again.
var errMalformed = errors.New("malformed request")

// request is what Slack sends, as far as it is needed; one of the pointers is set.
// slack-go's own types are not used: they refuse a whole message for a block or a field
// that is newer than they are.
type request struct {
	event   *envelope
	action  *action
	command *command
}

// envelope is what surrounds an event, https://docs.slack.dev/apis/events-api.
type envelope struct {
	Type      string          `json:"type"`
	Challenge string          `json:"challenge"` // of url_verification
	Team      string          `json:"team_id"`
	Raw       json.RawMessage `json:"event"`
	inner     inner
}

// inner is an event: a message, or what else is listened to.
type inner struct {
	message

	Tab string `json:"tab"` // of app_home_opened
}

// message is a message, or what has become of one.
type message struct {
	Type        string   `json:"type"`
	Subtype     string   `json:"subtype"`
	Channel     string   `json:"channel"`
	ChannelType string   `json:"channel_type"`
	User        string   `json:"user"`
	BotID       string   `json:"bot_id"`
	Text        string   `json:"text"`
	TS          string   `json:"ts"`
	Thread      string   `json:"thread_ts"`
	ClientID    string   `json:"client_msg_id"`
	DeletedTS   string   `json:"deleted_ts"`
	Files       []file   `json:"files"`
	Edited      *edit    `json:"edited"`
	Now         *message `json:"message"`          // of message_changed
	Before      *message `json:"previous_message"` // of message_changed and message_deleted
}

// edit says when a message was edited.
type edit struct {
	TS string `json:"ts"`
}

// file is a file of a message, https://docs.slack.dev/reference/objects/file-object.
type file struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Title    string `json:"title"`
	Media    string `json:"mimetype"`
	Size     int64  `json:"size"`
	Mode     string `json:"mode"`
	Access   string `json:"file_access"`
	Private  string `json:"url_private"`
	Download string `json:"url_private_download"`
}

// action is a press, a form, or a shortcut,
// https://docs.slack.dev/reference/interaction-payloads.
type action struct {
	Type        string     `json:"type"`
	Callback    string     `json:"callback_id"`
	Trigger     string     `json:"trigger_id"`
	ActionTS    string     `json:"action_ts"`
	ResponseURL string     `json:"response_url"`
	Team        ident      `json:"team"`
	User        ident      `json:"user"`
	Channel     ident      `json:"channel"`
	Container   container  `json:"container"`
	Message     *message   `json:"message"`
	Actions     []pressing `json:"actions"`
	View        *view      `json:"view"`
}

// ident names a workspace, a person or a channel.
type ident struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Username string `json:"username"`
}

// container is where a button stands.
type container struct {
	Type      string `json:"type"`
	MessageTS string `json:"message_ts"`
	ThreadTS  string `json:"thread_ts"`
	Channel   string `json:"channel_id"`
	Ephemeral bool   `json:"is_ephemeral"`
}

// pressing is one press.
type pressing struct {
	ID string `json:"action_id"`
	TS string `json:"action_ts"`
}

// view is a form, or the start page.
type view struct {
	ID       string         `json:"id"`
	Hash     string         `json:"hash"`
	Type     string         `json:"type"`
	Callback string         `json:"callback_id"`
	Private  string         `json:"private_metadata"`
	State    *api.ViewState `json:"state"`
}

// command is a slash command.
type command struct {
	Team     string `json:"team_id"`
	User     string `json:"user_id"`
	UserName string `json:"user_name"`
	Text     string `json:"text"`
	Trigger  string `json:"trigger_id"`
}

// parse reads a request. The error wraps errMalformed.
func parse(kind string, payload []byte) (r request, err error) {
	payload = withoutNull(payload)
	switch kind {
	case kindEvents:
		r.event, err = parseEvent(payload)
	case kindAction:
		r.action = &action{}
		err = json.Unmarshal(payload, r.action)
	case kindCommand:
		r.command = &command{}
		err = json.Unmarshal(payload, r.command)
	default:
		return r, fmt.Errorf("slack: a request of kind %q: %w", kind, errMalformed)
	}
	if err != nil {
		return request{}, fmt.Errorf("slack: %s: %w: %w", kind, errMalformed, err)
	}
	return r, nil
}

// withoutNull takes U+0000 out of JSON: no database takes it, and no person writes it.
func withoutNull(payload []byte) []byte {
	if !bytes.Contains(payload, []byte(`\u0000`)) {
		return payload
	}
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil || d.More() {
		return payload // which is found out again
	}
	out, err := json.Marshal(scrub(v))
	if err != nil {
		return payload
	}
	return out
}

// scrub takes U+0000 out of all texts of a value.
func scrub(v any) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, "\x00", "")
	case []any:
		for i := range v {
			v[i] = scrub(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = scrub(v[k])
		}
	}
	return v
}

func parseEvent(payload []byte) (*envelope, error) {
	var e envelope
	if err := json.Unmarshal(payload, &e); err != nil || len(e.Raw) == 0 {
		return &e, err
	}
	var kind struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(e.Raw, &kind); err != nil {
		return &e, err
	}
	e.inner.Type = kind.Type
	switch kind.Type {
	case "message", "app_mention", "app_home_opened":
		return &e, json.Unmarshal(e.Raw, &e.inner)
	}
	return &e, nil // of a shape that nobody needs
}

// parseForm reads what comes over HTTP as a form.
func parseForm(body []byte) (request, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return request{}, fmt.Errorf("slack: form: %w: %w", errMalformed, err)
	}
	if payload := form.Get("payload"); payload != "" {
		return parse(kindAction, []byte(payload))
	}
	if form.Get("ssl_check") != "" { // Slack looks whether the address is there, and says nothing
		return request{}, nil
	}
	if form.Get("command") == "" {
		return request{}, fmt.Errorf("slack: a form that is neither an action nor a command: %w", errMalformed)
	}
	get := func(key string) string {
		return strings.ReplaceAll(strings.ToValidUTF8(form.Get(key), "\uFFFD"), "\x00", "")
	}
	return request{command: &command{
		Team: get("team_id"), User: get("user_id"), UserName: get("user_name"), Text: get("text"), Trigger: get("trigger_id"),
	}}, nil
}

// whose returns the person whose doing a request is, "" for nobody's.
func (r request) whose() string {
	switch {
	case r.action != nil:
		return r.action.User.ID
	case r.command != nil:
		return r.command.User
	case r.event == nil:
		return ""
	}
	m := r.event.inner.message
	switch {
	case m.Now != nil:
		return m.Now.User
	case m.Before != nil:
		return m.Before.User
	}
	return m.User
}
