package slack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	api "github.com/slack-go/slack"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// refusedFor is for how long a refusal is told of when nothing of its kind has been
// tried since: an administrator may have mended it.
const refusedFor = time.Hour

// status remembers what keeps the app from its work.
type status struct {
	mu       sync.Mutex
	refusals map[string]refusal // by method, the latest
	socket   error              // why the latest socket is not open, nil when it is
	listens  bool               // sockets are kept open
}

type refusal struct {
	err error
	at  time.Time
}

// note remembers how a call ended.
func (s *status) note(what string, err error, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		delete(s.refusals, what)
		return
	}
	s.refusals[what] = refusal{err, now}
}

// trouble returns what keeps the app from its work, nil for nothing.
func (s *status) trouble(now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.socket != nil {
		return s.socket
	}
	for _, what := range slices.Sorted(maps.Keys(s.refusals)) {
		if r := s.refusals[what]; now.Sub(r.at) < refusedFor {
			return r.err
		}
	}
	return nil
}

// noteSocket remembers how the opening of a socket ended, and reports whether that is
// another state than before.
func (s *status) noteSocket(err error) (changed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.socket
	s.socket = err
	return (before == nil) != (err == nil) || err != nil && reason(before) != reason(err)
}

// reason is what of an error stays the same from try to try.
func reason(err error) string {
	if r, ok := slackError(err); ok {
		return r.Err
	}
	if code := statusOf(err); code != 0 {
		return fmt.Sprint(code)
	}
	if errors.Is(err, errShut) {
		return errShut.Error()
	}
	return classify(err).name()
}

func (s *status) listening(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listens = yes
}

func (s *status) isListening() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listens
}

// ScopesError says that the app works, but may not do all that it should.
type ScopesError struct{ Missing []string }

// Error implements error with a sentence for administrators.
func (e *ScopesError) Error() string {
	return "приложению в Slack не хватает прав " + strings.Join(e.Missing, ", ") + ": добавьте их по configs/slack-manifest.yaml и переустановите приложение"
}

// Check asks Slack who the bot is, and returns its name and that of the workspace. The
// error has a sentence for administrators; it wraps knowledge.ErrAway, unless it is a
// *ScopesError. It is also what an app that is at work was last refused.
func (a *App) Check(ctx context.Context) (string, error) {
	r, err := a.authTest(ctx)
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("@%s, %s", r.User, cmp.Or(r.Team, r.TeamID))
	if a.o.AppToken != "" && !a.status.isListening() {
		if err := a.askForSocket(ctx); err != nil {
			return name, err
		}
	}
	if missing := missing(r.Header); len(missing) > 0 {
		return name, &ScopesError{Missing: missing}
	}
	return name, a.status.trouble(a.o.Now())
}

// askForSocket asks for the address of a socket, to see whether Slack would give one.
func (a *App) askForSocket(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, a.o.Timeout)
	defer cancel()
	_, _, err := a.api.StartSocketModeContext(ctx)
	return a.judge(methodOpen, err, repeatable)
}

// Scopes are those that the app needs, and configs/slack-manifest.yaml asks for.
func Scopes() []string {
	return []string{
		"app_mentions:read", "chat:write", "commands", "files:read", "files:write", "im:history", "im:write", "users:read", "users:read.email",
	}
}

// missing returns the scopes that a token has not; Slack names those it has with
// every answer.
func missing(h http.Header) []string {
	has := h.Get("X-Oauth-Scopes")
	if has == "" {
		return nil
	}
	granted := strings.FieldsFunc(has, func(r rune) bool { return r == ',' || r == ' ' })
	return slices.DeleteFunc(Scopes(), func(s string) bool { return slices.Contains(granted, s) })
}

// authTest asks Slack whose the token is.
func (a *App) authTest(ctx context.Context) (*api.AuthTestResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, a.o.Timeout)
	defer cancel()
	r, err := a.api.AuthTestContext(ctx)
	if err = a.judge("auth.test", err, repeatable); err != nil {
		return nil, err
	}
	if r.UserID == "" {
		return nil, fmt.Errorf("slack: auth.test: по адресу slack.api отвечает не Slack: %w", knowledge.ErrAway)
	}
	return r, nil
}
