package main

import (
	"bytes"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/internal/flaky"
)

// revoked has Slack refuse a token from now on, on open sockets too.
func (v *slackVenue) revoked(token string) {
	v.proxy.Fail(flaky.Rule{Path: "/api/*", If: func(r flaky.Request) bool {
		return bytes.Contains(r.Body, []byte(token)) || strings.HasSuffix(r.Header.Get("Authorization"), " "+token)
	}, Fault: flaky.SlackError("token_revoked")})
}

// Slack refuses the token: the log says so once, doctor says what to do, and Telegram goes
// on. With a new token what has waited arrives.
func TestRevokedTokenOfOnePlatform(t *testing.T) {
	t.Parallel()
	slack, telegram := newSlackVenue(t, false, anna(), boris(), vera()), newTelegramVenue(t, false)
	s := newStage(t, newCLI(t), slack, telegram)
	senior := s.senior(telegram, boris())
	s.open()
	asker, other := s.employee(slack, anna()), s.employee(telegram, vera())
	asker.says(passQuestion)
	asker.presses(asker.offered(0, label(t, "button_none")), label(t, "button_none"))
	task := senior.reads(0, asker.name, passQuestion)
	s.quiet()

	old := slack.peer.BotToken
	slack.revoked(old)
	senior.answers(task, "На ресепшен.")
	senior.presses(senior.offered(0, label(t, "button_done")), label(t, "button_done"))
	const says = "установите приложение снова"
	eventually(t, "the log says what is the matter", func() bool { return strings.Contains(s.bot.err.String(), says) })
	other.says("пропуск на парковку где получить")
	other.reads(0, "На ресепшен.") // meanwhile
	waiting := `SELECT COUNT(*) FROM outbox WHERE state = 'pending' AND attempts = 0 AND chat LIKE 'slack:%' AND not_until > created + ?`
	eventually(t, "it has been tried several times", func() bool { return s.c.count(waiting, 6_000) > 0 })
	for _, about := range []string{"sending failed", "a part is away"} { // whichever finds it out first
		if n := strings.Count(s.bot.err.String(), about); n > 1 {
			t.Errorf("the log says %d times: %s:\n%s", n, about, s.bot.err.String())
		}
	}
	if r := s.c.run("doctor"); r.code == 0 || !strings.Contains(r.out+r.err, says) {
		t.Errorf("doctor (exit %d) does not say it:\n%s%s", r.code, r.out, r.err)
	}

	slack.peer.BotToken = "xoxb-" + devenv.Canary + "-new" // the peer takes any
	s.c = s.configured(s.c, s.listen, nil)
	s.restart()
	asker.reads(0, "На ресепшен.", senior.name)
	s.quiet()
}

// No token and no secret is in anything that the program writes, whatever happens.
func TestNoSecretIsWritten(t *testing.T) {
	t.Parallel()
	for name, at := range map[string][2]bool{"socket and polling": {false, false}, "HTTP and webhook": {true, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			slack, telegram := newSlackVenue(t, at[0], anna(), boris(), vera()), newTelegramVenue(t, at[1])
			s := newStage(t, newCLI(t), slack, telegram)
			debug := map[string]any{"log": map[string]any{"level": "debug"}}
			s.c = s.configured(s.c, s.listen, debug)
			senior := s.senior(slack, boris())
			var written screen
			commands := func() {
				for _, args := range [][]string{{"doctor"}, {"doctor", "--json"}, {"config", "show"}, {"config", "check"}, {"delivery", "list"}, {"delivery", "list", "--json"}, {"person", "list", "--json"}, {"question", "list", "--json"}} {
					r := s.c.run(args...)
					_, _ = written.Write([]byte(r.out + r.err))
				}
			}

			// Both platforms fail in all their ways, and come back.
			for _, v := range []struct {
				proxy *flaky.Proxy
				send  string
			}{{slack.proxy, "chat.postMessage"}, {telegram.proxy, "sendMessage"}} {
				for _, fault := range []flaky.Fault{flaky.Status(http.StatusInternalServerError, "oops"), flaky.Reset, flaky.Status(http.StatusBadGateway, "<html>"), flaky.ResetAfter, flaky.CutShort} {
					v.proxy.Fail(flaky.Rule{Path: v.send, Times: 1, Fault: fault})
				}
			}
			telegram.proxy.Fail(flaky.Rule{Path: "getUpdates", Times: 2, Fault: flaky.Reset})
			s.open()
			asker := s.employee(telegram, anna())
			asker.says(passQuestion)
			asker.presses(asker.offered(0, label(t, "button_none")), label(t, "button_none"))
			senior.reads(0, passQuestion)
			s.quiet()
			commands()

			// Tokens are revoked midway.
			slack.revoked(slack.peer.BotToken)
			refused := telegram.proxy.Fail(flaky.Rule{Path: "/bot*/*", Fault: flaky.TelegramError(http.StatusUnauthorized, "Unauthorized")})
			if !at[1] {
				eventually(t, "Telegram refuses", func() bool { return refused.Hits() > 1 })
			}
			commands()
			s.bot.interrupt()
			s.bot.code()
			_, _ = written.Write([]byte(s.bot.out.String() + s.bot.err.String()))

			// Another start, with what is no token, and with nothing listening.
			for _, wrong := range []map[string]any{
				{"slack": map[string]any{"token": devenv.Canary, "app": devenv.Canary, "signing": devenv.Canary, "mode": "http"}},
				{"telegram": map[string]any{"token": devenv.Canary + ":x", "secret": devenv.Canary + "!"}},
				{"telegram": map[string]any{"token": telegram.peer.Token, "api": "http://127.0.0.1:1"}},
			} {
				all := maps.Clone(debug)
				maps.Copy(all, wrong)
				c := s.configured(s.c, s.listen, all)
				for _, command := range []string{"doctor", "config"} {
					r := c.run(command, "show")
					_, _ = written.Write([]byte(r.out + r.err))
				}
				r := c.run("doctor", "--json")
				_, _ = written.Write([]byte(r.out + r.err))
			}
			if text := written.String(); strings.Contains(text, devenv.Canary) || !strings.Contains(text, "отозван") {
				t.Errorf("a secret in, or too little of, what the program has written:\n%s", strings.ReplaceAll(text, devenv.Canary, "(HERE)"))
			}
			s.noSecretKept()
		})
	}
}

// noSecretKept looks for secrets in all that is in the data folder.
func (s *stage) noSecretKept() {
	s.t.Helper()
	err := filepath.WalkDir(s.c.data, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(devenv.Canary)) {
			s.t.Errorf("a secret is in %s", d.Name())
		}
		return err
	})
	if err != nil {
		s.t.Error(err)
	}
}
