package sqlite_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
)

// importMany stores n questions as an import does: portions of 500, each
// question with two more wordings and an answer.
func importMany(b *testing.B, s *sqlite.Store, run, n int) {
	b.Helper()
	const portion = 500
	for begin := 0; begin < n; begin += portion {
		write(b, s, func(ctx context.Context, tx bot.Tx) error {
			for i := begin; i < begin+portion; i++ {
				id := fmt.Sprintf("kb%d-%d", run, i)
				q := knowledge.Question{ID: id, Text: "Как сменить ответственного в сделке номер " + id + "?", Status: knowledge.InKnowledgeBase, Topic: "Сделки"}
				if err := tx.PutQuestion(ctx, &q); err != nil {
					return err
				}
				for _, text := range []string{"поменять менеджера " + id, "передать сделку другому " + id} {
					if _, err := tx.PutPhrasing(ctx, knowledge.Phrasing{Question: id, Text: text, Origin: knowledge.Imported}); err != nil {
						return err
					}
				}
				if err := tx.PutAnswer(ctx, &knowledge.Answer{Question: id, Text: "Откройте сделку, нажмите на имя ответственного и выберите другого сотрудника."}); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

func BenchmarkImport(b *testing.B) {
	const n = 2000
	s := open(b, folder(b))
	run := 0
	for b.Loop() {
		run++
		importMany(b, s, run, n)
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "questions/s")
}

// BenchmarkLoad reads what an index in memory is made of when the program
// starts: 10,000 questions with their wordings and vectors.
func BenchmarkLoad(b *testing.B) {
	const n, dim = 10_000, 384
	s := open(b, folder(b))
	importMany(b, s, 0, n)
	var hashes []string
	write(b, s, func(ctx context.Context, tx bot.Tx) error {
		all, err := tx.Phrasings(ctx, nil)
		if err != nil {
			return err
		}
		vectors := map[string][]float32{}
		for _, p := range all {
			h := sha256.Sum256([]byte(p.Text))
			hashes = append(hashes, string(h[:]))
			vectors[string(h[:])] = make([]float32, dim)
		}
		return tx.PutEmbeddings(ctx, "e5", vectors)
	})
	for b.Loop() {
		read(b, s, func(ctx context.Context, tx bot.Tx) (int, error) {
			if _, err := tx.Questions(ctx, knowledge.QuestionFilter{}); err != nil {
				return 0, err
			}
			if _, err := tx.Phrasings(ctx, nil); err != nil {
				return 0, err
			}
			vectors, err := tx.Embeddings(ctx, "e5", hashes)
			return len(vectors), err
		})
	}
}

func BenchmarkChanged(b *testing.B) {
	s := open(b, folder(b))
	for b.Loop() {
		if _, err := s.Changed(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWrite is the smallest transaction: an event into the inbox, on the
// disk.
func BenchmarkWrite(b *testing.B) {
	s := open(b, folder(b))
	n := 0
	for b.Loop() {
		n++
		write(b, s, func(ctx context.Context, tx bot.Tx) error {
			return tx.Post(ctx, &bot.Row{Key: fmt.Sprint(n), Chat: "console:иван", Kind: "said", Payload: []byte(`{"text":"как сменить ответственного"}`)})
		})
	}
}
