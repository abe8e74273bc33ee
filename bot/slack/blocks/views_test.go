package blocks_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/markup"
	"github.com/nastavnik-bot/nastavnik/bot/slack/blocks"
)

func frame() blocks.Frame {
	return blocks.Frame{Callback: "details", Private: `{"ask":17}`, Title: "Дополнить вопрос наставнику", Submit: "Отправить", Close: "Отмена"}
}

func TestForms(t *testing.T) {
	t.Parallel()
	view, err := blocks.TextForm{Frame: frame(), Label: "Что добавить?", Hint: "Например, номер сделки", Initial: "не проходит\nоплата <b>"}.Modal()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "view_text.json", toJSON(t, view))

	topics := blocks.TopicForm{Frame: frame(), Label: "Тема", Hint: "Выберите", OtherLabel: "Или напишите свою", OtherHint: "Новая тема",
		Topics: []blocks.Topic{{Label: "Сделки", Value: "deals"}, {Label: strings.Repeat("Очень длинная тема ", 6), Value: "long"}, {Label: "Та же", Value: "deals"}, {Label: "Без значения"}}}
	view, err = topics.Modal()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "view_topic.json", toJSON(t, view))

	topics.Topics = nil
	if view, err = topics.Modal(); err != nil || len(view.Blocks.BlockSet) != 1 {
		t.Errorf("without topics there are %d fields, %v", len(view.Blocks.BlockSet), err)
	}
}

