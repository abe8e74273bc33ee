package configs_test

import (
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/configs"
)

func TestSlackIsChecked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"mode":                      {"slack: {mode: rtm}", "slack.mode"},
		"access":                    {"slack: {access: everybody}", "slack.access"},
		"no sockets":                {"slack: {connections: 0}", "slack.connections"},
		"too many sockets":          {"slack: {connections: 11}", "slack.connections"},
		"api without slash":         {"slack: {api: 'https://slack.com/api'}", "slack.api"},
		"app without bot":           {"slack: {app: xapp-1}", "slack.token"},
		"another token":             {"slack: {token: xoxp-1, app: xapp-1}", "slack.token"},
		"socket without app":        {"slack: {token: xoxb-1}", "slack.app"},
		"tokens the wrong way":      {"slack: {token: xapp-1, app: xoxb-1}", "slack.app"},
		"http without secret":       {"slack: {token: xoxb-1, mode: http}\nhttp: {listen: ':80'}", "slack.secret"},
		"http without an address":   {"slack: {token: xoxb-1, mode: http, secret: s}", "http.listen"},
		"password in the API's url": {"slack: {api: 'https://u:p@host/'}", "slack.api"},
	} {
		if _, err := configs.Load(write(t, c.text), nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error that names %s", name, err, c.want)
		}
	}
	for _, good := range []string{
		"slack: {token: xoxb-1, app: xapp-1}",
		"slack: {token: xoxb-1, mode: http, secret: s}\nhttp: {listen: ':8080'}",
		"slack: {api: 'http://127.0.0.1:1/api/', access: list}",
	} {
		if _, err := configs.Load(write(t, good), nil); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
}

func TestSlackSecretsAreSecrets(t *testing.T) {
	t.Parallel()
	c, err := configs.Load(write(t, "slack: {token: xoxb-тайна, app: xapp-тайна, secret: тайна}"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Secrets(); len(got) != 3 {
		t.Errorf("%d secrets, want 3", len(got))
	}
	if yaml, err := c.YAML(); err != nil || strings.Contains(yaml, "тайна") {
		t.Errorf("it is shown: %s, %v", yaml, err)
	}
}
