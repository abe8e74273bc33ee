package flaky_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/internal/flaky"
)

// echo is a peer that counts its requests and names itself.
func echo(t *testing.T) (url string, requests *atomic.Int32) {
	t.Helper()
	requests = new(atomic.Int32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"ok":true,"uri":%q,"body":%q,"self":"ws://%s/x"}`, r.RequestURI, body, r.Host)
	}))
	t.Cleanup(s.Close)
	return s.URL, requests
}

// post sends a text and returns what is answered.
func post(t *testing.T, url, text string) (status int, header http.Header, body string, err error) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	response, err := client.Post(url, "text/plain", strings.NewReader(text))
	if err != nil {
		return 0, nil, "", err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, response.Header, string(answer), err
}

func TestPassesOn(t *testing.T) {
	t.Parallel()
	peer, _ := echo(t)
	p := flaky.New(t, peer)
	status, _, body, err := post(t, p.URL+"/api/files/%D1%81%D1%87?q=%D0%B0", "текст")
	want := `{"ok":true,"uri":"/api/files/%D1%81%D1%87?q=%D0%B0","body":"текст","self":"ws://` + p.Addr + `/x"}`
	if err != nil || status != http.StatusOK || body != want {
		t.Errorf("%d, %v, got\n%s\nwant\n%s", status, err, body, want)
	}
	got := p.Requests("*")
	if len(got) != 1 || got[0].Path != "/api/files/сч" || got[0].Method() != "сч" || string(got[0].Body) != "текст" || !got[0].Reached || got[0].Status != http.StatusOK {
		t.Errorf("recorded: %+v", got)
	}
	if p.Forget(); len(p.Requests("*")) != 0 {
		t.Error("nothing is forgotten")
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	close(gone)
	for name, c := range map[string]struct {
		fault   flaky.Fault
		reached bool
		broken  error // nil: it is answered
		status  int
		header  [2]string
		body    string // a part of the answer
	}{
		"pass":             {flaky.Pass, true, nil, 200, [2]string{}, `"ok":true`},
		"reset":            {flaky.Reset, false, syscall.ECONNRESET, 0, [2]string{}, ""},
		"reset after":      {flaky.ResetAfter, true, syscall.ECONNRESET, 0, [2]string{}, ""},
		"cut short":        {flaky.CutShort, true, io.ErrUnexpectedEOF, 200, [2]string{}, `{"ok":true`},
		"held":             {flaky.Hold(gone), true, nil, 200, [2]string{}, `"ok":true`},
		"slow":             {flaky.Slow(time.Millisecond), true, nil, 200, [2]string{}, `"ok":true`},
		"5xx":              {flaky.Status(503, "busy"), false, nil, 503, [2]string{}, "busy"},
		"Slack 429":        {flaky.SlackRateLimited(1500 * time.Millisecond), false, nil, 429, [2]string{"Retry-After", "2"}, `"ratelimited"`},
		"Slack error":      {flaky.SlackError("channel_not_found"), false, nil, 200, [2]string{}, `{"error":"channel_not_found","ok":false}`},
		"Telegram 429":     {flaky.TelegramRateLimited(3 * time.Second), false, nil, 429, [2]string{}, `"parameters":{"retry_after":3}`},
		"Telegram 403":     {flaky.TelegramBlocked(), false, nil, 403, [2]string{}, `"error_code":403`},
		"Telegram 400":     {flaky.TelegramError(400, "Bad Request: chat not found"), false, nil, 400, [2]string{}, "chat not found"},
		"Telegram migrate": {flaky.TelegramMigrated(-100), false, nil, 400, [2]string{}, `"migrate_to_chat_id":-100`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			peer, requests := echo(t)
			p := flaky.New(t, peer)
			rule := p.Fail(flaky.Rule{Path: "sendMessage", Times: 1, Fault: c.fault})
			status, header, body, err := post(t, p.URL+"/botT/sendMessage", "")
			if !errors.Is(err, c.broken) || status != c.status || !strings.Contains(body, c.body) {
				t.Errorf("%d %q, %v", status, body, err)
			}
			if c.header[0] != "" && header.Get(c.header[0]) != c.header[1] {
				t.Errorf("%s: %q, want %q", c.header[0], header.Get(c.header[0]), c.header[1])
			}
			if got := p.Requests("sendMessage"); len(got) != 1 || got[0].Reached != c.reached || (requests.Load() == 1) != c.reached || rule.Hits() != 1 {
				t.Errorf("recorded %+v, %d reached the peer, %d hits", got, requests.Load(), rule.Hits())
			}
			if status, _, _, err := post(t, p.URL+"/botT/sendMessage", ""); err != nil || status != http.StatusOK {
				t.Errorf("after the fault: %d, %v", status, err)
			}
		})
	}
}

// The sender gives up once the proxy has the request: no clock decides.
func TestHangs(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]flaky.Fault{"before": flaky.Hang, "after": flaky.HangAfter} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			peer, requests := echo(t)
			p := flaky.New(t, peer)
			p.Fail(flaky.Rule{Path: "/api/*", Fault: fault})
			ctx, giveUp := context.WithCancel(t.Context())
			request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL+"/api/x", strings.NewReader("a"))
			if err != nil {
				t.Fatal(err)
			}
			want := int32(0)
			if name == "after" {
				want = 1
			}
			go func() {
				for len(p.Requests("*")) == 0 || requests.Load() < want {
					time.Sleep(time.Millisecond)
				}
				giveUp()
			}()
			if response, err := http.DefaultClient.Do(request); !errors.Is(err, context.Canceled) {
				_ = response.Body.Close()
				t.Errorf("it is answered, %v", err)
			}
			if got := p.Requests("x")[0]; got.Status != 0 || got.Reached != (want == 1) || requests.Load() != want {
				t.Errorf("recorded %+v, %d reached the peer", got, requests.Load())
			}
		})
	}
}

func TestRulesFollowEachOther(t *testing.T) {
	t.Parallel()
	peer, _ := echo(t)
	p := flaky.New(t, peer)
	p.Fail(flaky.Rule{Path: "a.*", Skip: 1, Times: 2, Fault: flaky.Status(429, "")})
	p.Fail(flaky.Rule{Path: "a.b", Times: 2, Fault: flaky.Status(500, "")})
	last := p.Fail(flaky.Rule{Path: "/api/a.b", If: func(r flaky.Request) bool { return string(r.Body) == "это" }, Fault: flaky.Status(403, "")})
	var got []int
	for _, c := range [][2]string{{"a.b", ""}, {"a.b", ""}, {"a.c", ""}, {"a.b", ""}, {"a.b", "то"}, {"a.b", "это"}, {"a.b", "это"}, {"b", ""}} {
		status, _, _, err := post(t, p.URL+"/api/"+c[0], c[1])
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, status)
	}
	// The first rule lets one pass, which the second hits.
	if want := []int{500, 429, 429, 500, 200, 403, 403, 200}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %d, want %d", got, want)
	}
	last.Lift()
	if status, _, _, err := post(t, p.URL+"/api/a.b", "это"); err != nil || status != http.StatusOK || last.Hits() != 2 {
		t.Errorf("a lifted rule: %d, %v, %d hits", status, err, last.Hits())
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	peer, requests := echo(t)
	p := flaky.New(t, peer)
	p.Fail(flaky.Rule{Path: "*", Times: 30, Fault: flaky.ResetAfter})
	var broken atomic.Int32
	var group sync.WaitGroup
	for range 100 {
		group.Go(func() {
			if _, _, _, err := post(t, p.URL+"/x", ""); err != nil {
				broken.Add(1)
			}
		})
	}
	group.Wait()
	if broken.Load() != 30 || requests.Load() != 100 || len(p.Requests("*")) != 100 {
		t.Errorf("%d broken, %d reached the peer, %d recorded", broken.Load(), requests.Load(), len(p.Requests("*")))
	}
}

// What the peer has no idea of is answered beside it, and breaks like anything else.
func TestHandle(t *testing.T) {
	t.Parallel()
	peer, requests := echo(t)
	p := flaky.New(t, peer)
	var handled atomic.Int32
	p.Handle("sendPhoto", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handled.Add(1)
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintf(w, "photo %s", body)
	}))
	if status, _, body, err := post(t, p.URL+"/botT/sendPhoto", "png"); err != nil || status != http.StatusAccepted || body != "photo png" {
		t.Errorf("%d %q, %v", status, body, err)
	}
	p.Fail(flaky.Rule{Path: "sendPhoto", Fault: flaky.ResetAfter})
	if _, _, _, err := post(t, p.URL+"/botT/sendPhoto", "png"); err == nil || handled.Load() != 2 || requests.Load() != 0 {
		t.Errorf("%v, %d handled, %d reached the peer", err, handled.Load(), requests.Load())
	}
}

func TestPeerAway(t *testing.T) {
	t.Parallel()
	peer, _ := echo(t)
	p := flaky.New(t, "http://127.0.0.1:1")
	if status, _, _, err := post(t, p.URL+"/x", ""); err != nil || status != http.StatusBadGateway {
		t.Errorf("%d, %v", status, err)
	}
	p.Retarget(peer)
	if status, _, _, err := post(t, p.URL+"/x", ""); err != nil || status != http.StatusOK {
		t.Errorf("on another peer: %d, %v", status, err)
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	const boundary = "--b\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n7\r\n" +
		"--b\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"счёт.png\"\r\nContent-Type: image/png\r\n\r\nPNG\r\n--b--\r\n"
	for kind, body := range map[string]string{
		"application/x-www-form-urlencoded":    "chat_id=7",
		"application/json; charset=utf-8":      `{"chat_id":7,"blocks":[{"type":"divider"}]}`,
		"multipart/form-data; boundary=\"b\"":  boundary,
		"application/x-www-form-urlencoded; a": "chat_id=7", // malformed, and all the same no reason to fail
	} {
		r := flaky.Request{Path: "/m", Query: "q=1", Header: http.Header{"Content-Type": {kind}}, Body: []byte(body)}
		got, err := r.Arguments()
		if err != nil || got.Values["q"] != "1" || got.Values["chat_id"] != "7" && !strings.HasSuffix(kind, "; a") {
			t.Errorf("%s: %+v, %v", kind, got, err)
		}
		switch kind[:14] {
		case "application/js":
			if got.Values["blocks"] != `[{"type":"divider"}]` {
				t.Errorf("blocks: %q", got.Values["blocks"])
			}
		case "multipart/form":
			if f := got.Files["photo"]; f.Name != "счёт.png" || f.Type != "image/png" || string(f.Content) != "PNG" {
				t.Errorf("the file is %+v", f)
			}
		}
	}
	if _, err := (flaky.Request{Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte("{")}).Arguments(); err == nil {
		t.Error("broken JSON is read")
	}
}
