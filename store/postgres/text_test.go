package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/late"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
)

// embedded opens the other database of the project, to compare with.
func embedded(t *testing.T) bot.Store {
	t.Helper()
	q, err := late.SQLite(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir(), Queue: q})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func do(t *testing.T, s bot.Store, fn func(context.Context, bot.Tx) error) {
	t.Helper()
	if err := s.Write(t.Context(), func(tx bot.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func entry(ctx context.Context, tx bot.Tx, id, text string) error {
	q := knowledge.Question{ID: id, Text: text, Status: knowledge.InKnowledgeBase}
	return errors.Join(tx.PutQuestion(ctx, &q), tx.PutAnswer(ctx, &knowledge.Answer{Question: q.ID, Text: text}))
}

// Texts come back letter by letter.
func TestTextComesBack(t *testing.T) {
	t.Parallel()
	s := open(t, database(t))
	for i, text := range []string{
		"Ёжик в тумане, щёголь и подъезд", "й", "\u0438\u0306 и \u0435\u0308: составные, а не й и ё", "👩🏽‍💻 🇷🇺 🎄 1️⃣", "«ёлочки» — „лапки“\u00a0…",
		"Ұлы Қазақстан, ґанок, ўзбек, ҙур", "עברית العربية 中文 ไทย", "\u200bнеразрывный\u2060 \ufeff", "\ufffd честная замена", "'; DROP TABLE persons; --\\\"%_$1?",
		"строка\r\nстрока\tтаб\v\f\x1b[31m", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 \U0010ffff", "",
	} {
		id := fmt.Sprint("ид/Ё ", i)
		do(t, s, func(ctx context.Context, tx bot.Tx) error { return entry(ctx, tx, id, text) })
		q := read(t, s, func(ctx context.Context, tx bot.Tx) (knowledge.Question, error) { return tx.Question(ctx, id) })
		if q.Text != text || q.Answer.Text != text {
			t.Errorf("%q came back as %q and %q", text, q.Text, q.Answer.Text)
		}
	}
}

// Bytes that PostgreSQL cannot hold are left out, wherever they come from; nobody
// is refused because of them.
func TestTextIsCleaned(t *testing.T) {
	t.Parallel()
	dsn := database(t)
	s := open(t, dsn)
	n := 0
	for dirty, want := range map[string]string{
		"при\x00вет": "привет", "при\xd0вет": "привет", "\xff\xfe": "", "\x00": "", "ё\xcc": "ё", "\xed\xa0\x80половина пары": "половина пары", "\xffи \ufffd": "и \ufffd",
	} {
		n++
		key, clean := fmt.Sprintf("ключ %d %s", n, dirty), fmt.Sprintf("ключ %d %s", n, want)
		row := bot.Row{
			Key: key, Chat: bot.ChatID("console:" + key), Kind: "said", Payload: []byte(dirty),
			From: knowledge.Identity{Platform: "console", External: key, Name: dirty, Chat: "console:" + key},
		}
		var person knowledge.Person
		do(t, s, func(ctx context.Context, tx bot.Tx) (err error) {
			err = errors.Join(
				entry(ctx, tx, key, dirty),
				tx.Post(ctx, &row),
				tx.PutDelivery(ctx, &bot.Delivery{Key: key, Chat: row.Chat, Message: bot.Message{Text: dirty}, State: bot.DeliveryPending}),
				tx.Schedule(ctx, bot.Job{At: time.Now(), Event: &row}),
				tx.Schedule(ctx, bot.Job{At: time.Now(), Drain: row.Chat}),
				tx.Touch(ctx, []string{key}),
			)
			if err == nil {
				person, err = tx.Identify(ctx, row.From, time.Now())
			}
			return err
		})
		q := read(t, s, func(ctx context.Context, tx bot.Tx) (knowledge.Question, error) { return tx.Question(ctx, key) })
		if q.Text != want || q.ID != clean {
			t.Errorf("%q came back as %q of %q", dirty, q.Text, q.ID)
		}
		got := read(t, s, func(ctx context.Context, tx bot.Tx) (bot.Row, error) { return tx.NextRow(ctx, row.Chat) })
		if got.From.Name != want || string(got.Payload) != dirty {
			t.Errorf("%q came back as %q with %q", dirty, got.From.Name, got.Payload)
		}
		again := read(t, s, func(ctx context.Context, tx bot.Tx) (knowledge.Person, error) { return tx.Person(ctx, person.ID) })
		if again.Name != want {
			t.Errorf("the name %q came back as %q", dirty, again.Name)
		}
	}
}

func TestAnyTextIsTaken(t *testing.T) {
	t.Parallel()
	s := open(t, database(t))
	rapid.Check(t, func(rt *rapid.T) {
		text := string(rapid.SliceOf(rapid.Byte()).Draw(rt, "bytes"))
		if rapid.Bool().Draw(rt, "as text") {
			text = rapid.String().Draw(rt, "text")
		}
		q := knowledge.Question{Text: text, Status: knowledge.Unanswered}
		do(t, s, func(ctx context.Context, tx bot.Tx) error {
			err := tx.PutQuestion(ctx, &q)
			if err == nil {
				_, err = tx.PutPhrasing(ctx, knowledge.Phrasing{Question: q.ID, Text: "иначе " + text})
			}
			return err
		})
		got := read(t, s, func(ctx context.Context, tx bot.Tx) (knowledge.Question, error) { return tx.Question(ctx, q.ID) })
		if want := strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", ""); got.Text != want {
			rt.Errorf("%q came back as %q, want %q", text, got.Text, want)
		}
	})
}

// A key of an index holds some 2,700 bytes; texts are longer.
func TestLongTexts(t *testing.T) {
	t.Parallel()
	s := open(t, database(t))
	// Noise, for PostgreSQL packs repetition.
	var b strings.Builder
	for seed := uint32(1); b.Len() < 120_000; {
		seed = seed*1_664_525 + 1_013_904_223
		b.WriteRune(rune(0x430 + seed>>24%32))
	}
	text := string([]rune(b.String())[:60_000])
	other := text[:len(text)-2] + "Ё" // differs in its last letter alone
	q := knowledge.Question{ID: "длинный", Text: text, Status: knowledge.Unanswered}
	do(t, s, func(ctx context.Context, tx bot.Tx) error {
		if err := tx.PutQuestion(ctx, &q); err != nil {
			return err
		}
		for _, p := range []struct {
			text string
			want bool
		}{{text, false}, {strings.ToUpper(text), false}, {other, true}, {strings.ToUpper(other), false}} {
			if added, err := tx.PutPhrasing(ctx, knowledge.Phrasing{Question: q.ID, Text: p.text}); err != nil || added != p.want {
				return fmt.Errorf("a phrasing was added: %v, want %v: %w", added, p.want, err)
			}
		}
		v := knowledge.Verdict{Question: q.ID, Wording: text, Person: 1, Outcome: knowledge.Picked}
		w := knowledge.Verdict{Question: q.ID, Wording: other, Person: 1, Outcome: knowledge.Picked}
		return errors.Join(tx.PutVerdict(ctx, &v), tx.PutVerdict(ctx, &w), tx.PutAnswer(ctx, &knowledge.Answer{Question: q.ID, Text: text}))
	})
	found := read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Question, error) {
		return tx.Questions(ctx, knowledge.QuestionFilter{Fold: knowledge.FoldText(strings.ToUpper(text))})
	})
	if len(found) != 1 || found[0].Text != text || found[0].Answer.Text != text {
		t.Errorf("%d questions were found by their text", len(found))
	}
	verdicts := read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Verdict, error) {
		return tx.Verdicts(ctx, []string{q.ID})
	})
	if len(verdicts) != 2 {
		t.Errorf("%d verdicts, want 2", len(verdicts))
	}
}

