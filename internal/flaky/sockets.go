package flaky

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// pingEvery is how often the sender's end of a web socket is pinged: clients take one
// that is silent for half a minute for dead.
const pingEvery = 5 * time.Second

// A Frame is a text that has come over a web socket.
type Frame struct {
	Socket   int // which of them, counted from 1
	FromPeer bool
	Text     string
}

// sockets are the web sockets that are open, and what came over them.
type sockets struct {
	open   map[*socket]struct{}
	count  int
	frames []Frame
}

// A socket is an open web socket: the sender's end and what is behind it.
type socket struct {
	number int
	client *websocket.Conn
	cancel context.CancelFunc // breaks both ends off
	frozen chan struct{}      // closed: nothing passes any more
	freeze func()
}

func isSocket(r *http.Request) bool { return strings.EqualFold(r.Header.Get("Upgrade"), "websocket") }

// accept takes a web socket of the sender's and keeps it among the open ones until done
// is called.
func (p *Proxy) accept(ctx context.Context, x *Exchange) (s *socket, live context.Context, done func(), err error) {
	client, err := websocket.Accept(x.w, x.r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return nil, nil, nil, err
	}
	client.SetReadLimit(-1)
	live, cancel := context.WithCancel(ctx)
	frozen := make(chan struct{})
	s = &socket{client: client, cancel: cancel, frozen: frozen, freeze: sync.OnceFunc(func() { close(frozen) })}
	p.mu.Lock()
	p.sockets.count++
	s.number = p.sockets.count
	if p.sockets.open == nil {
		p.sockets.open = map[*socket]struct{}{}
	}
	p.sockets.open[s] = struct{}{}
	p.mu.Unlock()
	var pinging sync.WaitGroup
	pinging.Go(func() { s.ping(live) })
	return s, live, func() {
		p.mu.Lock()
		delete(p.sockets.open, s)
		p.mu.Unlock()
		cancel()
		_ = client.CloseNow()
		pinging.Wait()
	}, nil
}

func (s *socket) ping(ctx context.Context) {
	ticker := time.NewTicker(pingEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if s.client.Ping(ctx) != nil {
				return
			}
		case <-s.frozen:
			return
		case <-ctx.Done():
			return
		}
	}
}

// serveSocket passes a web socket on to the peer until either end is gone.
func (p *Proxy) serveSocket(x *Exchange) {
	x.note(func(r *Request) { r.Reached, r.Status = true, http.StatusSwitchingProtocols })
	p.group.Add(1)
	defer p.group.Done()
	if s := p.slackFor(x.Path); s != nil {
		s.serve(x)
		return
	}
	peer, err := p.dial(x.Context(), x.uri)
	if err != nil {
		x.Answer(Answer{Status: http.StatusBadGateway, Body: []byte(err.Error())})
		return
	}
	defer func() { _ = peer.CloseNow() }()
	s, live, done, err := p.accept(x.Context(), x)
	if err != nil {
		return // the sender has been told
	}
	defer done()
	var pumps sync.WaitGroup
	pumps.Go(func() { defer s.cancel(); p.pump(live, s, s.client, peer, false) })
	pumps.Go(func() { defer s.cancel(); p.pump(live, s, peer, s.client, true) })
	pumps.Wait()
}

// dial opens a web socket to the peer.
func (p *Proxy) dial(ctx context.Context, uri string) (*websocket.Conn, error) {
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	peer, response, err := websocket.Dial(ctx, "ws://"+target+uri, nil)
	if err != nil {
		return nil, fmt.Errorf("open a web socket to the peer: %w", err)
	}
	if response.Body != nil {
		_ = response.Body.Close()
	}
	peer.SetReadLimit(-1)
	return peer, nil
}

// pump passes what comes from one end on to the other. A frozen socket takes and passes
// nothing.
func (p *Proxy) pump(ctx context.Context, s *socket, from, to *websocket.Conn, fromPeer bool) {
	for {
		kind, text, err := from.Read(ctx)
		if err != nil {
			return
		}
		select {
		case <-s.frozen:
			<-ctx.Done()
			return
		default:
		}
		if fromPeer && kind == websocket.MessageText {
			text = p.rewrite(text)
		}
		p.keep(Frame{s.number, fromPeer, string(text)})
		if to.Write(ctx, kind, text) != nil {
			return
		}
	}
}

func (p *Proxy) keep(f Frame) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sockets.frames = append(p.sockets.frames, f)
}

func (p *Proxy) openSockets() []*socket {
	p.mu.Lock()
	defer p.mu.Unlock()
	var open []*socket
	for s := range p.sockets.open {
		open = append(open, s)
	}
	return open
}

// Sockets returns how many web sockets are open, frozen ones included.
func (p *Proxy) Sockets() int { return len(p.openSockets()) }

// Frames returns what has come over web sockets, in its order.
func (p *Proxy) Frames() []Frame {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Frame{}, p.sockets.frames...)
}

// CutSockets breaks all web sockets off, as a lost connection does: nobody says goodbye.
func (p *Proxy) CutSockets() {
	for _, s := range p.openSockets() {
		s.cancel()
	}
}

// FreezeSockets has all web sockets that are open now stay so and carry nothing any
// more, as when a machine between has gone. Those that are opened later work.
func (p *Proxy) FreezeSockets() {
	for _, s := range p.openSockets() {
		s.freeze()
	}
}

// SendToSockets sends a text to the sender's end of all open web sockets, as if it came
// from the peer: what Frames has for a replay, or what the peer has no idea of.
func (p *Proxy) SendToSockets(text string) {
	for _, s := range p.openSockets() {
		if err := s.client.Write(p.over, websocket.MessageText, []byte(text)); err != nil {
			p.tb.Errorf("send to web socket %d: %v", s.number, err)
		}
	}
}
