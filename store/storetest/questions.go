package storetest

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

func testQuestions(t *testing.T, s bot.Store) {
	t.Run("comes back as it went in", func(t *testing.T) {
		want := knowledge.Question{
			ID: "crm/ёлка 1", Text: "Как сменить ответственного в сделке? 🎄\n\tи «кавычки» 'и' \"эти\"",
			Status: knowledge.AwaitingSenior, Closed: knowledge.NotClosed, Topic: "Сделки", Asked: noon(), AskedBy: 7,
		}
		q := want
		write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.PutQuestion(ctx, &q) })
		want.Version = 1
		equal(t, "filled in", q, want)
		equal(t, "stored", question(t, s, want.ID), want)

		want.Text, want.Status, want.Closed, want.Topic = "Как его сменить?", knowledge.Unanswered, knowledge.OffTopic, ""
		q = want
		write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.PutQuestion(ctx, &q) })
		want.Version = 2
		equal(t, "filled in by the update", q, want)
		equal(t, "updated", question(t, s, want.ID), want)
	})
	t.Run("a time that is not set stays so", func(t *testing.T) {
		write(t, s, func(ctx context.Context, tx bot.Tx) error {
			return tx.PutQuestion(ctx, &knowledge.Question{ID: "timeless", Text: "Когда?", Status: knowledge.Unanswered})
		})
		if q := question(t, s, "timeless"); !q.Asked.IsZero() || !q.Answer.Created.IsZero() {
			t.Errorf("asked %v, answered %v", q.Asked, q.Answer.Created)
		}
	})
	t.Run("a new id is q and a number that nobody has", func(t *testing.T) {
		imported := numbered("q", 40)
		entries(t, s, imported...)
		taken := map[string]bool{}
		for _, id := range imported {
			taken[id] = true
		}
		write(t, s, func(ctx context.Context, tx bot.Tx) error {
			for range 5 {
				q := knowledge.Question{Text: "Новый вопрос", Status: knowledge.Unanswered}
				if err := tx.PutQuestion(ctx, &q); err != nil {
					return err
				}
				if !regexp.MustCompile(`^q\d+$`).MatchString(q.ID) || taken[q.ID] {
					t.Errorf("the id is %q", q.ID)
				}
				taken[q.ID] = true
			}
			return nil
		})
	})
	t.Run("what does not exist is not found", func(t *testing.T) {
		refuse(t, s, knowledge.ErrNotFound, func(ctx context.Context, tx bot.Tx) error {
			_, err := tx.Question(ctx, "нет такого")
			return err
		})
	})
	t.Run("a status that there is not is refused", func(t *testing.T) {
		refuse(t, s, knowledge.ErrInvalid, func(ctx context.Context, tx bot.Tx) error {
			return tx.PutQuestion(ctx, &knowledge.Question{ID: "bad", Text: "Вопрос", Status: "archived"})
		})
	})
}

