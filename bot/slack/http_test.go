package slack_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/slack"
	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

const question = `{"type":"event_callback","team_id":"T1","event":{"type":"message","channel_type":"im","channel":"D1","user":"U1","ts":"1700000000.000100","text":"как?"}}`

// Nobody but Slack is believed, and Slack only for five minutes.
func TestForgedRequests(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(*http.Request)
		body  string
		want  int
	}{
		"not signed":     {spoil: func(r *http.Request) { r.Header.Del("X-Slack-Signature") }, want: 401},
		"without a time": {spoil: func(r *http.Request) { r.Header.Del("X-Slack-Request-Timestamp") }, want: 401},
		"another secret": {spoil: func(r *http.Request) { devenv.SignSlack(r.Header, "guess", []byte(question), time.Now()) }, want: 401},
		"no secret":      {spoil: func(r *http.Request) { devenv.SignSlack(r.Header, "", []byte(question), time.Now()) }, want: 401},
		"another body":   {body: strings.Replace(question, "U1", "U2", 1), spoil: func(r *http.Request) { devenv.SignSlack(r.Header, secret, []byte(question), time.Now()) }, want: 401},
		"another time":   {spoil: func(r *http.Request) { r.Header.Set("X-Slack-Request-Timestamp", fmt.Sprint(time.Now().Unix()-1)) }, want: 401},
		"old": {spoil: func(r *http.Request) {
			devenv.SignSlack(r.Header, secret, []byte(question), time.Now().Add(-6*time.Minute))
		}, want: 401},
		"of tomorrow": {spoil: func(r *http.Request) {
			devenv.SignSlack(r.Header, secret, []byte(question), time.Now().Add(24*time.Hour))
		}, want: 401},
		"no time at all":     {spoil: func(r *http.Request) { r.Header.Set("X-Slack-Request-Timestamp", "now") }, want: 401},
		"signature of v1":    {spoil: func(r *http.Request) { swap(r, "v0=", "v1=") }, want: 401},
		"signature too long": {spoil: func(r *http.Request) { r.Header.Set("X-Slack-Signature", r.Header.Get("X-Slack-Signature")+"00") }, want: 401},
		"empty signature":    {spoil: func(r *http.Request) { r.Header.Set("X-Slack-Signature", "v0=") }, want: 401},
		"too large":          {body: `{"x":"` + strings.Repeat("а", 1<<20) + `"}`, want: 413},
		"a little late": {spoil: func(r *http.Request) {
			devenv.SignSlack(r.Header, secret, []byte(question), time.Now().Add(-4*time.Minute))
		}, want: 200},
		"GET": {spoil: func(r *http.Request) { r.Method = http.MethodGet }, want: 405},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesks(t)
			body := question
			if c.body != "" {
				body = c.body
			}
			r := signed(asJSON, []byte(body), time.Now())
			if c.spoil != nil {
				c.spoil(r)
			}
			if w := d.send(r); w.Code != c.want {
				t.Errorf("it is answered %d, want %d", w.Code, c.want)
			}
			if got := len(d.core.taken()); got != btoi(c.want == 200) {
				t.Errorf("%d events came of it", got)
			}
		})
	}
}

