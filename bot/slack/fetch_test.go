package slack_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/slack"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// file answers a request of a file with what is given.
func (d *desks) file(with func(http.ResponseWriter, *http.Request)) { d.api.answer("/files/F1", with) }

func (d *desks) fetch(f bot.File) (string, error) {
	r, err := d.app.Fetch(d.t.Context(), f)
	if err != nil {
		return "", err
	}
	defer func() { _ = r.Close() }()
	b, err := io.ReadAll(r)
	return string(b), err
}

func TestFetch(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		media  string
		want   string
		is     error  // nil for none, or one that only says in words
		says   string // in the error
	}{
		"a file":        {answer: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "содержимое") }, want: "содержимое"},
		"an empty file": {answer: code(204), want: ""},
		"refused":       {answer: code(400), says: "HTTP 400"},
		"a page":        {answer: page, media: "text/html", want: "<html>"},
		"sign-in page":  {answer: page, media: "image/png", says: "files:read"},
		"sign-in page by redirect": {answer: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/?redir=%2Ffiles%2FF1", http.StatusFound)
		}, says: "files:read"},
		"forbidden":        {answer: code(403), says: "files:read"},
		"gone":             {answer: code(404), is: knowledge.ErrNotFound},
		"away":             {answer: code(503), is: knowledge.ErrAway},
		"hangs up":         {answer: hangUp, is: knowledge.ErrAway},
		"too large":        {answer: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1001)) }, is: knowledge.ErrInvalid},
		"round and round":  {answer: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/files/F1", http.StatusFound) }, is: knowledge.ErrNotFound},
		"slow down please": {answer: code(429), says: "wait"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesks(t, func(o *slack.Options) { o.MaxFile = 1000 })
			d.file(c.answer)
			got, err := d.fetch(bot.File{Ref: d.api.URL + "/files/F1", Name: "x", Media: c.media})
			switch {
			case c.is == nil && c.says == "":
				if err != nil || got != c.want {
					t.Errorf("%q, %v", got, err)
				}
			case c.is != nil && !errors.Is(err, c.is), err == nil, c.says == "HTTP 400" && errors.Is(err, knowledge.ErrAway), !strings.Contains(err.Error(), c.says):
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, "<html>")
}

func code(n int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(n) }
}

// The token goes nowhere but to Slack, whatever address an event or a redirect names.
func TestTokenStaysWithSlack(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(stranger.Close)
	d := newDesks(t)
	d.file(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, stranger.URL+"/x", http.StatusFound) })
	host := strings.TrimPrefix(d.api.URL, "http://")
	for _, address := range []string{
		stranger.URL + "/files-pri/T1-F1/x.png", d.api.URL + "/files/F1", "http://user:pass@" + host + "/files/F2", "https://" + host + "/files/F1",
		"http://" + host + "@" + strings.TrimPrefix(stranger.URL, "http://") + "/x", "file:///etc/passwd", "gopher://" + host, "http://169.254.169.254/latest/meta-data", "http://[::1]/x", "https://files.slack.com.evil.example/x", "://",
	} {
		if _, err := d.fetch(bot.File{Ref: address}); !errors.Is(err, knowledge.ErrNotFound) {
			t.Errorf("%s: %v", address, err)
		}
	}
	if asked.Load() != 0 {
		t.Errorf("a stranger was asked %d times", asked.Load())
	}
	app := slack.New(slack.Options{Token: "xoxb-x"})
	for address, want := range map[string]bool{
		"https://files.slack.com/files-pri/x": true, "https://slack.com/x": true, "https://FILES.slack.com/x": true,
		"http://files.slack.com/x": false, "https://evil.slack.com.example/x": false, "https://files.slack.com:444/x": false, "https://evilslack.com/x": false, "https://slack-files.com/x": false,
	} {
		if got := slack.KeepsFiles(app, address); got != want {
			t.Errorf("%s gets the token: %t", address, got)
		}
	}
}

