package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/console"
	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/knowledge/finder"
	"github.com/nastavnik-bot/nastavnik/knowledge/kbfile"
)

// backends are the stores that benchmarks compare, the embedded one first.
func backends() []string { return []string{"sqlite", "postgres"} }

// openBackend opens an app on a new, empty store with cached vectors.
func openBackend(b *testing.B, backend string) *app {
	b.Helper()
	environ := []string{"NASTAVNIK_DATA=" + b.TempDir(), "NASTAVNIK_LOG_LEVEL=error"}
	if backend == "postgres" {
		environ = append(environ, "NASTAVNIK_POSTGRES_DSN="+devenv.Postgres(b))
	}
	a := &app{std: streams{in: strings.NewReader(""), out: &bytes.Buffer{}, err: os.Stderr}, environ: environ}
	if err := a.configure(); err != nil {
		b.Fatal(err)
	}
	if _, err := a.migrateUp(b.Context()); err != nil {
		b.Fatal(err)
	}
	if err := a.open(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = a.close() })
	return a
}

// BenchmarkAsks asks by many chats at once, with everything recorded: the event, the
// ask with its candidates, the state of the chat, the answer and its delivery.
func BenchmarkAsks(b *testing.B) {
	model := useModel(b)
	var embedded float64
	for _, backend := range backends() {
		b.Run(backend, func(b *testing.B) {
			rate := asks(b, openBackend(b, backend), cached{model})
			if backend == "sqlite" {
				embedded = rate
			}
			b.ReportMetric(rate, "asks/s")
			b.ReportMetric(rate/embedded, "of-embedded")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func asks(b *testing.B, a *app, e cached) (perSecond float64) {
	b.Helper()
	const questions, chats, each = 2_000, 40, 25
	entries, err := a.readEntries(newCLI(b).file("kb.jsonl", manyQuestions(questions)), kbfile.Options{})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := store(b.Context(), a.store, entries, func(int) {}); err != nil {
		b.Fatal(err)
	}
	if a.find, err = newFinder(finder.Options{Record: record{a.store}, Embedder: e, Synonyms: a.slang, Log: a.log}); err != nil {
		b.Fatal(err)
	}
	if _, err := a.indexMissing(b.Context(), ""); err != nil {
		b.Fatal(err)
	}
	p, err := a.store.join(b.Context(), "bench")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = p.leave() }()
	r := bot.NewRunner(bot.Options{
		Store: a.store, Searcher: a.find, Log: slog.New(slog.DiscardHandler), Learning: a.learning(), Claims: p.claims(), Poll: p.poll(),
		Decider: bot.NewDecider(a.say, bot.Manner{Silence: time.Minute, Later: time.Hour, Zone: time.UTC}),
		Senders: map[string]bot.Sender{console.Platform: console.Sender{}},
	})
	var took time.Duration
	n := 0
	for b.Loop() {
		began := time.Now()
		var wg sync.WaitGroup
		for chat := range chats {
			wg.Go(func() {
				who := console.Identity(fmt.Sprintf("Сотрудник %d %d", n, chat))
				for i := range each {
					e := bot.Event{Key: fmt.Sprintf("%s/%d", who.Chat, i), Chat: bot.ChatID(who.Chat), From: who, At: time.Now(), Body: bot.Said{Text: fmt.Sprintf("как выгрузить отчёт в разделе %d", (chat*each+i)%20)}}
					if err := bot.Post(b.Context(), a.store, e); err != nil {
						b.Error(err)
					}
				}
			})
		}
		done := make(chan error, 1)
		posted := make(chan struct{})
		go func() { wg.Wait(); close(posted) }()
		go func() {
			for {
				select {
				case <-posted:
					done <- r.Settle(b.Context())
					return
				default:
					if err := r.Settle(b.Context()); err != nil {
						done <- err
						return
					}
				}
			}
		}()
		if err := <-done; err != nil {
			b.Fatal(err)
		}
		took += time.Since(began)
		n++
	}
	return float64(chats*each*n) / took.Seconds()
}
