package bot_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/bottest"
	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/late"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
	"github.com/nastavnik-bot/nastavnik/store/sqlite/sqlitetest"
)

// checker is the real searcher with a check of proposals that a test sets.
type checker struct {
	bot.Searcher
	mu       sync.Mutex
	asked    []knowledge.Proposal
	disturbs func() ([]knowledge.Conflict, error)
}

func (c *checker) Disturbs(_ context.Context, p knowledge.Proposal) ([]knowledge.Conflict, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, p)
	return c.disturbs()
}

// house is a bot with its people.
type house struct {
	t      *testing.T
	store  *sqlite.Store
	runner *bot.Runner
	check  *checker
	n      int

	mu   sync.Mutex
	now  time.Time
	sent map[bot.ChatID][]bot.Delivery
}

func newHouse(t *testing.T, disturbs func() ([]knowledge.Conflict, error)) *house {
	t.Helper()
	queue, err := late.SQLite(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, now: time.Date(2026, 3, 12, 12, 0, 0, 0, time.UTC), sent: map[bot.ChatID][]bot.Delivery{}}
	if h.store, err = sqlite.Open(t.Context(), sqlite.Options{Dir: sqlitetest.Folder(t, queue), Queue: queue}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.store.Close() })
	find, err := bottest.NewSearcher(h.store)
	if err != nil {
		t.Fatal(err)
	}
	say, err := texts.New("ru")
	if err != nil {
		t.Fatal(err)
	}
	h.check = &checker{Searcher: find, disturbs: disturbs}
	h.runner = bot.NewRunner(bot.Options{
		Store: h.store, Searcher: h.check, Decider: bot.NewDecider(say, bot.Manner{}), Now: h.later,
		Platforms: map[string]bot.Platform{"test": {Sender: h}}, Poll: time.Millisecond, Workers: 1,
	})
	return h
}

// later is a clock that runs: what has failed is tried again soon.
func (h *house) later() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(time.Second)
	return h.now
}

// Parts implements bot.Sender.
func (h *house) Parts(bot.Dispatch) int { return 1 }

// Send implements bot.Sender.
func (h *house) Send(_ context.Context, d bot.Dispatch) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sent[d.Chat] = append(h.sent[d.Chat], d.Delivery)
	return d.Key, nil
}

func (h *house) event(who string, b bot.Body) {
	h.t.Helper()
	h.n++
	chat := bot.NewChat("test", who)
	from := knowledge.Identity{Platform: "test", External: who, Name: who, Chat: string(chat)}
	if err := bot.Post(h.t.Context(), h.store, bot.Event{Key: fmt.Sprint("e", h.n), Chat: chat, At: h.later(), From: from, Body: b}); err != nil {
		h.t.Fatal(err)
	}
	if err := h.runner.Settle(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) says(who, text string) { h.t.Helper(); h.event(who, bot.Said{Text: text}) }

// presses presses the latest button with the label.
func (h *house) presses(who, label string) {
	h.t.Helper()
	all := h.sent[bot.NewChat("test", who)]
	for i := len(all) - 1; i >= 0; i-- {
		for _, s := range all[i].Message.Sections {
			for _, b := range s.Buttons {
				if b.Label == label {
					h.event(who, bot.Pressed{ID: b.ID})
					return
				}
			}
		}
	}
	h.t.Fatalf("%s sees no button [%s]", who, label)
}

// last is the latest message that somebody got.
func (h *house) last(who string) string {
	all := h.sent[bot.NewChat("test", who)]
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1].Message.Text
}

// asked brings a question to the senior, who answers it.
func (h *house) asked() {
	h.t.Helper()
	who := knowledge.Identity{Platform: "test", External: "анна", Name: "Анна", Chat: string(bot.NewChat("test", "анна"))}
	if _, err := (bot.Office{Store: h.store, Now: h.later}).AddPerson(h.t.Context(), who, func(p *knowledge.Person) { p.Senior = true }); err != nil {
		h.t.Fatal(err)
	}
	h.says("иван", "где взять пропуск на парковку")
	h.presses("иван", "Нет моего вопроса")
	h.says("анна", "На стойке охраны.")
	h.presses("анна", "Готово")
}

