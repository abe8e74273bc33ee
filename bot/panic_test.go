package bot_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
)

// brittle breaks on what a test says: as a sender on a text, as a directory on a person.
type brittle struct {
	postOffice

	text, who string
}

func (b *brittle) Send(ctx context.Context, d bot.Dispatch) (string, error) {
	if d.Message.Text == b.text {
		panic("слова людей")
	}
	return b.postOffice.Send(ctx, d)
}

func (b *brittle) Profile(_ context.Context, who string) (bot.Profile, error) {
	if who == b.who {
		var none []string
		_ = none[len(who)]
	}
	return bot.Profile{Name: who}, nil
}

// A message or an event that breaks the bot does so for itself alone: it is given up
// like one that fails, and neither the process nor the rest of its chat ends with it.
func TestWhatBreaksTheBotIsGivenUp(t *testing.T) {
	b := &brittle{text: "яд", who: "U1"}
	var log strings.Builder
	h := newHouse(t, nil)
	h.move(&b.postOffice, func(o *bot.Options) {
		o.Now, o.Log = h.later, slog.New(slog.NewTextHandler(&log, nil))
		o.Platforms = map[string]bot.Platform{"office": {Sender: b}, "test": {Sender: h, Directory: b}}
	})
	h.puts("poison", "office:a", bot.Message{Text: "яд"})
	h.puts("behind", "office:a", bot.Message{Text: "дальше"})
	h.event("U1", bot.Said{Text: "привет"})
	for range 12 {
		h.pass(11 * time.Minute)
	}
	if d := h.delivery("poison"); d.State != bot.DeliveryDead || d.Error == "" {
		t.Errorf("the message is %s: %q", d.State, d.Error)
	}
	same(t, "sent", b.attempts(), []string{"behind.0"})
	if sent := h.sent["test:U1"]; len(sent) != 1 || !strings.Contains(sent[0].Key, "failed") {
		t.Errorf("the person is told %+v", sent)
	}
	if got := log.String(); !strings.Contains(got, "panic_test.go") || strings.Contains(got, "слова людей") {
		t.Errorf("the log:\n%s", got)
	}
}