func TestFoldedTextIsFound(t *testing.T) {
	t.Parallel()
	s := open(t, database(t))
	do(t, s, func(ctx context.Context, tx bot.Tx) error {
		return entry(ctx, tx, "hedgehog", "Где живёт  ЁЖИК?")
	})
	for _, text := range []string{"где живет ежик?", "ГДЕ ЖИВЁТ ЁЖИК?"} {
		found := read(t, s, func(ctx context.Context, tx bot.Tx) ([]knowledge.Question, error) {
			return tx.Questions(ctx, knowledge.QuestionFilter{Fold: knowledge.FoldText(text)})
		})
		if len(found) != 1 {
			t.Errorf("%q finds %d questions", text, len(found))
		}
	}
}

// words are ids and names as people make them: what a locale would order otherwise
// than bytes do, and hold equal.
func words() []string {
	return []string{
		"ёж", "Ёж", "еж", "Еж", "яблоко", "Яблоко", "абв", "АБВ", "zebra", "Zebra", "apple", "Apple", "a-b", "a_b", "ab", "a b", "a.b", "10", "9", "09",
		"é", "e", "straße", "strasse", "и\u0306", "й", "🎄", "中", " ведущий пробел", "_", "ъ", "Ъ", "ҙ", "і", "I", "i", "ı",
	}
}

