package devenv

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"slices"
)

// A SlackSaying is what a person writes.
type SlackSaying struct {
	Channel string `json:"channel"` // a channel's id, or a person's: then it is their direct messages with the bot
	User    string `json:"user"`
	Text    string `json:"text"`
	Thread  string `json:"thread_ts,omitempty"`
}

// A SlackUpload is a file that a person sends.
type SlackUpload struct {
	Name    string
	Content []byte
}

// A SlackMessage is a message as the workspace keeps it.
type SlackMessage struct {
	TS          string          `json:"ts"`
	Thread      string          `json:"thread_ts"`
	Channel     string          `json:"channel"`
	Subtype     string          `json:"subtype"` // "ephemeral", "file_share"
	User        string          `json:"user"`
	BotID       string          `json:"bot_id"` // of the bot's own
	Text        string          `json:"text"`
	Blocks      json.RawMessage `json:"blocks"`
	EphemeralTo string          `json:"ephemeral_to"`
	Files       []SlackFile     `json:"files"`
	Reactions   []SlackReaction `json:"reactions"`
	Edited      *struct{ TS string }
}

// A SlackFile is a file of a message.
type SlackFile struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Title      string `json:"title"`
	Size       int64  `json:"size"` // bytes
	Mimetype   string `json:"mimetype"`
	URLPrivate string `json:"url_private"` // answers to the bot's token only
}

// A SlackReaction is an emoji at a message.
type SlackReaction struct {
	Name  string   `json:"name"`
	Users []string `json:"users"`
}

// A SlackAction is something to press in a message, or what was chosen there.
type SlackAction struct {
	Type           string          `json:"type"`
	ActionID       string          `json:"action_id"`
	BlockID        string          `json:"block_id,omitempty"`
	Value          string          `json:"value,omitempty"`
	Text           json.RawMessage `json:"text,omitempty"`
	SelectedOption json.RawMessage `json:"selected_option,omitempty"`
}

// A SlackLogEntry is one step of the traffic between the peer and the bot.
type SlackLogEntry struct {
	Direction string          `json:"direction"` // "to_bot", "from_bot", "internal"
	Kind      string          `json:"kind"`      // "web_api", "events_api", "interactive", "slash_commands", "ack", "socket", "files"
	Summary   string          `json:"summary"`   // of web_api: the method
	Detail    json.RawMessage `json:"detail"`    // of web_api: the arguments
}

// Control calls a method of the peer's own interface, such as "message", with a body.
// It may be called from any goroutine. Those that deliver something return once the
// bot has acknowledged it: by socket after five seconds at the latest, over HTTP when
// the bot has answered. An event for a bot whose socket is not there is dropped.
func (p *SlackPeer) Control(ctx context.Context, method string, body, answer any) error {
	verb := http.MethodPost
	if body == nil {
		verb = http.MethodGet
	}
	if err := callJSON(ctx, verb, "http://"+p.Addr+"/_control/"+method, body, answer); err != nil {
		return fmt.Errorf("tell the Slack peer %s: %w", method, err)
	}
	return nil
}

func (p *SlackPeer) must(err error) {
	p.tb.Helper()
	if err != nil {
		p.tb.Fatal(err)
	}
}

func (p *SlackPeer) control(method string, body, answer any) {
	p.tb.Helper()
	p.must(p.Control(p.tb.Context(), method, body, answer))
}

// Say has a person write a message and returns its ts. A mention of the bot is
// "<@" + BotUserID + ">", and comes to it as two events.
func (p *SlackPeer) Say(s SlackSaying) (ts string) {
	p.tb.Helper()
	var answer struct{ Message SlackMessage }
	p.control("message", s, &answer)
	return answer.Message.TS
}

// Upload has a person send files with a text and returns the ts of their message.
func (p *SlackPeer) Upload(s SlackSaying, files ...SlackUpload) (ts string) {
	p.tb.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range map[string]string{"channel": s.Channel, "user": s.User, "text": s.Text, "thread_ts": s.Thread} {
		p.must(form.WriteField(name, value))
	}
	for _, f := range files {
		w, err := form.CreateFormFile("file", f.Name)
		p.must(err)
		_, err = w.Write(f.Content)
		p.must(err)
	}
	p.must(form.Close())
	request, err := http.NewRequestWithContext(p.tb.Context(), http.MethodPost, "http://"+p.Addr+"/_control/upload", &body)
	p.must(err)
	request.Header.Set("Content-Type", form.FormDataContentType())
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	p.must(err)
	defer response.Body.Close()
	var answer struct {
		OK      bool
		Error   string
		Message SlackMessage
	}
	p.must(json.NewDecoder(response.Body).Decode(&answer))
	if !answer.OK {
		p.tb.Fatalf("upload to the Slack peer: %s", answer.Error)
	}
	return answer.Message.TS
}

