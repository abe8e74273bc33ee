package devenv

import (
	"context"
	_ "embed"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// telegramAPIVersion is that of the peer, as telegrampeer/package.json has it.
const telegramAPIVersion = "4.2.1"

// serveTelegram runs the peer's module.
//
//go:embed telegrampeer/serve.js
var serveTelegram []byte

// A TelegramPeer is a third party's Telegram for one test: telegram-test-api, which
// keeps everything in memory. Killed and started again it has forgotten everything and
// counts from 1, updates too. What it cannot do stands in docs/testing.md.
//
// Its methods end the test on errors of the peer itself; they belong into the test's
// own goroutine. Give is for others.
type TelegramPeer struct {
	*Server

	URL      string // http://127.0.0.1:port
	Endpoint string // URL with /bot%s/%s, as tgbotapi.NewBotAPIWithAPIEndpoint takes it
	Token    string // each token is a bot of its own to the peer
}

// What the peer says of every bot in getMe.
const (
	TelegramBotID       = 666
	TelegramBotUsername = "TestNameBot"
)

// Telegram starts a Telegram that this test alone uses, until it ends. It takes half a
// second and 70 MB of memory.
func Telegram(tb testing.TB) *TelegramPeer {
	tb.Helper()
	p := &TelegramPeer{Server: private(tb, telegramAPI()), Token: "666:" + Canary + uniqueName()}
	p.URL = "http://" + p.Addr
	p.Endpoint = p.URL + "/bot%s/%s"
	return p
}

// peopleURL is where serve.js listens for the test.
func (s *Server) peopleURL() string {
	return "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port+1)) + "/"
}

// telegramAPI is the peer. Its port for people opens after that for the bot.
func telegramAPI() program {
	return program{
		name:  "telegram",
		ports: 2,
		setup: func(_ context.Context, s *Server) error {
			if _, _, err := findTelegramAPI(); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(s.dir, "serve.js"), serveTelegram, 0o600)
		},
		run: func(s *Server) command {
			node, home, _ := findTelegramAPI() // setup has found them
			return command{
				path: node,
				args: []string{"serve.js", strconv.Itoa(s.port)},
				env:  append(os.Environ(), "NODE_PATH="+filepath.Join(home, "node_modules"), "NODE_ENV=production"),
			}
		},
		ready: func(ctx context.Context, s *Server) error {
			conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port+1)))
			if err != nil {
				return err
			}
			_ = conn.Close()
			return callJSON(ctx, http.MethodGet, "http://"+s.Addr+"/bot0/getMe", nil, nil)
		},
		stop: syscall.SIGTERM,
		quit: syscall.SIGKILL, // it keeps nothing
	}
}

// findTelegramAPI returns the paths of Node and of the folder that has the peer.
func findTelegramAPI() (node, home string, err error) {
	tools, err := ToolsDir()
	if err != nil {
		return "", "", err
	}
	home = telegramAPIHome(tools)
	if !isFile(filepath.Join(home, "node_modules", "telegram-test-api", "package.json")) {
		return "", "", missingError{what: "the Telegram peer telegram-test-api is not installed", remedy: remedy}
	}
	if node, err = exec.LookPath("node"); err != nil {
		return "", "", missingError{what: "the Telegram peer needs Node", remedy: "install your system's package nodejs"}
	}
	if node, err = filepath.Abs(node); err != nil {
		return "", "", fmt.Errorf("find Node: %w", err)
	}
	return node, home, nil
}

func telegramAPIHome(tools string) string {
	return filepath.Join(tools, "telegram-test-api-"+telegramAPIVersion)
}
