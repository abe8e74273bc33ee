package slack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	api "github.com/slack-go/slack"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// effect says what it means to do a call again.
type effect bool

const (
	repeatable effect = false
	creates    effect = true // again is twice: whether it was done matters
)

// class is what an error of the API means for a message.
type class int

const (
	fine        class = iota // no error
	odd                      // not known: may pass
	away                     // the platform cannot be used
	uncertain                // away, and it may have been done all the same
	busy                     // asks to wait
	closed                   // nobody there
	unfit                    // this message never
	threadless               // there is no such thread
	messageless              // there is no such message to change
)

// name names a class in comparisons of errors.
func (c class) name() string { return fmt.Sprintf("class %d", c) }

// classOf knows the errors of the methods that are called, as
// https://docs.slack.dev/reference/methods lists them.
func classOf(code string) class {
	switch code {
	case "invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "missing_scope", "no_permission",
		"not_allowed_token_type", "org_login_required", "ekm_access_denied", "enterprise_is_restricted", "team_access_not_granted",
		"access_denied", "two_factor_setup_required", "messages_tab_disabled", "accesslimited", "app_not_installed",
		"service_unavailable", "team_added_to_org", "forbidden_team", "team_disabled", "user_removed_from_team", "deprecated_endpoint", "method_deprecated":
		return away
	case "internal_error", "fatal_error", "request_timeout":
		return uncertain
	case "ratelimited", "rate_limited", "message_limit_exceeded":
		return busy
	case "channel_not_found", "is_archived", "not_in_channel", "user_not_found", "users_not_found", "user_disabled", "user_not_visible",
		"cannot_dm_bot", "cannot_dm_deactivated_user", "invalid_user_combination", "user_not_in_channel", "restricted_action",
		"restricted_action_read_only_channel", "restricted_action_thread_only_channel", "team_not_found", "slack_connect_canvas_sharing_blocked", "is_inactive":
		return closed
	case "invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long", "markdown_text_conflict", "no_text",
		"too_many_attachments", "metadata_too_large", "invalid_metadata_format", "invalid_metadata_schema":
		return unfit
	case "thread_not_found", "cannot_reply_to_message", "invalid_thread_ts", "restricted_action_thread_locked", "thread_locked",
		"restricted_action_non_threadable_channel":
		return threadless
	case "message_not_found", "cant_update_message", "edit_window_closed", "cant_delete_message":
		return messageless
	}
	return odd
}

// classify tells what an error of a call means. What is not an answer of Slack's, or
// not one that can be read, may have come after the deed.
func classify(err error) class {
	if err == nil {
		return fine
	}
	if r, ok := slackError(err); ok {
		return classOf(r.Err)
	}
	if _, ok := errors.AsType[*api.RateLimitedError](err); ok {
		return busy
	}
	if code := statusOf(err); code != 0 {
		return classOfStatus(code)
	}
	if c, ok := errors.AsType[*callError](err); ok && !c.had {
		return away
	}
	return uncertain
}

// slackError returns the API's own error.
func slackError(err error) (api.SlackErrorResponse, bool) {
	return errors.AsType[api.SlackErrorResponse](err)
}

func statusOf(err error) int {
	if s, ok := errors.AsType[api.StatusCodeError](err); ok {
		return s.Code
	}
	if s, ok := errors.AsType[*statusError](err); ok {
		return s.code
	}
	return 0
}

func classOfStatus(code int) class {
	switch {
	case code == http.StatusTooManyRequests:
		return busy
	case code == http.StatusRequestEntityTooLarge:
		return unfit
	case code == http.StatusServiceUnavailable: // refused before anything was done
		return away
	case code >= http.StatusInternalServerError:
		return uncertain
	}
	return away // a proxy, or another address: no answer of the API
}

// busyPause is for how long a busy Slack is left alone that does not say so.
const busyPause = 30 * time.Second

