package html_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/telegram/html"
)

var update = flag.Bool("update", false, "rewrite the golden files from what is rendered now")

// inputs are the Markdown files that every platform renders, by name.
func inputs(tb testing.TB) map[string]string {
	tb.Helper()
	files, err := filepath.Glob("../../markup/testdata/*.md")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no inputs: %v", err)
	}
	out := map[string]string{}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		out[strings.TrimSuffix(filepath.Base(file), ".md")] = string(source)
	}
	return out
}

func buttons(id string, labels ...string) []bot.Button {
	var out []bot.Button
	for i, l := range labels {
		out = append(out, bot.Button{ID: fmt.Sprint(id, ".", i), Label: l})
	}
	return out
}

// messages are what the bot says, by the name of their golden file.
func messages() map[string]bot.Message {
	five := []string{"Как изменить ответственного по сделке?", "Как передать все сделки при увольнении сотрудника, если он уже ушёл и доступа к почте нет?", "Кто видит мою сделку?", "Как добавить наблюдателя?", "Нет прав на сделку", "Нет моего вопроса"}
	return map[string]bot.Message{
		"message_answer": {
			Text: "**Как изменить ответственного по сделке?**\n\nОткройте карточку сделки → «Ответственный».\n\n_Ответ: Анна К., обновлено 12 марта_",
			Sections: []bot.Section{
				{Choice: true, Buttons: buttons("1z.0", "Помогло", "Не помогло")},
				{Choice: true, Title: "Возможно, вас интересует:", Buttons: buttons("1z.1", five[1], five[2], five[3], five[5])},
			},
		},
		"message_suggest": {
			Text:     "Точного ответа не нашлось. Может быть, вы спрашиваете об этом?",
			Sections: []bot.Section{{Choice: true, Buttons: buttons("20.0", five...)}},
		},
		"message_titled": {
			Text: "Частые вопросы",
			Sections: []bot.Section{
				{Title: "Темы:", Buttons: buttons("a.0", "Сделки", "Почта", "Отпуск", "Доступы")},
				{Title: "Команды:", Buttons: buttons("a.1", "Мои вопросы", "Помощь")},
			},
		},
		"message_task": {
			Text:     "Вопрос для вас. Спрашивает Иван П.:\n\n> не проходит оплата\n\nПохожие вопросы не подошли:\n- Как оплатить счёт?\n- Где посмотреть оплату?",
			Sections: []bot.Section{{Buttons: buttons("b.0", "Ответить", "Это уже есть в базе", "Передать другому", "Позже", "Не по теме")}},
		},
		"message_buttons_only": {Sections: []bot.Section{{Buttons: buttons("c.0", "Раз", "Два")}}},
		"message_odd_buttons": {
			Text: "Кнопки:",
			Sections: []bot.Section{
				{Buttons: []bot.Button{{Label: "без кода"}, {ID: strings.Repeat("x", 65), Label: "длинный код"}}},
				{Title: " \u200b ", Buttons: []bot.Button{{ID: "1", Label: ""}, {ID: "2", Label: "две\nстроки"}, {ID: "3", Label: strings.Repeat("👨‍👩‍👧‍👦", 20)}, {ID: "4", Label: "a<b>&\u202ec"}}},
			},
		},
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	for name, m := range messages() {
		check(t, name, html.Render(m, html.Options{}))
	}
	answer := messages()["message_answer"]
	check(t, "message_answer_pressed", html.Render(answer, html.Options{Chosen: map[int]string{0: "Помогло"}}))
	check(t, "message_answer_pressed_both", html.Render(answer, html.Options{Chosen: map[int]string{0: "Не помогло", 1: "Кто видит мою сделку?"}}))
	check(t, "message_task_pressed", html.Render(messages()["message_task"], html.Options{Chosen: map[int]string{0: "Позже"}}))
	check(t, "message_unknown_pressed", html.Render(answer, html.Options{Chosen: map[int]string{1: "Нет такой кнопки", 7: "Нет такого раздела"}}))
}

func TestInputs(t *testing.T) {
	t.Parallel()
	for name, source := range inputs(t) {
		check(t, name, html.Render(bot.Message{Text: source}, html.Options{}))
	}
}

func TestCaption(t *testing.T) {
	t.Parallel()
	caption, rest := html.Caption("Файл **отчёт**")
	check(t, "caption", append([]html.Part{caption}, rest...))
	caption, rest = html.Caption(inputs(t)["long_list"][:8000])
	check(t, "caption_long", append([]html.Part{caption}, rest...))
	if caption, rest := html.Caption(""); caption.HTML != "" || rest != nil {
		t.Errorf("no caption is %+v and %+v", caption, rest)
	}
}

// check compares parts with a golden file: the HTML and the keyboard of each.
func check(t *testing.T, name string, parts []html.Part) {
	t.Helper()
	var b strings.Builder
	for i, p := range parts {
		checkPart(t, p)
		if i > 0 {
			fmt.Fprintf(&b, "======== part %d\n", i+1)
		}
		b.WriteString(p.HTML + "\n")
		for _, row := range p.Keyboard {
			for _, k := range row {
				fmt.Fprintf(&b, "[ %s ](%s) ", k.Text, k.Data)
			}
			b.WriteString("\n")
		}
	}
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("%s: -want +got; if that is right: make golden\n%s", name, diff)
	}
}
