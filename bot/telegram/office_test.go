package telegram_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/bottest"
	"github.com/nastavnik-bot/nastavnik/bot/telegram"
	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/internal/flaky"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
	"github.com/nastavnik-bot/nastavnik/store/sqlite/sqlitetest"
)

var (
	anna   = devenv.TelegramUser{ID: 7100000001, FirstName: "Анна", LastName: "Ким"}
	boris  = devenv.TelegramUser{ID: 7100000002, FirstName: "Борис", LastName: "Ли"}
	people = devenv.TelegramChat{ID: -1001234567890, Type: "supergroup", Title: "Поддержка"}
)

// office is the bot at work on a third party's Telegram, with a little knowledge and a
// senior. Between the two stands a proxy that keeps updates until they are confirmed.
type office struct {
	t       *testing.T
	webhook bool
	peer    *devenv.TelegramPeer
	proxy   *flaky.Proxy
	updates *flaky.TelegramUpdates
	dir     string
	store   *sqlite.Store
	log     journal

	mu       sync.Mutex
	outcomes []bot.Outcome
}

func newOffice(t *testing.T, webhook bool) *office {
	t.Helper()
	o := &office{t: t, webhook: webhook, peer: devenv.Telegram(t), dir: sqlitetest.Folder(t, sqlite.NoQueue{})}
	o.proxy = flaky.New(t, o.peer.URL)
	o.updates = o.proxy.TelegramUpdates(o.peer.Token)
	var err error
	if o.store, err = sqlite.Open(t.Context(), sqlite.Options{Dir: o.dir, Queue: sqlite.NoQueue{}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.store.Close() })
	err = o.store.Write(t.Context(), func(tx bot.Tx) error {
		for id, text := range map[string]string{"owner": "Как изменить ответственного по сделке?", "invoice": "Как выставить счёт клиенту?"} {
			if err := tx.PutQuestion(t.Context(), &knowledge.Question{ID: id, Text: text, Status: knowledge.FAQ}); err != nil {
				return err
			}
			if err := tx.PutAnswer(t.Context(), &knowledge.Answer{Question: id, Text: "Ответ: **" + id + "**"}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	senior := knowledge.Identity{Platform: telegram.Platform, External: fmt.Sprint(boris.ID), Name: "Борис Ли", Chat: fmt.Sprint("telegram:", boris.ID)}
	desk := bot.Office{Store: o.store, Now: time.Now}
	if _, err := desk.AddPerson(t.Context(), senior, func(p *knowledge.Person) { p.Senior = true }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, secret, _ := strings.Cut(o.peer.Token, ":"); strings.Contains(o.log.String(), secret) {
			t.Errorf("the token is in the log:\n%s", o.log.String())
		}
	})
	return o
}

// open starts the bot; stop ends it.
func (o *office) open() (stop func()) {
	o.t.Helper()
	say, err := texts.New("ru")
	if err != nil {
		o.t.Fatal(err)
	}
	find, err := bottest.NewSearcher(o.store)
	if err != nil {
		o.t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(&o.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	reception := &bot.Reception{Store: o.store}
	opts := telegram.Options{Token: o.peer.Token, Endpoint: o.proxy.URL, Say: say, Inbox: reception, Log: log, Pauses: quick}
	var handler http.Handler
	if o.webhook {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
		o.t.Cleanup(server.Close)
		opts.Webhook = server.URL + "/telegram"
	}
	b, err := telegram.New(opts)
	if err != nil {
		o.t.Fatal(err)
	}
	handler = b.Webhook()
	platform := b.Platform()
	platform.Limits = telegram.Limits(0.001)
	runner := bot.NewRunner(bot.Options{
		Store: o.store, Searcher: find, Decider: bot.NewDecider(say, bot.Manner{}), Log: log, Poll: 5 * time.Millisecond,
		Platforms: map[string]bot.Platform{telegram.Platform: platform},
		Observe: func(outcome bot.Outcome) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.outcomes = append(o.outcomes, outcome)
		},
	})
	reception.Wake = runner.Wake
	ctx, cancel := context.WithCancel(context.WithoutCancel(o.t.Context()))
	var all sync.WaitGroup
	for _, run := range []func(context.Context) error{runner.Run, b.Run} {
		all.Go(func() {
			if err := run(ctx); err != nil {
				o.t.Error(err)
			}
		})
	}
	stop = sync.OnceFunc(func() { cancel(); all.Wait() })
	o.t.Cleanup(stop)
	return stop
}

// results counts what came of the attempts to send.
func (o *office) results() (counts map[string]int, doubts int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	counts = map[string]int{}
	for _, out := range o.outcomes {
		counts[string(out.Result)]++
		if out.Doubt {
			doubts++
		}
	}
	return counts, doubts
}

// awaitText waits for a message with a text in a chat, newer than some.
func (o *office) awaitText(chat int64, text string, after int) (found devenv.TelegramMessage) {
	o.t.Helper()
	return o.await(chat, "the bot to say «"+text+"»", func(m devenv.TelegramMessage) bool {
		return m.ID > after && strings.Contains(m.Text, text)
	})
}

// awaitButton waits for a message with a button in a chat, newer than some.
func (o *office) awaitButton(chat int64, label string, after int) devenv.TelegramMessage {
	o.t.Helper()
	return o.await(chat, "a button «"+label+"»", func(m devenv.TelegramMessage) bool { return m.ID > after && dataOf(m, label) != "" })
}

func (o *office) await(chat int64, what string, is func(devenv.TelegramMessage) bool) (found devenv.TelegramMessage) {
	o.t.Helper()
	o.peer.Await(chat, what, func(all []devenv.TelegramMessage) bool {
		for _, m := range all {
			if is(m) {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

// press has somebody press a button by its label, in the chat of the message.
func (o *office) press(m devenv.TelegramMessage, who devenv.TelegramUser, chat devenv.TelegramChat, label string) {
	o.t.Helper()
	data := dataOf(m, label)
	if data == "" {
		o.t.Fatalf("no button «%s» in %+v", label, m)
	}
	o.peer.Press(m, who, chat, data)
}

// dataOf returns what the button with a label carries, "" for none.
func dataOf(m devenv.TelegramMessage, label string) string {
	for _, b := range m.Buttons {
		if strings.Contains(b.Text, label) {
			return b.Data
		}
	}
	return ""
}

// roleVariable makes the test's program a bot that polls and nothing else: its value is
// the address of the API, the token and the folder of the database.
const roleVariable = "NASTAVNIK_TEST_TELEGRAM"

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := pollProcess(strings.Fields(role)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// pollProcess polls until it is killed.
func pollProcess(role []string) error {
	ctx := context.Background()
	store, err := sqlite.Open(ctx, sqlite.Options{Dir: role[2], Queue: sqlite.NoQueue{}})
	if err != nil {
		return err
	}
	b, err := telegram.New(telegram.Options{Endpoint: role[0], Token: role[1], Inbox: bot.Reception{Store: store}, Pauses: quick})
	if err != nil {
		return errors.Join(err, store.Close())
	}
	fmt.Println("polls")
	return errors.Join(b.Run(ctx), store.Close())
}
