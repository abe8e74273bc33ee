package telegram_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/telegram"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// class names what an error tells the core.
func class(err error) string {
	var slow *bot.SlowDownError
	var out []string
	switch {
	case err == nil:
		return "sent"
	case errors.As(err, &slow):
		out = append(out, "slow down "+slow.After.String())
	case errors.Is(err, bot.ErrUnreachable):
		out = append(out, "unreachable")
	case errors.Is(err, bot.ErrUndeliverable):
		out = append(out, "undeliverable")
	case errors.Is(err, knowledge.ErrAway):
		out = append(out, "away")
	default:
		out = append(out, "again")
	}
	if errors.Is(err, bot.ErrDoubt) {
		out = append(out, "in doubt")
	}
	return strings.Join(out, ", ")
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		code       int
		text       string
		parameters []string
		want       string
	}{
		{429, "Too Many Requests: retry after 35", []string{`{"retry_after":35}`}, "slow down 35s"},
		{429, "Too Many Requests: retry after 7", nil, "slow down 7s"},
		{429, "Too Many Requests", nil, "slow down 1s"},
		{403, "Forbidden: bot was blocked by the user", nil, "unreachable"},
		{403, "Forbidden: user is deactivated", nil, "unreachable"},
		{403, "Forbidden: bot can't initiate conversation with a user", nil, "unreachable"},
		{403, "Forbidden: bot was kicked from the supergroup chat", nil, "unreachable"},
		{400, "Bad Request: chat not found", nil, "unreachable"},
		{400, "Bad Request: not enough rights to send text messages to the chat", nil, "unreachable"},
		{400, "Bad Request: message is too long", nil, "undeliverable"},
		{400, "Bad Request: BUTTON_DATA_INVALID", nil, "undeliverable"},
		{401, "Unauthorized", nil, "away"},
		{404, "Not Found", nil, "away"},
		{409, "Conflict: terminated by other getUpdates request", nil, "away"},
		{500, "Internal Server Error", nil, "away"},
		{502, "Bad Gateway", nil, "away, in doubt"},
		{503, "Service Unavailable", nil, "away"},
		{504, "Gateway Timeout", nil, "away, in doubt"},
		{418, "I'm a teapot", nil, "again"},
	} {
		r := newRig(t)
		r.api.answering(func(call, int) http.HandlerFunc { return refuse(test.code, test.text, test.parameters...) })
		_, err := r.Send(t.Context(), text("42", "привет"))
		if got := class(safe(t, err)); got != test.want {
			t.Errorf("%d %s is %q, want %q: %v", test.code, test.text, got, test.want, err)
		}
		if n := len(r.api.called("sendMessage")); n != 1 {
			t.Errorf("%d %s: sent %d times", test.code, test.text, n)
		}
	}
}

// What servers in between answer is no word of Telegram's.
func TestAnswersOfOthers(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]string{413: "undeliverable", 403: "away", 404: "away", 502: "away, in doubt", 503: "away", 302: "away", 200: "away, in doubt"} {
		r := newRig(t)
		r.api.answering(func(call, int) http.HandlerFunc {
			return func(w http.ResponseWriter, q *http.Request) {
				w.Header().Set("Location", "http://127.0.0.1:1"+q.URL.Path) // not to be followed: it has the token
				w.WriteHeader(code)
				_, _ = w.Write([]byte("<html><body>nginx</body></html>"))
			}
		})
		_, err := r.Send(t.Context(), text("42", "привет"))
		if got := class(safe(t, err)); got != want {
			t.Errorf("%d is %q, want %q: %v", code, got, want, err)
		}
	}
}

// peer speaks HTTP as a broken server does.
func peer(tb testing.TB, speak func(c net.Conn, r *bufio.Reader)) (address string, connections *atomic.Int32) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = l.Close() })
	connections = &atomic.Int32{}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			go func() {
				defer func() { _ = c.Close() }()
				speak(c, bufio.NewReader(c))
			}()
		}
	}()
	return "http://" + l.Addr().String(), connections
}

