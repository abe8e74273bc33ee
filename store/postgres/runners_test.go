package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/bottest"
	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// A platform notes what it is told to show, and takes its time over it.
type platform struct {
	mu   sync.Mutex
	sent map[bot.ChatID][]int64 // ids of deliveries
}

// Parts implements bot.Sender.
func (p *platform) Parts(bot.Dispatch) int { return 1 }

// Send implements bot.Sender.
func (p *platform) Send(_ context.Context, d bot.Dispatch) (string, error) {
	time.Sleep(time.Duration(rand.IntN(5)) * time.Millisecond)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent[d.Chat] = append(p.sent[d.Chat], d.ID)
	return fmt.Sprint(d.ID), nil
}

// What several replicas send in a chat is each message, once, in its order: of two
// that both see something to do only one does it.
func TestRunnersSendOnce(t *testing.T) {
	t.Parallel()
	const replicas, chats, messages = 3, 6, 8
	dsn := database(t)
	say, err := texts.New("ru")
	if err != nil {
		t.Fatal(err)
	}
	p := &platform{sent: map[bot.ChatID][]int64{}}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	for range replicas {
		s := open(t, dsn)
		find, err := bottest.NewSearcher(s)
		if err != nil {
			t.Fatal(err)
		}
		r := join(t, s)
		runner := bot.NewRunner(bot.Options{
			Store: s, Searcher: find, Claims: r, Decider: bot.NewDecider(say, bot.Manner{}),
			Platforms: map[string]bot.Platform{"crowd": {Sender: p}}, Poll: 20 * time.Millisecond,
		})
		running.Go(func() { _ = runner.Run(ctx) })
		running.Go(func() { _ = r.Run(ctx, runner.Wake) })
	}
	s := open(t, dsn)
	for n := range messages {
		for c := range chats {
			who := knowledge.Identity{Platform: "crowd", External: fmt.Sprint(c), Name: "Иван", Chat: fmt.Sprint("crowd:", c)}
			e := bot.Event{Key: fmt.Sprint("crowd:", c, "/", n), Chat: bot.ChatID(who.Chat), At: time.Now(), From: who, Body: bot.Said{Text: fmt.Sprint("вопрос номер ", n)}}
			if err := bot.Post(t.Context(), s, e); err != nil {
				t.Fatal(err)
			}
		}
	}
	becomes(t, "all is sent", func() bool {
		return len(read(t, s, func(ctx context.Context, tx bot.Tx) ([]bot.ChatID, error) { return tx.BusyChats(ctx, time.Now()) })) == 0
	})
	stop()
	running.Wait()
	for c := range chats {
		chat := bot.ChatID(fmt.Sprint("crowd:", c))
		got := p.sent[chat]
		want := read(t, s, func(ctx context.Context, tx bot.Tx) (ids []int64, err error) {
			all, err := tx.Deliveries(ctx, chat, 0, 1_000)
			for _, d := range all {
				ids = append(ids, d.ID)
			}
			return ids, err
		})
		if !slices.Equal(got, want) || len(want) < messages {
			t.Errorf("%s was sent %v, want %v", chat, got, want)
		}
	}
}
