package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
)

// titles reads what questions say, on whatever connection is free.
func titles(ctx context.Context, s *sqlite.Store, ids ...string) ([]string, error) {
	var out []string
	err := s.Read(ctx, func(tx bot.Tx) error {
		found, err := tx.Questions(ctx, knowledge.QuestionFilter{IDs: ids})
		for _, q := range found {
			out = append(out, q.Text)
		}
		return err
	})
	return out, err
}

// Connections that read keep their statements, and see what was written since.
func TestReadsAfterWritesAndFailures(t *testing.T) {
	s := open(t, folder(t))
	for i := range 21 {
		text := fmt.Sprint("вопрос ", i)
		write(t, s, func(ctx context.Context, tx bot.Tx) error {
			return tx.PutQuestion(ctx, &knowledge.Question{ID: "a", Text: text, Status: knowledge.Unanswered})
		})
		if got, err := titles(t.Context(), s, "a"); err != nil || len(got) != 1 || got[0] != text {
			t.Fatalf("after write %d: %q, %v", i, got, err)
		}
		if i%10 > 0 {
			continue
		}
		// A view that fails or is given up leaves the connection usable.
		err := s.Read(t.Context(), func(tx bot.Tx) error {
			return tx.PutQuestion(t.Context(), &knowledge.Question{ID: "b", Text: "нельзя", Status: knowledge.Unanswered})
		})
		if err == nil {
			t.Fatal("a view has written")
		}
		cancelled, cancel := context.WithCancel(t.Context())
		err = s.Read(cancelled, func(tx bot.Tx) error {
			cancel()
			_, err := tx.Question(cancelled, "a")
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("a view that was given up: %v", err)
		}
	}
}

// More readers than connections take turns; one that need not wait gives up.
func TestReadsWaitForAConnection(t *testing.T) {
	s := open(t, folder(t))
	held, hold := make(chan struct{}), make(chan struct{})
	const more = 4
	done := make(chan error, more)
	for range more {
		go func() {
			done <- s.Read(context.Background(), func(bot.Tx) error {
				held <- struct{}{}
				<-hold
				return nil
			})
		}()
		<-held
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := titles(cancelled, s, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("with all connections taken and no time: %v", err)
	}
	waits := make(chan error, 1)
	go func() {
		_, err := titles(context.Background(), s, "a")
		waits <- err
	}()
	close(hold)
	for range more {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if err := <-waits; err != nil {
		t.Errorf("one that waited: %v", err)
	}
}

func TestReadAfterClose(t *testing.T) {
	s, err := sqlite.Open(t.Context(), options(t, folder(t)))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := titles(t.Context(), s, "a"); err == nil {
		t.Error("a closed database is read")
	}
}

// A check needs no connection beside those that the readers have taken for good.
func TestCheckBesideReaders(t *testing.T) {
	s := open(t, folder(t))
	var wg sync.WaitGroup
	for range 16 { // every reader opens its connection
		wg.Go(func() {
			err := s.Read(t.Context(), func(tx bot.Tx) error {
				_, err := tx.LastChange(t.Context())
				time.Sleep(20 * time.Millisecond)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if version, err := s.Check(ctx); err != nil || version == "" {
		t.Errorf("%q, %v", version, err)
	}
}
