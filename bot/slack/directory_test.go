package slack_test

import (
	"io"
	"net/http"
	"testing"
)

// People call themselves, and their jobs, what they like. Among the bot's own words that
// is no link.
func TestHostileProfile(t *testing.T) {
	t.Parallel()
	d := newDesks(t)
	d.api.answer("users.info", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"ok":true,"user":{"id":"U1","team_id":"T1","profile":{"real_name":"[Пароль](https://evil.example/)","title":"[Кадры](https://evil.example/)"}}}`)
	})
	p, err := d.app.Profile(t.Context(), "U1")
	if err != nil || p.Name != "(Пароль)(https://evil.example/)" || p.Team != "(Кадры)(https://evil.example/)" {
		t.Errorf("%+v, %v", p, err)
	}
}
