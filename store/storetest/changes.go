package storetest

import (
	"context"
	"crypto/sha256"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// follow reads the changes after seq in pages, and returns the questions in
// order with the last number.
func follow(t *testing.T, s bot.Store, after int64) (questions []string, last int64) {
	t.Helper()
	for {
		page := read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Change, error) { return tx.Changes(ctx, after, 3) })
		if len(page) > 3 {
			t.Fatalf("a page of 3 has %d changes", len(page))
		}
		for _, c := range page {
			if c.Seq <= after {
				t.Fatalf("change %d comes after %d", c.Seq, after)
			}
			after = c.Seq
			questions = append(questions, c.Question)
		}
		if len(page) == 0 {
			return questions, after
		}
	}
}

func testChanges(t *testing.T, s bot.Store) {
	lastChange := func() int64 {
		return read(t, s, func(ctx context.Context, tx bot.Tx) (int64, error) { return tx.LastChange(ctx) })
	}
	equal(t, "the last change of an empty store", lastChange(), 0)
	var seq int64
	t.Run("every question changed is told once for a transaction", func(t *testing.T) {
		entries(t, s, numbered("c", 7)...)
		var questions []string
		questions, seq = follow(t, s, 0)
		equal(t, "questions", questions, numbered("c", 7))
		equal(t, "the last change", lastChange(), seq)
	})
	t.Run("a follower hears of what has changed since", func(t *testing.T) {
		write(t, s, func(ctx context.Context, tx bot.Tx) error {
			_, err := tx.PutPhrasing(ctx, knowledge.Phrasing{Question: "c5", Text: "иначе"})
			return err
		})
		write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.Touch(ctx, []string{"c1", "c3", "c1"}) })
		questions, last := follow(t, s, seq)
		equal(t, "questions", questions, []string{"c5", "c1", "c3"})
		if last <= seq || last != lastChange() {
			t.Errorf("the last change was %d, is %d, and LastChange says %d", seq, last, lastChange())
		}
		seq = last
	})
	t.Run("what changes nothing is no change", func(t *testing.T) {
		write(t, s, func(ctx context.Context, tx bot.Tx) error {
			_, err := tx.PutPhrasing(ctx, knowledge.Phrasing{Question: "c5", Text: "Иначе"})
			return err
		})
		write(t, s, func(ctx context.Context, tx bot.Tx) error {
			return tx.PutPerson(ctx, &knowledge.Person{Name: "Иван"})
		})
		questions, _ := follow(t, s, seq)
		equal(t, "questions", questions, nil)
	})
	t.Run("who begins to follow late hears of everything", func(t *testing.T) {
		write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.Touch(ctx, []string{"c0"}) })
		questions, _ := follow(t, s, 0)
		slices.Sort(questions)
		equal(t, "questions", slices.Compact(questions), numbered("c", 7))
	})
	t.Run("numbers are never used again", func(t *testing.T) {
		last := lastChange()
		refuse(t, s, errUndo, func(ctx context.Context, tx bot.Tx) error {
			if err := tx.Touch(ctx, []string{"c0"}); err != nil {
				return err
			}
			return errUndo
		})
		write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.Touch(ctx, []string{"c0"}) })
		if now := lastChange(); now <= last {
			t.Errorf("the last change was %d and is %d", last, now)
		}
	})
}

func testEmbeddings(t *testing.T, s bot.Store) {
	vectors := map[string][]float32{}
	for i := range 700 {
		h := sha256.Sum256([]byte(strconv.Itoa(i)))
		vectors[string(h[:])] = []float32{float32(i), -0.5, 1e-30, 3.4e38}
	}
	hashes := slices.Collect(maps.Keys(vectors))
	get := func(model string, hashes []string) map[string][]float32 {
		return read(t, s, func(ctx context.Context, tx bot.Tx) (map[string][]float32, error) {
			return tx.Embeddings(ctx, model, hashes)
		})
	}
	write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.PutEmbeddings(ctx, "e5", vectors) })
	equal(t, "all of them", get("e5", hashes), vectors)
	equal(t, "with one that is not there", get("e5", []string{hashes[0], "нет"}), map[string][]float32{hashes[0]: vectors[hashes[0]]})
	equal(t, "of another model", get("use", hashes), map[string][]float32{})
	equal(t, "of no hashes", get("e5", nil), map[string][]float32{})

	// The same text again, and the hash of another model.
	replaced := []float32{0.25, 0.5}
	write(t, s, func(ctx context.Context, tx bot.Tx) error {
		if err := tx.PutEmbeddings(ctx, "use", map[string][]float32{hashes[1]: {1}}); err != nil {
			return err
		}
		return tx.PutEmbeddings(ctx, "e5", map[string][]float32{hashes[1]: replaced})
	})
	equal(t, "the replaced one", get("e5", hashes[1:2]), map[string][]float32{hashes[1]: replaced})
	equal(t, "the other model's", get("use", hashes[1:2]), map[string][]float32{hashes[1]: {1}})
}
