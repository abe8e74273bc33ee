package slack_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/slack"
	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// shaky is a core that breaks on start pages, and once on what is posted.
type shaky struct {
	slack.Core

	broken chan struct{} // holds one break
}

func (s shaky) Home(context.Context, knowledge.Identity) (bot.Home, error) {
	panic("слова людей")
}

func (s shaky) Post(ctx context.Context, events ...bot.Event) error {
	select {
	case <-s.broken:
		panic("слова людей")
	default:
		return s.Core.Post(ctx, events...)
	}
}

// What breaks behind an event, or while a socket's request is taken, ends nothing else.
func TestWhatBreaksEndsNothingElse(t *testing.T) {
	t.Parallel()
	t.Run("in the background", func(t *testing.T) {
		t.Parallel()
		d := newDesks(t, func(o *slack.Options) { o.Core = shaky{Core: o.Core} })
		body := `{"type":"event_callback","team_id":"T1","event":{"type":"app_home_opened","user":"U1","tab":"home"}}`
		if w := d.send(signed(asJSON, []byte(body), time.Now())); w.Code != http.StatusOK {
			t.Errorf("answered %d", w.Code)
		}
		d.run()
		if log := d.log.String(); !strings.Contains(log, "unbroken_test.go") || strings.Contains(log, "слова людей") {
			t.Errorf("the log:\n%s", log)
		}
	})
	t.Run("from a socket", func(t *testing.T) {
		t.Parallel()
		broken := make(chan struct{}, 1)
		broken <- struct{}{}
		o := newOffice(t, false, func(o *slack.Options) { o.Core = shaky{Core: o.Core, broken: broken} })
		o.sockets.AckWithin(500 * time.Millisecond)
		o.peer.Say(devenv.SlackSaying{Channel: "U0ANNA", User: "U0ANNA", Text: known})
		o.awaitText(o.peer.DM("U0ANNA"), "owner", 0) // it came again
	})
}
