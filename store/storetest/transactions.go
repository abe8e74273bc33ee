package storetest

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

func testTransactions(t *testing.T, s bot.Store) {
	t.Run("an error undoes everything and comes out as it is", func(t *testing.T) { testUndo(t, s) })
	t.Run("a panic undoes everything and leaves the store usable", func(t *testing.T) { testPanic(t, s) })
	t.Run("what is written is read in the same transaction", func(t *testing.T) {
		write(t, s, func(ctx context.Context, tx bot.Tx) error {
			if err := entry(ctx, tx, "same", "Вопрос"); err != nil {
				return err
			}
			q, err := tx.Question(ctx, "same")
			equal(t, "the answer", q.Answer.Text, "Ответ на Вопрос")
			return err
		})
	})
	t.Run("a read cannot write", func(t *testing.T) { testReadOnly(t, s) })
	t.Run("a read sees one state", func(t *testing.T) { testOneState(t, s) })
	t.Run("no update is lost among many at once", func(t *testing.T) { testLostUpdates(t, s) })
	t.Run("a cancelled context ends it", func(t *testing.T) { testCancelled(t, s) })
}

func testUndo(t *testing.T, s bot.Store) {
	refuse(t, s, errUndo, func(ctx context.Context, tx bot.Tx) error {
		err := errors.Join(
			tx.PutPerson(ctx, &knowledge.Person{Name: "Иван"}),
			entry(ctx, tx, "undone", "Вопрос"),
			tx.Post(ctx, &bot.Row{Key: "undone", Chat: "c", Kind: "said"}),
			tx.PutDelivery(ctx, &bot.Delivery{Key: "undone", Chat: "c", State: bot.DeliveryPending}),
			tx.Schedule(ctx, bot.Job{At: noon(), Drain: "c"}))
		if err != nil {
			return err
		}
		return errUndo
	})
	write(t, s, func(ctx context.Context, tx bot.Tx) error {
		if all, err := tx.Questions(ctx, knowledge.QuestionFilter{WithClosed: true}); err != nil || len(all) != 0 {
			t.Errorf("questions after the undo: %v, %v", ids(all), err)
		}
		if n, err := tx.LastChange(ctx); err != nil || n != 0 {
			t.Errorf("changes after the undo: %v, %v", n, err)
		}
		if _, err := tx.NextRow(ctx, "c"); !errors.Is(err, knowledge.ErrNotFound) {
			t.Errorf("inbox after the undo: %v", err)
		}
		if _, err := tx.NextDelivery(ctx, "c"); !errors.Is(err, knowledge.ErrNotFound) {
			t.Errorf("outbox after the undo: %v", err)
		}
		if people, err := tx.People(ctx, false); err != nil || len(people) != 0 {
			t.Errorf("people after the undo: %v, %v", people, err)
		}
		return nil
	})
}

func testPanic(t *testing.T, s bot.Store) {
	func() {
		defer func() { _ = recover() }()
		_ = s.Write(t.Context(), func(tx bot.Tx) error {
			_ = tx.PutPerson(t.Context(), &knowledge.Person{Name: "Паника"})
			panic("on purpose")
		})
	}()
	people := read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Person, error) { return tx.People(ctx, false) })
	if len(people) != 0 {
		t.Errorf("people after the panic: %v", people)
	}
	person(t, s, knowledge.Person{Name: "Пётр"})
}

func testOneState(t *testing.T, s bot.Store) {
	id := person(t, s, knowledge.Person{Name: "до"})
	read(t, s, func(ctx context.Context, tx bot.Tx) (string, error) {
		before, err := tx.Person(ctx, id)
		if err != nil {
			return "", err
		}
		err = s.Write(ctx, func(tx bot.Tx) error { return tx.PutPerson(ctx, &knowledge.Person{ID: id, Name: "после"}) })
		if err != nil {
			return "", err
		}
		after, err := tx.Person(ctx, id)
		equal(t, "the name in the same read", after.Name, before.Name)
		return "", err
	})
	after := read(t, s, func(ctx context.Context, tx bot.Tx) (knowledge.Person, error) { return tx.Person(ctx, id) })
	equal(t, "the name in a later read", after.Name, "после")
}

func testCancelled(t *testing.T, s bot.Store) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	called := false
	fn := func(bot.Tx) error { called = true; return nil }
	if err := s.Write(cancelled, fn); !errors.Is(err, context.Canceled) {
		t.Errorf("write: %v", err)
	}
	if err := s.Read(cancelled, fn); !errors.Is(err, context.Canceled) {
		t.Errorf("read: %v", err)
	}
	if called {
		t.Error("the transaction was begun all the same")
	}
}

