package slack_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/bot"
)

// Whether a message has arrived cannot be looked up: what that means is the same as
// when it cannot be sent. What waits while a token is revoked does not run out of
// attempts, and the doubt stays.
func TestErrorsOfLookingUp(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{
		"token_revoked": "away, in doubt", "fatal_error": "away, in doubt", "ratelimited": "slow, in doubt", "429": "slow, in doubt",
		"not_in_channel": "unreachable, in doubt", "channel_not_found": "unreachable, in doubt", "something_new": "in doubt",
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			d := newDesks(t)
			if code == "429" {
				d.api.answer("conversations.replies", func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Retry-After", "7")
					w.WriteHeader(http.StatusTooManyRequests)
				})
			} else {
				d.api.fail("conversations.replies", code)
			}
			m := message(inChannel, bot.Message{Text: "ответ"})
			m.Doubt = true
			_, err := d.app.Send(t.Context(), m)
			if got := meaning(err); got != want {
				t.Errorf("%v means %q, want %q", err, got, want)
			}
			if got := strings.Join(d.api.methods(), " "); strings.Contains(got, "chat.postMessage") {
				t.Errorf("it was sent nevertheless: %s", got)
			}
		})
	}
}
