package slack_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// stub answers calls of the API for what the peer cannot do, and writes them down.
type stub struct {
	*httptest.Server

	mu      sync.Mutex
	calls   []call
	answers map[string]func(w http.ResponseWriter, r *http.Request) // by method; nil answers well
}

type call struct {
	method string
	values url.Values
}

func newStub(t testing.TB) *stub {
	t.Helper()
	s := &stub{answers: map[string]func(http.ResponseWriter, *http.Request){}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// ServeHTTP implements http.Handler.
func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := strings.TrimPrefix(r.URL.Path, "/api/")
	s.mu.Lock()
	answer := s.answers[method]
	s.mu.Unlock()
	if strings.HasPrefix(r.URL.Path, "/api/") {
		s.note(method, r)
	}
	if answer != nil {
		answer(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, wellAnswered(method, r.Form))
}

func (s *stub) note(method string, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Form, _ = url.ParseQuery(string(body))
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		r.Form = url.Values{"json": {string(body)}}
	}
	r.Form.Del("token")
	s.mu.Lock()
	defer s.mu.Unlock()
	if method != "auth.test" {
		s.calls = append(s.calls, call{method, r.Form})
	}
}

func wellAnswered(method string, form url.Values) string {
	switch method {
	case "auth.test":
		return `{"ok":true,"team":"Ромашка","team_id":"T1","user":"nastavnik","user_id":"U0BOT","bot_id":"B0BOT"}`
	case "apps.connections.open":
		return `{"ok":true,"url":"wss://example.com/link?ticket=1"}`
	case "users.info":
		return fmt.Sprintf(`{"ok":true,"user":{"id":%q,"team_id":"T1","name":"x","profile":{"real_name":"Имя %[1]s"}}}`, form.Get("user"))
	case "conversations.open":
		return fmt.Sprintf(`{"ok":true,"channel":{"id":"D%s"}}`, form.Get("users"))
	case "chat.postMessage":
		return fmt.Sprintf(`{"ok":true,"channel":%q,"ts":"1700000000.000900"}`, form.Get("channel"))
	case "chat.postEphemeral":
		return `{"ok":true,"message_ts":"1700000000.000901"}`
	}
	return `{"ok":true}`
}

// fail makes a method answer with an error of the API's.
func (s *stub) fail(method, code string) {
	s.answer(method, func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"ok": false, "error": code, "needed": "chat:write"})
	})
}

func (s *stub) answer(method string, with func(http.ResponseWriter, *http.Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[method] = with
}

// taken returns the calls so far and forgets them.
func (s *stub) taken() []call {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}

func (s *stub) methods() []string {
	var out []string
	for _, c := range s.taken() {
		out = append(out, c.method)
	}
	return out
}

// desk is a core that keeps what is posted, by key as the inbox does.
type desk struct {
	mu      sync.Mutex
	events  []bot.Event
	keys    map[string]bool
	buttons map[string]bot.OldButton
	form    bot.Form
	home    bot.Home
	err     error // of Post
}

func (d *desk) Post(_ context.Context, events ...bot.Event) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return d.err
	}
	if d.keys == nil {
		d.keys = map[string]bool{}
	}
	for _, e := range events {
		d.keep(e)
	}
	return nil
}

// keep does what bot.Post does with keys.
func (d *desk) keep(e bot.Event) {
	twin := e.Alias != "" && d.keys[e.Alias]
	again := d.keys[e.Key]
	d.keys[e.Alias], d.keys[e.Key] = true, true
	switch {
	case twin:
	case !again:
		d.events = append(d.events, e)
	case e.Again != nil:
		d.keep(*e.Again)
	}
}

func (d *desk) Button(_ context.Context, id string) (bot.OldButton, error) {
	b, ok := d.buttons[id]
	if !ok {
		return b, fmt.Errorf("button: %w", knowledge.ErrNotFound)
	}
	return b, nil
}

func (d *desk) Form(context.Context, bot.Button) (bot.Form, error) { return d.form, nil }

func (d *desk) Home(context.Context, knowledge.Identity) (bot.Home, error) { return d.home, nil }

// taken returns what was posted so far and forgets it, but not the keys.
func (d *desk) taken() []bot.Event {
	d.mu.Lock()
	defer d.mu.Unlock()
	events := d.events
	d.events = nil
	return events
}

func (d *desk) breaks(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}
