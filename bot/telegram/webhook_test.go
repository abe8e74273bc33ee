package telegram_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/telegram"
)

const secret = "secret_of-the-tests"

func withHook(o *telegram.Options) {
	o.Webhook, o.Secret = "https://bot.example.org/telegram", secret
}

// hook sends the webhook something and returns the status and the body of the answer.
func hook(b *telegram.Bot, method, secret string, body []byte) (status int, answer string) {
	r := httptest.NewRequest(method, "/telegram", bytes.NewReader(body))
	if secret != "" {
		r.Header.Set("X-Telegram-Bot-Api-Secret-Token", secret)
	}
	w := httptest.NewRecorder()
	b.Webhook().ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	r := newRig(t, withHook)
	good := []byte(message(1, 1, "раз"))
	for _, test := range []struct {
		name, method, secret string
		body                 []byte
		status, rows         int
	}{
		{"no secret", "POST", "", good, 401, 0},
		{"another secret", "POST", "secret_of-the-test", good, 401, 0},
		{"a longer secret", "POST", secret + "s", good, 401, 0},
		{"another method without the secret", "GET", "", nil, 401, 0},
		{"another method", "GET", secret, nil, 405, 0},
		{"no JSON", "POST", secret, []byte("message=hello"), 400, 0},
		{"half of an update", "POST", secret, good[:30], 400, 0},
		{"too long", "POST", secret, bytes.Repeat([]byte(" "), 1<<20+1), 413, 0},
		{"an update", "POST", secret, good, 200, 1},
		{"the same once more", "POST", secret, good, 200, 1},
		{"of an unknown kind", "POST", secret, []byte(`{"update_id":5,"managed_bot":{}}`), 200, 1},
		{"of an unknown shape", "POST", secret, []byte(`{"update_id":6,"message":{"message_id":"six"}}`), 200, 1},
		{"no update at all", "POST", secret, []byte(`[]`), 200, 1},
	} {
		status, answer := hook(r.Bot, test.method, test.secret, test.body)
		if status != test.status || answer != "" || waiting(t, r.store) != test.rows {
			t.Errorf("%s: status %d %q, %d rows; want %d, nothing, %d", test.name, status, answer, waiting(t, r.store), test.status, test.rows)
		}
	}
}

// Telegram sends again what was not answered by 200: only what is in the inbox may be.
func TestWebhookAnswersAfterTheCommit(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := &failing{Store: r.store}
	b := newBot(t, r, withHook, func(o *telegram.Options) { o.Inbox = bot.Reception{Store: s} })
	s.fail.Store(true)
	if status, answer := hook(b, "POST", secret, []byte(message(1, 1, "раз"))); status != 503 || answer != "" {
		t.Errorf("status %d %q though nothing was stored", status, answer)
	}
	s.fail.Store(false)
	if status, _ := hook(b, "POST", secret, []byte(message(1, 1, "раз"))); status != 200 || waiting(t, r.store) != 1 {
		t.Errorf("status %d, %d rows", status, waiting(t, r.store))
	}
}

// While Telegram cannot say who the bot is nothing is taken, and nothing lost.
func TestWebhookBeforeTheBotIsKnown(t *testing.T) {
	t.Parallel()
	r := newRig(t, withHook)
	r.api.answering(func(c call, n int) http.HandlerFunc {
		if n <= 3 { // one question, with its repetitions
			return refuse(500, "Internal Server Error")
		}
		return nil
	})
	for _, want := range []int{503, 200} {
		if status, _ := hook(r.Bot, "POST", secret, []byte(message(1, 1, "раз"))); status != want {
			t.Errorf("status %d, want %d", status, want)
		}
	}
}

func TestWebhookAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, withHook)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() { // each comes twice, to any replica
			if status, _ := hook(r.Bot, "POST", secret, []byte(message(i/2, i/2+1, "вопрос"))); status != 200 {
				t.Errorf("status %d", status)
			}
		})
	}
	all.Wait()
	if n := waiting(t, r.store); n != 10 {
		t.Errorf("%d rows of 10", n)
	}
}

func TestWebhookIsSetAndKept(t *testing.T) {
	t.Parallel()
	r := newRig(t, withHook)
	known := &sync.Map{}
	known.Store("url", "")
	r.api.answering(func(c call, _ int) http.HandlerFunc {
		switch c.method {
		case "setWebhook":
			known.Store("url", c.form.Get("url"))
		case "getWebhookInfo":
			url, _ := known.Load("url")
			return result(map[string]any{"url": url})
		}
		return nil
	})
	stop := run(t, r.Bot)
	await(t, "it has been looked at", func() bool { return len(r.api.called("getWebhookInfo")) > 2 })
	set := forms(r.api.called("setWebhook"))
	if len(set) != 1 || set[0]["url"] != "https://bot.example.org/telegram" || set[0]["secret_token"] != secret || !strings.Contains(set[0]["allowed_updates"], "edited_message") || set[0]["drop_pending_updates"] != "" {
		t.Errorf("set: %v", set)
	}
	known.Store("url", "") // a bot that polls has removed it
	await(t, "it is set again", func() bool { return len(r.api.called("setWebhook")) == 2 })
	if len(r.api.called("getUpdates", "deleteWebhook")) != 0 {
		t.Error("a bot with a webhook polls")
	}
	stop()
	if strings.Contains(r.log.String(), secret) {
		t.Error("the secret is in the log")
	}
}

// Without a secret of its own the webhook has one that all replicas make alike.
func TestWebhookSecretOfTheToken(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *telegram.Options) { o.Webhook = "https://bot.example.org/telegram" })
	run(t, r.Bot)
	await(t, "the webhook is set", func() bool { return len(r.api.called("setWebhook")) > 0 })
	made := r.api.called("setWebhook")[0].form.Get("secret_token")
	if len(made) != 64 || strings.Contains(made, canary) {
		t.Errorf("the secret is %q", made)
	}
	other := newBot(t, r, func(o *telegram.Options) { o.Webhook = "https://bot.example.org/telegram" })
	if status, _ := hook(other, "POST", made, []byte(message(1, 1, "раз"))); status != 200 {
		t.Errorf("another replica answers %d", status)
	}
	for _, wrong := range []string{"", token} {
		if status, _ := hook(other, "POST", wrong, []byte(message(2, 2, "два"))); status != 401 {
			t.Errorf("secret %q: status %d", wrong, status)
		}
	}
}

// Whatever is sent, the webhook answers with a status and nothing else, and what it
// accepts is in the inbox or says nothing.
func FuzzWebhook(f *testing.F) {
	paths, err := filepath.Glob("testdata/updates/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, true)
	}
	f.Add([]byte(`{"update_id":`), true)
	f.Add([]byte(`{"update_id":1}`), false)
	r := newRig(f, withHook)
	f.Fuzz(func(t *testing.T, raw []byte, knows bool) {
		before := waiting(t, r.store)
		_, _, says := read(raw)
		status, answer := hook(r.Bot, "POST", map[bool]string{true: secret, false: "another"}[knows], raw)
		after := waiting(t, r.store)
		switch {
		case answer != "":
			t.Errorf("answered %q", answer)
		case !knows && (status != 401 || after != before):
			t.Errorf("without the secret: status %d, %d rows more", status, after-before)
		case knows && says && (status != 200 || after > before+1):
			t.Errorf("an update: status %d, %d rows more", status, after-before)
		case knows && !says && after != before:
			t.Errorf("what says nothing has made %d rows", after-before)
		}
		if after > 100 {
			inbox(t, r.store)
		}
	})
}
