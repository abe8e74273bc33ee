package storetest

import (
	"context"
	"testing"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

func content(letter string, size int64) knowledge.Content {
	return knowledge.Content{Key: "sha256/" + letter, Media: "image/png", Size: size}
}

// attachments lists what a filter chooses.
func attachments(t *testing.T, s bot.Store, f knowledge.AttachmentFilter) []knowledge.Attachment {
	t.Helper()
	return read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Attachment, error) { return tx.Attachments(ctx, f) })
}

func testAttachments(t *testing.T, s bot.Store) {
	entries(t, s, "a", "b")
	answer, other := question(t, s, "a").Answer.ID, question(t, s, "b").Answer.ID
	write(t, s, func(ctx context.Context, tx bot.Tx) error {
		return tx.PutAsk(ctx, knowledge.Ask{ID: 41, Person: 2, Text: "что на снимке", Question: "b", Decision: knowledge.DecisionNothing})
	})
	put := func(a knowledge.Attachment) knowledge.Attachment {
		t.Helper()
		write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.PutAttachment(ctx, &a) })
		return a
	}
	get := func(id int64) knowledge.Attachment {
		return read(t, s, func(ctx context.Context, tx bot.Tx) (knowledge.Attachment, error) { return tx.Attachment(ctx, id) })
	}
	last := func() int64 {
		return read(t, s, func(ctx context.Context, tx bot.Tx) (int64, error) { return tx.LastChange(ctx) })
	}
	before, version := last(), question(t, s, "a").Version
	first := put(knowledge.Attachment{Answer: answer, Content: content("1", 12), Name: "Ёлка «2026».png", Author: 7, Created: noon()})
	t.Run("comes back as it went in, with the question of its answer", func(t *testing.T) {
		if first.ID == 0 || first.Question != "a" {
			t.Errorf("filled in: %+v", first)
		}
		equal(t, "attachment", get(first.ID), first)
	})
	t.Run("is a change of the question, and makes no vector out of date", func(t *testing.T) {
		if last() == before {
			t.Error("there is no change")
		}
		equal(t, "the question's version", question(t, s, "a").Version, version)
	})
	asked := put(knowledge.Attachment{Ask: 41, Content: content("1", 12), Name: "снимок.png", Created: noon()})
	t.Run("of an ask has the question to which the ask leads now", func(t *testing.T) {
		equal(t, "question", asked.Question, "b")
		write(t, s, func(ctx context.Context, tx bot.Tx) error {
			return tx.PutAsk(ctx, knowledge.Ask{ID: 41, Person: 2, Text: "что на снимке", Question: "a", Decision: knowledge.DecisionNothing})
		})
		asked.Question = "a"
		equal(t, "attachment", get(asked.ID), asked)
	})
	second := put(knowledge.Attachment{Answer: answer, Content: content("2", 5<<30), Name: "второй.png", Created: noon()})
	elsewhere := put(knowledge.Attachment{Answer: other, Content: content("3", 1), Name: "чужой.png"})
	for _, c := range []struct {
		name string
		f    knowledge.AttachmentFilter
		want []knowledge.Attachment
	}{
		{"none", knowledge.AttachmentFilter{}, nil},
		{"of an answer, oldest first", knowledge.AttachmentFilter{Answers: []int64{answer}}, []knowledge.Attachment{first, second}},
		{"of answers and asks", knowledge.AttachmentFilter{Answers: []int64{other, answer}, Asks: []int64{41}}, []knowledge.Attachment{first, asked, second, elsewhere}},
		{"of all current answers", knowledge.AttachmentFilter{Current: true}, []knowledge.Attachment{first, second, elsewhere}},
		{"of what has none", knowledge.AttachmentFilter{Answers: []int64{999}, Asks: []int64{999}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) { equal(t, "attachments", attachments(t, s, c.f), c.want) })
	}
	t.Run("of an answer that is no longer current", func(t *testing.T) {
		write(t, s, func(ctx context.Context, tx bot.Tx) error {
			return tx.PutAnswer(ctx, &knowledge.Answer{Question: "b", Text: "Иначе"})
		})
		equal(t, "attachments", attachments(t, s, knowledge.AttachmentFilter{Current: true}), []knowledge.Attachment{first, second})
	})
	t.Run("keys in use", func(t *testing.T) {
		got := read(t, s, func(ctx context.Context, tx bot.Tx) (map[string]bool, error) {
			return tx.KeysInUse(ctx, []string{"sha256/1", "sha256/3", "sha256/9"})
		})
		equal(t, "keys", got, map[string]bool{"sha256/1": true, "sha256/3": true})
	})
	t.Run("what does not fit is refused", func(t *testing.T) {
		for name, a := range map[string]knowledge.Attachment{
			"of nothing": {Content: content("1", 1), Name: "а.png"},
			"of both":    {Answer: answer, Ask: 41, Content: content("1", 1), Name: "а.png"},
			"no content": {Answer: answer, Content: content("1", 0), Name: "а.png"},
			"no name":    {Answer: answer, Content: content("1", 1)},
		} {
			t.Run(name, func(t *testing.T) {
				refuse(t, s, knowledge.ErrInvalid, func(ctx context.Context, tx bot.Tx) error { return tx.PutAttachment(ctx, &a) })
			})
		}
	})
	t.Run("of what does not exist is not found", func(t *testing.T) {
		for _, a := range []knowledge.Attachment{{Answer: 999, Content: content("1", 1), Name: "а.png"}, {Ask: 999, Content: content("1", 1), Name: "а.png"}} {
			refuse(t, s, knowledge.ErrNotFound, func(ctx context.Context, tx bot.Tx) error { return tx.PutAttachment(ctx, &a) })
		}
		refuse(t, s, knowledge.ErrNotFound, func(ctx context.Context, tx bot.Tx) error {
			_, err := tx.Attachment(ctx, 999)
			return err
		})
	})
}
