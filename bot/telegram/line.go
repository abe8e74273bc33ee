package telegram

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// line carries one call of the library to the API.
type line struct {
	ctx    context.Context //nolint:containedctx // the library's methods take none
	client *client
	within time.Duration // bounds one attempt
	repeat bool          // the call may be made twice

	written atomic.Bool // something of the request may have reached the API
	status  int         // of the latest answer; 0 without one
}

// attempts is how often a call is tried that has surely changed nothing.
const attempts = 3

// Do implements tgbotapi.HTTPClient. A call is tried again when that is harmless:
// because it changes nothing, or because nothing of it has been written.
func (l *line) Do(r *http.Request) (*http.Response, error) {
	var response *http.Response
	var err error
	for i := range attempts {
		if i > 0 {
			if r, err = again(r); err != nil || !sleep(l.ctx, time.Duration(i)*l.client.pause) {
				break
			}
		}
		response, err = l.try(r)
		done := err == nil && response.StatusCode < http.StatusInternalServerError
		if done || l.ctx.Err() != nil || !l.repeat && l.written.Load() || r.Body != nil && r.GetBody == nil {
			break
		}
	}
	return response, err
}

// again returns a request once more.
func again(r *http.Request) (*http.Request, error) {
	r = r.Clone(r.Context())
	if r.GetBody == nil {
		return r, nil
	}
	body, err := r.GetBody()
	r.Body = body
	return r, err
}

// try makes one attempt and reads the whole answer.
func (l *line) try(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeoutCause(l.ctx, l.within, fmt.Errorf("no answer within %s", l.within))
	defer cancel()
	l.status = 0
	trace := &httptrace.ClientTrace{WroteHeaders: func() { l.written.Store(true) }}
	response, err := l.client.http.Do(r.WithContext(httptrace.WithClientTrace(ctx, trace))) //nolint:gosec // the address is the configured endpoint
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) && context.Cause(ctx) != nil {
			err = context.Cause(ctx)
		}
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	l.status = response.StatusCode
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("the answer breaks off: %w", err)
	case len(body) > maxAnswer:
		return nil, fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

const (
	dialWithin = 10 * time.Second
	// keepIdle is short: on a connection that Telegram has just closed a message would
	// be lost without our knowing.
	keepIdle = 20 * time.Second
	// perHost is how many connections are kept, for as many messages a second as
	// Telegram takes.
	perHost = 30
)

// newHTTP returns the HTTP client for the API. It takes a proxy from the environment
// (HTTPS_PROXY) and follows no redirects: they would carry the token elsewhere.
func newHTTP() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: dialWithin}).DialContext,
			TLSHandshakeTimeout: dialWithin,
			ForceAttemptHTTP2:   true,
			MaxIdleConns:        perHost,
			MaxIdleConnsPerHost: perHost,
			IdleConnTimeout:     keepIdle,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// sleep waits; false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
