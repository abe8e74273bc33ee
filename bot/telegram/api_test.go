package telegram_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/telegram"
	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
	"github.com/nastavnik-bot/nastavnik/store/sqlite/sqlitetest"
)

const (
	token  = "7000000001:AAcanaryTokenOfTheTests_that-is-in-no-log"
	canary = "AAcanaryTokenOfTheTests"
)

// api is the part of the Bot API that the third party's peer does not have: what
// https://core.telegram.org/bots/api says of offsets and files, and refusals as the tests
// want them. It proves how the adapter behaves, not how Telegram does.
type api struct {
	tb     testing.TB
	server *httptest.Server

	mu      sync.Mutex
	waiting []json.RawMessage // updates not yet confirmed
	calls   []call
	last    int // the id of the latest message
	// answer is asked before a method is done; a nil answer does it.
	answer func(c call, n int) http.HandlerFunc
}

// call is one call of a method.
type call struct {
	method string
	form   url.Values
	files  map[string][]byte // by field
	names  map[string]string // of the files
}

func newAPI(tb testing.TB) *api {
	tb.Helper()
	a := &api{tb: tb, last: 100}
	a.server = httptest.NewServer(http.HandlerFunc(a.serve))
	tb.Cleanup(a.server.Close)
	return a
}

func (a *api) serve(w http.ResponseWriter, r *http.Request) {
	if path, ok := strings.CutPrefix(r.URL.Path, "/file/bot"+token+"/"); ok {
		a.file(w, r, path)
		return
	}
	method, ok := strings.CutPrefix(r.URL.Path, "/bot"+token+"/")
	if !ok {
		refuse(404, "Not Found")(w, r)
		return
	}
	c, err := readCall(method, r)
	if err != nil { // the client has broken off
		return
	}
	a.mu.Lock()
	a.calls = append(a.calls, c)
	n := 0
	for _, before := range a.calls {
		if before.method == method {
			n++
		}
	}
	answer := a.answer
	a.mu.Unlock()
	if answer != nil {
		if special := answer(c, n); special != nil {
			special(w, r)
			return
		}
	}
	result(a.do(c))(w, r)
}

func readCall(method string, r *http.Request) (call, error) {
	c := call{method: method, files: map[string][]byte{}, names: map[string]string{}}
	kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "multipart/form-data" {
		err := r.ParseForm()
		c.form = r.Form
		return c, err
	}
	c.form = url.Values{}
	m := multipart.NewReader(r.Body, params["boundary"])
	for {
		part, err := m.NextPart()
		if errors.Is(err, io.EOF) {
			return c, nil
		}
		if err != nil {
			return c, err
		}
		raw, err := io.ReadAll(part)
		if err != nil {
			return c, err
		}
		if part.FileName() == "" {
			c.form.Set(part.FormName(), string(raw))
			continue
		}
		c.files[part.FormName()], c.names[part.FormName()] = raw, part.FileName()
	}
}

// do does what a method does.
func (a *api) do(c call) any {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch c.method {
	case "getMe":
		return map[string]any{"id": 7000000001, "is_bot": true, "first_name": "Наставник", "username": "nastavnik_test_bot"}
	case "getUpdates":
		return a.updates(c)
	case "sendMessage", "sendPhoto", "sendDocument":
		a.last++
		return map[string]any{"message_id": a.last}
	case "getFile":
		return map[string]any{"file_id": c.form.Get("file_id"), "file_path": "documents/" + c.form.Get("file_id")}
	}
	return true
}

// updates hands out what is not confirmed, and forgets what an offset confirms.
func (a *api) updates(c call) []json.RawMessage {
	offset, _ := strconv.ParseInt(c.form.Get("offset"), 10, 64)
	left := []json.RawMessage{}
	for _, u := range a.waiting {
		if idOf(u) >= offset {
			left = append(left, u)
		}
	}
	a.waiting = left
	return left[:min(100, len(left))]
}

func idOf(raw []byte) int64 {
	var u struct {
		ID int64 `json:"update_id"`
	}
	_ = json.Unmarshal(raw, &u)
	return u.ID
}

func (a *api) file(w http.ResponseWriter, r *http.Request, path string) {
	switch path {
	case "documents/gone":
		http.NotFound(w, r)
	case "documents/broken":
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte("half of it"))
	default:
		_, _ = w.Write([]byte("content of " + path))
	}
}

// give makes updates wait for the bot.
func (a *api) give(updates ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, u := range updates {
		a.waiting = append(a.waiting, json.RawMessage(u))
	}
}

// left returns how many updates are not confirmed.
func (a *api) left() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.waiting)
}

func (a *api) answering(answer func(c call, n int) http.HandlerFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = answer
}

// called returns the calls of the methods that are named.
func (a *api) called(methods ...string) []call {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []call
	for _, c := range a.calls {
		for _, m := range methods {
			if c.method == m {
				out = append(out, c)
			}
		}
	}
	return out
}

// result answers as the API does.
func result(v any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"ok": true, "result": v})
	}
}

// refuse answers as the API refuses.
func refuse(code int, description string, parameters ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		more := ""
		for _, p := range parameters {
			more += `,"parameters":` + p
		}
		_, _ = fmt.Fprintf(w, `{"ok":false,"error_code":%d,"description":%q%s}`, code, description, more)
	}
}

// refuseFirst refuses the first call of a method.
func refuseFirst(method string, no http.HandlerFunc) func(call, int) http.HandlerFunc {
	return func(c call, n int) http.HandlerFunc {
		if c.method == method && n == 1 {
			return no
		}
		return nil
	}
}

// journal is a log that is read.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// rig is a bot on an api and a store of its own.
type rig struct {
	*telegram.Bot
	api   *api
	store *sqlite.Store
	log   *journal
}

// quick are pauses for tests.
var quick = telegram.Pauses{Poll: time.Second, Empty: 5 * time.Millisecond, Retry: 4 * time.Millisecond, Check: 20 * time.Millisecond}

func newRig(tb testing.TB, change ...func(*telegram.Options)) rig {
	tb.Helper()
	r := rig{api: newAPI(tb), store: newStore(tb), log: &journal{}}
	r.Bot = newBot(tb, r, change...)
	return r
}

// newBot returns another bot on a rig's api and store. Whatever it logs, the token is not
// in it.
func newBot(tb testing.TB, r rig, change ...func(*telegram.Options)) *telegram.Bot {
	tb.Helper()
	say, err := texts.New("ru")
	if err != nil {
		tb.Fatal(err)
	}
	o := telegram.Options{
		Token: token, Endpoint: r.api.server.URL, Inbox: bot.Reception{Store: r.store}, Say: say, Pauses: quick,
		Log: slog.New(slog.NewJSONHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, c := range change {
		c(&o)
	}
	b, err := telegram.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if strings.Contains(r.log.String(), canary) {
			tb.Errorf("the token is in the log:\n%s", r.log)
		}
	})
	return b
}

func newStore(tb testing.TB) *sqlite.Store {
	tb.Helper()
	s, err := sqlite.Open(context.Background(), sqlite.Options{Dir: sqlitetest.Folder(tb, sqlite.NoQueue{}), Queue: sqlite.NoQueue{}})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

// safe fails a test if an error tells the token.
func safe(tb testing.TB, err error) error {
	tb.Helper()
	if err != nil && (strings.Contains(err.Error(), canary) || strings.Contains(fmt.Sprintf("%+v %#v", err, err), canary)) {
		tb.Errorf("the token is in the error: %+v", err)
	}
	return err
}

// run runs a bot until the test stops it or ends.
func run(tb testing.TB, b *telegram.Bot) (stop func()) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Errorf("Run: %v", err)
		}
	})
	tb.Cleanup(stop)
	return stop
}

// await waits for what must come about.
func await(tb testing.TB, what string, done func() bool) {
	tb.Helper()
	for limit := time.Now().Add(time.Minute); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(limit) {
			tb.Fatalf("waited in vain: %s", what)
		}
	}
}

// inbox takes all rows out of the inbox, in the order in which they came.
func inbox(tb testing.TB, s bot.Store) []bot.Row {
	tb.Helper()
	ctx := context.Background()
	var rows []bot.Row
	err := s.Write(ctx, func(tx bot.Tx) error {
		chats, err := tx.BusyChats(ctx, time.Now())
		if err != nil {
			return err
		}
		for _, chat := range chats {
			for {
				row, err := tx.NextRow(ctx, chat)
				if isNotFound(err) {
					break
				}
				if err != nil {
					return err
				}
				rows = append(rows, row)
				if err := tx.Settle(ctx, row.ID, time.Now(), ""); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return rows
}

// waiting returns how many rows wait in the inbox.
func waiting(tb testing.TB, s bot.Store) int {
	tb.Helper()
	n := 0
	err := s.Read(context.Background(), func(tx bot.Tx) error {
		b, err := tx.Backlog(context.Background())
		n = b.Inbox
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// message is an update with a private message.
func message(update, id int, text string) string {
	return fmt.Sprintf(`{"update_id":%d,"message":{"message_id":%d,"date":%d,"chat":{"id":42,"type":"private"},"from":{"id":42,"first_name":"Иван"},"text":%q}}`, update, id, 1_700_000_000+id, text)
}

func isNotFound(err error) bool { return errors.Is(err, knowledge.ErrNotFound) }
