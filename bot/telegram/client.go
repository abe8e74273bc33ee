package telegram

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"
)

// Endpoint is the public Bot API.
const Endpoint = "https://api.telegram.org"

const (
	// fileTimes is how many times as long as a call a file of up to 50 MB may take.
	fileTimes = 9
	// maxAnswer bounds an answer, in bytes: a hundred updates with the longest texts
	// take less than a tenth of it.
	maxAnswer = 16 << 20
)

// client calls the Bot API.
type client struct {
	token    string
	endpoint string // without a slash at its end
	http     *http.Client
	pause    time.Duration // before a call is tried again
	within   time.Duration // bounds one attempt to call a method
}

// manner says how a method is called.
type manner struct {
	// repeat says that calling it twice does no harm.
	repeat bool
	// wait is how long the API was asked to wait before it answers.
	wait time.Duration
}

// api is the library's client for one call: it knows no contexts.
func (c *client) api(l *line) *tgbotapi.BotAPI {
	api := &tgbotapi.BotAPI{Token: c.token, Client: l}
	api.SetAPIEndpoint(strings.ReplaceAll(c.endpoint, "%", "%%") + "/bot%s/%s")
	return api
}

// call calls a method and returns its result. See failure for the errors.
func (c *client) call(ctx context.Context, method string, p tgbotapi.Params, m manner) (json.RawMessage, error) {
	l := &line{ctx: ctx, client: c, within: c.within + m.wait, repeat: m.repeat}
	response, err := c.api(l).MakeRequest(method, p)
	if err != nil {
		return nil, c.failure(ctx, method, l, response, err)
	}
	return response.Result, nil
}

// ask calls a method that changes nothing and reads its result.
func (c *client) ask(ctx context.Context, method string, p tgbotapi.Params, result any) error {
	raw, err := c.call(ctx, method, p, manner{repeat: true})
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, result); err != nil {
		return c.unreadable(method)
	}
	return nil
}

// set calls a method that may as well be called twice, and has no result.
func (c *client) set(ctx context.Context, method string, p tgbotapi.Params) error {
	_, err := c.call(ctx, method, p, manner{repeat: true})
	return err
}

// upload calls a method with a file.
func (c *client) upload(ctx context.Context, method string, p tgbotapi.Params, field string, f *content) (json.RawMessage, error) {
	l := &line{ctx: ctx, client: c, within: fileTimes * c.within}
	// The library reads the parameters, as the file, in a goroutine that may outlive the call.
	response, err := c.api(l).UploadFiles(method, maps.Clone(p), []tgbotapi.RequestFile{{Name: field, Data: tgbotapi.FileReader{Name: f.name, Reader: f}}})
	if err := f.failed(); err != nil {
		return nil, err // the request broke off in the middle of the file: nothing was sent
	}
	if err != nil {
		return nil, c.failure(ctx, method, l, response, err)
	}
	return response.Result, nil
}

// redact takes the token out of a text.
func (c *client) redact(s string) string {
	s = strings.ReplaceAll(s, c.token, "***")
	if _, secret, ok := strings.Cut(c.token, ":"); ok && secret != "" {
		s = strings.ReplaceAll(s, secret, "***")
	}
	return s
}
