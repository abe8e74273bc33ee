package files_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/files"
	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/disk"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
	"github.com/nastavnik-bot/nastavnik/store/sqlite/sqlitetest"
)

const (
	key  = "0123456789abcdef0123456789abcdef"
	name = "Отчёт «март».txt"
	text = "содержимое отчёта"
)

// office is a bot with a file of an answer in its base, and one of an ask.
type office struct {
	t       *testing.T
	store   *sqlite.Store
	dir     string // of the files
	now     time.Time
	server  *files.Server
	url     string // of the bot over HTTP
	log     *bytes.Buffer
	public  knowledge.Attachment
	private knowledge.Attachment
	asker   int64
	other   int64
}

func open(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, dir: t.TempDir(), now: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), log: &bytes.Buffer{}}
	var err error
	if o.store, err = sqlite.Open(t.Context(), sqlite.Options{Dir: sqlitetest.Folder(t, sqlite.NoQueue{}), Queue: sqlite.NoQueue{}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.store.Close() })
	contents, err := disk.Open(disk.Options{Dir: o.dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = contents.Close() })
	c, err := contents.Put(t.Context(), strings.NewReader(text), knowledge.FileLimits{})
	if err != nil {
		t.Fatal(err)
	}
	o.fill(knowledge.Attachment{Name: name, Content: c})
	say, err := texts.New("ru")
	if err != nil {
		t.Fatal(err)
	}
	var mux http.ServeMux
	web := httptest.NewServer(&mux)
	t.Cleanup(web.Close)
	o.url = web.URL
	o.server, err = files.New(files.Options{
		Store: o.store, Files: contents, Say: say, Key: []byte(key), Base: web.URL + "/",
		Now: func() time.Time { return o.now }, Log: slog.New(slog.NewTextHandler(o.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle(files.Path, o.server)
	return o
}

func (o *office) fill(a knowledge.Attachment) {
	o.t.Helper()
	ctx := context.Background()
	err := o.store.Write(ctx, func(tx bot.Tx) error {
		d := knowledge.Desk{Tx: tx, Now: o.now}
		for _, who := range []struct {
			name string
			id   *int64
		}{{"asker", &o.asker}, {"other", &o.other}} {
			p, err := tx.Identify(ctx, knowledge.Identity{Platform: "test", External: who.name, Name: who.name}, o.now)
			if err != nil {
				return err
			}
			*who.id = p.ID
		}
		q := knowledge.Question{ID: "deal", Text: "Как закрыть сделку?", Status: knowledge.InKnowledgeBase}
		if err := errors.Join(tx.PutQuestion(ctx, &q), tx.PutAnswer(ctx, &knowledge.Answer{Question: "deal", Text: "Кнопкой"})); err != nil {
			return err
		}
		var err error
		if o.public, err = d.Attach(ctx, "deal", a); err != nil {
			return err
		}
		if err := tx.PutAsk(ctx, knowledge.Ask{ID: 7, Person: o.asker, Text: "что это", Decision: knowledge.DecisionNothing}); err != nil {
			return err
		}
		o.private, err = d.AttachToAsk(ctx, 7, a)
		return err
	})
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) link(attachment, person int64) string {
	o.t.Helper()
	url, err := o.server.Link(o.t.Context(), attachment, person)
	if err != nil {
		o.t.Fatal(err)
	}
	return url
}

// get fetches an address.
func (o *office) get(url string) (status int, header http.Header, body string) {
	o.t.Helper()
	r, err := http.Get(url)
	if err != nil {
		o.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return r.StatusCode, r.Header, string(b)
}

func TestAFileIsSaved(t *testing.T) {
	o := open(t)
	url := o.link(o.public.ID, o.other)
	status, header, body := o.get(url)
	if status != http.StatusOK || body != text {
		t.Fatalf("%d: %q", status, body)
	}
	kind, params, err := mime.ParseMediaType(strings.Replace(header.Get("Content-Disposition"), `filename="_____ _____.txt"; `, "", 1))
	if err != nil || kind != "attachment" || params["filename"] != name {
		t.Errorf("it is saved as %s %v, %v", kind, params, err)
	}
	for h, want := range map[string]string{
		"Content-Type": "text/plain", "X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-store",
		"Content-Security-Policy": "sandbox; default-src 'none'", "Content-Length": "33", "Referrer-Policy": "no-referrer",
	} {
		if got := header.Get(h); got != want {
			t.Errorf("%s: %q, want %q", h, got, want)
		}
	}
	r, err := http.Head(url)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	if r.StatusCode != http.StatusOK || r.ContentLength != 33 {
		t.Errorf("HEAD: %s, %d bytes", r.Status, r.ContentLength)
	}
	if r, err = http.Post(url, "text/plain", nil); err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	if r.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %s", r.Status)
	}
}

func TestForgeries(t *testing.T) {
	o := open(t)
	soon := o.now.Add(time.Minute)
	genuine := files.Sign([]byte(key), o.private.ID, o.asker, soon)
	raw, err := base64.RawURLEncoding.DecodeString(genuine)
	if err != nil {
		t.Fatal(err)
	}
	// changed returns the genuine token with bytes of another one in its place.
	changed := func(from, to int, by string) string {
		other, err := base64.RawURLEncoding.DecodeString(by)
		if err != nil {
			t.Fatal(err)
		}
		b := bytes.Clone(raw)
		copy(b[from:to], other[from:to])
		return base64.RawURLEncoding.EncodeToString(b)
	}
	if status, _, body := o.get(o.url + files.Path + genuine); status != http.StatusOK || body != text {
		t.Fatalf("the genuine one: %d %q", status, body)
	}
	for name, c := range map[string]struct {
		token string
		want  int
	}{
		"another file":          {changed(0, 8, files.Sign([]byte(key), o.public.ID, o.asker, soon)), http.StatusNotFound},
		"another person":        {changed(8, 16, files.Sign([]byte(key), o.private.ID, o.other, soon)), http.StatusNotFound},
		"a later end":           {changed(16, 24, files.Sign([]byte(key), o.private.ID, o.asker, soon.Add(time.Hour))), http.StatusNotFound},
		"another key":           {files.Sign([]byte(strings.ToUpper(key)), o.private.ID, o.asker, soon), http.StatusNotFound},
		"expired":               {files.Sign([]byte(key), o.private.ID, o.asker, o.now), http.StatusGone},
		"signed for too long":   {files.Sign([]byte(key), o.private.ID, o.asker, o.now.Add(knowledge.MaxLinkTTL+time.Second)), http.StatusNotFound},
		"signed for ever":       {files.Sign([]byte(key), o.private.ID, o.asker, time.Unix(1<<62, 0)), http.StatusNotFound},
		"not for this person":   {files.Sign([]byte(key), o.private.ID, o.other, soon), http.StatusNotFound},
		"for nobody":            {files.Sign([]byte(key), o.private.ID, 0, soon), http.StatusNotFound},
		"no such file":          {files.Sign([]byte(key), 999, o.asker, soon), http.StatusNotFound},
		"cut":                   {genuine[:len(genuine)-1], http.StatusNotFound},
		"only the first part":   {genuine[:32], http.StatusNotFound},
		"longer":                {genuine + "AA", http.StatusNotFound},
		"padded":                {genuine + "==", http.StatusNotFound},
		"another last bit":      {lastBit(genuine), http.StatusNotFound},
		"no signature":          {base64.RawURLEncoding.EncodeToString(append(raw[:24:24], make([]byte, 32)...)), http.StatusNotFound},
		"nothing":               {"", http.StatusNotFound},
		"garbage":               {"%00%ff", http.StatusNotFound},
		"a path":                {"..%2f..%2fetc%2fpasswd", http.StatusNotFound},
		"the key of a content":  {o.private.Key, http.StatusNotFound},
		"another path under it": {genuine + "/x", http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			status, header, body := o.get(o.url + files.Path + c.token)
			if status != c.want || strings.Contains(body, text) || header.Get("Content-Disposition") != "" {
				t.Errorf("%d %q, want %d", status, body, c.want)
			}
		})
	}
}

// lastBit changes a bit of the last letter that decoding would throw away.
func lastBit(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	i := strings.IndexByte(alphabet, token[len(token)-1])
	return token[:len(token)-1] + string(alphabet[i^1])
}

func FuzzTokens(f *testing.F) {
	f.Add(files.Sign([]byte(key), 1, 1, time.Unix(1_800_000_000, 0)))
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		say, _ := texts.New("ru")
		s, err := files.New(files.Options{Say: say, Key: []byte(key), Now: func() time.Time { return time.Unix(1_900_000_000, 0) }})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, files.Path, nil)
		r.URL.Path += token
		s.ServeHTTP(w, r) // with nothing behind it: it must not come that far
		if w.Code != http.StatusNotFound && w.Code != http.StatusGone {
			t.Errorf("%q: %d", token, w.Code)
		}
	})
}