// A form that would lose what stands in it is none.
func TestFormsThatAreTooLong(t *testing.T) {
	t.Parallel()
	long := frame()
	long.Private = strings.Repeat("я", 3001)
	for name, f := range map[string]interface {
		Modal() (slack.ModalViewRequest, error)
	}{
		"initial": blocks.TextForm{Frame: frame(), Initial: strings.Repeat("я", 3001)},
		"private": blocks.TextForm{Frame: long},
		"topics":  blocks.TopicForm{Frame: long},
	} {
		if _, err := f.Modal(); !errors.Is(err, blocks.ErrTooLong) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (blocks.TextForm{Frame: frame(), Initial: strings.Repeat("я", 3000)}).Modal(); err != nil {
		t.Errorf("3000 characters: %v", err)
	}
}

func TestSubmitted(t *testing.T) {
	t.Parallel()
	var state slack.ViewState
	if err := json.Unmarshal([]byte(`{"values":{
		"text": {"text": {"type": "plain_text_input", "value": "номер 17"}},
		"topic": {"topic": {"type": "static_select", "selected_option": {"text": {"type": "plain_text", "text": "Сделки"}, "value": "deals"}}}}}`), &state); err != nil {
		t.Fatal(err)
	}
	if text, topic := blocks.Submitted(&state); text != "номер 17" || topic != "deals" {
		t.Errorf("submitted %q, %q", text, topic)
	}
	for _, s := range []*slack.ViewState{nil, {}} {
		if text, topic := blocks.Submitted(s); text != "" || topic != "" {
			t.Errorf("nothing submitted, got %q, %q", text, topic)
		}
	}
}

func shelves() []blocks.Shelf {
	more := func(left int) string { return fmt.Sprint("и ещё ", left) }
	mine := blocks.Shelf{Title: "Мои вопросы", Empty: "Пока ничего", More: more, Entries: []blocks.Entry{
		{Text: "не проходит оплата", Note: "Ждёт ответа: Анна К., обычно ~2 часа", Button: bot.Button{ID: "h.1", Label: "Отменить"}},
		{Text: "как сменить ответственного", Note: "Есть ответ"},
	}}
	faq := blocks.Shelf{Title: "Частые вопросы", More: more}
	for i := range 120 {
		faq.Entries = append(faq.Entries, blocks.Entry{Text: fmt.Sprint("Частый вопрос номер ", i), Button: bot.Button{ID: fmt.Sprint("f.", i), Label: "Открыть"}})
	}
	return []blocks.Shelf{mine, faq, {Title: "Пусто", Empty: "Здесь пока пусто"}}
}

func TestHome(t *testing.T) {
	t.Parallel()
	view := blocks.Home("Я **Наставник**.\n\nЗадайте вопрос в личном сообщении.", shelves())
	checkHome(t, view)
	golden(t, "view_home.json", toJSON(t, view))
	golden(t, "view_home.txt", seen(view.Blocks.BlockSet)+"\n")
	if n := len(view.Blocks.BlockSet); n < 98 {
		t.Errorf("%d blocks of 100 are used", n)
	}
	if look := seen(view.Blocks.BlockSet); !strings.Contains(look, "не проходит оплата") || !strings.Contains(look, "(и ещё 31)") {
		t.Errorf("the long shelf leaves no room:\n%s", look)
	}
}

func checkHome(tb failer, view slack.HomeTabViewRequest) {
	tb.Helper()
	if n := len(view.Blocks.BlockSet); n > 100 {
		tb.Errorf("%d blocks on the home page", n)
	}
	l := limits{failer: tb, actions: map[string]bool{}}
	l.blocks(view.Blocks.BlockSet)
}

// checkViews builds views of any texts.
func checkViews(tb failer, title, label, text, id string) {
	tb.Helper()
	f := blocks.Frame{Callback: id, Private: text, Title: title, Submit: label, Close: text}
	var topics []blocks.Topic
	for i := range 110 {
		topics = append(topics, blocks.Topic{Label: label + text[:min(len(text), 100)], Value: fmt.Sprint(id, i)})
	}
	for _, form := range []interface {
		Modal() (slack.ModalViewRequest, error)
	}{
		blocks.TextForm{Frame: f, Label: text, Hint: text, Initial: text},
		blocks.TopicForm{Frame: f, Label: label, Hint: title, Topics: topics, OtherLabel: text, OtherHint: text},
	} {
		view, err := form.Modal()
		if err != nil {
			if markup.Units(text) <= 3000 && markup.Units(id) <= 255 {
				tb.Errorf("%v", err)
			}
			continue
		}
		checkModal(tb, view)
	}
	entries := []blocks.Entry{{Text: text, Note: label, Button: bot.Button{ID: id, Label: label}}, {Text: title, Button: bot.Button{ID: id, Label: text}}}
	for range 5 {
		entries = append(entries, entries...)
	}
	shelf := blocks.Shelf{Title: title, Empty: text, More: func(int) string { return label }, Entries: entries}
	checkHome(tb, blocks.Home(text[:min(len(text), 10_000)], []blocks.Shelf{shelf, {Title: text, Empty: label}, shelf}))
	var many []blocks.Shelf
	for range 30 {
		many = append(many, blocks.Shelf{Title: title, Entries: entries[:3]})
	}
	checkHome(tb, blocks.Home(title, many))
}

func checkModal(tb failer, view slack.ModalViewRequest) {
	tb.Helper()
	l := limits{failer: tb}
	l.plain(view.Title, 24)
	l.plain(view.Submit, 24)
	l.plain(view.Close, 24)
	if markup.Units(view.PrivateMetadata) > 3000 || markup.Units(view.CallbackID) > 255 {
		tb.Errorf("metadata of %d, callback_id of %d", len(view.PrivateMetadata), len(view.CallbackID))
	}
	for _, b := range view.Blocks.BlockSet {
		input, _ := b.(*slack.InputBlock)
		l.plain(input.Label, 2000)
		switch e := input.Element.(type) {
		case *slack.PlainTextInputBlockElement:
			if markup.Units(e.InitialValue) > 3000 || e.MaxLength > 3000 {
				tb.Errorf("a field of %d", markup.Units(e.InitialValue))
			}
			if e.Placeholder != nil {
				l.plain(e.Placeholder, 150)
			}
		case *slack.SelectBlockElement:
			if n := len(e.Options); n == 0 || n > 100 {
				tb.Errorf("%d options", n)
			}
			for _, o := range e.Options {
				l.plain(o.Text, 75)
				l.text(o.Value, 75)
			}
		default:
			tb.Errorf("a field %T", e)
		}
	}
}

func FuzzViews(f *testing.F) {
	for i, s := range fragments() {
		f.Add(s, strings.Repeat(s, 1+i%3), strings.Repeat("слово "+s, 30), s)
	}
	f.Add(strings.Repeat("Я", 25), strings.Repeat("Я", 76), strings.Repeat("Я", 3000), strings.Repeat("я", 255))
	f.Add("", "", strings.Repeat("Я", 3001), strings.Repeat("я", 256))
	f.Fuzz(func(t *testing.T, title, label, text, id string) {
		checkViews(t, title, label, text[:min(len(text), 7000)], id)
	})
}
