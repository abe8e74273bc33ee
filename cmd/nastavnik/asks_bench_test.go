package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/console"
	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/finder"
	"github.com/nastavnik-bot/nastavnik/knowledge/kbfile"
)

// backends are what benchmarks compare, the embedded one first.
func backends() []string { return []string{"embedded", "production"} }

// openBackend opens an app on new, empty stores: SQLite and memory, or PostgreSQL and
// Milvus.
func openBackend(b *testing.B, backend string, e knowledge.Embedder) *app {
	b.Helper()
	environ := []string{"NASTAVNIK_DATA=" + b.TempDir(), "NASTAVNIK_LOG_LEVEL=error"}
	if backend == "production" {
		environ = append(environ, "NASTAVNIK_POSTGRES_DSN="+devenv.Postgres(b), "NASTAVNIK_MILVUS_ADDRESS="+devenv.Milvus(b),
			fmt.Sprintf("NASTAVNIK_MILVUS_COLLECTION=bench_%d", time.Now().UnixNano()))
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
	a.vectors = e
	var err error
	if a.shared, err = a.openShared(b.Context(), e); err != nil {
		b.Fatal(err)
	}
	a.find = a.searcher(b)
	return a
}

// searcher makes a searcher that has loaded nothing yet, as that of another process.
func (a *app) searcher(b *testing.B) *finder.Finder {
	b.Helper()
	o := finder.Options{Record: record{a.store}, Embedder: a.vectors, Synonyms: a.slang, Log: a.log}
	if a.shared != nil {
		o.Index = a.shared
	}
	f, err := newFinder(o)
	if err != nil {
		b.Fatal(err)
	}
	return f
}

// fill imports n questions and indexes them.
func (a *app) fill(b *testing.B, n int) (imported, indexed float64) {
	b.Helper()
	entries, err := a.readEntries(newCLI(b).file("kb.jsonl", manyQuestions(n)), kbfile.Options{})
	if err != nil {
		b.Fatal(err)
	}
	imported = float64(n) / seconds(b, func() error {
		_, err := store(b.Context(), a.store, entries, func(int) {})
		return err
	})
	indexed = float64(n) / seconds(b, func() error {
		if a.shared != nil { // until its graph serves
			_, err := a.refill(b.Context())
			return err
		}
		_, err := a.indexMissing(b.Context(), "")
		return err
	})
	return imported, indexed
}

// BenchmarkAsks asks by many chats at once, with everything recorded: the event, the
// ask with its candidates, the state of the chat, the answer and its delivery.
func BenchmarkAsks(b *testing.B) {
	model := useModel(b)
	var embedded float64
	for _, backend := range backends() {
		b.Run(backend, func(b *testing.B) {
			a := openBackend(b, backend, scattered{model})
			a.fill(b, 2_000)
			rate := asks(b, a)
			if backend == backends()[0] {
				embedded = rate
			}
			b.ReportMetric(rate, "asks/s")
			b.ReportMetric(rate/embedded, "of-embedded")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// asks has forty people ask 25 questions each, and returns how many are answered in a
// second.
func asks(b *testing.B, a *app) (perSecond float64) {
	b.Helper()
	const chats, each = 40, 25
	p, err := a.store.join(b.Context(), "bench")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = p.leave() }()
	r := bot.NewRunner(bot.Options{
		Store: a.store, Searcher: a.find, Log: slog.New(slog.DiscardHandler), Learning: a.learning(), Claims: p.claims(), Poll: p.poll(),
		Decider:   bot.NewDecider(a.say, bot.Manner{Silence: time.Minute, Later: time.Hour, Zone: time.UTC}),
		Platforms: map[string]bot.Platform{console.Platform: {Sender: console.Sender{}}},
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
		posted := make(chan struct{})
		go func() { wg.Wait(); close(posted) }()
		for all := false; !all; {
			select {
			case <-posted:
				all = true
			default:
			}
			if err := r.Settle(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
		took += time.Since(began)
		n++
	}
	return float64(chats*each*n) / took.Seconds()
}

// BenchmarkReply measures how soon a reply is found: from its commit until the replica
// that took it has proven that it is found by its vector, and another replica finds it,
// with the built-in embedder at work.
func BenchmarkReply(b *testing.B) {
	model := useModel(b)
	for _, backend := range backends() {
		b.Run(backend, func(b *testing.B) {
			a := openBackend(b, backend, scattered{model})
			a.fill(b, 2_000)
			a.vectors = model
			here, there := a.searcher(b), a.searcher(b)
			for _, f := range []*finder.Finder{here, there} {
				if err := f.Sync(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			n := 0
			var took []float64
			for b.Loop() {
				for range 100 {
					n++
					took = append(took, 1000*replied(b, a, n, here, there))
				}
			}
			slices.Sort(took)
			b.ReportMetric(took[len(took)/2], "ms-p50")
			b.ReportMetric(took[len(took)*99/100], "ms-p99")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func replied(b *testing.B, a *app, n int, here, there *finder.Finder) float64 {
	b.Helper()
	ctx, id := b.Context(), fmt.Sprintf("reply%d", n)
	text := fmt.Sprintf("Где лежат бланки номер %d для выездной проверки?", n)
	err := a.store.Write(ctx, func(tx bot.Tx) error {
		q := knowledge.Question{ID: id, Text: text, Status: knowledge.InKnowledgeBase, Asked: time.Now()}
		if err := tx.PutQuestion(ctx, &q); err != nil {
			return err
		}
		return tx.PutAnswer(ctx, &knowledge.Answer{Question: id, Text: strings.Repeat("В шкафу у секретаря, вторая полка. ", 5), Created: time.Now()})
	})
	if err != nil {
		b.Fatal(err)
	}
	return seconds(b, func() error {
		proven, err := here.Proves(ctx, text, id)
		if err != nil || !proven {
			return fmt.Errorf("proven: %v, %w", proven, err)
		}
		found, err := there.Find(ctx, knowledge.Inquiry{Text: text})
		if err != nil || len(found.Matches) == 0 || found.Matches[0].ID != id {
			return fmt.Errorf("elsewhere it is not found: %w", err)
		}
		return nil
	})
}
