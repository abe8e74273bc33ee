package main

import (
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/internal/flaky"
)

// Slack's token is revoked in the middle of a day: Telegram goes on, the log says once
// what to do, doctor names it, and what waits for Slack arrives when it is mended.
func TestOnePlatformIsRevoked(t *testing.T) {
	t.Parallel()
	slack, telegram := newSlackVenue(t, false, anna(), boris(), vera()), newTelegramVenue(t, false)
	s := newStage(t, newCLI(t), slack, telegram).open()
	inSlack, inTelegram := s.employee(slack, anna()), s.employee(telegram, vera())
	inSlack.says("Как оформить отпуск?")
	inSlack.reads(0, "Раздел «Кадры»")

	revoked := slack.proxy.Fail(flaky.Rule{Path: "*", If: func(r flaky.Request) bool { return strings.HasPrefix(r.Path, "/api/") }, Fault: flaky.SlackError("token_revoked")})
	before := inSlack.seen()
	for range 3 {
		inSlack.says("Как добавить наблюдателя в сделку?") // the socket is open still
	}
	eventually(t, "Slack refuses the bot", func() bool {
		return s.metric(`nastavnik_send_attempts_total{platform="slack",result="away"}`) >= 3
	})
	inTelegram.says("Как добавить наблюдателя в сделку?")
	inTelegram.reads(0, "Карточка → «Наблюдатели»")

	const remedy = "установите приложение снова"
	wantState(t, s.c.diagnose(exitFailed), "slack", partFailed, remedy)
	wantState(t, s.c.diagnose(exitFailed), "telegram", partOK, "")
	said := 0
	for line := range strings.Lines(s.bot.err.String()) {
		if strings.Contains(line, "sending") && strings.Contains(line, remedy) {
			said++
		}
	}
	if said != 1 {
		t.Errorf("the log says %d times what to do:\n%s", said, s.bot.err.String())
	}
	if n := s.c.count(`SELECT COUNT(*) FROM outbox WHERE state = 'dead'`); n != 0 {
		t.Errorf("%d messages were given up", n)
	}
	revoked.Lift()
	eventually(t, "the log says that Slack is back", func() bool { return s.bot.err.take("sending succeeds again") })
	inSlack.sees(before, "the answer", func(n note) bool { return n.has("Карточка → «Наблюдатели»") })
	s.quiet()
}