func testReadOnly(t *testing.T, s bot.Store) {
	entries(t, s, "readonly")
	other := person(t, s, knowledge.Person{Name: "Читательница"})
	person := person(t, s, knowledge.Person{Name: "Читатель"})
	for name, fn := range map[string]func(context.Context, bot.Tx) error{
		"PutQuestion": func(ctx context.Context, tx bot.Tx) error {
			return tx.PutQuestion(ctx, &knowledge.Question{Text: "Вопрос", Status: knowledge.Unanswered})
		},
		"PutAnswer": func(ctx context.Context, tx bot.Tx) error {
			return tx.PutAnswer(ctx, &knowledge.Answer{Question: "readonly", Text: "Ответ"})
		},
		"PutPhrasing": func(ctx context.Context, tx bot.Tx) error {
			_, err := tx.PutPhrasing(ctx, knowledge.Phrasing{Question: "readonly", Text: "новая формулировка"})
			return err
		},
		"Touch":     func(ctx context.Context, tx bot.Tx) error { return tx.Touch(ctx, []string{"readonly"}) },
		"PutPerson": func(ctx context.Context, tx bot.Tx) error { return tx.PutPerson(ctx, &knowledge.Person{ID: person}) },
		"Identify": func(ctx context.Context, tx bot.Tx) error {
			_, err := tx.Identify(ctx, knowledge.Identity{Platform: "console", External: "новый"}, noon())
			return err
		},
		"Link": func(ctx context.Context, tx bot.Tx) error {
			return tx.Link(ctx, knowledge.Identity{Platform: "console", External: "новый"}, person)
		},
		"Merge":    func(ctx context.Context, tx bot.Tx) error { return tx.Merge(ctx, other, person) },
		"PutTopic": func(ctx context.Context, tx bot.Tx) error { return tx.PutTopic(ctx, knowledge.Topic{Name: "Тема"}) },
		"PutInvitation": func(ctx context.Context, tx bot.Tx) error {
			return tx.PutInvitation(ctx, knowledge.Invitation{Hash: "h"})
		},
		"Post": func(ctx context.Context, tx bot.Tx) error { return tx.Post(ctx, &bot.Row{Key: "k", Chat: "c"}) },
		"PutDelivery": func(ctx context.Context, tx bot.Tx) error {
			return tx.PutDelivery(ctx, &bot.Delivery{Key: "k", Chat: "c", State: bot.DeliveryPending})
		},
		"PutConversation": func(ctx context.Context, tx bot.Tx) error {
			return tx.PutConversation(ctx, bot.Conversation{Chat: "c", State: []byte("{}")})
		},
		"Schedule": func(ctx context.Context, tx bot.Tx) error { return tx.Schedule(ctx, bot.Job{At: noon(), Drain: "c"}) },
	} {
		if err := s.Read(t.Context(), func(tx bot.Tx) error { return fn(t.Context(), tx) }); err == nil {
			t.Errorf("%s in a read succeeded", name)
		}
	}
}

// testLostUpdates counts in a person's name, from several goroutines.
func testLostUpdates(t *testing.T, s bot.Store) {
	const goroutines, times = 8, 15
	id := person(t, s, knowledge.Person{Name: "0"})
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for range times {
				err := s.Write(t.Context(), func(tx bot.Tx) error {
					p, err := tx.Person(t.Context(), id)
					if err != nil {
						return err
					}
					n, err := strconv.Atoi(p.Name)
					if err != nil {
						return err
					}
					p.Name = strconv.Itoa(n + 1)
					return tx.PutPerson(t.Context(), &p)
				})
				if err != nil {
					t.Errorf("write: %v", err)
				}
			}
		})
	}
	wg.Wait()
	p := read(t, s, func(ctx context.Context, tx bot.Tx) (knowledge.Person, error) { return tx.Person(ctx, id) })
	equal(t, "the count", p.Name, strconv.Itoa(goroutines*times))
}

func testSchedule(t *testing.T, s bot.Store) {
	t.Run("an event or a chat is accepted", func(t *testing.T) {
		write(t, s, func(ctx context.Context, tx bot.Tx) error {
			row := bot.Row{Key: "silence/1", Chat: "console:иван", Kind: "silence", Payload: []byte(`{}`), At: noon()}
			return errors.Join(
				tx.Schedule(ctx, bot.Job{At: noon(), Event: &row}),
				tx.Schedule(ctx, bot.Job{At: noon(), Drain: "console:иван"}))
		})
	})
	t.Run("neither is refused", func(t *testing.T) {
		refuse(t, s, knowledge.ErrInvalid, func(ctx context.Context, tx bot.Tx) error {
			if err := tx.PutPerson(ctx, &knowledge.Person{Name: "Никто"}); err != nil {
				return err
			}
			return tx.Schedule(ctx, bot.Job{At: noon()})
		})
		people := read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Person, error) { return tx.People(ctx, false) })
		if len(people) != 0 {
			t.Errorf("people after the refusal: %v", people)
		}
	})
}
