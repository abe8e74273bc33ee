package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// app returns what the commands of the data folder work with.
func (c cli) app() *app {
	c.t.Helper()
	a := &app{std: streams{in: strings.NewReader(""), out: &bytes.Buffer{}, err: os.Stderr}, environ: os.Environ(), dataFlag: c.data}
	if err := a.configure(); err != nil {
		c.t.Fatal(err)
	}
	if err := a.open(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	return a
}

// desk does at a time what people and the bot would do in chats.
func (c cli) desk(at time.Time, fn func(ctx context.Context, d knowledge.Desk) error) {
	c.t.Helper()
	a := c.app()
	defer func() { _ = a.close() }()
	ctx := c.t.Context()
	if err := a.store.Write(ctx, func(tx bot.Tx) error {
		return fn(ctx, knowledge.Desk{Tx: tx, Now: at, Learning: a.learning()})
	}); err != nil {
		c.t.Fatal(err)
	}
}

// ask records an ask that was answered at once, and what the asker said of that.
func ask(ctx context.Context, d knowledge.Desk, id int64, name, text string, helped bool) error {
	p, err := d.Tx.Identify(ctx, knowledge.Identity{Platform: "test", External: name, Name: name}, d.Now)
	if err != nil {
		return err
	}
	_, err = d.Record(ctx, knowledge.Ask{
		ID: id, Person: p.ID, Text: text, Asked: d.Now, Decision: knowledge.DecisionAnswer,
		Candidates: []knowledge.Candidate{{Question: "deal-owner", Rank: 1, Score: 1}},
	})
	if err != nil {
		return err
	}
	l, err := d.Feedback(ctx, id, helped)
	if err != nil || l == nil {
		return err
	}
	return d.Learn(ctx, *l)
}

func TestReviewsAreDecidedFromTheCommandLine(t *testing.T) {
	c := newCLI(t)
	c.must("import", c.file("kb.jsonl", threeEntries))
	hold := func(wording string) {
		c.desk(time.Now(), func(ctx context.Context, d knowledge.Desk) error {
			p, err := d.Tx.Identify(ctx, knowledge.Identity{Platform: "test", External: "Иван", Name: "Иван П."}, d.Now)
			if err != nil {
				return err
			}
			_, err = d.Hold(ctx, knowledge.Review{Question: "deal-owner", Wording: wording, Person: p.ID, Conflicts: []knowledge.Conflict{{
				Wording: "кто видит сделку", Was: knowledge.Brief{ID: "deal-observer", Text: "Как добавить наблюдателя в сделку?"},
				Now: knowledge.Brief{ID: "deal-owner", Text: "Как изменить ответственного по сделке?"},
			}}})
			return err
		})
	}
	hold("чужая сделка")
	got := c.must("question", "reviews")
	wantInOrder(t, got, "Решение 1", "Иван П.", "deal-owner", "чужая сделка", "«кто видит сделку»", "сейчас", "deal-observer", "стало бы", "deal-owner", "question accept 1", "question refuse 1")
	if shown := c.must("question", "show", "deal-owner"); !strings.Contains(shown, got) {
		t.Errorf("question show does not say what waits:\n%s", shown)
	}
	var reviews []struct {
		Review   int64
		Question struct{ ID, Text string }
		Wording  string
		By       string
		Created  time.Time

		Conflicts []struct {
			Wording  string
			Was, Now struct{ ID, Text string }
		}
	}
	decodeStrictly(t, c.must("question", "reviews", "--json"), &reviews)
	if len(reviews) != 1 || reviews[0].Review != 1 || reviews[0].Wording != "чужая сделка" || len(reviews[0].Conflicts) != 1 || reviews[0].Conflicts[0].Was.ID != "deal-observer" {
		t.Errorf("question reviews --json: %+v", reviews)
	}
	wantInOrder(t, c.must("question", "accept", "1"), "Формулировка «чужая сделка»", "в базе")
	wantInOrder(t, c.must("question", "show", "deal-owner"), "Формулировки:", "чужая сделка")
	if r := c.run("question", "refuse", "1"); r.code != exitFailed || !strings.Contains(r.err, "решение 1 уже есть: взято в базу") {
		t.Errorf("decided again: exit %d: %s", r.code, r.err)
	}
	hold("")
	wantInOrder(t, c.must("question", "reviews"), "Решение 2", "Ответ: Карточка → «Ответственный».")
	wantInOrder(t, c.must("question", "list", "--all"), "deal-owner", "отвечено лично")
	wantInOrder(t, c.must("question", "refuse", "2"), "Ответ", "не в базе", "deal-owner")
	history := c.must("question", "history", "deal-owner")
	wantInOrder(t, history, "бот", "ждёт решения 1: формулировка «чужая сделка»", "администратор", "решение 1: формулировка «чужая сделка» — в базу",
		"ждёт решения 2: ответ", "решение 2: ответ — не в базу")
	wantInOrder(t, c.must("question", "undo", "2"), "решение 1")
	if got := c.must("question", "reviews"); !strings.Contains(got, "Решение 1") {
		t.Errorf("undoing a decision does not open it again:\n%s", got)
	}
}

func TestHistoryTellsWhatWasLearned(t *testing.T) {
	c := newCLI(t)
	c.must("import", c.file("kb.jsonl", threeEntries))
	c.desk(time.Now(), func(ctx context.Context, d knowledge.Desk) error {
		if err := ask(ctx, d, 1, "Иван П.", "кому передать сделку", true); err != nil {
			return err
		}
		return ask(ctx, d, 2, "Пётр С.", "удалить сделку", false)
	})
	wantInOrder(t, c.must("question", "history", "deal-owner"),
		"загрузка", "вопрос в базе", "Иван П.", "«Помогло» на слова «кому передать сделку»",
		"бот", "выучена формулировка «кому передать сделку»", "Иван П.", "Пётр С.", "«Не помогло» на слова «удалить сделку»")
	wantInOrder(t, c.must("question", "unlearn", "deal-owner", "Кому передать сделку?"), "отменён шаг 2", "question undo 4")
	if got := c.must("question", "show", "deal-owner"); strings.Contains(got, "кому передать") {
		t.Errorf("it is known still:\n%s", got)
	}
}

func TestStaleAnswers(t *testing.T) {
	c := newCLI(t)
	c.must("import", c.file("kb.jsonl", threeEntries))
	c.desk(time.Now(), func(ctx context.Context, d knowledge.Desk) error {
		for i, name := range []string{"Иван", "Пётр", "Ольга"} {
			if err := ask(ctx, d, int64(i+1), name, "кому передать сделку", i == 0); err != nil {
				return err
			}
		}
		return nil
	})
	got := c.must("question", "stale")
	wantInOrder(t, got, "deal-owner", "не помог 2 из 3")
	if strings.Contains(got, "vacation") {
		t.Errorf("new answers are listed:\n%s", got)
	}
	t.Setenv("NASTAVNIK_LEARNING_STALE_SHARE", "0.9")
	if got := c.must("question", "stale"); strings.Contains(got, "deal-owner") {
		t.Errorf("the configured share is not used:\n%s", got)
	}
}

// The bot looks through the frequent questions when it starts, whoever has asked
// while it was away.
func TestServeKeepsFrequentQuestions(t *testing.T) {
	c := newCLI(t)
	c.must("import", c.file("kb.jsonl", threeEntries))
	t.Setenv("NASTAVNIK_LEARNING_FAQ_ASKS", "0")
	c.desk(time.Now(), func(ctx context.Context, d knowledge.Desk) error {
		for i, name := range []string{"Иван", "Пётр", "Ольга"} {
			if err := ask(ctx, d, int64(i+1), name, "кому передать сделку", true); err != nil {
				return err
			}
		}
		return nil
	})
	look := func() string {
		a := c.app()
		defer func() { _ = a.close() }()
		if err := a.frequent(t.Context()); err != nil {
			t.Fatal(err)
		}
		return c.must("question", "list", "--status", "faq")
	}
	if got := look(); strings.Contains(got, "deal-owner") {
		t.Errorf("it is switched off, and yet:\n%s", got)
	}
	t.Setenv("NASTAVNIK_LEARNING_FAQ_ASKS", "3")
	for range 2 { // as after a restart
		wantInOrder(t, look(), "deal-owner")
	}
	wantInOrder(t, c.must("question", "history", "deal-owner"), "бот", "«Часто задаваемый вопрос» по правилу: спросили хотя бы 3")
}

// An answer that would take from another entry what people find by its wording is
// shown to the administrator, and goes into the base only if they say so.
func TestAnswerThatDisturbsIsHeld(t *testing.T) {
	c := newCLI(t)
	c.must("import", c.file("kb.jsonl", threeEntries+`{"id":"zz-delete","question":"Как удалить сделку?","answer":"Меню → «Удалить».","aliases":["убрать карточку сделки"]}`))
	var id string
	c.desk(time.Now(), func(ctx context.Context, d knowledge.Desk) error {
		p, err := d.Tx.Identify(ctx, knowledge.Identity{Platform: "test", External: "Иван", Name: "Иван П."}, d.Now)
		if err != nil {
			return err
		}
		a, err := d.Record(ctx, knowledge.Ask{ID: 1, Person: p.ID, Text: "Убрать карточку сделки", Asked: d.Now, Decision: knowledge.DecisionNothing})
		id = a.Question
		return err
	})
	got := c.must("question", "answer", id, "--by", "Анна К.", "--text", "Кнопка «Свернуть карточку».")
	wantInOrder(t, got, "Ответ записан: "+id, "пока нет", "Решение 1", "убрать карточку сделки", "сейчас «Как удалить сделку?»", "стало бы", id, "question accept 1")
	find := func() string { return c.must("ask", "--dry-run", "убрать карточку сделки") }
	wantInOrder(t, find(), "Как удалить сделку?")
	c.must("question", "accept", "1")
	wantInOrder(t, find(), "Убрать карточку сделки", "Как удалить сделку?")
	wantInOrder(t, c.must("question", "answer", "vacation", "--by", "Анна К.", "--text", "Раздел «Кадры», затем «Отпуска»."), "Ответ записан: vacation, версия 2")
	if got := c.must("question", "reviews"); !strings.Contains(got, "нечего") {
		t.Errorf("what disturbs nobody is held:\n%s", got)
	}
}

// Who waits gets the answer even when nobody can tell what it would disturb.
func TestAnswerWithoutACheck(t *testing.T) {
	c := newCLI(t)
	c.must("import", c.file("kb.jsonl", threeEntries))
	t.Setenv("NASTAVNIK_MODEL_OFF", "false")
	t.Setenv("NASTAVNIK_MODEL_PATH", c.file("model.bin", "не модель"))
	r := c.run("question", "answer", "vacation", "--by", "Анна К.", "--text", "Раздел «Отпуска».")
	if r.code != 0 || !strings.Contains(r.err, "без проверки") || !strings.Contains(r.out, "версия 2") {
		t.Errorf("exit %d\n%s\n%s", r.code, r.out, r.err)
	}
}