// A file of another workspace comes with its id alone.
func TestFetchById(t *testing.T) {
	t.Parallel()
	d := newDesks(t)
	d.file(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Header.Get("Authorization")) })
	d.api.answer("files.info", func(w http.ResponseWriter, r *http.Request) {
		if r.Form.Get("file") != "F1" {
			_, _ = io.WriteString(w, `{"ok":false,"error":"file_not_found"}`)
			return
		}
		_, _ = io.WriteString(w, `{"ok":true,"file":{"id":"F1","url_private":"`+d.api.URL+`/files/F1"}}`)
	})
	if got, err := d.fetch(bot.File{Ref: "F1"}); err != nil || got != "Bearer xoxb-canary-token" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := d.fetch(bot.File{Ref: "F2"}); !errors.Is(err, knowledge.ErrNotFound) {
		t.Errorf("a file that is gone: %v", err)
	}
}

// shelf is a place of files in memory.
type shelf map[string][]byte

func (s shelf) Open(_ context.Context, key string) (io.ReadCloser, int64, error) {
	b, ok := s[key]
	if !ok {
		return nil, 0, knowledge.ErrNotFound
	}
	return io.NopCloser(bytes.NewReader(b)), int64(len(b)), nil
}

func TestSendFile(t *testing.T) {
	t.Parallel()
	files := shelf{"k": []byte("содержимое"), "empty": nil}
	file := func(key, name string) bot.Dispatch {
		return message(inChannel, bot.Message{File: &bot.SentFile{Key: key, Name: name, Media: "text/plain", Size: int64(len(files[key]))}})
	}
	var uploaded atomic.Pointer[string]
	desksOf := func(t *testing.T) *desks {
		d := newDesks(t, func(o *slack.Options) { o.Files = files })
		d.api.answer("files.getUploadURLExternal", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"ok":true,"upload_url":"`+d.api.URL+`/upload/secret-place","file_id":"F9"}`)
		})
		d.api.answer("/upload/secret-place", func(_ http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			s := string(b) + r.Header.Get("Authorization")
			uploaded.Store(&s)
		})
		return d
	}
	t.Run("goes into the thread", func(t *testing.T) {
		t.Parallel()
		d := desksOf(t)
		got, err := d.app.Send(t.Context(), file("k", "папка/отчёт.txt"))
		if err != nil || got != "F9" || *uploaded.Load() != "содержимое" {
			t.Fatalf("%q, %v, uploaded %q", got, err, *uploaded.Load())
		}
		calls := d.api.taken()
		if calls[0].values.Get("filename") != "папка_отчёт.txt" || calls[0].values.Get("length") != "20" ||
			calls[1].method != "files.completeUploadExternal" || calls[1].values.Get("channel_id") != "C1" || calls[1].values.Get("thread_ts") != "1700000000.000100" {
			t.Errorf("%+v", calls)
		}
	})
	t.Run("for one person alone goes to them", func(t *testing.T) {
		t.Parallel()
		d := desksOf(t)
		private := file("k", "x")
		private.Message.Private = true
		if _, err := d.app.Send(t.Context(), private); err != nil {
			t.Fatal(err)
		}
		calls := d.api.taken()
		if last := calls[len(calls)-1]; last.values.Get("channel_id") != "DU1" || last.values.Has("thread_ts") {
			t.Errorf("%+v", calls)
		}
	})
	for name, c := range map[string]struct {
		key    string
		breaks func(*desks)
		want   string
	}{
		"of nothing":      {"empty", func(*desks) {}, "never"},
		"that is gone":    {"none", func(*desks) {}, "never"},
		"no upload":       {"k", func(d *desks) { d.api.answer("/upload/secret-place", code(500)) }, "away"},
		"upload hangs up": {"k", func(d *desks) { d.api.answer("/upload/secret-place", hangUp) }, "away"},
		"no end":          {"k", func(d *desks) { d.api.answer("files.completeUploadExternal", hangUp) }, "away, in doubt"},
		"no place":        {"k", func(d *desks) { d.api.fail("files.getUploadURLExternal", "missing_scope") }, "away"},
		"nobody there":    {"k", func(d *desks) { d.api.fail("files.completeUploadExternal", "channel_not_found") }, "unreachable"},
		"too fast":        {"k", func(d *desks) { d.api.answer("files.getUploadURLExternal", code(429)) }, "slow"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := desksOf(t)
			c.breaks(d)
			_, err := d.app.Send(t.Context(), file(c.key, "x"))
			if got := meaning(err); got != c.want {
				t.Errorf("%v means %q, want %q", err, got, c.want)
			}
			if strings.Contains(err.Error(), "secret-place") {
				t.Errorf("the address of the upload is shown: %v", err)
			}
		})
	}
}
