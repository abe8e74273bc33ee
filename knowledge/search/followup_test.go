package search

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestFollowsUp(t *testing.T) {
	for _, text := range []string{
		"а если уволился?", "А если он уволился", "и как его вернуть?", "а для юрлиц?", "для юрлиц?", "без телефона", "тогда кто увидит?",
		"где это?", "а где это находится", "как это отменить", "кто их видит", "а там что нажать?", "и что дальше", "ну а если не получилось?",
		"а сколько это займёт?", "а можно наоборот?", "что если он не согласен", "то есть удалить?", "а в отпуске", "и все?",
		"хорошо, а если позже?", "можно ли это отменить", "а он увидит?", "если нет доступа?",
		"what if he quits?", "and for companies?", "how about contacts", "can i undo it", "who sees that", "for companies", "then what",
		"f tckb edjkbkcz?", "a esli uvolilsya", "Спасибо, а если уволился?",
	} {
		if !FollowsUp(text) {
			t.Errorf("%q goes on with what was said before", text)
		}
	}
	for _, text := range []string{
		"", "?!", "а", "и", "отпуск", "пароль", "как сменить ответственного", "как оформить отпуск", "не проходит оплата",
		"где посмотреть историю звонков", "сколько дней отпуска осталось", "не приходит письмо клиенту", "счёт",
		"удалил сделку неделю назад, как её вернуть", "коллега видит страницу с отчётами, а я нет, как мне её открыть",
		"кто подменит меня на время болезни и как это указать в системе", "для чего нужен лид и кто его берёт в работу",
		"а как передать все сделки другому менеджеру при увольнении", "если клиент просит удалить его персональные данные",
		"how do i create a deal", "vacation", "what roles exist and what can they do",
		"и " + strings.Repeat("да ", 200),
	} {
		if FollowsUp(text) {
			t.Errorf("%q is a question by itself", text)
		}
	}
}

// Questions that people ask first are not taken for follow-ups: none of those
// written for the demo's base is.
func TestFirstQuestionsFollowNothing(t *testing.T) {
	for _, path := range []string{"../finder/testdata/wordings.jsonl", "../finder/testdata/outside.jsonl"} {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		taken, all := 0, 0
		for s := bufio.NewScanner(f); s.Scan(); all++ {
			var w struct {
				Text string `json:"text"`
			}
			if err := json.Unmarshal(s.Bytes(), &w); err != nil {
				t.Fatal(err)
			}
			if FollowsUp(w.Text) {
				taken++
				t.Logf("taken for a follow-up: %q", w.Text)
			}
		}
		t.Logf("%s: %d of %d", path, taken, all)
		if float64(taken) > 0.01*float64(all) {
			t.Errorf("%s: %d of %d are taken for follow-ups", path, taken, all)
		}
	}
}
