package telegram

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

var (
	// ErrToken says that Telegram does not know the token: it is wrong, or was revoked.
	// Until it is replaced Telegram is away, and only Telegram.
	ErrToken = fmt.Errorf("the token for Telegram is refused: it is wrong or was revoked, take a new one from @BotFather and set telegram.token (or telegram.endpoint is wrong): %w", knowledge.ErrAway)
	// ErrTaken says that somebody else gets the bot's updates.
	ErrTaken = fmt.Errorf("another process takes this bot's updates: one token is for one installation: %w", knowledge.ErrAway)
)

// Refusals that the adapter mends by itself; where it cannot, the message is not to be
// delivered.
var (
	errEntities   = refusalOf("its markup is refused")
	errSame       = refusalOf("nothing to change")
	errEditGone   = refusalOf("the message to edit is gone")
	errNoThread   = refusalOf("the topic is gone or closed")
	errPicture    = refusalOf("not accepted as a picture")
	errFileTooBig = refusalOf("the file is too big")
	errFileGone   = refusalOf("the file is gone")
)

func refusalOf(what string) error { return fmt.Errorf("%s: %w", what, bot.ErrUndeliverable) }

// refusal is the API's "no".
type refusal struct {
	method string
	code   int
	text   string // the API's description
	is     error  // what it means for the caller
	moved  int64  // the chat's new id, 0 when it has not moved
}

// Error implements error.
func (r *refusal) Error() string {
	s := "telegram " + r.method + ":"
	if r.code != 0 {
		s += " " + strconv.Itoa(r.code)
	}
	if r.text != "" {
		s += " " + r.text
	}
	if r.is != nil {
		s += ": " + r.is.Error()
	}
	return s
}

// Unwrap returns what the refusal means.
func (r *refusal) Unwrap() error { return r.is }

// failure makes a call's error: a refusal, or an error that wraps knowledge.ErrAway
// and, where a request that is not to be repeated may have arrived, bot.ErrDoubt. Its
// text holds no address.
func (c *client) failure(ctx context.Context, method string, l *line, response *tgbotapi.APIResponse, err error) error {
	var e *tgbotapi.Error
	switch {
	case errors.As(err, &e) && response != nil:
		return c.refused(method, l, response)
	case ctx.Err() != nil:
		return l.doubt(fmt.Errorf("telegram %s: %w", method, ctx.Err()))
	case l.status == http.StatusRequestEntityTooLarge: // a server in between says so, in its own words
		return &refusal{method: method, code: l.status, is: bot.ErrUndeliverable}
	case l.status >= http.StatusMultipleChoices:
		return l.unsettled(&refusal{method: method, code: l.status, is: knowledge.ErrAway})
	}
	return l.doubt(fmt.Errorf("telegram %s: %s: %w", method, c.redact(innermost(err)), knowledge.ErrAway))
}

// unsettled doubts a refusal by a server that did not hear from the one behind it.
func (l *line) unsettled(r *refusal) error {
	if r.code == http.StatusBadGateway || r.code == http.StatusGatewayTimeout {
		return l.doubt(r)
	}
	return r
}

// doubt marks an error after which nobody knows whether the request was acted on.
func (l *line) doubt(err error) error {
	if l.repeat || !l.written.Load() {
		return err
	}
	return fmt.Errorf("%w: %w", err, bot.ErrDoubt)
}

// unreadable says that a method's result is not what the API promises.
func (c *client) unreadable(method string) error {
	return fmt.Errorf("telegram %s: the answer is not what it should be, is telegram.endpoint right? %w", method, knowledge.ErrAway)
}

// innermost returns the text of an error without what net/http puts before it: the
// address.
func innermost(err error) string {
	var u *url.Error
	for errors.As(err, &u) {
		err = u.Err
	}
	return err.Error()
}

// refused reads a refusal.
func (c *client) refused(method string, l *line, response *tgbotapi.APIResponse) error {
	r := &refusal{method: method, code: cmp.Or(response.ErrorCode, l.status), text: c.redact(response.Description)}
	if p := response.Parameters; p != nil {
		r.moved = p.MigrateToChatID
	}
	switch {
	case r.code == http.StatusTooManyRequests:
		r.is = &bot.SlowDownError{After: retryAfter(response)}
	case r.code == http.StatusUnauthorized || r.code == http.StatusNotFound:
		r.is = ErrToken
	case r.code == http.StatusForbidden:
		r.is = bot.ErrUnreachable
	case r.code == http.StatusConflict:
		r.is = ErrTaken
	case r.code == http.StatusRequestEntityTooLarge:
		r.is = bot.ErrUndeliverable
	case r.code == http.StatusBadRequest:
		r.is = meaning(r.text)
		if errors.Is(r.is, errEntities) {
			r.text = "" // it quotes the message
		}
	case r.code >= http.StatusInternalServerError:
		r.is = knowledge.ErrAway
	}
	return l.unsettled(r)
}

// meanings are the descriptions of bad requests, in lower case. The Bot API documents
// none of them; they are those of its server,
// https://github.com/tdlib/telegram-bot-api, which has kept them for years.
//
//nolint:gochecknoglobals // a table, never written
var meanings = []struct {
	text string
	is   error
}{
	{"can't parse entities", errEntities},
	{"message is not modified", errSame},
	{"message to edit not found", errEditGone},
	{"message can't be edited", errEditGone},
	{"message_id_invalid", errEditGone},
	{"message thread not found", errNoThread},
	{"topic_closed", errNoThread},
	{"topic_deleted", errNoThread},
	{"photo_invalid_dimensions", errPicture},
	{"photo_save_file_invalid", errPicture},
	{"image_process_failed", errPicture},
	{"file is too big", errFileTooBig},
	{"wrong file_id", errFileGone},
	{"invalid file_id", errFileGone},
	{"wrong file identifier", errFileGone},
	{"wrong remote file identifier", errFileGone},
	{"file is temporarily unavailable", knowledge.ErrAway},
	{"chat not found", bot.ErrUnreachable},
	{"user not found", bot.ErrUnreachable},
	{"peer_id_invalid", bot.ErrUnreachable},
	{"group chat was deactivated", bot.ErrUnreachable},
	{"have no rights to send", bot.ErrUnreachable},
	{"not enough rights to send", bot.ErrUnreachable},
	{"chat_write_forbidden", bot.ErrUnreachable},
	{"need administrator rights", bot.ErrUnreachable},
}

// meaning says what a bad request was about. What is refused for a reason that is not
// known would be refused again.
func meaning(text string) error {
	text = strings.ToLower(text)
	for _, m := range meanings {
		if strings.Contains(text, m.text) {
			return m.is
		}
	}
	return bot.ErrUndeliverable
}

// seconds finds the time of "Too Many Requests: retry after 14".
var seconds = regexp.MustCompile(`retry after (\d+)`)

// retryAfter returns how long Telegram asks to wait.
func retryAfter(response *tgbotapi.APIResponse) time.Duration {
	if p := response.Parameters; p != nil && p.RetryAfter > 0 {
		return time.Duration(p.RetryAfter) * time.Second
	}
	if m := seconds.FindStringSubmatch(response.Description); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			return time.Duration(n) * time.Second
		}
	}
	return time.Second
}