// Lists come in the same order, and the same things are the same, on both databases.
func TestOrderIsThatOfTheEmbeddedStore(t *testing.T) {
	t.Parallel()
	both := map[string]bot.Store{"postgres": open(t, database(t)), "sqlite": embedded(t)}
	at := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	got := map[string][]string{}
	for name, s := range both {
		do(t, s, func(ctx context.Context, tx bot.Tx) error {
			for i, w := range words() {
				if err := entry(ctx, tx, w, "Вопрос про "+w); err != nil {
					return err
				}
				chat := bot.ChatID("console:" + w)
				who, err := tx.Identify(ctx, knowledge.Identity{Platform: "console", External: w, Name: w, Chat: string(chat)}, at)
				if err != nil {
					return err
				}
				err = errors.Join(
					tx.Post(ctx, &bot.Row{Key: w, Chat: chat, Kind: "said"}),
					tx.PutAsk(ctx, knowledge.Ask{ID: int64(2*i + 1), Person: who.ID, Chat: string(chat), Text: w, Question: "ёж", Decision: knowledge.DecisionAnswer, Asked: at}),
					tx.PutAsk(ctx, knowledge.Ask{ID: int64(2*i + 2), Person: who.ID, Chat: string(chat), Text: w, Question: w, Decision: knowledge.DecisionAnswer, Asked: at.Add(time.Second)}),
				)
				if err != nil {
					return err
				}
			}
			return nil
		})
		err := s.Read(t.Context(), func(tx bot.Tx) error {
			chats, err := tx.BusyChats(t.Context(), at)
			for _, c := range chats {
				got[name] = append(got[name], "chat "+string(c))
			}
			all, e := tx.Questions(t.Context(), knowledge.QuestionFilter{})
			byID, e2 := tx.Questions(t.Context(), knowledge.QuestionFilter{IDs: words()})
			for _, q := range slices.Concat(all, byID) {
				got[name] = append(got[name], "question "+q.ID)
			}
			for _, w := range words() {
				found, e := tx.Questions(t.Context(), knowledge.QuestionFilter{Fold: "вопрос про " + w})
				for _, q := range found {
					got[name] = append(got[name], w+" finds "+q.ID)
				}
				err = errors.Join(err, e)
			}
			next, e3 := tx.AskedNext(t.Context(), "ёж", 7) // which of those that are asked as often
			for _, q := range slices.Sorted(maps.Keys(next)) {
				got[name] = append(got[name], "next "+q)
			}
			return errors.Join(err, e, e2, e3)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(got["sqlite"], got["postgres"]); diff != "" {
		t.Errorf("the lists differ (-sqlite +postgres):\n%s", diff)
	}
	if len(got["postgres"]) < 4*len(words()) {
		t.Errorf("only %d lines were compared", len(got["postgres"]))
	}
}