func testLists(t *testing.T, s bot.Store) {
	all := numbered("list", 700)
	entries(t, s, all...)
	write(t, s, func(ctx context.Context, tx bot.Tx) error {
		return errors.Join(
			tx.PutQuestion(ctx, &knowledge.Question{ID: "open", Text: "Где ЁЛКА?", Status: knowledge.Unanswered}),
			tx.PutQuestion(ctx, &knowledge.Question{ID: "sent", Text: "Когда отпуск", Status: knowledge.AwaitingSenior}),
			tx.PutQuestion(ctx, &knowledge.Question{ID: "closed", Text: "Где ёлка", Status: knowledge.Unanswered, Closed: knowledge.OffTopic}),
			tx.PutQuestion(ctx, &knowledge.Question{ID: "mute", Text: "Без ответа", Status: knowledge.InKnowledgeBase}),
		)
	})
	for _, c := range []struct {
		name   string
		filter knowledge.QuestionFilter
		want   []string
	}{
		{"everything, oldest first, but closed", knowledge.QuestionFilter{}, append(all[:700:700], "open", "sent", "mute")},
		{"a status", knowledge.QuestionFilter{Statuses: []knowledge.Status{knowledge.AwaitingSenior}}, []string{"sent"}},
		{"two statuses with closed", knowledge.QuestionFilter{Statuses: []knowledge.Status{knowledge.Unanswered, knowledge.AwaitingSenior}, WithClosed: true}, []string{"open", "sent", "closed"}},
		{"those with an answer to give", knowledge.QuestionFilter{Answered: true, After: all[697]}, all[698:]},
		{"by their fold", knowledge.QuestionFilter{Fold: knowledge.FoldText("где елка!")}, []string{"open"}},
		{"by their fold, with closed", knowledge.QuestionFilter{Fold: knowledge.FoldText("где елка!"), WithClosed: true}, []string{"open", "closed"}},
		{"ids, each once, oldest first", knowledge.QuestionFilter{IDs: []string{"sent", "list3", "нет", "list1", "sent", "closed"}}, []string{"list1", "list3", "sent"}},
		{"more ids than fit one statement, some twice", knowledge.QuestionFilter{IDs: append(all[:700:700], all[:3]...)}, all},
		{"ids of a status, a page of them", knowledge.QuestionFilter{IDs: all, Statuses: []knowledge.Status{knowledge.InKnowledgeBase}, After: all[9], Limit: 600}, all[10:610]},
		{"no ids at all", knowledge.QuestionFilter{IDs: []string{}}, nil},
		{"a page", knowledge.QuestionFilter{After: all[100], Limit: 3}, all[101:104]},
		{"nothing after the last", knowledge.QuestionFilter{After: "mute", Limit: 3}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Question, error) { return tx.Questions(ctx, c.filter) })
			equal(t, "ids", ids(got), c.want)
			for _, q := range got {
				if q.Status == knowledge.InKnowledgeBase && q.ID != "mute" && q.Answer.Text != "Ответ на Вопрос "+q.ID {
					t.Fatalf("question %s has the answer %q", q.ID, q.Answer.Text)
				}
			}
		})
	}
	t.Run("a page after what does not exist is not found", func(t *testing.T) {
		refuse(t, s, knowledge.ErrNotFound, func(ctx context.Context, tx bot.Tx) error {
			_, err := tx.Questions(ctx, knowledge.QuestionFilter{After: "нет такого"})
			return err
		})
	})
}

func testPhrasings(t *testing.T, s bot.Store) {
	of := func(questions []string) []string {
		found := read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Phrasing, error) {
			return tx.Phrasings(ctx, questions)
		})
		var out []string
		for _, p := range found {
			out = append(out, p.Question+": "+p.Text)
		}
		return out
	}
	put := func(p knowledge.Phrasing) (added bool) {
		write(t, s, func(ctx context.Context, tx bot.Tx) (err error) {
			added, err = tx.PutPhrasing(ctx, p)
			return err
		})
		return added
	}
	write(t, s, func(ctx context.Context, tx bot.Tx) error {
		return errors.Join(
			tx.PutQuestion(ctx, &knowledge.Question{ID: "a", Text: "Где ёлка?", Status: knowledge.Unanswered, Asked: noon(), AskedBy: 5}),
			tx.PutQuestion(ctx, &knowledge.Question{ID: "b", Text: "Где ёлка?", Status: knowledge.Unanswered}))
	})
	t.Run("the question's own text is one", func(t *testing.T) {
		found := read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Phrasing, error) {
			return tx.Phrasings(ctx, []string{"b", "a"})
		})
		for i := range found {
			found[i].ID = 0
		}
		equal(t, "phrasings", found, []knowledge.Phrasing{
			{Question: "a", Text: "Где ёлка?", Origin: knowledge.AskedSo, Person: 5, Created: noon()},
			{Question: "b", Text: "Где ёлка?", Origin: knowledge.Imported},
		})
	})
	t.Run("a new one is added once, however it is spelled", func(t *testing.T) {
		if !put(knowledge.Phrasing{Question: "a", Text: "Куда дели ЁЛКУ", Origin: knowledge.SeniorSaid}) {
			t.Error("a new wording was not added")
		}
		for _, text := range []string{"куда дели елку", "Куда   дели ёлку?!", "где елка"} {
			if put(knowledge.Phrasing{Question: "a", Text: text}) {
				t.Errorf("%q was added again", text)
			}
		}
		if !put(knowledge.Phrasing{Question: "b", Text: "куда дели елку"}) {
			t.Error("what one question has was not added to another")
		}
		equal(t, "phrasings", of([]string{"a"}), []string{"a: Где ёлка?", "a: Куда дели ЁЛКУ"})
	})
	t.Run("a new text of the question leaves the old as a phrasing", func(t *testing.T) {
		for _, text := range []string{"Где новогодняя ёлка?", "Где новогодняя ёлка"} {
			write(t, s, func(ctx context.Context, tx bot.Tx) error {
				return tx.PutQuestion(ctx, &knowledge.Question{ID: "b", Text: text, Status: knowledge.Unanswered})
			})
		}
		equal(t, "phrasings", of([]string{"b"}), []string{"b: Где ёлка?", "b: куда дели елку", "b: Где новогодняя ёлка"})
	})
	t.Run("nil asks for all, and an empty list for none", func(t *testing.T) {
		equal(t, "all", len(of(nil)), 5)
		equal(t, "none", of([]string{}), nil)
		equal(t, "of an unknown question", of([]string{"нет такого"}), nil)
	})
	t.Run("of an unknown question is refused", func(t *testing.T) {
		refuse(t, s, knowledge.ErrNotFound, func(ctx context.Context, tx bot.Tx) error {
			_, err := tx.PutPhrasing(ctx, knowledge.Phrasing{Question: "нет такого", Text: "Вопрос"})
			return err
		})
	})
}