func TestConnections(t *testing.T) {
	t.Parallel()
	request := func(r *bufio.Reader) {
		if q, err := http.ReadRequest(r); err == nil {
			_ = q.ParseForm()
		}
	}
	for _, test := range []struct {
		name  string
		speak func(c net.Conn, r *bufio.Reader)
		want  string
	}{
		{"time-out after the request", func(_ net.Conn, r *bufio.Reader) { request(r); _, _ = r.ReadByte() }, "away, in doubt"},
		{"reset after the request", func(_ net.Conn, r *bufio.Reader) { request(r) }, "away, in doubt"},
		{"the answer breaks off", func(c net.Conn, r *bufio.Reader) {
			request(r)
			_, _ = fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"ok\":true,")
		}, "away, in doubt"},
		{"no HTTP", func(c net.Conn, r *bufio.Reader) { request(r); _, _ = fmt.Fprint(c, "SSH-2.0\r\n\r\n") }, "away, in doubt"},
		{"an answer without an end", func(c net.Conn, r *bufio.Reader) {
			request(r)
			_, _ = fmt.Fprint(c, "HTTP/1.1 200 OK\r\n\r\n")
			for line := strings.Repeat("x", 1<<16); ; {
				if _, err := fmt.Fprint(c, line); err != nil {
					return
				}
			}
		}, "away, in doubt"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			address, connections := peer(t, test.speak)
			r := newRig(t, func(o *telegram.Options) { o.Endpoint = address; o.Pauses.Call = 500 * time.Millisecond })
			_, err := r.Send(t.Context(), text("42", "привет"))
			if got := class(safe(t, err)); got != test.want {
				t.Errorf("%q, want %q: %v", got, test.want, err)
			}
			if n := connections.Load(); n != 1 {
				t.Errorf("what may have arrived was sent %d times", n)
			}
			if _, err := r.Check(t.Context()); class(safe(t, err)) != "away" {
				t.Errorf("a question is %q: %v", class(err), err)
			}
			if n := connections.Load(); n != 4 {
				t.Errorf("what does no harm was tried %d times", n-1)
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	r := newRig(t, func(o *telegram.Options) { o.Endpoint = "http://" + l.Addr().String() })
	if _, err := r.Send(t.Context(), text("42", "привет")); class(safe(t, err)) != "away" {
		t.Errorf("%q: %v", class(err), err)
	}
}

// What was surely not sent is sent again at once.
func TestServerComesBack(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	r := newRig(t, func(o *telegram.Options) {
		o.Endpoint, o.Pauses.Retry = "http://"+l.Addr().String(), 4*time.Second
	})
	sent := make(chan error, 1)
	go func() {
		_, err := r.Send(t.Context(), text("42", "привет"))
		sent <- err
	}()
	back, err := net.Listen("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: result(map[string]any{"message_id": 1})}
	go func() { _ = server.Serve(back) }()
	defer func() { _ = server.Close() }()
	if err := <-sent; err != nil {
		t.Error(err)
	}
}

func TestStoppedWhileSending(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	r.api.answering(func(call, int) http.HandlerFunc {
		return func(http.ResponseWriter, *http.Request) { cancel(); <-ctx.Done() }
	})
	_, err := r.Send(ctx, text("42", "привет"))
	if !errors.Is(safe(t, err), context.Canceled) || !errors.Is(err, bot.ErrDoubt) {
		t.Errorf("%v", err)
	}
	if _, err := r.Send(ctx, text("42", "привет")); !errors.Is(err, context.Canceled) || errors.Is(err, bot.ErrDoubt) {
		t.Errorf("not begun: %v", err)
	}
}

// That a message may have arrived is not forgotten because the next attempt surely did not.
func TestDoubtLasts(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"slow down 5s, in doubt": refuse(429, "Too Many Requests: retry after 5"),
		"away, in doubt":         refuse(503, "Service Unavailable"),
		"unreachable, in doubt":  refuse(403, "Forbidden: bot was blocked by the user"),
	} {
		r := newRig(t)
		r.api.answering(func(call, int) http.HandlerFunc { return answer })
		d := text("42", "привет")
		d.Doubt = true
		if _, err := r.Send(t.Context(), d); class(safe(t, err)) != name {
			t.Errorf("%v: %s, want %s", err, class(err), name)
		}
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	for _, o := range []telegram.Options{
		{}, {Token: "AAcanaryTokenOfTheTests"}, {Token: token + "\n"}, {Token: token, Endpoint: "api.telegram.org"}, {Token: token, Webhook: "::"},
	} {
		if _, err := telegram.New(o); !errors.Is(safe(t, err), knowledge.ErrInvalid) {
			t.Errorf("%+v: %v", o.Endpoint+o.Webhook, err)
		}
	}
}

// A server that repeats what it was called with tells the token to the log otherwise.
func TestTokenInADescription(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.api.answering(func(call, int) http.HandlerFunc { return refuse(418, "no such method: /bot"+token+"/sendMessage") })
	_, err := r.Send(t.Context(), text("42", "привет"))
	if safe(t, err) == nil || !strings.Contains(err.Error(), "/bot***/sendMessage") {
		t.Errorf("%v", err)
	}
	run(t, r.Bot)
	await(t, "it is logged", func() bool { return strings.Contains(r.log.String(), "/bot***/") })
}