func swap(r *http.Request, old, with string) {
	r.Header.Set("X-Slack-Signature", strings.Replace(r.Header.Get("X-Slack-Signature"), old, with, 1))
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Without a secret nothing can be signed: everything is refused.
func TestNoSecretRefusesAll(t *testing.T) {
	t.Parallel()
	d := newDesks(t, func(o *slack.Options) { o.Secret = "" })
	r := signed(asJSON, []byte(question), time.Now())
	devenv.SignSlack(r.Header, "", []byte(question), time.Now())
	if w := d.send(r); w.Code != 401 {
		t.Errorf("it is answered %d", w.Code)
	}
}

// A request that is replayed within its five minutes changes nothing.
func TestReplayedRequest(t *testing.T) {
	t.Parallel()
	d := newDesks(t)
	for range 3 {
		if w := d.send(signed(asJSON, []byte(question), time.Now())); w.Code != 200 {
			t.Fatalf("it is answered %d", w.Code)
		}
	}
	if got := len(d.core.taken()); got != 1 {
		t.Errorf("%d events came of it, want 1", got)
	}
}

// What could not be stored is not acknowledged, and taken when it comes again: that it
// is a retry is no reason to take it for known.
func TestRetriesAreNotDropped(t *testing.T) {
	t.Parallel()
	for _, down := range []struct {
		what      string
		breaks    func(*desks)
		recovered func(*desks)
	}{
		{"the store is away", func(d *desks) { d.core.breaks(fmt.Errorf("disk: %w", knowledge.ErrAway)) }, func(d *desks) { d.core.breaks(nil) }},
		{"Slack's API is away", func(d *desks) { d.api.fail("auth.test", "fatal_error") }, func(d *desks) { d.api.answer("auth.test", nil) }},
	} {
		t.Run(down.what, func(t *testing.T) {
			t.Parallel()
			d := newDesks(t)
			down.breaks(d)
			if w := d.send(signed(asJSON, []byte(question), time.Now())); w.Code != 503 {
				t.Fatalf("the first is answered %d", w.Code)
			}
			down.recovered(d)
			again := signed(asJSON, []byte(question), time.Now())
			again.Header.Set("X-Slack-Retry-Num", "1")
			again.Header.Set("X-Slack-Retry-Reason", "http_error")
			if w := d.send(again); w.Code != 200 {
				t.Fatalf("the second is answered %d", w.Code)
			}
			if got := len(d.core.taken()); got != 1 {
				t.Errorf("%d events came of it", got)
			}
		})
	}
}

// A form that cannot be opened is no reason to lose the press.
func TestFormThatDoesNotOpen(t *testing.T) {
	t.Parallel()
	for what, breaks := range map[string]func(*desks){
		"too late":                      func(d *desks) { d.api.fail("views.open", "expired_trigger_id") },
		"no answer":                     func(d *desks) { d.api.answer("views.open", hangUp) },
		"an answer too long for a form": func(d *desks) { d.core.form = bot.Form{Text: strings.Repeat("ё", 3001)} },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			d := newDesks(t)
			d.core.buttons = oldButtons()
			breaks(d)
			body := `{"type":"block_actions","team":{"id":"T1"},"user":{"id":"U1"},"trigger_id":"1","container":{"type":"message","message_ts":"1700000000.000200","channel_id":"D1"},"actions":[{"action_id":"a.1.1","action_ts":"1"}]}`
			if w := d.deliver("action", []byte(body)); w.Code != 200 {
				t.Fatalf("it is answered %d", w.Code)
			}
			events := d.core.taken()
			if len(events) != 1 {
				t.Fatalf("%d events came of it", len(events))
			}
			if p, ok := events[0].Body.(bot.Pressed); !ok || p.ID != "a.1.1" {
				t.Errorf("it is %+v", events[0].Body)
			}
		})
	}
}

// Slack looks from time to time whether a slash command's address is there,
// https://docs.slack.dev/interactivity/implementing-slash-commands.
func TestSlackLooksAtTheAddress(t *testing.T) {
	t.Parallel()
	d := newDesks(t)
	if w := d.send(signed(asForm, []byte("token=x&ssl_check=1"), time.Now())); w.Code != http.StatusOK || len(d.core.taken()) != 0 {
		t.Errorf("answered %d", w.Code)
	}
}

// A press that could be neither shown a form nor stored is not taken for one that was,
// when it comes again.
func TestPressAgainAfterAForm(t *testing.T) {
	t.Parallel()
	d := newDesks(t)
	d.core.buttons = oldButtons()
	d.api.fail("views.open", "internal_error")
	body := []byte(`{"type":"block_actions","team":{"id":"T1"},"user":{"id":"U1"},"trigger_id":"1","container":{"type":"message","message_ts":"1700000000.000200","channel_id":"D1"},"actions":[{"action_id":"a.1.1","action_ts":"1"}]}`)
	d.core.breaks(errors.New("full"))
	if w := d.deliver("action", body); w.Code == http.StatusOK {
		t.Fatal("it is taken though nothing was stored")
	}
	d.core.breaks(nil)
	if w := d.deliver("action", body); w.Code != http.StatusOK || len(d.core.taken()) != 1 {
		t.Errorf("it is answered %d and lost", w.Code)
	}
}

// hangUp ends a connection without an answer.
func hangUp(_ http.ResponseWriter, _ *http.Request) {
	panic(http.ErrAbortHandler)
}

// Slack sends a token's end once; whoever looks for the reason finds it in the log.
func TestRevokedTokensAreLogged(t *testing.T) {
	t.Parallel()
	d := newDesks(t)
	d.send(signed(asJSON, []byte(`{"type":"event_callback","team_id":"T1","event":{"type":"tokens_revoked"}}`), time.Now()))
	if got := d.log.String(); !strings.Contains(got, "level=ERROR") || !strings.Contains(got, "slack.token") {
		t.Errorf("the log has %q", got)
	}
}