// A link outlives neither its minutes nor the permission.
func TestPermissionIsLookedUpAgain(t *testing.T) {
	o := open(t)
	if _, err := o.server.Link(t.Context(), o.private.ID, o.other); !errors.Is(err, knowledge.ErrNotFound) {
		t.Errorf("a link for who may not read: %v", err)
	}
	url := o.link(o.public.ID, o.other)
	err := o.store.Write(t.Context(), func(tx bot.Tx) error {
		_, err := knowledge.Desk{Tx: tx, Now: o.now}.Withdraw(t.Context(), "deal")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if status, _, body := o.get(url); status != http.StatusNotFound || strings.Contains(body, text) {
		t.Errorf("after the answer was withdrawn: %d %q", status, body)
	}
	url = o.link(o.private.ID, o.asker)
	o.now = o.now.Add(knowledge.MaxLinkTTL)
	if status, _, body := o.get(url); status != http.StatusGone || !strings.Contains(body, "устарела") {
		t.Errorf("after five minutes: %d %q", status, body)
	}
}

func TestWhatIsWrongWithTheContent(t *testing.T) {
	for name, c := range map[string]struct {
		spoil  func(path string) error
		status int
	}{
		"deleted":       {os.Remove, http.StatusNotFound},
		"another size":  {func(path string) error { return os.WriteFile(path, []byte("подмена"), 0o600) }, http.StatusInternalServerError},
		"another bytes": {func(path string) error { return os.WriteFile(path, []byte(strings.ToUpper(text)), 0o600) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			o := open(t)
			if err := c.spoil(filepath.Join(o.dir, o.public.Key)); err != nil {
				t.Fatal(err)
			}
			r, err := http.Get(o.link(o.public.ID, o.other))
			if err != nil {
				if c.status != 0 {
					t.Fatal(err)
				}
				return // cut before anything came
			}
			defer func() { _ = r.Body.Close() }()
			b, err := io.ReadAll(r.Body)
			if c.status == 0 {
				if err == nil {
					t.Errorf("%s: %q came as if it were whole", r.Status, b)
				}
			} else if r.StatusCode != c.status || !strings.Contains(o.log.String(), "attachment=") {
				t.Errorf("%s: %q; the log: %s", r.Status, b, o.log)
			}
			if strings.Contains(o.log.String(), "Отчёт") || strings.Contains(o.log.String(), key) {
				t.Errorf("the log has people's words, or the key: %s", o.log)
			}
		})
	}
}

func TestShortKey(t *testing.T) {
	if _, err := files.New(files.Options{Key: []byte("короткий")}); !errors.Is(err, knowledge.ErrInvalid) {
		t.Errorf("the error is %v", err)
	}
}
