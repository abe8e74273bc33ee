package slack_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
)

// What is for one person alone stands in the thread when that has begun: Slack shows
// nobody what stands in one that has not.
func TestPrivateWordsAreSeen(t *testing.T) {
	t.Parallel()
	const root = "1700000000.000100"
	event := func(more string) []byte {
		return []byte(`{"type":"event_callback","team_id":"T1","event":{"type":"app_mention","channel":"C1","user":"U1","text":"<@U0BOT> помощь",` + more + `}}`)
	}
	take := func(t *testing.T, d *desks, contentType string, body []byte) {
		t.Helper()
		if w := d.send(signed(contentType, body, time.Now())); w.Code != http.StatusOK {
			t.Fatalf("answered %d", w.Code)
		}
	}
	for name, c := range map[string]struct {
		before func(t *testing.T, d *desks)
		want   string
	}{
		"nothing before": {func(*testing.T, *desks) {}, ""},
		"the question alone": {func(t *testing.T, d *desks) {
			t.Helper()
			take(t, d, asJSON, event(`"ts":"`+root+`"`))
		}, ""},
		"a question whose thread it names itself": {func(t *testing.T, d *desks) {
			t.Helper()
			take(t, d, asJSON, event(`"ts":"`+root+`","thread_ts":"`+root+`"`))
		}, ""},
		"a reply": {func(t *testing.T, d *desks) {
			t.Helper()
			take(t, d, asJSON, event(`"ts":"1700000000.000200","thread_ts":"`+root+`"`))
		}, root},
		"an answer of the bot's": {func(t *testing.T, d *desks) {
			t.Helper()
			if _, err := d.app.Send(t.Context(), message(inChannel, bot.Message{Text: "ответ"})); err != nil {
				t.Fatal(err)
			}
		}, root},
		"a press in the thread": {func(t *testing.T, d *desks) {
			t.Helper()
			d.deliver("action.press", []byte(`{"type":"block_actions","team":{"id":"T1"},"user":{"id":"U1"},"trigger_id":"1.1",
				"container":{"type":"message","message_ts":"1700000000.000300","thread_ts":"`+root+`","channel_id":"C1"},
				"channel":{"id":"C1"},"actions":[{"action_id":"c.0.0","action_ts":"1700000001.000000"}]}`))
		}, root},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesks(t)
			c.before(t, d)
			d.api.taken()
			if _, err := d.app.Send(t.Context(), message(inChannel, bot.Message{Text: "только вам", Private: true})); err != nil {
				t.Fatal(err)
			}
			calls := d.api.taken()
			if len(calls) != 1 || calls[0].method != "chat.postEphemeral" || calls[0].values.Get("thread_ts") != c.want {
				t.Errorf("%+v, want it in thread %q", calls, c.want)
			}
		})
	}
}
