package sqlite_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/late"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
)

type h struct{ ch chan string }

func (h h) PostEvent(ctx context.Context, r bot.Row) error { h.ch <- "post " + r.Key; return nil }
func (h h) Drain(ctx context.Context, c bot.ChatID) error  { h.ch <- "drain " + string(c); return nil }
func (h h) Index(ctx context.Context, ids []string) error {
	h.ch <- fmt.Sprint("index ", len(ids))
	return nil
}

func TestSmoke(t *testing.T) {
	ctx := context.Background()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	q, err := late.New(log)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() + "/Папка что? #1 50%"
	t0 := time.Now()
	s, err := sqlite.Open(ctx, sqlite.Options{Dir: dir, Queue: q, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Log("open", time.Since(t0))
	c0, _ := s.Changed(ctx)
	t0 = time.Now()
	n := 0
	for range 10 {
		err = s.Write(ctx, func(tx bot.Tx) error {
			for range 1000 {
				n++
				id := fmt.Sprint("kb", n)
				if err := tx.PutQuestion(ctx, &knowledge.Question{ID: id, Text: "Как сменить ответственного " + id, Status: knowledge.InKnowledgeBase}); err != nil {
					return err
				}
				tx.PutPhrasing(ctx, knowledge.Phrasing{Question: id, Text: "другой " + id, Origin: knowledge.Imported})
				if err := tx.PutAnswer(ctx, &knowledge.Answer{Question: id, Text: "Ответ"}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Log("10000 questions", time.Since(t0))
	c1, _ := s.Changed(ctx)
	t.Log(c0, c1)
	if err := s.Read(ctx, func(tx bot.Tx) error {
		qs, err := tx.Questions(ctx, knowledge.QuestionFilter{Limit: 2})
		t.Log(qs)
		if err == nil {
			err = tx.Settle(ctx, 1, time.Now(), "")
		}
		return err
	}); err == nil {
		t.Error("no error")
	} else {
		t.Log(err)
	}
	hh := h{make(chan string, 1000)}
	w, err := q.Workers(s.WriteDB(), hh)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Start(ctx); err != nil {
		t.Fatal(err)
	}
	due := time.Now().Add(1500 * time.Millisecond)
	s.Write(ctx, func(tx bot.Tx) error { return tx.Schedule(ctx, bot.Job{At: due, Drain: "console:a"}) })
	for {
		m := <-hh.ch
		if m == "drain console:a" {
			t.Log(m, time.Since(due))
			break
		}
	}
	t0 = time.Now()
	if err := w.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	t.Log("stop", time.Since(t0), len(hh.ch))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
