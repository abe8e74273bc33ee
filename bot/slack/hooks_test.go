package slack_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/bot"
)

// A choice that a response_url did not show, though it answers with the status of
// success, is shown by chat.update.
func TestResponseURLThatRefuses(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]string{
		"ok": "response_url", `{"ok":true}`: "response_url", "": "response_url",
		`{"ok":false,"error":"used_url"}`: "response_url chat.update",
	} {
		d := newDesks(t)
		d.deliver("action", []byte(`{"type":"block_actions","team":{"id":"T1"},"user":{"id":"U1"},"trigger_id":"1","response_url":"RESPONSE_URL",
			"container":{"type":"message","message_ts":"1700000000.000300","channel_id":"DU1"},"actions":[{"action_id":"c.0.0","action_ts":"1"}]}`))
		d.api.answer("response_url", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, said) })
		sent := message(inDM, bot.Message{Text: "Помогло?", Sections: []bot.Section{{Choice: true, Buttons: []bot.Button{{ID: "c.0.0", Label: "Да"}, {ID: "c.0.1", Label: "Нет"}}}}}).Delivery
		sent.External, sent.State = []string{"1700000000.000300"}, bot.DeliverySent
		_, err := d.app.Send(t.Context(), bot.Dispatch{
			Delivery: message(inDM, bot.Message{Replaces: "7/1", Chosen: "Да"}).Delivery, Of: &sent, Taken: map[int]string{0: "Да"},
		})
		if got := strings.TrimPrefix(strings.Join(d.api.methods(), " "), "conversations.open "); got != want || err != nil {
			t.Errorf("%q: %q, want %q; %v", said, got, want, err)
		}
	}
}