func testAnswers(t *testing.T, s bot.Store) {
	entries(t, s, "a", "b")
	second := knowledge.Answer{Question: "a", Text: "Откройте **сделку** → «Ответственный»\n\n1. раз\n2. два", Author: 3, ByName: "Мария", Created: noon()}
	t.Run("a new version becomes the current one", func(t *testing.T) {
		write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.PutAnswer(ctx, &second) })
		if second.ID == 0 || second.Version != 2 {
			t.Errorf("filled in: %+v", second)
		}
		equal(t, "the current answer", question(t, s, "a").Answer, second)
	})
	t.Run("older versions stay", func(t *testing.T) {
		all := read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Answer, error) { return tx.Answers(ctx, "a") })
		if len(all) != 2 || all[0].Version != 1 || all[0].Text != "Ответ на Вопрос a" {
			t.Fatalf("answers: %+v", all)
		}
		equal(t, "the newest", all[1], second)
	})
	t.Run("storing the question again keeps its answer", func(t *testing.T) {
		write(t, s, func(ctx context.Context, tx bot.Tx) error {
			return tx.PutQuestion(ctx, &knowledge.Question{ID: "a", Text: "Другой текст", Status: knowledge.FAQ})
		})
		equal(t, "the current answer", question(t, s, "a").Answer, second)
	})
	t.Run("an older version becomes the current one again", func(t *testing.T) {
		all := read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Answer, error) { return tx.Answers(ctx, "a") })
		before := question(t, s, "a").Version
		write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.PutAnswer(ctx, &all[0]) })
		now := question(t, s, "a")
		equal(t, "the current answer", now.Answer, all[0])
		equal(t, "the question's version", now.Version, before+1)
		after := read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Answer, error) { return tx.Answers(ctx, "a") })
		equal(t, "all versions", after, all)
		third := knowledge.Answer{Question: "a", Text: "Третий", Created: noon()}
		write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.PutAnswer(ctx, &third) })
		equal(t, "the number of the next one", third.Version, 3)
	})
	t.Run("a version of another question is refused", func(t *testing.T) {
		other := question(t, s, "b").Answer
		other.Question = "a"
		refuse(t, s, knowledge.ErrNotFound, func(ctx context.Context, tx bot.Tx) error { return tx.PutAnswer(ctx, &other) })
	})
	t.Run("of an unknown question is refused", func(t *testing.T) {
		refuse(t, s, knowledge.ErrNotFound, func(ctx context.Context, tx bot.Tx) error {
			return tx.PutAnswer(ctx, &knowledge.Answer{Question: "нет такого", Text: "Ответ"})
		})
	})
}

