package slack_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/slack"
)

// punctual is a core that stores nothing when it is too late, as databases do.
type punctual struct{ *desk }

func (p punctual) Post(ctx context.Context, events ...bot.Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return p.desk.Post(ctx, events...)
}

// However many people a message mentions, and however long Slack takes to say what they
// are called, it is stored in time.
func TestManyMentionsAreNotLookedUpForLong(t *testing.T) {
	t.Parallel()
	d := newDesks(t, func(o *slack.Options) { o.Core = punctual{o.Core.(*desk)} })
	d.api.answer("users.info", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	body := `{"type":"event_callback","team_id":"T1","event":{"type":"message","channel_type":"im","channel":"D1","user":"U1","ts":"1700000000.000100",` +
		`"text":"кто из <@U0A>, <@U0B>, <@U0C>, <@U0D> и <@U0E> дежурит?"}}`
	w := d.send(signed(asJSON, []byte(body), time.Now()))
	events := d.core.taken()
	if w.Code != http.StatusOK || len(events) != 1 {
		t.Fatalf("answered %d, %d events", w.Code, len(events))
	}
	if got := events[0].Body.(bot.Said).Text; got != "кто из @U0A, @U0B, @U0C, @U0D и @U0E дежурит?" {
		t.Errorf("stored %q", got)
	}
}
