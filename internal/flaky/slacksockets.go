package flaky

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// slackSocketPath is where the proxy takes the bot's sockets itself.
const slackSocketPath = "/slack-socket/"

// slackRetries is how often Slack sends an event again that was not acknowledged
// (docs.slack.dev/apis/events-api, Retries).
const slackRetries = 3

// SlackSockets is Slack's end of Socket Mode where the peer has another: an envelope goes
// to one of the bot's connections, not to all; it waits while there is none; an event
// that is not acknowledged, in time or because its connection is gone, comes again, at
// once, on another connection if there is one. Interactions and commands do not.
type SlackSockets struct {
	proxy    *Proxy
	appToken string

	mu        sync.Mutex
	ackWithin time.Duration
	waiting   []*slackEnvelope // for a connection
	sent      map[string]*slackEnvelope
	conns     []*slackConn
	turn      int
	lost      int
	upstream  *websocket.Conn // nil while the peer is away
}

// A slackEnvelope is something that the peer has for the bot.
type slackEnvelope struct {
	ID      string          `json:"envelope_id"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload"`
	Accepts bool            `json:"accepts_response_payload"`
	Attempt int             `json:"retry_attempt"`
	Reason  string          `json:"retry_reason"`

	to    *slackConn
	timer *time.Timer
}

func (e *slackEnvelope) event() bool { return e.Type == "events_api" }

// A slackConn is one of the bot's connections.
type slackConn struct {
	*socket
	outbox chan string
}

// SlackSockets has the proxy take the sockets that the bot opens with the app token, from
// now on. It connects to the peer at once, so that nothing is lost before the bot comes.
func (p *Proxy) SlackSockets(appToken string) *SlackSockets {
	s := &SlackSockets{proxy: p, appToken: appToken, ackWithin: 10 * time.Second, sent: map[string]*slackEnvelope{}}
	conn, err := s.connect()
	if err != nil {
		p.tb.Fatal(err)
	}
	p.mu.Lock()
	p.slack = s
	p.mu.Unlock()
	p.Handle("apps.connections.open", http.HandlerFunc(s.open))
	p.group.Go(func() { s.follow(conn) })
	return s
}

// AckWithin sets how long the bot may take to acknowledge: 3 s in Slack, 10 s here if
// nobody says otherwise.
func (s *SlackSockets) AckWithin(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ackWithin = d
}

// Lost returns how many envelopes Slack would have given up.
func (s *SlackSockets) Lost() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

// Pending returns how many envelopes the bot has not acknowledged yet.
func (s *SlackSockets) Pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.waiting) + len(s.sent)
}

// Disconnect tells the bot's connections that they are to be replaced, as Slack does
// every few hours, with a reason such as "refresh_requested". They get nothing more.
func (s *SlackSockets) Disconnect(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.outbox <- `{"type":"disconnect","reason":"` + reason + `","debug_info":{"host":"flaky"}}`
	}
	s.conns = nil
}

