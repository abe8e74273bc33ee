package configs

import (
	"net/url"
	"slices"
	"strings"
)

// Slack is the bot's app in a Slack workspace, made of configs/slack-manifest.yaml.
type Slack struct {
	// Token of the bot, xoxb-…; "" for no Slack.
	Token Secret `koanf:"token"`
	// Mode is how Slack reaches the bot: "socket" or "http".
	Mode string `koanf:"mode"`
	// App is the app-level token, xapp-…; for sockets.
	App Secret `koanf:"app"`
	// Secret is the signing secret; for HTTP.
	Secret Secret `koanf:"secret"`
	// Connections is how many sockets one process keeps open.
	Connections int `koanf:"connections"`
	// Access is who may use the bot there: "open", "invitation" or "list".
	Access string `koanf:"access"`
	// API is the address of Slack's API; "" for Slack's own.
	API string `koanf:"api"`
}

func defaultSlack() Slack {
	return Slack{Mode: "socket", Connections: 2, Access: "open"}
}

// maxSockets is Slack's limit for an app,
// https://docs.slack.dev/apis/events-api/using-socket-mode#connections.
const maxSockets = 10

func (c Config) validateSlack(bad func(key, format string, args ...any)) {
	s := c.Slack
	if !slices.Contains([]string{"socket", "http"}, s.Mode) {
		bad("slack.mode", "бывает socket или http, а не %q", s.Mode)
	}
	if !slices.Contains([]string{"open", "invitation", "list"}, s.Access) {
		bad("slack.access", "бывает open, invitation, list, а не %q", s.Access)
	}
	if s.Connections < 1 || s.Connections > maxSockets {
		bad("slack.connections", "от 1 до %d, а не %d", maxSockets, s.Connections)
	}
	if s.API != "" && !isAPI(s.API) {
		bad("slack.api", "нужен вид https://узел/api/, с чертой в конце и без пароля")
	}
	if s.Token == "" {
		if s.App != "" || s.Secret != "" {
			bad("slack.token", "задан не весь Slack: нужен и токен бота, xoxb-…")
		}
		return
	}
	c.validateSlackTokens(bad)
}

func isAPI(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") && u.User == nil && strings.HasSuffix(u.Path, "/")
}

func (c Config) validateSlackTokens(bad func(key, format string, args ...any)) {
	s := c.Slack
	if !strings.HasPrefix(s.Token.Reveal(), "xoxb-") {
		bad("slack.token", "нужен токен бота: он начинается с xoxb- и стоит на странице приложения, OAuth & Permissions")
	}
	switch s.Mode {
	case "socket":
		if !strings.HasPrefix(s.App.Reveal(), "xapp-") {
			bad("slack.app", "для slack.mode: socket нужен токен приложения: он начинается с xapp- и делается на странице приложения, Basic Information → App-Level Tokens, с правом connections:write")
		}
	case "http":
		if s.Secret == "" {
			bad("slack.secret", "для slack.mode: http нужен Signing Secret со страницы приложения, Basic Information")
		}
		if c.HTTP.Listen == "" {
			bad("http.listen", "для slack.mode: http задайте узел:порт, на котором бот принимает запросы Slack")
		}
	}
}
