package devenv

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// localSlackVersion is that of the peer, as slackpeer/package.json has it.
const localSlackVersion = "0.1.8"

// loopbackOnly keeps the peer on this machine.
//
//go:embed slackpeer/loopback.js
var loopbackOnly []byte

// A SlackWorkspace is what a Slack peer begins with. Ids are of capital letters and
// digits and begin with U and C.
type SlackWorkspace struct {
	Users    []SlackUser
	Channels []SlackChannel
	// HTTP has the peer send signed requests to where PointAt says; otherwise it
	// speaks Socket Mode.
	HTTP bool
}

// A SlackUser is somebody in the workspace.
type SlackUser struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	RealName string `json:"real_name,omitempty"`
	Email    string `json:"email,omitempty"`
	TZ       string `json:"tz,omitempty"` // as in Europe/Moscow; the peer's tz_offset stays 0
	IsBot    bool   `json:"is_bot,omitempty"`
}

// A SlackChannel is a channel, of which the bot is a member unless WithoutBot is set.
type SlackChannel struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Private    bool     `json:"is_private,omitempty"`
	Members    []string `json:"members"`
	WithoutBot bool     `json:"-"`
}

// A SlackPeer is a third party's Slack for one test: local-slack, which keeps
// everything in memory. Killed and started again it has forgotten all but its
// configuration. What it cannot do stands in docs/testing.md.
//
// Its methods end the test on errors of the peer itself; they belong into the test's
// own goroutine. Control is for others.
type SlackPeer struct {
	*Server

	APIURL        string // http://127.0.0.1:port/api/, as slack.OptionAPIURL takes it
	BotToken      string // the peer takes others too
	AppToken      string
	SigningSecret string
	AppID         string
	TeamID        string
	BotUserID     string
	BotID         string

	delivery *slackDelivery // nil in Socket Mode
}

// Slack starts a workspace that this test alone uses, until it ends. It takes a
// quarter of a second and 60 MB of memory.
func Slack(tb testing.TB, w SlackWorkspace) *SlackPeer {
	tb.Helper()
	unique := uniqueName()
	p := &SlackPeer{
		BotToken: "xoxb-" + Canary + unique, AppToken: "xapp-1-" + Canary + unique, SigningSecret: "signing-" + Canary + unique,
		AppID: "A0NASTAVNIK", TeamID: "T0NASTAVNIK", BotUserID: "U0NASTAVNIK", BotID: "B0NASTAVNIK", // the peer's own rule: B for U
	}
	if w.HTTP {
		p.delivery = newSlackDelivery(tb, p.SigningSecret)
	}
	config, err := json.Marshal(p.config(w))
	if err != nil {
		tb.Fatal(err)
	}
	p.Server = private(tb, localSlack(config))
	p.APIURL = "http://" + p.Addr + "/api/"
	return p
}

// config is the workspace as the peer reads it.
func (p *SlackPeer) config(w SlackWorkspace) map[string]any {
	app := map[string]any{
		"appId": p.AppID, "botUserId": p.BotUserID, "botName": "nastavnik",
		"botToken": p.BotToken, "appToken": p.AppToken, "signingSecret": p.SigningSecret, "mode": "socket",
	}
	if p.delivery != nil {
		app["mode"], app["requestUrl"] = "events", p.delivery.server.URL
	}
	channels := make([]SlackChannel, 0, len(w.Channels))
	for _, c := range w.Channels {
		if !c.WithoutBot {
			c.Members = append([]string{p.BotUserID}, c.Members...)
		}
		channels = append(channels, c)
	}
	return map[string]any{
		"workspace": map[string]any{"name": "Наставник", "domain": "nastavnik", "teamId": p.TeamID},
		"apps":      []any{app},
		"users":     append([]SlackUser{}, w.Users...), // never null
		"channels":  channels,
	}
}

// localSlack is the peer. Bun, which it is built on, takes code to load first from
// BUN_OPTIONS: the program itself has no option for the address.
func localSlack(config []byte) program {
	return program{
		name:  "slack",
		ports: 1,
		setup: func(_ context.Context, s *Server) error {
			if _, err := findLocalSlack(); err != nil {
				return err
			}
			for name, text := range map[string][]byte{"config.json": config, "loopback.js": loopbackOnly} {
				if err := os.WriteFile(filepath.Join(s.dir, name), text, 0o600); err != nil {
					return err
				}
			}
			return os.RemoveAll(filepath.Join(s.dir, "listens"))
		},
		run: func(s *Server) command {
			binary, _ := findLocalSlack() // setup has found it
			host, port, _ := strings.Cut(s.Addr, ":")
			return command{
				path: binary,
				args: []string{"--config", "config.json", "--port", port, "--base-host", host, "--files-dir", "files"},
				env:  append(os.Environ(), "BUN_OPTIONS=--preload=./loopback.js", "NO_COLOR=1"),
			}
		},
		ready: localSlackAnswers,
		stop:  syscall.SIGTERM,
		quit:  syscall.SIGKILL, // it keeps nothing
	}
}

// localSlackAnswers asks for the state, once the peer is known to be on loopback.
func localSlackAnswers(ctx context.Context, s *Server) error {
	listens, err := os.ReadFile(filepath.Join(s.dir, "listens"))
	if err != nil {
		return fmt.Errorf("the peer does not say where it listens: %w", err)
	}
	if host, _, _ := strings.Cut(s.Addr, ":"); string(listens) != host {
		return fmt.Errorf("the peer listens on %s", listens)
	}
	return callJSON(ctx, http.MethodGet, "http://"+s.Addr+"/_control/state", nil, nil)
}

// findLocalSlack returns the path of the peer's program.
func findLocalSlack() (string, error) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return "", missingError{
			what: "local-slack " + localSlackVersion + " does not run on this machine", forever: true,
			remedy: "its package is for Linux on x86-64; run the tests of Slack there",
		}
	}
	tools, err := ToolsDir()
	if err != nil {
		return "", err
	}
	binary := filepath.Join(localSlackHome(tools), "node_modules", "local-slack-linux-x64", "bin", "local-slack")
	if !isFile(binary) {
		return "", missingError{what: "the Slack peer local-slack is not installed", remedy: remedy}
	}
	return binary, nil
}

func localSlackHome(tools string) string {
	return filepath.Join(tools, "local-slack-"+localSlackVersion)
}
