package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/internal/flaky"
)

// slackRoom is the channel of everybody.
const slackRoom = "C0SUPPORT"

// slackVenue is a workspace.
type slackVenue struct {
	t       testing.TB
	http    bool // signed requests instead of sockets
	peer    *devenv.SlackPeer
	proxy   *flaky.Proxy
	sockets *flaky.SlackSockets // nil over HTTP

	mu  sync.Mutex
	dms map[string]string // the channel of somebody's direct messages
}

// newSlackVenue starts a workspace with people, all of whom are in the channel. What
// the bot has sent is held against Slack's own validators in the end.
func newSlackVenue(t testing.TB, http bool, people ...human) *slackVenue {
	t.Helper()
	w := devenv.SlackWorkspace{HTTP: http, Channels: []devenv.SlackChannel{{ID: slackRoom, Name: "support"}}}
	for _, h := range people {
		id := "U0" + h.key
		w.Users = append(w.Users, devenv.SlackUser{ID: id, Name: strings.ToLower(h.key), RealName: h.name, Email: h.email(), TZ: "Europe/Moscow"})
		w.Channels[0].Members = append(w.Channels[0].Members, id)
	}
	v := &slackVenue{t: t, http: http, peer: devenv.Slack(t, w), dms: map[string]string{}}
	v.proxy = flaky.New(t, "http://"+v.peer.Addr)
	if !http {
		v.sockets = v.proxy.SlackSockets(v.peer.AppToken)
	}
	t.Cleanup(v.validate)
	return v
}

func (v *slackVenue) platform() string        { return "slack" }
func (v *slackVenue) external(h human) string { return "U0" + h.key }
func (v *slackVenue) room() string            { return slackRoom }

func (v *slackVenue) settings(string) map[string]any {
	s := map[string]any{"token": v.peer.BotToken, "api": v.proxy.URL + "/api/"}
	if v.http {
		s["mode"], s["signing"] = "http", v.peer.SigningSecret
	} else {
		s["app"] = v.peer.AppToken
	}
	return s
}

func (v *slackVenue) served(listen string) {
	if v.http {
		var again []time.Duration // an event that was not taken
		for wait := 20 * time.Millisecond; wait < 20*time.Second; wait *= 2 {
			again = append(again, wait)
		}
		v.peer.PointAt(devenv.SlackTarget{Events: "http://" + listen + slackPath, Through: v.proxy.Addr, Retries: again})
	}
}

func (v *slackVenue) lost() int {
	if v.sockets == nil {
		return 0
	}
	return v.sockets.Lost()
}

// dm is the channel in which somebody talks with the bot.
func (v *slackVenue) dm(h human) string {
	v.t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.dms[h.key] == "" {
		v.dms[h.key] = v.peer.DM(v.external(h))
	}
	return v.dms[h.key]
}

func (v *slackVenue) in(h human, room string) string {
	v.t.Helper()
	if room != "" {
		return room
	}
	return v.dm(h)
}

// saying is a message beneath a note: in its thread, which it begins itself if it
// stands in none.
func (v *slackVenue) saying(h human, room, text string, beneath *note) devenv.SlackSaying {
	v.t.Helper()
	s := devenv.SlackSaying{Channel: v.in(h, room), User: v.external(h), Text: text}
	if beneath != nil {
		if s.Thread = beneath.under; s.Thread == "" {
			s.Thread = beneath.id
		}
	}
	return s
}

func (v *slackVenue) say(h human, room, text string, beneath *note) string {
	v.t.Helper()
	if room != "" && beneath == nil {
		text = "<@" + v.peer.BotUserID + "> " + text
	}
	return v.peer.Say(v.saying(h, room, text, beneath))
}

func (v *slackVenue) send(h human, text string, f attached, beneath *note) string {
	v.t.Helper()
	return v.peer.Upload(v.saying(h, "", text, beneath), devenv.SlackUpload{Name: f.name, Content: f.content})
}

