package blocks_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/slack/blocks"
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
	five := []string{"Как изменить ответственного по сделке?", "Как передать все сделки при увольнении сотрудника, если он уже ушёл и доступа нет?", "Кто видит мою сделку?", "Как добавить наблюдателя?", "Нет прав на сделку", "Нет моего вопроса"}
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
		"message_task": {
			Text:     "Вопрос для вас. Спрашивает Иван П.:\n\n> не проходит оплата\n\nПохожие вопросы не подошли:\n- Как оплатить счёт?\n- Где посмотреть оплату?",
			Sections: []bot.Section{{Buttons: buttons("b.0", "Ответить", "Это уже есть в базе", "Передать другому", "Позже", "Не по теме")}},
		},
		"message_buttons_only": {Sections: []bot.Section{{Buttons: buttons("c.0", "Раз", "Два")}}},
		"message_odd_buttons": {
			Text: "Кнопки:",
			Sections: []bot.Section{
				{Buttons: []bot.Button{{Label: "без кода"}, {ID: strings.Repeat("x", 256), Label: "длинный код"}}},
				{Title: " \u200b ", Buttons: []bot.Button{
					{ID: "1", Label: ""}, {ID: "2", Label: "две\nстроки"}, {ID: "3", Label: strings.Repeat("👨‍👩‍👧‍👦", 20)}, {ID: "4", Label: "<!here> *a* :tada:"}, {ID: "1", Label: "тот же код"},
				}},
			},
		},
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	for name, m := range messages() {
		check(t, name, blocks.Render(m, blocks.Options{}))
	}
	answer := messages()["message_answer"]
	check(t, "message_answer_pressed", blocks.Render(answer, blocks.Options{Chosen: map[int]string{0: "Помогло"}}))
	check(t, "message_answer_pressed_both", blocks.Render(answer, blocks.Options{Chosen: map[int]string{0: "Не помогло", 1: "Кто видит мою сделку?"}}))
	check(t, "message_task_pressed", blocks.Render(messages()["message_task"], blocks.Options{Chosen: map[int]string{0: "Позже"}}))
}

func TestInputs(t *testing.T) {
	t.Parallel()
	for name, source := range inputs(t) {
		check(t, name, blocks.Render(bot.Message{Text: source}, blocks.Options{}))
	}
}

// check compares parts with two golden files: what is sent, and how it looks.
func check(t *testing.T, name string, parts []blocks.Part) {
	t.Helper()
	var look strings.Builder
	for i, p := range parts {
		checkPart(t, p)
		if i > 0 {
			fmt.Fprintf(&look, "======== part %d\n", i+1)
		}
		look.WriteString(seen(p.Blocks) + "\n-------- text\n" + p.Text + "\n")
	}
	golden(t, name+".txt", look.String())
	golden(t, name+".json", toJSON(t, parts))
}

// toJSON is what Slack gets, a line for each element.
func toJSON(tb testing.TB, v any) string {
	tb.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(v); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: -want +got; if that is right: make golden\n%s", file, diff)
	}
}
