package flaky

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// A Rule says what happens to requests.
type Rule struct {
	// Path is a pattern of path.Match: with a slash for the whole path, without one for
	// its last element, which is the method of Slack's and Telegram's APIs.
	Path string
	// If says which of those it is for; nil: all.
	If func(Request) bool
	// Skip is how many of them pass before the first is hit.
	Skip int
	// Times is how many of them are hit after that; 0: all.
	Times int
	Fault Fault
}

// A Script is a rule in force.
type Script struct {
	proxy      *Proxy
	rule       Rule
	seen, hits int
	lifted     bool
}

// Fail puts a rule in force. For each request the oldest rule counts that still has
// something to do with it: rules for one path follow each other.
func (p *Proxy) Fail(r Rule) *Script {
	s := &Script{proxy: p, rule: r}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.scripts = append(p.scripts, s)
	return s
}

// Hits returns how many requests the rule has hit.
func (s *Script) Hits() int {
	s.proxy.mu.Lock()
	defer s.proxy.mu.Unlock()
	return s.hits
}

// Lift ends the rule. Requests that it holds stay held.
func (s *Script) Lift() {
	s.proxy.mu.Lock()
	defer s.proxy.mu.Unlock()
	s.lifted = true
}

// takes says whether the rule hits a request, and counts it. The caller holds the lock.
func (s *Script) takes(r Request) bool {
	if s.lifted || !matches(s.rule.Path, r.Path) || (s.rule.If != nil && !s.rule.If(r)) || (s.rule.Times > 0 && s.hits == s.rule.Times) {
		return false
	}
	s.seen++
	if s.seen <= s.rule.Skip {
		return false
	}
	s.hits++
	return true
}

// A Fault is what happens to a request.
type Fault func(*Exchange)

// Pass passes the request on and answers with what the peer answers.
func Pass(x *Exchange) {
	if isSocket(x.r) {
		x.proxy.serveSocket(x)
		return
	}
	x.Answer(x.Forward())
}

// Reset breaks the connection off before the peer has the request.
func Reset(x *Exchange) { x.Reset() }

// ResetAfter breaks the connection off when the peer has done what it was asked: the
// sender cannot know.
func ResetAfter(x *Exchange) {
	x.Forward()
	x.Reset()
}

// Hang never answers, and the peer does not get the request.
func Hang(x *Exchange) { x.WaitForSender() }

// HangAfter never answers, though the peer has done what it was asked.
func HangAfter(x *Exchange) {
	x.Forward()
	x.WaitForSender()
}

// CutShort answers with half of what the peer answers.
func CutShort(x *Exchange) {
	a := x.Forward()
	var whole bytes.Buffer
	fmt.Fprintf(&whole, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", a.Status, http.StatusText(a.Status), a.Header.Get("Content-Type"), len(a.Body))
	whole.Write(a.Body[:len(a.Body)/2])
	x.cut(whole.Bytes())
}

// Hold passes the request on once the channel is closed.
func Hold(release <-chan struct{}) Fault {
	return func(x *Exchange) {
		select {
		case <-release:
			Pass(x)
		case <-x.Context().Done():
		}
	}
}

// Slow passes the request on after a while. A test that waits for it depends on nothing
// but that something else comes first: prefer Hold.
func Slow(d time.Duration) Fault {
	return func(x *Exchange) {
		select {
		case <-time.After(d):
			Pass(x)
		case <-x.Context().Done():
		}
	}
}

// Status answers with an HTTP status and a text, in place of the peer.
func Status(status int, text string) Fault {
	return func(x *Exchange) {
		x.Answer(Answer{Status: status, Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, Body: []byte(text)})
	}
}

// JSON answers with a status and a value, in place of the peer.
func JSON(status int, value any) Fault {
	return func(x *Exchange) { x.Answer(jsonAnswer(status, value)) }
}

func jsonAnswer(status int, value any) Answer {
	text, err := json.Marshal(value)
	if err != nil {
		return Answer{Status: http.StatusInternalServerError, Body: []byte(err.Error())}
	}
	return Answer{Status: status, Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}}, Body: text}
}

// SlackRateLimited is Slack's refusal of one message too many
// (docs.slack.dev/apis/web-api/rate-limits): whole seconds, rounded up.
func SlackRateLimited(after time.Duration) Fault {
	return func(x *Exchange) {
		a := jsonAnswer(http.StatusTooManyRequests, map[string]any{"ok": false, "error": "ratelimited"})
		a.Header.Set("Retry-After", strconv.Itoa(wholeSeconds(after)))
		x.Answer(a)
	}
}

// SlackError is Slack's way of saying no, as in channel_not_found: with status 200.
func SlackError(code string) Fault {
	return JSON(http.StatusOK, map[string]any{"ok": false, "error": code})
}

// TelegramRateLimited is Telegram's refusal of one message too many
// (core.telegram.org/bots/api#responseparameters): whole seconds, rounded up.
func TelegramRateLimited(after time.Duration) Fault {
	seconds := wholeSeconds(after)
	return JSON(http.StatusTooManyRequests, map[string]any{
		"ok": false, "error_code": http.StatusTooManyRequests, "description": "Too Many Requests: retry after " + strconv.Itoa(seconds),
		"parameters": map[string]any{"retry_after": seconds},
	})
}

// TelegramError is Telegram's way of saying no, as in 400 and "Bad Request: message is
// not modified: …".
func TelegramError(code int, description string) Fault {
	return JSON(code, map[string]any{"ok": false, "error_code": code, "description": description})
}

// TelegramBlocked is the answer for somebody who has blocked the bot.
func TelegramBlocked() Fault {
	return TelegramError(http.StatusForbidden, "Forbidden: bot was blocked by the user")
}

// TelegramMigrated is the answer for a group that has become a supergroup of another id.
func TelegramMigrated(to int64) Fault {
	return JSON(http.StatusBadRequest, map[string]any{
		"ok": false, "error_code": http.StatusBadRequest, "description": "Bad Request: group chat was upgraded to a supergroup chat",
		"parameters": map[string]any{"migrate_to_chat_id": to},
	})
}

func wholeSeconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }
