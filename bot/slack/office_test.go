package slack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/bottest"
	"github.com/nastavnik-bot/nastavnik/bot/slack"
	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/internal/flaky"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/disk"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
	"github.com/nastavnik-bot/nastavnik/store/sqlite/sqlitetest"
)

// people has an employee, a senior and a channel with both and the bot.
func people(http bool) devenv.SlackWorkspace {
	return devenv.SlackWorkspace{
		Users: []devenv.SlackUser{
			{ID: "U0ANNA", Name: "anna", RealName: "Анна Ким", Email: "anna@example.com", TZ: "Europe/Moscow"},
			{ID: "U0BORIS", Name: "boris", RealName: "Борис Ли", Email: "boris@example.com"},
		},
		Channels: []devenv.SlackChannel{{ID: "C0SUPPORT", Name: "support", Members: []string{"U0ANNA", "U0BORIS"}}},
		HTTP:     http,
	}
}

// office is the bot at work in a workspace of a third party's Slack, with a little
// knowledge and a senior.
type office struct {
	t     *testing.T
	http  bool
	peer  *devenv.SlackPeer
	proxy *flaky.Proxy // between the bot and the peer
	// sockets are those of Socket Mode, nil over HTTP.
	sockets *flaky.SlackSockets
	store   *sqlite.Store
	files   *disk.Store
	app     *slack.App
	log     *record
	stop    func()
	// retry sets after how long an event comes again over HTTP that was not taken.
	retry func(after ...time.Duration)
}

// record is what has been logged.
type record struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all.String()
}

func debugLog(r *record) *slog.Logger {
	return slog.New(slog.NewTextHandler(r, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// newOffice opens one with the bot at work.
func newOffice(t *testing.T, http bool, change ...func(*slack.Options)) *office {
	t.Helper()
	o := &office{t: t, http: http, peer: devenv.Slack(t, people(http)), log: &record{}}
	o.proxy = flaky.New(t, "http://"+o.peer.Addr)
	if !http {
		o.sockets = o.proxy.SlackSockets(o.peer.AppToken)
	}
	o.fill()
	t.Cleanup(func() { // after the bot has ended
		for _, token := range []string{o.peer.BotToken, o.peer.AppToken, o.peer.SigningSecret} {
			if strings.Contains(o.log.String(), token) {
				t.Errorf("the log has a token:\n%s", o.log)
			}
		}
	})
	o.open(change...)
	return o
}

// fill opens an empty base and puts a little into it.
func (o *office) fill() {
	o.t.Helper()
	var err error
	if o.store, err = sqlite.Open(o.t.Context(), sqlite.Options{Dir: sqlitetest.Folder(o.t, sqlite.NoQueue{}), Queue: sqlite.NoQueue{}}); err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { _ = o.store.Close() })
	if o.files, err = disk.Open(disk.Options{Dir: o.t.TempDir()}); err != nil {
		o.t.Fatal(err)
	}
	err = o.store.Write(o.t.Context(), func(tx bot.Tx) error {
		for id, text := range map[string]string{"owner": "Как изменить ответственного по сделке?", "invoice": "Как выставить счёт клиенту?"} {
			if err := tx.PutQuestion(o.t.Context(), &knowledge.Question{ID: id, Text: text, Status: knowledge.FAQ}); err != nil {
				return err
			}
			if err := tx.PutAnswer(o.t.Context(), &knowledge.Answer{Question: id, Text: "Ответ: **" + id + "**"}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		o.t.Fatal(err)
	}
	desk := bot.Office{Store: o.store, Now: time.Now}
	boris := knowledge.Identity{Platform: slack.Platform, External: "U0BORIS", Name: "Борис Ли", Chat: "slack:U0BORIS"}
	if _, err := desk.AddPerson(o.t.Context(), boris, func(p *knowledge.Person) { p.Senior = true }); err != nil {
		o.t.Fatal(err)
	}
}

// options are those of an app in the workspace.
func (o *office) options(core slack.Core) slack.Options {
	opts := slack.Options{
		Token: o.peer.BotToken, API: o.proxy.URL + "/api/", Core: core, Files: o.files, Say: russian(o.t), Log: debugLog(o.log),
		Rates: slack.Rates{Room: time.Millisecond, All: time.Millisecond, RoomBurst: 100, AllBurst: 1000},
	}
	if o.http {
		opts.Secret = o.peer.SigningSecret
	} else {
		opts.AppToken = o.peer.AppToken
	}
	return opts
}

// open starts the bot.
func (o *office) open(change ...func(*slack.Options)) {
	o.t.Helper()
	find, err := bottest.NewSearcher(o.store)
	if err != nil {
		o.t.Fatal(err)
	}
	reception := &bot.Reception{Store: o.store}
	opts := o.options(reception)
	for _, f := range change {
		f(&opts)
	}
	o.app = slack.New(opts)
	runner := bot.NewRunner(bot.Options{
		Store: o.store, Searcher: find, Decider: bot.NewDecider(russian(o.t), bot.Manner{}), Log: opts.Log, Files: o.files,
		Platforms: map[string]bot.Platform{slack.Platform: o.app.Platform()}, Poll: 5 * time.Millisecond,
	})
	reception.Wake = runner.Wake
	stopRunner := o.start(runner.Run)
	stopApp := o.start(o.app.Run)
	o.stop = func() { stopApp(); stopRunner() }
	if o.http {
		server := httptest.NewServer(o.app.Handler())
		o.t.Cleanup(server.Close)
		o.retry = func(after ...time.Duration) { o.peer.PointAt(devenv.SlackTarget{Events: server.URL, Retries: after}) }
		o.retry()
		return
	}
	want := max(opts.Connections, 1)
	if opts.Connections == 0 {
		want = 2
	}
	o.await("the sockets", func() bool { return o.proxy.Sockets() == want })
}

// start runs something until it is stopped, at the latest when the test ends.
func (o *office) start(run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(o.t.Context()))
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := run(ctx); err != nil {
			o.t.Error(err)
		}
	})
	stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	o.t.Cleanup(stop)
	return stop
}

// another opens one more app, which brings what it hears to the same core, as another
// replica does.
func (o *office) another() (stop func()) {
	o.t.Helper()
	opts := o.options(bot.Reception{Store: o.store})
	opts.Connections = 1
	before := o.proxy.Sockets()
	stop = o.start(slack.New(opts).Run)
	o.await("one more socket", func() bool { return o.proxy.Sockets() == before+1 })
	return stop
}

// await waits for something.
func (o *office) await(what string, done func() bool) {
	o.t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			o.t.Fatalf("waited in vain for %s; the log:\n%s", what, o.log)
		}
	}
}

