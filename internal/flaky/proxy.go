// Package flaky stands between the bot and a chat platform's peer and does to them what
// networks and platforms do: it limits, refuses, resets, answers late or not at all,
// before the peer has a request or after, and cuts and freezes web sockets. It also
// answers what a peer has no idea of, and keeps for a bot that is away what a platform
// keeps and its peer loses.
//
//	proxy := flaky.New(t, "http://"+peer.Addr)
//	proxy.Fail(flaky.Rule{Path: "chat.postMessage", Times: 2, Fault: flaky.SlackRateLimited(time.Second)})
//	… run the bot on proxy.URL …
//	posts := proxy.Requests("chat.postMessage")
//
// What it does to a request depends on the rules and on how many requests came, on
// nothing else. Where it answers as a platform, that is our reading of the platform's
// documentation: it proves what the bot does then, not that the platform does so.
package flaky

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A Proxy passes requests and web sockets on to a peer, as its rules allow. Its methods
// may be called from any goroutine.
type Proxy struct {
	URL  string // http://127.0.0.1:port
	Addr string // host:port of URL

	tb     testing.TB
	server *httptest.Server
	client *http.Client
	over   context.Context // ends what waits when the proxy does
	group  sync.WaitGroup  // of what has left the server: web sockets

	mu       sync.Mutex
	target   string // host:port
	scripts  []*Script
	handlers []handler
	requests []*Request
	sockets  sockets
	slack    *SlackSockets
}

// A handler answers in place of the peer.
type handler struct {
	path string
	http.Handler
}

// New starts a proxy in front of a peer, which is named by its URL, until the test ends.
// Mentions of the peer's host and port in JSON that comes from it, in answers and on
// web sockets, become the proxy's own.
func New(tb testing.TB, peer string) *Proxy {
	tb.Helper()
	over, end := context.WithCancel(context.Background())
	p := &Proxy{
		tb: tb, over: over,
		client: &http.Client{
			Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	p.Retarget(peer)
	p.server = httptest.NewServer(p)
	p.URL, p.Addr = p.server.URL, strings.TrimPrefix(p.server.URL, "http://")
	tb.Cleanup(func() {
		end()
		p.server.Close()
		p.group.Wait()
	})
	return p
}

// Retarget puts another peer, named by its URL, behind the proxy.
func (p *Proxy) Retarget(peer string) {
	host, plain := strings.CutPrefix(strings.TrimSuffix(peer, "/"), "http://")
	if !plain || strings.Contains(host, "/") {
		p.tb.Fatalf("%s is not of the form http://host:port", peer)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = host
}

// Handle answers requests for a path, a pattern as in Rule, in place of the peer. Rules
// come before it. Of several handlers the newest answers.
func (p *Proxy) Handle(path string, h http.Handler) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handlers = append(p.handlers, handler{path, h})
}

// A Request is one that came to the proxy.
type Request struct {
	Verb   string // of HTTP
	Path   string
	Query  string
	Header http.Header
	Body   []byte
	At     time.Time

	// Reached says that the peer, or the handler in its place, has had it.
	Reached bool
	// Status is what the sender was answered with, 0 if it was not.
	Status int

	uri string // path and query as they were sent
}

// Method is the last element of the path: the method of Slack's and Telegram's APIs.
func (r Request) Method() string { return path.Base(r.Path) }

// Requests returns the requests for a path, a pattern as in Rule, in the order in which
// they came; "*" for all.
func (p *Proxy) Requests(pattern string) []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []Request
	for _, r := range p.requests {
		if matches(pattern, r.Path) {
			found = append(found, *r)
		}
	}
	return found
}

// Forget drops the requests that Requests returns.
func (p *Proxy) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = nil
}

// matches says whether a path is of a pattern: with a slash the pattern is for the whole
// path, without one for its last element.
func matches(pattern, whole string) bool {
	if !strings.Contains(pattern, "/") {
		whole = path.Base(whole)
	}
	ok, err := path.Match(pattern, whole)
	return ok && err == nil
}

// ServeHTTP takes one request: it is recorded, and its rule or the peer answers.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender is gone
	}
	record := &Request{Verb: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Header: r.Header.Clone(), Body: body, At: time.Now(), uri: r.URL.RequestURI()}
	p.mu.Lock()
	p.requests = append(p.requests, record)
	fault := p.faultFor(*record)
	p.mu.Unlock()

	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(p.over, cancel)() //nolint:contextcheck // the end of the one or the other ends it
	x := &Exchange{Request: *record, proxy: p, record: record, w: w, r: r.WithContext(ctx)}
	if fault == nil {
		fault = Pass
	}
	fault(x)
}

