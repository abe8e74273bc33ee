package devenv

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A SlackTarget is where the bot takes Slack's HTTP requests. The peer has one address
// for all of them; Slack has one for each kind, and sends what is empty here to Events.
type SlackTarget struct {
	Events        string
	Interactivity string
	Commands      string
	// Retries are the waits before an event is sent again that the bot did not take
	// with a 2xx: at once, after a minute and after five in Slack, none in the peer.
	Retries []time.Duration
	// Timeout is how long the bot may take to answer: 3 s in Slack; 0 means a minute, so
	// that a busy machine is no reason to send things twice.
	Timeout time.Duration
	// Through is the host and port of a proxy that the bot knows as Slack: what is
	// sent names it instead of the peer, as in response_url. Empty: none.
	Through string
}

// PointAt tells where to send from now on what the peer has for the bot, which is
// known only once the bot runs. The workspace must have HTTP set.
func (p *SlackPeer) PointAt(t SlackTarget) {
	p.tb.Helper()
	if p.delivery == nil {
		p.tb.Fatal("the workspace speaks Socket Mode")
	}
	p.delivery.point(p.Addr, t)
}

// slackDelivery stands between the peer and the bot: it sends requests to the address
// of their kind, signs them anew as they are sent again, and sends events again.
type slackDelivery struct {
	secret string
	server *httptest.Server

	mu     sync.Mutex
	peer   string // host:port
	target SlackTarget
}

func newSlackDelivery(tb testing.TB, secret string) *slackDelivery {
	tb.Helper()
	d := &slackDelivery{secret: secret}
	d.server = httptest.NewServer(d)
	tb.Cleanup(d.server.Close)
	return d
}

func (d *slackDelivery) point(peer string, t SlackTarget) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.peer = peer
	d.target = t
}

// current is the target of the moment: the bot may have moved between two tries.
func (d *slackDelivery) current() (peer string, t SlackTarget) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.peer, d.target
}

// through has a body name the proxy instead of the peer; in a form a colon is written
// otherwise.
func through(body []byte, peer, proxy string) []byte {
	if proxy == "" {
		return body
	}
	body = bytes.ReplaceAll(body, []byte(peer), []byte(proxy))
	return bytes.ReplaceAll(body, []byte(url.QueryEscape(peer)), []byte(url.QueryEscape(proxy)))
}

// A slackRequest is what the peer sends.
type slackRequest struct {
	contentType string
	body        []byte
}

// event says whether it is one; the others are interactions and commands, which Slack
// does not send again.
func (r slackRequest) event() bool { return strings.HasPrefix(r.contentType, "application/json") }

// address returns where a request goes, "" for nowhere.
func (t SlackTarget) address(r slackRequest) string {
	address := t.Commands
	switch {
	case r.event():
		address = t.Events
	case bytes.HasPrefix(r.body, []byte("payload=")):
		address = t.Interactivity
	}
	if address == "" {
		return t.Events
	}
	return address
}

// A slackAnswer is the bot's. Failed is Slack's word for why it does not count.
type slackAnswer struct {
	status      int
	contentType string
	body        []byte
	failed      string
}

// ServeHTTP delivers one request of the peer's and answers with what the bot answers.
func (d *slackDelivery) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	request := slackRequest{r.Header.Get("Content-Type"), body}
	var answer slackAnswer
	for try := 0; r.Context().Err() == nil; try++ {
		peer, target := d.current()
		sent := slackRequest{request.contentType, through(request.body, peer, target.Through)}
		answer = d.send(r.Context(), target, sent, try, answer.failed)
		if answer.failed == "" || !request.event() || try >= len(target.Retries) {
			break
		}
		select {
		case <-time.After(target.Retries[try]):
		case <-r.Context().Done(): // the peer is gone
		}
	}
	w.Header().Set("Content-Type", answer.contentType)
	w.WriteHeader(max(answer.status, http.StatusOK))
	_, _ = w.Write(answer.body)
}

// send sends a request once, signed as of now.
func (d *slackDelivery) send(ctx context.Context, t SlackTarget, r slackRequest, try int, reason string) slackAnswer {
	timeout := t.Timeout
	if timeout == 0 {
		timeout = awaitTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.address(r), bytes.NewReader(r.body))
	if err != nil {
		return slackAnswer{status: http.StatusBadGateway, failed: "connection_failed", body: []byte(err.Error())}
	}
	request.Header.Set("Content-Type", r.contentType)
	SignSlack(request.Header, d.secret, r.body, time.Now())
	if try > 0 {
		request.Header.Set("X-Slack-Retry-Num", strconv.Itoa(try))
		request.Header.Set("X-Slack-Retry-Reason", reason)
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		failed := "connection_failed"
		if errors.Is(err, context.DeadlineExceeded) {
			failed = "http_timeout"
		}
		return slackAnswer{status: http.StatusBadGateway, failed: failed, body: []byte(err.Error())}
	}
	defer response.Body.Close()
	answer := slackAnswer{status: response.StatusCode, contentType: response.Header.Get("Content-Type")}
	if answer.body, err = io.ReadAll(response.Body); err != nil || answer.status < 200 || answer.status > 299 {
		answer.failed = "http_error"
	}
	return answer
}

// SignSlack signs the body of a request as Slack does at a time, for a test that
// replays or forges one.
func SignSlack(h http.Header, secret string, body []byte, at time.Time) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + stamp + ":"))
	mac.Write(body)
	h.Set("X-Slack-Request-Timestamp", stamp)
	h.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
}
