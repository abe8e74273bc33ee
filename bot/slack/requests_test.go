package slack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/slack"
	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

var update = flag.Bool("update", false, "rewrite the golden files from what is made now")

const secret = "signing-secret"

// desks has an app on a stub of the API, and what it brings to the core.
type desks struct {
	t    testing.TB
	api  *stub
	core *desk
	app  *slack.App
	log  *record
	run  func() // lets what goes on in the background come to its end
}

func newDesks(t testing.TB, change ...func(*slack.Options)) *desks {
	t.Helper()
	d := &desks{t: t, api: newStub(t), core: &desk{}, log: &record{}}
	o := slack.Options{
		Token: "xoxb-canary-token", Secret: secret, API: d.api.URL + "/api/", Core: d.core, Say: russian(t), Log: debugLog(d.log),
		Now: func() time.Time { return time.Unix(1700000100, 0) },
	}
	for _, f := range change {
		f(&o)
	}
	d.app = slack.New(o)
	d.run = func() {
		ctx, stop := context.WithCancel(t.Context())
		stop()
		if err := d.app.Run(ctx); err != nil { // which waits for the background
			t.Error(err)
		}
	}
	return d
}

// request signs a body as Slack does.
func signed(contentType string, body []byte, at time.Time) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/slack/events", bytes.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	devenv.SignSlack(r.Header, secret, body, at)
	return r
}

func (d *desks) send(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	d.app.Handler().ServeHTTP(w, r)
	return w
}

const (
	asJSON = "application/json"
	asForm = "application/x-www-form-urlencoded"
)

// deliver sends a part of a golden file as what its name says.
func (d *desks) deliver(name string, body []byte) *httptest.ResponseRecorder {
	d.t.Helper()
	switch kind, _, _ := strings.Cut(name, "."); kind {
	case "event":
		return d.send(signed(asJSON, body, time.Now()))
	case "action":
		body = bytes.ReplaceAll(body, []byte("RESPONSE_URL"), []byte(d.api.URL+"/api/response_url"))
		return d.send(signed(asForm, []byte(url.Values{"payload": {string(body)}}.Encode()), time.Now()))
	case "command":
		var fields map[string]string
		if err := json.Unmarshal(body, &fields); err != nil {
			d.t.Fatal(err)
		}
		form := url.Values{}
		for k, v := range fields {
			form.Set(k, v)
		}
		return d.send(signed(asForm, []byte(form.Encode()), time.Now()))
	}
	d.t.Fatalf("a part called %s", name)
	return nil
}

// transcript says what came of a request.
func (d *desks) transcript(name string, w *httptest.ResponseRecorder) string {
	d.t.Helper()
	d.run()
	var b strings.Builder
	fmt.Fprintf(&b, "# %s → %d %s\n", name, w.Code, strings.TrimSpace(w.Body.String()))
	for _, e := range d.core.taken() {
		kind, payload, err := bot.Encode(e.Body)
		if err != nil {
			d.t.Fatal(err)
		}
		if want := (knowledge.Identity{Platform: "slack", External: e.From.External, Chat: "slack:" + e.From.External}); e.From != want {
			d.t.Errorf("it is from %+v", e.From)
		}
		fmt.Fprintf(&b, "%s from %s in %s: %s\n  key %s\n", kind, e.From.External, e.Chat, compact(d.t, payload), e.Key)
	}
	for _, c := range d.api.taken() {
		b.WriteString("→ " + c.method + "\n")
		for _, k := range slices.Sorted(maps.Keys(c.values)) {
			fmt.Fprintf(&b, "  %s: %s\n", k, compact(d.t, []byte(c.values.Get(k))))
		}
	}
	return b.String()
}

// compact shows JSON on one line, as it is read, and other text as it is.
func compact(t testing.TB, text []byte) string {
	t.Helper()
	if !json.Valid(text) {
		return string(text)
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(b.String())
}

// What Slack sends is in testdata/requests with what comes of it: what is brought to
// the core, what Slack is answered, and what is called.
func TestRequests(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/requests/*.txtar")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			a := txtar.Parse(raw)
			d := newDesks(t)
			d.core.buttons, d.core.form, d.core.home = oldButtons(), bot.Form{Title: "Как „это“ сделать?", Text: "**Так**", Topics: []string{"Сделки", "Отпуск & больничный"}}, startPage()
			var got strings.Builder
			kept := a.Files[:0]
			want := ""
			for _, f := range a.Files {
				if f.Name == "want" {
					want = string(f.Data)
					continue
				}
				got.WriteString(d.transcript(f.Name, d.deliver(f.Name, f.Data)))
				kept = append(kept, f)
			}
			if strings.Contains(d.log.String(), "canary") {
				t.Error("the log has a token")
			}
			if *update {
				a.Files = append(kept, txtar.File{Name: "want", Data: []byte(got.String())})
				if err := os.WriteFile(path, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// oldButtons are those that the messages of the golden files have.
func oldButtons() map[string]bot.OldButton {
	button := func(chat bot.ChatID, id string, verb bot.Verb, taken string) bot.OldButton {
		return bot.OldButton{Button: bot.Button{ID: id, Label: "…", Press: bot.Press{Verb: verb, Question: "q1"}}, Chat: chat, Taken: taken}
	}
	return map[string]bot.OldButton{
		"a.0.0": button("slack:U1", "a.0.0", bot.NotMine, ""),
		"a.1.0": button("slack:U1", "a.1.0", bot.AddDetails, ""),
		"a.1.1": button("slack:U1", "a.1.1", bot.EditAnswer, ""),
		"a.1.3": button("slack:U1", "a.1.3", bot.ChooseTopic, ""),
		"a.1.2": button("slack:U1", "a.1.2", bot.AddDetails, "Дописать"),
		"c.0.0": button("slack:C1/1700000000.000100/U1", "c.0.0", bot.NotMine, ""),
		"c.1.0": button("slack:C1/1700000000.000100/U1", "c.1.0", bot.AddDetails, ""),
	}
}

func startPage() bot.Home {
	return bot.Home{
		Mine: []bot.MyQuestion{
			{Text: "где <отчёт>?", Question: knowledge.Question{ID: "q1", Status: knowledge.InKnowledgeBase}},
			{Text: "как оплатить?", Question: knowledge.Question{ID: "q2", Status: knowledge.AwaitingSenior}},
		},
		FAQ: []bot.Shelf{{Topic: "Сделки", Items: []knowledge.Brief{{ID: "q3", Text: "Как закрыть сделку?"}}}, {Items: []knowledge.Brief{{ID: "q4", Text: "Где касса?"}}}},
	}
}
