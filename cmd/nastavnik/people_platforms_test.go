package main

import (
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/internal/flaky"
)

// An invitation is a link that opens the bot in Telegram. When Telegram does not say
// how the bot is called, the code is there all the same.
func TestInvitationIsALink(t *testing.T) {
	c := newCLI(t)
	peer := devenv.Telegram(t)
	proxy := flaky.New(t, peer.URL)
	t.Setenv("NASTAVNIK_TELEGRAM_TOKEN", peer.Token)
	t.Setenv("NASTAVNIK_TELEGRAM_API", proxy.URL)

	var i invitationJSON
	decode(t, c.must("person", "invite", "Анна К.", "--senior", "--json"), &i)
	if i.Code == "" || !strings.HasPrefix(i.Link, "https://t.me/") || !strings.HasSuffix(i.Link, "?start="+i.Code) {
		t.Errorf("the invitation: %+v", i)
	}
	text := c.must("person", "invite")
	for _, part := range []string{"первого, кто придёт", "Ссылка: https://t.me/", "Или написать боту: /start "} {
		if !strings.Contains(text, part) {
			t.Errorf("the invitation has no %q:\n%s", part, text)
		}
	}

	proxy.Fail(flaky.Rule{Path: "getMe", Fault: flaky.TelegramError(401, "Unauthorized")})
	r := c.run("person", "invite", "Борис Л.")
	if r.code != 0 || strings.Contains(r.out, "t.me") || !strings.Contains(r.out, "написать ему: /start ") || !strings.Contains(r.err, "Ссылки нет") {
		t.Errorf("without Telegram: exit %d\n%s%s", r.code, r.out, r.err)
	}
	if strings.Contains(r.err+r.out, peer.Token) {
		t.Error("the token is told")
	}
}

// Who is added by name where people write on a platform is not waited for in a
// terminal.
func TestAddedPeopleAreReachedOnPlatforms(t *testing.T) {
	c := newCLI(t)
	t.Setenv("NASTAVNIK_TELEGRAM_TOKEN", "1:a")
	c.must("person", "add", "Анна К.", "--senior")
	var p personJSON
	decode(t, c.must("person", "show", "Анна К.", "--json"), &p)
	if p.Reached != "" {
		t.Errorf("she is written to in %s", p.Reached)
	}
}