func testVersions(t *testing.T, s bot.Store) {
	entries(t, s, "v")
	equal(t, "the version of a new question with its answer", question(t, s, "v").Version, 1)
	base := knowledge.Question{ID: "v", Text: "Вопрос v", Status: knowledge.InKnowledgeBase, Asked: noon()}
	for _, c := range []struct {
		name string
		grow int64
		fn   func(context.Context, bot.Tx) error
	}{
		{"a changed row", 1, func(ctx context.Context, tx bot.Tx) error {
			q := base
			q.Status = knowledge.FAQ
			return tx.PutQuestion(ctx, &q)
		}},
		{"the same row again", 0, func(ctx context.Context, tx bot.Tx) error {
			q := base
			q.Status = knowledge.FAQ
			return tx.PutQuestion(ctx, &q)
		}},
		{"a new phrasing", 1, func(ctx context.Context, tx bot.Tx) error {
			_, err := tx.PutPhrasing(ctx, knowledge.Phrasing{Question: "v", Text: "иначе"})
			return err
		}},
		{"a known phrasing", 0, func(ctx context.Context, tx bot.Tx) error {
			_, err := tx.PutPhrasing(ctx, knowledge.Phrasing{Question: "v", Text: "Иначе!"})
			return err
		}},
		{"an answer", 1, func(ctx context.Context, tx bot.Tx) error {
			return tx.PutAnswer(ctx, &knowledge.Answer{Question: "v", Text: "Иной"})
		}},
		{"everything in one transaction", 1, func(ctx context.Context, tx bot.Tx) error {
			q := base
			_, err := tx.PutPhrasing(ctx, knowledge.Phrasing{Question: "v", Text: "ещё иначе"})
			return errors.Join(err, tx.PutQuestion(ctx, &q), tx.PutAnswer(ctx, &knowledge.Answer{Question: "v", Text: "Третий"}))
		}},
		{"new vectors", 0, func(ctx context.Context, tx bot.Tx) error { return tx.Touch(ctx, []string{"v"}) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := question(t, s, "v").Version
			write(t, s, c.fn)
			equal(t, "growth", question(t, s, "v").Version-before, c.grow)
		})
	}
	t.Run("the version filled in is the one stored", func(t *testing.T) {
		q := base
		write(t, s, func(ctx context.Context, tx bot.Tx) error {
			if err := tx.PutAnswer(ctx, &knowledge.Answer{Question: "v", Text: "Четвёртый"}); err != nil {
				return err
			}
			q.Topic = "Тема"
			return tx.PutQuestion(ctx, &q)
		})
		equal(t, "version", q.Version, question(t, s, "v").Version)
	})
}

func testEntries(t *testing.T, s bot.Store) {
	many := make([]knowledge.Entry, 1_100) // several portions
	for i := range many {
		id := fmt.Sprintf("e%d", i)
		many[i] = knowledge.Entry{
			Question: knowledge.Question{ID: id, Text: "Вопрос " + id, Topic: "Сделки", Status: knowledge.InKnowledgeBase, Asked: noon()},
			Answer:   knowledge.Answer{Text: "Ответ " + id, ByName: "Анна", Created: noon()},
			Aliases:  []string{"иначе " + id, "Иначе, " + id, "вопрос " + id + "?"},
		}
	}
	put := func(entries ...knowledge.Entry) func(context.Context, bot.Tx) error {
		return func(ctx context.Context, tx bot.Tx) error { return tx.PutEntries(ctx, entries) }
	}
	write(t, s, put(many...))
	write(t, s, put())
	t.Run("are what they would be one by one", func(t *testing.T) {
		write(t, s, func(ctx context.Context, tx bot.Tx) error {
			q := knowledge.Question{ID: "one", Text: "Вопрос one", Topic: "Сделки", Status: knowledge.InKnowledgeBase, Asked: noon()}
			if err := tx.PutQuestion(ctx, &q); err != nil {
				return err
			}
			if _, err := tx.PutPhrasing(ctx, knowledge.Phrasing{Question: "one", Text: "иначе one", Origin: knowledge.Imported, Created: noon()}); err != nil {
				return err
			}
			return tx.PutAnswer(ctx, &knowledge.Answer{Question: "one", Text: "Ответ one", ByName: "Анна", Created: noon()})
		})
		one, last := question(t, s, "one"), question(t, s, "e1099")
		rename := func(q knowledge.Question) knowledge.Question {
			q.ID, q.Answer.Question, q.Answer.ID = "", "", 0
			q.Text, q.Answer.Text = strings.ReplaceAll(q.Text, "e1099", "one"), strings.ReplaceAll(q.Answer.Text, "e1099", "one")
			return q
		}
		equal(t, "the question", rename(last), rename(one))
		wordings := func(id string) []string {
			var out []string
			for _, p := range read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Phrasing, error) {
				return tx.Phrasings(ctx, []string{id})
			}) {
				out = append(out, strings.ReplaceAll(p.Text, "e1099", "one")+" "+string(p.Origin))
			}
			return out
		}
		equal(t, "its wordings", wordings("e1099"), wordings("one"))
	})
	t.Run("are changes", func(t *testing.T) {
		changed, _ := follow(t, s, 0)
		equal(t, "questions", len(changed), len(many)+1)
	})
	t.Run("that are there already are refused, all of them", func(t *testing.T) {
		fresh := many[0]
		fresh.Question.ID = "fresh"
		refuse(t, s, knowledge.ErrConflict, put(fresh, many[7]))
		refuse(t, s, knowledge.ErrNotFound, func(ctx context.Context, tx bot.Tx) error { _, err := tx.Question(ctx, "fresh"); return err })
		fresh.Question.ID = ""
		refuse(t, s, knowledge.ErrInvalid, put(fresh))
	})
}
