package console_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/console"
	"github.com/nastavnik-bot/nastavnik/bot/texts"
)

var update = flag.Bool("update", false, "rewrite the golden files from what is rendered now")

func russian(t *testing.T) *texts.Catalogue {
	t.Helper()
	say, err := texts.New("ru")
	if err != nil {
		t.Fatal(err)
	}
	return say
}

func buttons(labels ...string) []bot.Button {
	var out []bot.Button
	for _, l := range labels {
		out = append(out, bot.Button{Label: l})
	}
	return out
}

// messages are what the bot says, by the name of their golden file.
func messages() map[string]bot.Message {
	answer := bot.Message{
		Text: "**Как изменить ответственного по сделке?**\n\nОткройте карточку:\n\n1. «Ответственный»\n2. [справка](https://example.com/a?b=1)\n\n```\nname_with_underscores\n```\n\n_Ответ: Анна К., обновлено 12 марта_",
		Sections: []bot.Section{
			{Choice: true, Buttons: buttons("Помогло", "Не помогло")},
			{Choice: true, Title: "Возможно, вас интересует:", Buttons: buttons("Как передать все сделки?", "Кто видит мою сделку?", "Нет моего вопроса")},
		},
	}
	return map[string]bot.Message{
		"answer": answer,
		"suggest": {
			Text: "Точного ответа не нашлось. Может быть, вы спрашиваете об этом?",
			Sections: []bot.Section{{Choice: true, Buttons: buttons(
				"Как изменить ответственного по сделке?", "Как передать все сделки при увольнении сотрудника?", "Нет моего вопроса")}},
		},
		"plain":    {Text: "Рад, что помогло!"},
		"chosen":   {Replaces: "1/1", Chosen: "Нет моего вопроса"},
		"replaced": {Replaces: "task:1", Text: "Вопрос для вас. Спрашивает коллега без имени:\n\n> за что снизили премию"},
		"long":     {Text: strings.Repeat("Слово за словом, и строка всё длиннее. ", 8)},
		"hostile": {
			Text:     "до\x1b[31mкрасное\x1b[0m\x07 после\rначало\u009b2J",
			Sections: []bot.Section{{Title: "за\x1bголовок", Buttons: buttons("кно\x1b]0;x\x07пка")}},
		},
	}
}

// What a terminal and a pipe show of each message.
func TestRender(t *testing.T) {
	say := russian(t)
	for name, m := range messages() {
		for suffix, style := range map[string]console.Style{"": console.Plain(), ".ansi": console.ANSI(60)} {
			t.Run(name+suffix, func(t *testing.T) {
				got := console.Render(m, say, style)
				path := filepath.Join("testdata", name+suffix+".golden")
				// Escape sequences are written out, so that the file can be read.
				shown := strings.ReplaceAll(got, "\x1b", "␛")
				if *update {
					if err := os.WriteFile(path, []byte(shown), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), shown); diff != "" {
					t.Errorf("-want +got; if that is right: make golden\n%s", diff)
				}
			})
		}
	}
}

// Nobody can make another person's terminal obey them.
func TestRenderIsSafe(t *testing.T) {
	for r := range rune(0xa0) {
		if r == '\n' || r == '\t' || 0x20 <= r && r < 0x7f {
			continue
		}
		m := bot.Message{Text: "a" + string(r) + "b", Sections: []bot.Section{{Title: "c" + string(r), Buttons: buttons("d" + string(r))}}}
		for _, m := range []bot.Message{m, {Chosen: "e" + string(r)}} {
			if got := console.Render(m, russian(t), console.Plain()); strings.ContainsRune(got, r) {
				t.Errorf("%U reaches the terminal: %q", r, got)
			}
		}
	}
}