// faultFor returns what the first rule that still has something to do does, nil where
// there is none. The caller holds the lock.
func (p *Proxy) faultFor(r Request) Fault {
	for _, s := range p.scripts {
		if s.takes(r) {
			return s.rule.Fault
		}
	}
	return nil
}

// An Answer is what the peer or the proxy answers.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// An Exchange is one request in the hands of a fault, which must answer it, or break it
// off, once.
type Exchange struct {
	Request
	proxy  *Proxy
	record *Request
	w      http.ResponseWriter
	r      *http.Request
}

// Context ends when the sender has given up or the proxy ends.
func (x *Exchange) Context() context.Context { return x.r.Context() }

// Forward passes the request on and returns what is answered to it. A peer that is away
// answers with 502.
func (x *Exchange) Forward() Answer {
	x.note(func(r *Request) { r.Reached = true })
	if h := x.proxy.handlerFor(x.Path); h != nil {
		w := httptest.NewRecorder()
		r := x.r.Clone(x.Context())
		r.Body = io.NopCloser(bytes.NewReader(x.Body))
		h.ServeHTTP(w, r)
		return Answer{w.Code, w.Header(), w.Body.Bytes()}
	}
	answer, err := x.proxy.ask(x.Context(), x.Request)
	if err != nil {
		return Answer{Status: http.StatusBadGateway, Body: []byte(err.Error())}
	}
	return answer
}

func (p *Proxy) handlerFor(path string) http.Handler {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, h := range slices.Backward(p.handlers) {
		if matches(h.path, path) {
			return h
		}
	}
	return nil
}

// ask sends a request to the peer.
func (p *Proxy) ask(ctx context.Context, r Request) (Answer, error) {
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	request, err := http.NewRequestWithContext(ctx, r.Verb, "http://"+target+r.uri, bytes.NewReader(r.Body))
	if err != nil {
		return Answer{}, err
	}
	request.Header = r.Header.Clone()
	request.Header.Del("Accept-Encoding") // the answer's text is to be read
	request.Header.Del("Connection")
	response, err := p.client.Do(request)
	if err != nil {
		return Answer{}, fmt.Errorf("ask the peer: %w", err)
	}
	defer response.Body.Close()
	answer := Answer{Status: response.StatusCode, Header: response.Header.Clone()}
	if answer.Body, err = io.ReadAll(response.Body); err != nil {
		return Answer{}, fmt.Errorf("read the peer's answer: %w", err)
	}
	answer.Header.Del("Content-Length") // it may change now
	if strings.HasPrefix(answer.Header.Get("Content-Type"), "application/json") {
		answer.Body = p.rewrite(answer.Body)
	}
	return answer, nil
}

// rewrite has a text of the peer's name the proxy.
func (p *Proxy) rewrite(text []byte) []byte {
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	return bytes.ReplaceAll(text, []byte(target), []byte(p.Addr))
}

// Answer answers the sender.
func (x *Exchange) Answer(a Answer) {
	for name, values := range a.Header {
		x.w.Header()[name] = values
	}
	x.note(func(r *Request) { r.Status = a.Status })
	x.w.WriteHeader(a.Status)
	_, _ = x.w.Write(a.Body)
}

// Reset breaks the sender's connection off.
func (x *Exchange) Reset() { x.cut(nil) }

// cut sends a beginning of an answer as it is and breaks the connection off.
func (x *Exchange) cut(beginning []byte) {
	conn, _, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		x.proxy.tb.Errorf("break a connection off: %v", err)
		return
	}
	_, _ = conn.Write(beginning)
	if tcp, ok := conn.(*net.TCPConn); ok && len(beginning) == 0 {
		_ = tcp.SetLinger(0) // so that it is a reset, no end
	}
	_ = conn.Close()
}

// WaitForSender returns when the sender has given up.
func (x *Exchange) WaitForSender() { <-x.Context().Done() }

func (x *Exchange) note(change func(*Request)) {
	x.proxy.mu.Lock()
	defer x.proxy.mu.Unlock()
	change(x.record)
}
