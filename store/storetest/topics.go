package storetest

import (
	"context"
	"testing"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

func testTopics(t *testing.T, s bot.Store) {
	maria := person(t, s, knowledge.Person{Name: "Мария", Senior: true})
	oleg := person(t, s, knowledge.Person{Name: "Олег", Senior: true})
	former := person(t, s, knowledge.Person{Name: "Бывший"})
	left := person(t, s, knowledge.Person{Name: "Ушедшая", Senior: true, Left: true})
	of := func(topic string) []int64 {
		return read(t, s, func(ctx context.Context, tx bot.Tx) ([]int64, error) { return tx.TopicSeniors(ctx, topic) })
	}
	all := func() []knowledge.Topic {
		return read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Topic, error) { return tx.Topics(ctx) })
	}
	put := func(topic knowledge.Topic) {
		write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.PutTopic(ctx, topic) })
	}
	equal(t, "seniors of an unknown topic", of("Сделки"), nil)
	equal(t, "topics before any", all(), nil)
	put(knowledge.Topic{Name: "Сделки", Seniors: []int64{oleg, maria, former, left, oleg}})
	equal(t, "seniors", of("Сделки"), []int64{maria, oleg})
	put(knowledge.Topic{Name: "Доступ"})
	write(t, s, func(ctx context.Context, tx bot.Tx) error {
		q := knowledge.Question{ID: "q", Text: "Где отчёты?", Status: knowledge.Unanswered, Topic: "Отчёты", Asked: noon()}
		return tx.PutQuestion(ctx, &q)
	})
	equal(t, "topics, also those of questions alone", all(), []knowledge.Topic{
		{Name: "Доступ"}, {Name: "Отчёты"}, {Name: "Сделки", Seniors: []int64{maria, oleg, former, left}},
	})
	put(knowledge.Topic{Name: "Сделки", Seniors: []int64{oleg}})
	equal(t, "seniors after a change", of("Сделки"), []int64{oleg})
	write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.DeleteTopic(ctx, "Сделки") })
	equal(t, "seniors of what is gone", of("Сделки"), nil)
	equal(t, "seniors of a topic of nobody's", of("Доступ"), nil)
	equal(t, "topics that are left", all(), []knowledge.Topic{{Name: "Доступ"}, {Name: "Отчёты"}})
	refuse(t, s, knowledge.ErrNotFound, func(ctx context.Context, tx bot.Tx) error { return tx.DeleteTopic(ctx, "Сделки") })
	refuse(t, s, knowledge.ErrNotFound, func(ctx context.Context, tx bot.Tx) error {
		return tx.PutTopic(ctx, knowledge.Topic{Name: "Сделки", Seniors: []int64{999}})
	})
	refuse(t, s, knowledge.ErrInvalid, func(ctx context.Context, tx bot.Tx) error { return tx.PutTopic(ctx, knowledge.Topic{}) })
}