func (v *slackVenue) edit(h human, id, text string) {
	v.t.Helper()
	v.peer.Edit(v.dm(h), id, v.external(h), text)
}

func (v *slackVenue) press(h human, n note, label string) {
	v.t.Helper()
	m := n.raw.(devenv.SlackMessage)
	v.peer.Press(m, v.external(h), slackButtons(v.t, m)[label])
}

func (v *slackVenue) notes(h human, room string) (out []note) {
	v.t.Helper()
	for _, m := range v.peer.Messages(v.in(h, room)) {
		if m.BotID == "" && m.User != v.peer.BotUserID || m.EphemeralTo != "" && m.EphemeralTo != v.external(h) {
			continue
		}
		n := note{in: m.Channel, id: m.TS, text: m.Text + "\n" + slackText(m.Blocks), raw: m}
		if m.Thread != m.TS {
			n.under = m.Thread
		}
		for l := range slackButtons(v.t, m) {
			n.labels = append(n.labels, l)
		}
		slices.Sort(n.labels)
		if len(m.Files) > 0 {
			n.file = m.Files[0].Title
		}
		out = append(out, n)
	}
	return out
}

func (v *slackVenue) content(n note) []byte {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, n.raw.(devenv.SlackMessage).Files[0].URLPrivate, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+v.peer.BotToken)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	all, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		v.t.Fatalf("read a file of the bot's: %s, %v", response.Status, err)
	}
	return all
}

// slackButtons are the ids of a message's buttons by their labels.
func slackButtons(t testing.TB, m devenv.SlackMessage) map[string]string {
	t.Helper()
	buttons, err := m.Buttons()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, b := range buttons {
		var text struct{ Text string }
		if err := json.Unmarshal(b.Text, &text); err != nil {
			t.Fatal(err)
		}
		out[text.Text] = b.ActionID
	}
	return out
}

// slackText is all that can be read in blocks but on buttons, without marks of emphasis.
func slackText(blocks json.RawMessage) string {
	var b strings.Builder
	var walk func(any)
	walk = func(x any) {
		switch x := x.(type) {
		case []any:
			for _, e := range x {
				walk(e)
			}
		case map[string]any:
			if x["type"] == "button" {
				return
			}
			if s, ok := x["text"].(string); ok {
				b.WriteString(s)
			}
			for _, k := range []string{"text", "elements", "fields", "rows"} {
				if _, ok := x[k].(string); !ok {
					walk(x[k])
				}
			}
			if x["type"] != "text" {
				b.WriteByte('\n')
			}
		}
	}
	var all any
	if len(blocks) > 0 && json.Unmarshal(blocks, &all) == nil {
		walk(all)
	}
	return b.String()
}

// validate holds everything that the bot has sent against the validators of Slack's
// own people.
func (v *slackVenue) validate() {
	var blocks, views []json.RawMessage
	for _, r := range v.proxy.Requests("*") {
		a, err := r.Arguments()
		if err != nil {
			continue // the contents of a file
		}
		if b := a.Values["blocks"]; b != "" {
			blocks = append(blocks, json.RawMessage(b))
		}
		if b := a.Values["view"]; b != "" {
			views = append(views, json.RawMessage(b))
		}
	}
	check := func(what string, all []json.RawMessage, wrong []error) {
		for i, err := range wrong {
			if err != nil {
				v.t.Errorf("the bot has sent %s that Slack does not take: %v\n%s", what, err, all[i])
			}
		}
	}
	if len(blocks) == 0 {
		v.t.Error("the bot has sent no blocks")
		return
	}
	ctx := lasting{v.t}
	check("blocks", blocks, devenv.ValidateBlocks(ctx, blocks...))
	check("views", views, devenv.ValidateViews(ctx, views...))
}

// lasting is a test whose context lasts while it is cleaned up after.
type lasting struct{ testing.TB }

// Context returns one that does not end.
func (lasting) Context() context.Context { return context.Background() }
