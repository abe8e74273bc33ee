package slack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
)

// caller does the HTTP requests. It retries nothing and follows no redirects, as the
// requests carry the token; its errors name neither tokens nor signed addresses, and
// say whether Slack may have had the request.
type caller struct {
	http   *http.Client
	hidden *strings.Replacer
}

func newCaller(o Options) *caller {
	transport := http.DefaultTransport
	if t, ok := transport.(*http.Transport); ok {
		t = t.Clone()
		t.MaxIdleConnsPerHost = 16 // as many chats are answered at once
		transport = t
	}
	var hide []string
	for _, secret := range []string{o.Token, o.AppToken, o.Secret} {
		if secret != "" {
			hide = append(hide, secret, "***", url.QueryEscape(secret), "***")
		}
	}
	return &caller{
		http:   &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		hidden: strings.NewReplacer(hide...),
	}
}

// maxResponse bounds an answer of the API in bytes: a page of 200 messages has less.
const maxResponse = 16 << 20

// Do implements what slack-go calls.
func (c *caller) Do(r *http.Request) (*http.Response, error) {
	response, err := c.do(r)
	if err != nil {
		return nil, err
	}
	response.Body = limited{io.LimitReader(response.Body, maxResponse), response.Body, c}
	return response, nil
}

// do does a request, and does not bound what it is answered.
func (c *caller) do(r *http.Request) (*http.Response, error) {
	var connected, broken atomic.Bool
	trace := &httptrace.ClientTrace{
		GotConn:      func(httptrace.GotConnInfo) { connected.Store(true); broken.Store(false) },
		WroteRequest: func(i httptrace.WroteRequestInfo) { broken.Store(i.Err != nil) },
	}
	response, err := c.http.Do(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	if err != nil {
		return nil, c.failed(err, connected.Load() && !broken.Load())
	}
	return response, nil
}

// limited is an answer whose errors are the caller's.
type limited struct {
	io.Reader
	io.Closer

	c *caller
}

func (l limited) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = l.c.failed(err, true)
	}
	return n, err
}

// callError is a request that got no answer.
type callError struct {
	error

	text string
	had  bool // Slack may have had it
}

func (e *callError) Error() string { return e.text }
func (e *callError) Unwrap() error { return e.error }

func (c *caller) failed(err error, had bool) error {
	text := err.Error()
	if u, ok := errors.AsType[*url.Error](err); ok {
		text = u.Err.Error() // without the address: those of uploads and hooks are secrets
	}
	return &callError{error: err, text: c.redact(text), had: had}
}

// tokens are what Slack's tokens look like, and the addresses that are as good as one.
var tokens = regexp.MustCompile(`\b(xox[a-z](?:\.xox[a-z])?-|xapp-)[A-Za-z0-9-]+|(wss?://|https?://hooks\.)[^\s"']+`)

// redact hides what would let others speak for the bot.
func (c *caller) redact(s string) string {
	return tokens.ReplaceAllString(c.hidden.Replace(s), "***")
}

// safeError is an error as it may be shown.
type safeError struct {
	error

	text string
}

func (e safeError) Error() string { return e.text }
func (e safeError) Unwrap() error { return e.error }

// safe hides secrets in an error of the library.
func (c *caller) safe(err error) error {
	text := err.Error()
	if hidden := c.redact(text); hidden != text {
		return safeError{err, hidden}
	}
	return err
}

// upload sends the content of a file to the address that Slack has given for it.
func (c *caller) upload(ctx context.Context, address string, content io.Reader, size int64) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, io.NopCloser(content))
	if err != nil {
		return c.failed(err, false)
	}
	r.ContentLength = size
	r.Header.Set("Content-Type", "application/octet-stream")
	response, err := c.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return &statusError{code: response.StatusCode}
	}
	return nil
}

// statusError is an answer that is not the one of success.
type statusError struct{ code int }

func (e *statusError) Error() string { return fmt.Sprintf("HTTP %d", e.code) }
