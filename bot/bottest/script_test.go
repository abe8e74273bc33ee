package bottest

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	steps, err := parse(strings.Join([]string{
		"# о чём это", "", "Анна К. (сеньор):", "Анна К. (сеньор): как дела", "Иван: первая", "  вторая", "Иван: [Да, жду]", "Иван: [Нет] #3", "Иван: [нет такой] ?",
		"Анна ↩ 12: ответ: да", `Иван: "\u200b" × 3`, "Иван: (закрывает чат)", "+1h30m", "restart", "again", "оператор: question status «Где?» faq",
	}, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []step{
		{verb: remark},
		{verb: appear, who: "Анна К.", senior: true},
		{verb: say, who: "Анна К.", senior: true, text: "как дела"},
		{verb: say, who: "Иван", text: "первая\nвторая"},
		{verb: press, who: "Иван", text: "Да, жду"},
		{verb: press, who: "Иван", text: "Нет", to: 3},
		{verb: press, who: "Иван", text: "нет такой", forged: true},
		{verb: say, who: "Анна", text: "ответ: да", to: 12},
		{verb: say, who: "Иван", text: "\u200b\u200b\u200b"},
		{verb: leave, who: "Иван", text: conversationEnds},
		{verb: wait, after: 90 * time.Minute},
		{verb: restart},
		{verb: again},
		{verb: operator, who: "оператор", text: "question status «Где?» faq"},
	}
	if len(steps) != len(want) {
		t.Fatalf("%d steps: %+v", len(steps), steps)
	}
	for i, s := range steps {
		s.line, s.source = 0, ""
		if !reflect.DeepEqual(s, want[i]) {
			t.Errorf("step %d is %+v, want %+v", i+1, s, want[i])
		}
	}
	if steps[3].line != 5 {
		t.Errorf("line %d, want 5", steps[3].line)
	}
}

// A script that cannot be played says where and why.
func TestScriptErrors(t *testing.T) {
	for script, want := range map[string][]string{
		"просто слова":                         {"line 1", "просто слова"},
		"Иван: привет\n+скоро":                 {"line 2", "скоро"},
		"Иван: \"незакрытая":                   {"line 1", "invalid syntax"},
		"Иван: привет\nИван: [Взлететь]":       {"line 2", "[Взлететь]"},
		"Иван: привет\nИван: [Помогло] #9":     {"line 2", "no message 9"},
		"Иван ↩ 4: привет":                     {"line 1", "no message 4"},
		"again":                                {"line 1", "nothing has happened"},
		"оператор: сделай красиво":             {"line 1", "question answer"},
		"оператор: question status «Где?» faq": {"line 1", "Где?", "not found"},
		"Иван: где склад\nоператор: question accept «где склад»":         {"line 2", "nothing"},
		"Иван: где склад\nоператор: question unlearn «где склад» там он": {"line 2", "там он", "not found"},
		"Иван: спасибо\nоператор: question status «где» удалён":          {"line 2"},
	} {
		_, _, err := Play(t.Context(), Conversation{Language: "ru", Script: script}, t.TempDir(), 0)
		if err == nil {
			t.Errorf("%q is played", script)
			continue
		}
		for _, part := range want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q: %v does not say %q", script, err, part)
			}
		}
	}
}

// A button that has been used up is pressed only by naming its message.
func TestUsedButtons(t *testing.T) {
	script := "Иван: как поменять пароль\nИван: [Нет моего вопроса]\nИван: [Нет моего вопроса]"
	_, _, err := Play(t.Context(), Conversation{Language: "ru", Script: script}, t.TempDir(), 0)
	if err == nil || !strings.Contains(err.Error(), "line 3") {
		t.Errorf("a button that no longer works was pressed: %v", err)
	}
	if _, _, err = Play(t.Context(), Conversation{Language: "ru", Script: script + " #2"}, t.TempDir(), 0); err != nil {
		t.Error(err)
	}
}

func TestRead(t *testing.T) {
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "x.txtar")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for text, want := range map[string]string{
		"-- script --\nИван: привет\n":                 "what it shows",
		"О чём-то\n-- dialogue --\nИван: привет\n":     `"dialogue"`,
		"О чём-то\n-- kb.jsonl --\n{}\n":               `"script"`,
		"О чём-то\n-- script --\n   \n-- want --\nx\n": `"script"`,
	} {
		if _, err := Read(write(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v does not say %s", text, err, want)
		}
	}
	path := write("О чём-то\n-- script --\nИван: привет\n-- want --\nстарое\n")
	c, err := Read(path)
	if err != nil || c.Want != "старое\n" || c.Language != "ru" {
		t.Fatalf("%+v, %v", c, err)
	}
	if err := Update(c, "новое\n"); err != nil {
		t.Fatal(err)
	}
	if c, err = Read(path); err != nil || c.Want != "новое\n" || c.Script != "Иван: привет\n" {
		t.Errorf("%+v, %v", c, err)
	}
}