// quiet waits until nothing is to be handled or sent any more.
func (o *office) quiet() {
	o.t.Helper()
	o.await("the bot to be done", func() bool {
		var b bot.Backlog
		err := o.store.Read(o.t.Context(), func(tx bot.Tx) (err error) {
			b, err = tx.Backlog(o.t.Context())
			return err
		})
		return err == nil && b.Inbox == 0 && b.Pending == 0 && (o.sockets == nil || o.sockets.Pending() == 0)
	})
}

// said returns what the bot has said in a channel.
func (o *office) said(channel string) []devenv.SlackMessage {
	o.t.Helper()
	return slices.DeleteFunc(o.peer.Messages(channel), func(m devenv.SlackMessage) bool { return m.BotID == "" })
}

func russian(t testing.TB) *texts.Catalogue {
	t.Helper()
	say, err := texts.New("ru")
	if err != nil {
		t.Fatal(err)
	}
	return say
}

// awaitText waits for a message of the bot's with a text, after the first so many.
func (o *office) awaitText(channel, text string, after int) devenv.SlackMessage {
	o.t.Helper()
	var found devenv.SlackMessage
	o.peer.Await(channel, "the bot to say «"+text+"»", func(all []devenv.SlackMessage) bool {
		for _, m := range all[min(after, len(all)):] {
			if m.BotID != "" && strings.Contains(m.Text+string(m.Blocks), text) {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

// press has somebody press a button by its label.
func (o *office) press(m devenv.SlackMessage, user, label string) {
	o.t.Helper()
	id := buttonOf(o.t, m, label)
	if id == "" {
		o.t.Fatalf("no button «%s» in %s", label, m.Text)
	}
	o.peer.Press(m, user, id)
}

// awaitButton waits for a message with a button.
func (o *office) awaitButton(channel, label string) devenv.SlackMessage {
	o.t.Helper()
	var found devenv.SlackMessage
	o.peer.Await(channel, "a button «"+label+"»", func(all []devenv.SlackMessage) bool {
		for _, m := range all {
			if buttonOf(o.t, m, label) != "" {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

// buttonOf returns the id of the button with a label, "" for none.
func buttonOf(t *testing.T, m devenv.SlackMessage, label string) string {
	t.Helper()
	buttons, err := m.Buttons()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range buttons {
		var text struct{ Text string }
		if err := json.Unmarshal(b.Text, &text); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text.Text, label) {
			return b.ActionID
		}
	}
	return ""
}