// judge makes of an error of the API what the runner tells apart, with a sentence for
// administrators, and remembers for Check what is refused. It passes nil on.
func (a *App) judge(what string, err error, e effect) error {
	if err == nil {
		a.status.note(what, nil, a.o.Now())
		return nil
	}
	if errors.Is(err, context.Canceled) && !had(err) {
		return fmt.Errorf("slack: %s: %w", what, err)
	}
	err = a.client.safe(err)
	switch c := classify(err); c {
	case busy:
		return fmt.Errorf("slack: %s: %w", what, &bot.SlowDownError{After: pause(err)})
	case closed:
		return fmt.Errorf("slack: %s: %w: %w", what, bot.ErrUnreachable, err)
	case unfit:
		return fmt.Errorf("slack: %s: %w: %w", what, bot.ErrUndeliverable, err)
	case away, uncertain:
		err = a.out(what, err)
		if c == uncertain && e == creates {
			err = errors.Join(err, bot.ErrDoubt)
		}
		return err
	default:
		return fmt.Errorf("slack: %s: %w", what, err)
	}
}

// out makes of an error that the platform cannot be used, and remembers it for Check
// unless that asks for it anyhow.
func (a *App) out(what string, err error) error {
	_, refused := slackError(err)
	err = fmt.Errorf("slack: %s: %s: %w (%w)", what, remedy(what, err), knowledge.ErrAway, err)
	if refused && what != "auth.test" && what != methodOpen {
		a.status.note(what, err, a.o.Now())
	}
	return err
}

// pause is for how long a busy Slack wants to be left alone.
func pause(err error) time.Duration {
	if limited, ok := errors.AsType[*api.RateLimitedError](err); ok {
		return max(limited.RetryAfter, time.Second)
	}
	return busyPause
}

// had reports whether Slack may have had the request.
func had(err error) bool {
	c, ok := errors.AsType[*callError](err)
	return !ok || c.had
}

// methodOpen is the method by which a socket is asked for, with the app's token.
const methodOpen = "apps.connections.open"

// remedy says to administrators what keeps the bot out of Slack.
func remedy(what string, err error) string {
	r, ok := slackError(err)
	if !ok {
		return "Slack не отвечает: проверьте сеть и slack.api"
	}
	if what == methodOpen {
		return socketRemedy(r.Err)
	}
	switch r.Err {
	case "invalid_auth", "not_authed", "not_allowed_token_type":
		return "Slack не принимает токен бота: возьмите его заново на странице приложения, OAuth & Permissions, и задайте slack.token (xoxb-…)"
	case "token_revoked", "token_expired", "account_inactive", "app_not_installed":
		return "приложение удалено из Slack или его токен отозван: установите приложение снова (Install App) и задайте новый slack.token"
	case "missing_scope", "no_permission", "team_access_not_granted", "access_denied":
		if r.Needed != "" {
			return "приложению в Slack не хватает права " + r.Needed + ": добавьте его по configs/slack-manifest.yaml и переустановите приложение"
		}
		return "приложению в Slack не хватает прав: обновите их по configs/slack-manifest.yaml и переустановите приложение"
	case "messages_tab_disabled":
		return "приложению нельзя писать лично: включите Messages Tab на странице приложения, App Home"
	case "two_factor_setup_required", "org_login_required", "ekm_access_denied", "enterprise_is_restricted", "accesslimited":
		return "Slack не пускает приложение: спросите администратора рабочего пространства (" + r.Err + ")"
	}
	return "Slack сейчас не работает для этого приложения"
}

// socketRemedy says why Slack gives no socket.
func socketRemedy(code string) string {
	switch code {
	case "not_allowed_token_type", "missing_scope":
		return "slack.app — не токен приложения или без права connections:write: создайте его на странице приложения, Basic Information → App-Level Tokens (xapp-…)"
	case "invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive":
		return "Slack не принимает токен приложения: создайте его заново на странице приложения, Basic Information → App-Level Tokens, и задайте slack.app (xapp-…)"
	case "internal_error", "fatal_error", "service_unavailable", "request_timeout":
		return "Slack сейчас не отвечает"
	}
	return "Slack не даёт соединения: включите Socket Mode на странице приложения или задайте slack.mode: http"
}