// open answers apps.connections.open.
func (s *SlackSockets) open(w http.ResponseWriter, r *http.Request) {
	answer := map[string]any{"ok": false, "error": "invalid_auth"}
	if r.Header.Get("Authorization") == "Bearer "+s.appToken || r.FormValue("token") == s.appToken {
		answer = map[string]any{"ok": true, "url": "ws://" + s.proxy.Addr + slackSocketPath}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

func (p *Proxy) slackFor(path string) *SlackSockets {
	p.mu.Lock()
	defer p.mu.Unlock()
	if strings.HasPrefix(path, slackSocketPath) {
		return p.slack
	}
	return nil
}

// connect opens the proxy's own connection to the peer.
func (s *SlackSockets) connect() (*websocket.Conn, error) {
	answer, err := s.proxy.ask(s.proxy.over, Request{Verb: http.MethodPost, uri: "/api/apps.connections.open", Header: http.Header{"Authorization": {"Bearer " + s.appToken}}})
	if err != nil {
		return nil, fmt.Errorf("open a socket at the Slack peer: %w", err)
	}
	var opened struct{ URL string }
	if err := json.Unmarshal(answer.Body, &opened); err != nil {
		return nil, fmt.Errorf("open a socket at the Slack peer: %w: %s", err, answer.Body)
	}
	_, uri, _ := strings.Cut(opened.URL, "://")
	conn, err := s.proxy.dial(s.proxy.over, uri[strings.Index(uri+"/", "/"):])
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.upstream = conn
	s.mu.Unlock()
	return conn, nil
}

// follow takes what the peer has until the proxy ends, and comes back to a peer that has
// been away.
func (s *SlackSockets) follow(conn *websocket.Conn) {
	for s.proxy.over.Err() == nil {
		if conn != nil {
			s.take(conn)
			_ = conn.CloseNow()
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-s.proxy.over.Done():
			return
		}
		conn, _ = s.connect() // again, until it is there
	}
}

// take takes what the peer has from one connection. The peer is told at once that events
// have arrived: the proxy answers for them now.
func (s *SlackSockets) take(conn *websocket.Conn) {
	for {
		_, text, err := conn.Read(s.proxy.over)
		if err != nil {
			return
		}
		e := &slackEnvelope{}
		if json.Unmarshal(s.proxy.rewrite(text), e) != nil || e.ID == "" {
			continue // hello
		}
		if e.event() {
			s.acknowledgePeer(conn, ackOf(e.ID))
		}
		s.mu.Lock()
		s.waiting = append(s.waiting, e)
		s.dispatch()
		s.mu.Unlock()
	}
}

func ackOf(id string) []byte { return []byte(`{"envelope_id":"` + id + `"}`) }

func (s *SlackSockets) acknowledgePeer(conn *websocket.Conn, ack []byte) {
	if conn != nil {
		_ = conn.Write(s.proxy.over, websocket.MessageText, ack) // a peer that is gone needs none
	}
}

// dispatch sends what waits, in turn to the connections there are. The caller holds the
// lock.
func (s *SlackSockets) dispatch() {
	for len(s.waiting) > 0 && len(s.conns) > 0 {
		e := s.waiting[0]
		s.waiting = s.waiting[1:]
		e.to = s.choose(e.to)
		text, err := json.Marshal(e)
		if err != nil {
			s.proxy.tb.Errorf("write an envelope: %v", err)
			continue
		}
		s.sent[e.ID] = e
		e.timer = time.AfterFunc(s.ackWithin, func() { s.failed(e) })
		e.to.outbox <- string(text)
	}
}

// choose returns the connection whose turn it is, for an envelope that failed on another
// one, or on none. The caller holds the lock, and there are connections.
func (s *SlackSockets) choose(failed *slackConn) *slackConn {
	c := s.conns[s.turn%len(s.conns)]
	s.turn++
	if c == failed && len(s.conns) > 1 {
		return s.choose(failed)
	}
	return c
}

// failed deals with an envelope that was not acknowledged in time.
func (s *SlackSockets) failed(e *slackEnvelope) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proxy.over.Err() == nil && s.sent[e.ID] == e {
		s.again(e)
		s.dispatch()
	}
}

// again has an envelope wait for another connection, or gives it up. The caller holds
// the lock.
func (s *SlackSockets) again(e *slackEnvelope) {
	delete(s.sent, e.ID)
	e.timer.Stop()
	if !e.event() || e.Attempt == slackRetries {
		s.lost++
		return
	}
	next := *e
	next.Attempt++
	next.Reason = "timeout"
	s.waiting = append(s.waiting, &next)
}

// serve takes one connection of the bot's until it is gone.
func (s *SlackSockets) serve(x *Exchange) {
	sock, live, done, err := s.proxy.accept(x.Context(), x)
	if err != nil {
		return // the bot has been told
	}
	defer done()
	c := &slackConn{sock, make(chan string, 10_000)}
	var writing sync.WaitGroup
	writing.Go(func() { s.write(live, c) })
	defer writing.Wait()
	defer sock.cancel()
	s.mu.Lock()
	s.conns = append(s.conns, c)
	c.outbox <- fmt.Sprintf(`{"type":"hello","num_connections":%d,"connection_info":{"app_id":"flaky"},"debug_info":{"host":"flaky","approximate_connection_time":18060}}`, len(s.conns))
	s.dispatch()
	s.mu.Unlock()
	s.read(live, c)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns = slices.DeleteFunc(s.conns, func(other *slackConn) bool { return other == c })
	for _, e := range s.sent {
		if e.to == c && s.proxy.over.Err() == nil {
			s.again(e)
		}
	}
	s.dispatch()
}

// write sends what is for a connection; what is for a frozen one goes nowhere.
func (s *SlackSockets) write(ctx context.Context, c *slackConn) {
	for {
		select {
		case text := <-c.outbox:
			select {
			case <-c.frozen:
				continue
			default:
			}
			s.proxy.keep(Frame{c.number, true, text})
			if c.client.Write(ctx, websocket.MessageText, []byte(text)) != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// read takes acknowledgements; those of a frozen connection go nowhere.
func (s *SlackSockets) read(ctx context.Context, c *slackConn) {
	for {
		_, text, err := c.client.Read(ctx)
		if err != nil {
			return
		}
		select {
		case <-c.frozen:
			<-ctx.Done()
			return
		default:
		}
		s.proxy.keep(Frame{c.number, false, string(text)})
		var ack struct {
			ID string `json:"envelope_id"`
		}
		if json.Unmarshal(text, &ack) != nil {
			continue
		}
		s.acknowledged(ack.ID, text)
	}
}

func (s *SlackSockets) acknowledged(id string, text []byte) {
	s.mu.Lock()
	e, upstream := s.sent[id], s.upstream
	delete(s.sent, id)
	s.waiting = slices.DeleteFunc(s.waiting, func(w *slackEnvelope) bool { return w.ID == id }) // late, but it was
	s.mu.Unlock()
	if e == nil {
		return
	}
	e.timer.Stop()
	if !e.event() {
		s.acknowledgePeer(upstream, text)
	}
}