func (h *house) question() (q knowledge.Question) {
	h.t.Helper()
	err := h.store.Read(h.t.Context(), func(tx bot.Tx) error {
		all, err := tx.Questions(h.t.Context(), knowledge.QuestionFilter{WithClosed: true})
		if err == nil && len(all) != 1 {
			err = fmt.Errorf("%d questions", len(all))
		}
		if err == nil {
			q = all[0]
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return q
}

// Who waits gets the answer, even when nobody can tell what it would disturb.
func TestAnUncheckedAnswerArrives(t *testing.T) {
	h := newHouse(t, func() ([]knowledge.Conflict, error) { return nil, errors.New("the index is broken") })
	h.asked()
	if got := h.last("иван"); !strings.Contains(got, "На стойке охраны.") {
		t.Errorf("the asker has %q", got)
	}
	if q := h.question(); q.Status != knowledge.InKnowledgeBase {
		t.Errorf("the answer is %s", q.Status)
	}
	if len(h.check.asked) < 2 {
		t.Errorf("the check was tried %d times", len(h.check.asked))
	}
}

// What is checked is what would come into the base.
func TestWhatIsProposed(t *testing.T) {
	h := newHouse(t, func() ([]knowledge.Conflict, error) { return nil, nil })
	h.asked()
	if got := h.check.asked; len(got) != 1 || got[0].Text != "где взять пропуск на парковку" || got[0].Answer != "На стойке охраны." || len(got[0].Wordings) != 0 || got[0].Question == "" {
		t.Fatalf("proposed: %+v", got)
	}
	h.presses("анна", "Изменить")
	h.says("анна", "На стойке охраны, с 9 до 18.")
	h.presses("анна", "Готово")
	if got := h.check.asked; len(got) != 2 || got[1].Answer != "На стойке охраны, с 9 до 18." || got[1].Question != got[0].Question {
		t.Fatalf("proposed: %+v", got)
	}
	// What the senior keeps out of the base is nobody's business.
	h.presses("анна", "Не добавлять в базу")
	h.presses("анна", "Изменить")
	h.says("анна", "У коменданта.")
	h.presses("анна", "Готово")
	if len(h.check.asked) != 2 || !strings.Contains(h.last("иван"), "У коменданта.") {
		t.Errorf("proposed %+v; the asker has %q", h.check.asked, h.last("иван"))
	}
}

// An answer that disturbs others is shown with up to three examples; a new text
// that disturbs nobody goes live without a question.
func TestHeldAnswerIsPutRight(t *testing.T) {
	var conflicts []knowledge.Conflict
	for i := range 5 {
		was := knowledge.Brief{ID: fmt.Sprint("q", i), Text: fmt.Sprintf("Как получить бейдж %d?", i)}
		conflicts = append(conflicts, knowledge.Conflict{Wording: fmt.Sprint("бейдж ", i), Was: was})
	}
	h := newHouse(t, func() ([]knowledge.Conflict, error) { return conflicts, nil })
	h.asked()
	if got := h.last("анна"); !strings.Contains(got, "бейдж 2") || strings.Contains(got, "бейдж 3") || !strings.Contains(got, "ещё 2 вопроса") {
		t.Errorf("the senior is told %q", got)
	}
	if got := h.last("иван"); !strings.Contains(got, "На стойке охраны.") {
		t.Errorf("the asker has %q", got)
	}
	if q := h.question(); q.Status.Answered() {
		t.Errorf("the answer is %s", q.Status)
	}
	conflicts = nil
	h.presses("анна", "Изменить")
	h.says("анна", "Пропуск на парковку — на стойке охраны.")
	h.presses("анна", "Готово")
	if q := h.question(); q.Status != knowledge.InKnowledgeBase {
		t.Errorf("the answer is %s: %q", q.Status, h.last("анна"))
	}
	h.presses("анна", "Всё равно добавить")
	if got := h.last("анна"); !strings.Contains(got, "уже решено") {
		t.Errorf("a decision that is made: %q", got)
	}
}
