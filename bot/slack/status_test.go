package slack_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/slack"
	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/internal/flaky"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Whoever asks how the app is learns its name, or what to do.
func TestCheck(t *testing.T) {
	t.Parallel()
	d := newDesks(t)
	if name, err := d.app.Check(t.Context()); name != "@nastavnik, Ромашка" || err != nil {
		t.Errorf("%q, %v", name, err)
	}
	for code, want := range map[string]string{
		"invalid_auth":           "OAuth & Permissions",
		"not_authed":             "slack.token (xoxb-…)",
		"not_allowed_token_type": "slack.token (xoxb-…)",
		"token_revoked":          "установите приложение снова",
		"account_inactive":       "установите приложение снова",
		"missing_scope":          "не хватает права chat:write",
		"org_login_required":     "спросите администратора",
		"fatal_error":            "сейчас не работает",
	} {
		d.api.fail("auth.test", code)
		if _, err := d.app.Check(t.Context()); !errors.Is(err, knowledge.ErrAway) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", code, err)
		}
	}
	d.api.answer("auth.test", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>a proxy") })
	if _, err := d.app.Check(t.Context()); !errors.Is(err, knowledge.ErrAway) || !strings.Contains(err.Error(), "Slack не отвечает") {
		t.Errorf("no Slack at all: %v", err)
	}
	d.api.answer("auth.test", nil)
	if _, err := d.app.Check(t.Context()); err != nil {
		t.Errorf("mended: %v", err)
	}
}

// The token of the app is looked at too.
func TestCheckAppToken(t *testing.T) {
	t.Parallel()
	d := newDesks(t, func(o *slack.Options) { o.AppToken = "xapp-canary" })
	if _, err := d.app.Check(t.Context()); err != nil {
		t.Errorf("a good one: %v", err)
	}
	for code, want := range map[string]string{
		"invalid_auth":           "создайте его заново на странице приложения, Basic Information → App-Level Tokens",
		"token_revoked":          "slack.app (xapp-…)",
		"not_allowed_token_type": "slack.app — не токен приложения",
		"missing_scope":          "connections:write",
		"forbidden_team":         "включите Socket Mode",
		"internal_error":         "сейчас не отвечает",
	} {
		d.api.fail("apps.connections.open", code)
		if _, err := d.app.Check(t.Context()); !errors.Is(err, knowledge.ErrAway) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", code, err)
		}
	}
}

// Scopes that the token has not are named before they are needed.
func TestCheckScopes(t *testing.T) {
	t.Parallel()
	d := newDesks(t)
	d.api.answer("auth.test", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Oauth-Scopes", "app_mentions:read,chat:write, commands,files:read,im:history,im:write,users:read")
		_, _ = io.WriteString(w, wellAnswered("auth.test", nil))
	})
	name, err := d.app.Check(t.Context())
	var scopes *slack.ScopesError
	if name == "" || !errors.As(err, &scopes) || !strings.Contains(err.Error(), "не хватает прав files:write, users:read.email:") {
		t.Errorf("%q, %v", name, err)
	}
}

// What is refused to an app at work is told until it goes well, or for an hour.
func TestCheckRemembersRefusals(t *testing.T) {
	t.Parallel()
	now := time.Unix(1700000100, 0)
	d := newDesks(t, func(o *slack.Options) { o.Now = func() time.Time { return now } })
	say := func() {
		_, _ = d.app.Send(t.Context(), bot.Dispatch{Delivery: bot.Delivery{ID: 1, Chat: "slack:U1", Message: bot.Message{Text: "ответ"}}})
	}
	check := func(what string, bad bool) {
		t.Helper()
		if _, err := d.app.Check(t.Context()); (err != nil) != bad {
			t.Errorf("%s: %v", what, err)
		}
	}
	d.api.fail("chat.postMessage", "missing_scope")
	say()
	check("refused", true)
	d.api.fail("chat.postMessage", "channel_not_found")
	say()
	check("another error changes nothing", true)
	d.api.answer("chat.postMessage", nil)
	say()
	check("it went well", false)
	d.api.fail("chat.postMessage", "missing_scope")
	say()
	now = now.Add(2 * time.Hour)
	check("long ago", false)
}

// Of sockets that do not open the log speaks once, and once more when they do; Check
// knows it meanwhile.
func TestSocketsThatDoNotOpenAreLoggedOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false)
	if name, err := o.app.Check(t.Context()); err != nil || name == "" {
		t.Errorf("%q, %v", name, err)
	}
	// The proxy has them open sooner than the bot.
	o.await("the sockets", func() bool { return strings.Count(o.log.String(), "a socket of Slack's is open") == 2 })
	refused := o.proxy.Fail(flaky.Rule{Path: "apps.connections.open", Fault: flaky.SlackError("invalid_auth")})
	o.proxy.CutSockets()
	o.await("refusals", func() bool { return refused.Hits() >= 5 })
	if _, err := o.app.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "slack.app (xapp-…)") {
		t.Errorf("while it is refused: %v", err)
	}
	refused.Lift()
	o.await("the log to say that it is over", func() bool { return strings.Contains(o.log.String(), "are open again") })
	if _, err := o.app.Check(t.Context()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if got := strings.Count(o.log.String(), "does not open"); got != 1 {
		t.Errorf("said %d times:\n%s", got, o.log)
	}
}

// Slack closes sockets at once where Socket Mode is off: that is told, and forgotten
// when they stay open.
func TestSocketsThatAreShut(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false, func(o *slack.Options) { o.Connections = 1 })
	o.await("the log to say so", func() bool {
		if o.proxy.Sockets() > 0 {
			o.sockets.Disconnect("link_disabled")
		}
		return strings.Contains(o.log.String(), "включите Socket Mode")
	})
	if _, err := o.app.Check(t.Context()); !errors.Is(err, knowledge.ErrAway) {
		t.Errorf("while it is shut: %v", err)
	}
	o.await("sockets to stay open", func() bool { _, err := o.app.Check(t.Context()); return err == nil })
	o.peer.Say(devenv.SlackSaying{Channel: "U0ANNA", User: "U0ANNA", Text: known})
	o.awaitText(o.peer.DM("U0ANNA"), "owner", 0)
}
