package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/internal/flaky"
)

// secretsOf are the tokens and secrets of a venue.
func secretsOf(v venue) []string {
	switch v := v.(type) {
	case *slackVenue:
		return []string{v.peer.BotToken, v.peer.AppToken, v.peer.SigningSecret}
	case *telegramVenue:
		_, secret, _ := strings.Cut(v.peer.Token, ":")
		return []string{secret}
	}
	return nil
}

// hidden wants no secret in a text. It does not print what it finds.
func hidden(t testing.TB, where, text string) {
	t.Helper()
	if i := strings.Index(text, devenv.Canary); i >= 0 {
		begin := max(0, i-60)
		t.Errorf("%s: a secret is in it, behind %q", where, text[begin:i])
	}
}

// hiddenIn wants no secret in any file of a folder, databases and their logs included.
func hiddenIn(t testing.TB, folder string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			return nil
		}
		if bytes.Contains(content, []byte(devenv.Canary)) {
			t.Errorf("a secret is in %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// proxyOf is what stands between the bot and a venue.
func proxyOf(v venue) *flaky.Proxy {
	switch v := v.(type) {
	case *slackVenue:
		return v.proxy
	case *telegramVenue:
		return v.proxy
	}
	return nil
}

// sending is the method by which a platform is told a message.
func sending(v venue) string {
	if v.platform() == "slack" {
		return "chat.postMessage"
	}
	return "sendMessage"
}

// No token is in anything that the bot writes: not in its log at any level, its
// answers, its database, nor in what commands print; neither when all goes well nor
// when tokens are wrong or are revoked, and platforms and networks fail in ways that
// have the token in them.
func TestSecretsAreNowhere(t *testing.T) {
	t.Parallel()
	onEachPlatform(t, func(t *testing.T, v venue) {
		for _, s := range secretsOf(v) {
			if !strings.Contains(s, devenv.Canary) {
				t.Fatal("a secret has no mark by which to find it")
			}
		}
		s := newStage(t, newCLI(t), v)
		debug := map[string]any{"log": map[string]any{"level": "debug"}}
		s.c = s.configured(s.c, s.listen, debug)
		senior, asker := s.senior(v, boris()), s.employee(v, anna())
		proxy := proxyOf(v)

		// From the beginning the token is wrong.
		wrong := proxy.Fail(flaky.Rule{Path: "*", Fault: refused(v)})
		s.open()
		eventually(t, "the bot has been refused", func() bool { return wrong.Hits() > 0 })
		s.printed(v)
		wrong.Lift()
		s.restart() // rather than wait until it tries again

		asker.says(passQuestion)
		offer := asker.offered(0, label(t, "button_none"))
		// What proxies and networks say has addresses in it, and Telegram's have the token.
		page := fmt.Sprintf("<html>502 Bad Gateway: %s %s</html>", "/bot"+strings.Join(secretsOf(v), "/"), secretsOf(v)[0])
		for _, f := range []flaky.Fault{flaky.Status(502, page), flaky.Status(500, page), flaky.Status(200, page), flaky.Reset, flaky.ResetAfter, flaky.CutShort} {
			proxy.Fail(flaky.Rule{Path: sending(v), Times: 1, Fault: f})
		}
		asker.presses(offer, label(t, "button_none"))
		task := senior.reads(0, passQuestion)
		for _, method := range []string{"*documents*", "*files*", "getFile"} {
			proxy.Fail(flaky.Rule{Path: method, Times: 1, Fault: flaky.Reset})
		}
		senior.sends(task, picture())
		senior.answers(task, chaosReply)
		draft := senior.offered(0, label(t, "button_done"))
		s.quiet()
		senior.presses(draft, label(t, "button_done"))
		asker.reads(0, chaosReply)

		// In the middle of it the token is revoked.
		revoked := proxy.Fail(flaky.Rule{Path: sending(v), Fault: refused(v)})
		asker.says("Как оформить отпуск?")
		eventually(t, "a message has been refused", func() bool { return revoked.Hits() > 0 })
		eventually(t, "why is in the database", func() bool { return s.c.count(`SELECT COUNT(*) FROM outbox WHERE error <> ''`) > 0 })
		s.printed(v)
		s.bot.interrupt()
		if code := s.bot.code(); code != 0 {
			t.Errorf("exit %d", code)
		}
		s.written()
	})
}

// refused is how a platform says that it does not take a token.
func refused(v venue) flaky.Fault {
	if v.platform() == "slack" {
		return flaky.SlackError("token_revoked")
	}
	return flaky.TelegramError(401, "Unauthorized")
}

// printed runs the commands that show settings and states.
func (s *stage) printed(v venue) {
	s.t.Helper()
	for _, args := range [][]string{
		{"doctor"}, {"doctor", "--json"}, {"config", "show"}, {"config", "check"}, {"delivery", "list"}, {"delivery", "list", "--json"},
		{"person", "list", "--json"}, {"question", "list", "--json"}, {"person", "invite", "Пётр"}, {"person", "invite", "--json", "Павел"},
	} {
		r := s.c.run(args...)
		hidden(s.t, strings.Join(args, " "), r.out+r.err)
		if slices.Contains(args, "show") && !strings.Contains(r.out, v.platform()) {
			s.t.Errorf("config show has no %s:\n%s", v.platform(), r.out)
		}
	}
	// A setting that is wrong is complained of without what it is.
	bad := s.c
	bad.config = bad.file("bad.yaml", `{"slack": {"token": "`+devenv.Canary+`", "app": "`+devenv.Canary+`"}, "telegram": {"token": "`+devenv.Canary+`", "secret": "`+devenv.Canary+`:"}}`)
	for _, args := range [][]string{{"config", "check"}, {"serve"}, {"doctor", "--json"}} {
		r := bad.run(args...)
		hidden(s.t, "wrong settings: "+strings.Join(args, " "), r.out+r.err)
		if r.code == 0 {
			s.t.Errorf("wrong settings are fine to %q", args)
		}
	}
	s.written()
}

// written looks through what the bot has written so far.
func (s *stage) written() {
	s.t.Helper()
	hidden(s.t, "standard output", s.bot.out.String())
	hidden(s.t, "the log", s.bot.err.String())
	hiddenIn(s.t, s.c.data)
}