// Edit has a person change their message.
func (p *SlackPeer) Edit(channel, ts, user, text string) {
	p.tb.Helper()
	p.control("edit-message", map[string]string{"channel": channel, "ts": ts, "user": user, "text": text}, nil)
}

// Delete has a person take their message back.
func (p *SlackPeer) Delete(channel, ts, user string) {
	p.tb.Helper()
	p.control("delete-message", map[string]string{"channel": channel, "ts": ts, "user": user}, nil)
}

// React has a person put an emoji to a message, or take it away.
func (p *SlackPeer) React(channel, ts, user, emoji string, present bool) {
	p.tb.Helper()
	p.control("reaction", map[string]any{"channel": channel, "ts": ts, "user": user, "name": emoji, "present": present}, nil)
}

// Command has a person give a slash command; the slash belongs to it.
func (p *SlackPeer) Command(channel, user, command, text string) {
	p.tb.Helper()
	p.control("command", map[string]string{"channel": channel, "user": user, "command": command, "text": text}, nil)
}

// Act sends what a person did in a message, whether it offers that or not.
func (p *SlackPeer) Act(channel, ts, user string, action SlackAction) {
	p.tb.Helper()
	p.control("interact", map[string]any{"channel": channel, "messageTs": ts, "user": user, "action": action}, nil)
}

// Press has a person press a button that the message must have.
func (p *SlackPeer) Press(m SlackMessage, user, actionID string) {
	p.tb.Helper()
	buttons, err := m.Buttons()
	p.must(err)
	i := slices.IndexFunc(buttons, func(a SlackAction) bool { return a.ActionID == actionID })
	if i < 0 {
		p.tb.Fatalf("the message has no button %s: %s", actionID, m.Blocks)
	}
	p.Act(m.Channel, m.TS, user, buttons[i])
}

// Buttons returns the buttons of a message in their order, wherever they stand.
func (m SlackMessage) Buttons() ([]SlackAction, error) {
	var blocks []struct {
		BlockID   string `json:"block_id"`
		Elements  json.RawMessage
		Accessory *SlackAction
	}
	if len(m.Blocks) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(m.Blocks, &blocks); err != nil {
		return nil, fmt.Errorf("read the blocks of message %s: %w", m.TS, err)
	}
	var found []SlackAction
	for _, b := range blocks {
		var elements []SlackAction
		_ = json.Unmarshal(b.Elements, &elements) // elements of other blocks are of other shapes
		if b.Accessory != nil {
			elements = append(elements, *b.Accessory)
		}
		for _, e := range elements {
			if e.Type == "button" {
				e.BlockID = b.BlockID
				found = append(found, e)
			}
		}
	}
	return found, nil
}

// DM returns the channel of a person's direct messages with the bot, which is made
// when it is not there.
func (p *SlackPeer) DM(user string) (channel string) {
	p.tb.Helper()
	var state struct {
		Channels []struct {
			ID      string
			IsIM    bool `json:"is_im"`
			Members []string
		}
	}
	p.control("state", nil, &state)
	for _, c := range state.Channels {
		if c.IsIM && slices.Contains(c.Members, user) && slices.Contains(c.Members, p.BotUserID) {
			return c.ID
		}
	}
	var opened struct{ Channel struct{ ID string } }
	p.must(callJSON(p.tb.Context(), http.MethodPost, p.APIURL+"conversations.open", map[string]string{"users": user}, &opened))
	return opened.Channel.ID
}

// Messages returns all that stands in a channel, threads and ephemeral messages
// included, oldest first.
func (p *SlackPeer) Messages(channel string) []SlackMessage {
	p.tb.Helper()
	var answer struct{ Messages []SlackMessage }
	p.control("messages/"+channel, nil, &answer)
	return answer.Messages
}

// Await returns what stands in a channel as soon as done says that it is enough.
func (p *SlackPeer) Await(channel, what string, done func([]SlackMessage) bool) []SlackMessage {
	p.tb.Helper()
	var messages []SlackMessage
	await(p.tb, what, func() bool {
		messages = p.Messages(channel)
		return done(messages)
	})
	return messages
}

// Log returns the last 1,000 steps between the peer and the bot, oldest first.
func (p *SlackPeer) Log() []SlackLogEntry {
	p.tb.Helper()
	var answer struct{ Log []SlackLogEntry }
	p.control("log", nil, &answer)
	return answer.Log
}

// Calls returns the arguments of the bot's calls of a method, as far as the log has
// them, oldest first.
func (p *SlackPeer) Calls(method string) []json.RawMessage {
	p.tb.Helper()
	var found []json.RawMessage
	for _, e := range p.Log() {
		if e.Kind == "web_api" && e.Direction == "from_bot" && e.Summary == method {
			found = append(found, e.Detail)
		}
	}
	return found
}

// Reset forgets messages, direct messages, files, views and the log. The bot's
// sockets stay.
func (p *SlackPeer) Reset() {
	p.tb.Helper()
	p.control("reset", struct{}{}, nil)
}
