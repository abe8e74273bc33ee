package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/console"
	"github.com/nastavnik-bot/nastavnik/bot/slack"
	"github.com/nastavnik-bot/nastavnik/bot/telegram"
	"github.com/nastavnik-bot/nastavnik/configs"
	"github.com/nastavnik-bot/nastavnik/health"
)

// connection is a chat platform that the configuration turns on.
type connection struct {
	name     string // in chats, identities and metrics
	title    string // for people
	platform bot.Platform
	// receive takes in what happens there until ctx ends; nil where it comes over HTTP.
	receive func(ctx context.Context) error
	// alone says that of all replicas only one may receive.
	alone bool
	// routes are what the platform calls, by path.
	routes map[string]http.Handler
	// check tells how the platform is, and the name of the bot there.
	check check
	// registry finds people by their addresses; nil where nobody can.
	registry bot.Registry
	// invite makes a link of an invitation's code; nil where links let nobody in.
	invite func(ctx context.Context, code string) (string, error)
}

// connections are the platforms that the configuration turns on; the terminals are
// always there, and are none of them. wake is called when something has come in.
func (a *app) connections(wake func()) (all []connection, err error) {
	for _, connect := range []func(func()) (connection, error){a.connectSlack, a.connectTelegram} {
		c, err := connect(wake)
		if err != nil {
			return nil, err
		}
		if c.name != "" {
			c.platform.Limits = a.paced(c.platform.Limits)
			all = append(all, c)
		}
	}
	return all, nil
}

// paced are limits at the app's pace.
func (a *app) paced(limits func(bot.ChatID) []bot.Limit) func(bot.ChatID) []bot.Limit {
	if a.pace == 0 {
		return limits
	}
	return func(chat bot.ChatID) []bot.Limit {
		all := limits(chat)
		for i := range all {
			all[i].Every = max(1, time.Duration(float64(all[i].Every)*a.pace))
		}
		return all
	}
}

// Where the platforms call, at http.url.
const (
	slackPath    = "/slack"
	telegramPath = "/telegram"
)

// connectSlack returns the Slack that is configured, a zero connection for none.
func (a *app) connectSlack(wake func()) (connection, error) {
	c := a.cfg.Slack
	if c.Token == "" {
		return connection{}, nil
	}
	o := slack.Options{
		Token: c.Token.Reveal(), API: c.API, Core: a.reception(wake), Files: a.contents, Say: a.say, Log: a.log, MaxFile: a.cfg.Files.Bytes(),
	}
	if c.Mode == configs.ModeSocket {
		o.AppToken = c.App.Reveal()
	} else {
		o.Secret = c.Signing.Reveal()
	}
	s := slack.New(o)
	out := connection{name: slack.Platform, title: "Slack", platform: s.Platform(), receive: s.Run, registry: s}
	out.check = func(ctx context.Context) (string, error) {
		name, err := s.Check(ctx)
		if scopes, ok := errors.AsType[*slack.ScopesError](err); ok {
			return name, health.Warn("%s", scopes.Error())
		}
		return name, err
	}
	if c.Mode == configs.ModeHTTP {
		out.routes = map[string]http.Handler{slackPath: s.Handler()}
	}
	return out, nil
}

// connectTelegram returns the Telegram that is configured, a zero connection for none.
func (a *app) connectTelegram(wake func()) (connection, error) {
	c := a.cfg.Telegram
	if c.Token == "" {
		return connection{}, nil
	}
	o := telegram.Options{
		Token: c.Token.Reveal(), Endpoint: c.API, Secret: c.Secret.Reveal(), Language: a.cfg.Language, Say: a.say,
		Inbox: a.reception(wake), Files: a.contents, Log: a.log,
	}
	if c.Mode == configs.ModeWebhook {
		o.Webhook = strings.TrimSuffix(a.cfg.HTTP.URL, "/") + telegramPath
	}
	t, err := telegram.New(o)
	if err != nil {
		return connection{}, fmt.Errorf("%w: telegram: %w", configs.ErrConfig, err)
	}
	out := connection{name: telegram.Platform, title: "Telegram", platform: t.Platform(), receive: t.Run, alone: true, check: t.Check, invite: t.Invitation}
	if !c.Open {
		out.platform.Directory = world{}
	}
	if c.Mode == configs.ModeWebhook {
		out.routes = map[string]http.Handler{telegramPath: t.Webhook()}
	}
	return out, nil
}

// world is the directory of a platform where everybody in the world is.
type world struct{}

// Profile implements bot.Directory.
func (world) Profile(context.Context, string) (bot.Profile, error) {
	return bot.Profile{Outsider: true}, nil
}

// reception is where adapters bring what they hear.
func (a *app) reception(wake func()) bot.Reception {
	r := bot.Reception{Store: a.store, Wake: wake, Admits: a.access().Admits}
	if a.traffic != nil {
		r.Heard = a.traffic.heard
	}
	return r
}

// platforms are what the runner serves.
func platforms(all []connection) map[string]bot.Platform {
	out := map[string]bot.Platform{console.Platform: {Sender: console.Sender{}}}
	for _, c := range all {
		out[c.name] = c.platform
	}
	return out
}

// receiveAgain is how long to wait after receiving has failed.
const receiveAgain = 5 * time.Second

// receive takes in what happens on a platform until ctx ends. A platform that fails
// is tried again: the others have nothing to do with it.
func (a *app) receive(ctx context.Context, c connection, p post) error {
	switch {
	case c.receive == nil:
		return nil
	case c.alone:
		return p.lead(ctx, c.name, func(ctx context.Context) error { a.keepReceiving(ctx, c); return nil })
	}
	a.keepReceiving(ctx, c)
	return nil
}

func (a *app) keepReceiving(ctx context.Context, c connection) {
	for told := ""; ctx.Err() == nil; {
		err := c.receive(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil && err.Error() != told { // once, not with every try
			told = err.Error()
			a.log.ErrorContext(ctx, "receiving from a platform failed", "platform", c.name, "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(receiveAgain):
		}
	}
}

// introduceEvery is how often people whom a platform does not know yet are looked for
// there: somebody may have been added, or have joined the workspace.
const introduceEvery = 10 * time.Minute

// introduce finds people on a platform by their addresses until ctx ends.
func (a *app) introduce(ctx context.Context, c connection, p post) error {
	if c.registry == nil {
		return nil
	}
	return p.lead(ctx, c.name+"/people", func(ctx context.Context) error {
		for ctx.Err() == nil {
			if _, err := a.office().Introduce(ctx, c.name, c.registry); err != nil && ctx.Err() == nil {
				a.log.WarnContext(ctx, "people could not be looked for", "platform", c.name, "err", err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(introduceEvery):
			}
		}
		return nil
	})
}

// platformParts are the platforms as parts of the bot.
func platformParts(all []connection) []health.Part {
	var out []health.Part
	for _, c := range all {
		out = append(out, health.Part{Name: c.name, Title: c.title, Check: c.check})
	}
	return out
}
