package configs

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Slack is the bot in a Slack workspace.
type Slack struct {
	// Token of the bot, xoxb-…; "" turns Slack off.
	Token Secret `koanf:"token"`
	// Mode is how events come: "socket" or "http".
	Mode string `koanf:"mode"`
	// App is the token of the app, xapp-…, for mode socket.
	App Secret `koanf:"app"`
	// Signing is the secret by which Slack signs requests, for mode http.
	Signing Secret `koanf:"signing"`
	// API is the address of Slack's API; "" for Slack's own.
	API string `koanf:"api"`
}

// Telegram is the bot in Telegram.
type Telegram struct {
	// Token of the bot, as @BotFather gives it; "" turns Telegram off.
	Token Secret `koanf:"token"`
	// Mode is how updates come: "polling" or "webhook".
	Mode string `koanf:"mode"`
	// Secret is what Telegram shows at the webhook; "" for one made of the token.
	Secret Secret `koanf:"secret"`
	// Open lets everybody in whom Config.Access lets in; else those alone who were
	// invited or added, as all the world is in Telegram.
	Open bool `koanf:"open"`
	// API is the address of Telegram's API; "" for Telegram's own.
	API string `koanf:"api"`
}

// The ways in which events come.
const (
	ModeSocket  = "socket"
	ModeHTTP    = "http"
	ModePolling = "polling"
	ModeWebhook = "webhook"
)

var (
	telegramToken  = regexp.MustCompile(`^[0-9]{1,20}:[A-Za-z0-9_-]{1,128}$`)
	telegramSecret = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`) // https://core.telegram.org/bots/api#setwebhook
)

func (c Config) validatePlatforms(bad func(key, format string, args ...any)) {
	c.validateSlack(bad)
	c.validateTelegram(bad)
}

func (c Config) validateSlack(bad func(key, format string, args ...any)) {
	s := c.Slack
	if !slices.Contains([]string{ModeSocket, ModeHTTP}, s.Mode) {
		bad("slack.mode", "бывает socket или http, а не %q", s.Mode)
	}
	if !isAddress(s.API) {
		bad("slack.api", "нужен вид https://узел/api/")
	}
	if s.Token == "" {
		return
	}
	if !strings.HasPrefix(s.Token.Reveal(), "xoxb-") {
		bad("slack.token", "это токен бота, он начинается с xoxb- (OAuth & Permissions в настройках приложения)")
	}
	switch {
	case s.Mode == ModeSocket && !strings.HasPrefix(s.App.Reveal(), "xapp-"):
		bad("slack.app", "для slack.mode: socket нужен токен приложения, он начинается с xapp- (Basic Information → App-Level Tokens)")
	case s.Mode == ModeHTTP && s.Signing == "":
		bad("slack.signing", "для slack.mode: http нужен Signing Secret (Basic Information)")
	case s.Mode == ModeHTTP && c.HTTP.Listen == "":
		bad("http.listen", "для slack.mode: http бот должен слушать HTTP: задайте адрес")
	}
}

func (c Config) validateTelegram(bad func(key, format string, args ...any)) {
	t := c.Telegram
	if !slices.Contains([]string{ModePolling, ModeWebhook}, t.Mode) {
		bad("telegram.mode", "бывает polling или webhook, а не %q", t.Mode)
	}
	if !isAddress(t.API) {
		bad("telegram.api", "нужен вид https://узел")
	}
	if t.Token == "" {
		return
	}
	if !telegramToken.MatchString(t.Token.Reveal()) {
		bad("telegram.token", "токен имеет вид 123456:AA…, его даёт @BotFather")
	}
	if t.Secret != "" && !telegramSecret.MatchString(t.Secret.Reveal()) {
		bad("telegram.secret", "от 1 до 256 латинских букв, цифр, _ и -")
	}
	if t.Mode == ModeWebhook && (c.HTTP.Listen == "" || c.HTTP.URL == "") {
		bad("http.url", "для telegram.mode: webhook задайте http.listen и http.url, адрес https://…, по которому Telegram найдёт бота")
	}
}

// isAddress reports whether s is an address for HTTP without a password, or none.
func isAddress(s string) bool {
	if s == "" {
		return true
	}
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") && u.User == nil
}
