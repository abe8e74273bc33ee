package main

import (
	"strconv"
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/bot/texts"
)

// folder is a data folder with three entries and nobody in it.
func folder(t testing.TB) cli {
	t.Helper()
	return filled(newCLI(t))
}

func filled(c cli) cli {
	c.t.Helper()
	c.must("import", c.file("kb.jsonl", threeEntries))
	return c
}

const passQuestion = "где получить пропуск на парковку"

// say is what the bot says in the catalogue's words: other tests hold the words.
func say(t testing.TB, id string, data texts.Data) string {
	t.Helper()
	c, err := texts.New("ru")
	if err != nil {
		t.Fatal(err)
	}
	text := c.Say(id, data)
	if text == id {
		t.Fatalf("the catalogue has no %s", id)
	}
	return text
}

// plain drops the marks of emphasis, as a pipe shows it.
func plain(text string) string { return strings.ReplaceAll(text, "**", "") }

func answerFrom(t testing.TB, senior, question string) string {
	t.Helper()
	return plain(say(t, "answer_came", texts.Data{"Senior": senior, "Question": question}))
}

func TestTerminalsInTheirOwnProcesses(t *testing.T) {
	t.Parallel()
	onEach(t, terminalsInTheirOwnProcesses)
}

func terminalsInTheirOwnProcesses(t *testing.T, c cli) {
	filled(c).startBot()
	senior := c.start("chat", "--senior", "Анна К.")
	ivan := c.start("chat", "--as", "Иван П.")
	maria := c.start("chat", "--as", "Мария")

	ivan.say("Как изменить ответственного по сделке?")
	ivan.sees("Карточка → «Ответственный»", "[1] Помогло", "Возможно, вас интересует")
	ivan.say("1")
	ivan.sees("выбрано: Помогло", say(t, "helped", nil))

	ivan.say(passQuestion)
	ivan.sees("Нет моего вопроса")
	ivan.say("  нет моего ВОПРОСА ")
	ivan.sees(say(t, "sent", texts.Data{"Senior": "Анна К."}))
	senior.sees("Спрашивает Иван П.", passQuestion, "[1] Ответить")

	maria.say(passQuestion)
	maria.sees("Нет моего вопроса")
	maria.say("[1]")
	maria.sees(say(t, "same_waits", texts.Data{"Question": passQuestion}))
	maria.say(say(t, "button_join", nil))
	maria.sees(say(t, "joined", texts.Data{"Senior": "Анна К."}))
	senior.sees("Мария")

	senior.say("На ресепшен,")
	senior.sees("Записываю как ответ", "[1] Готово")
	senior.say("**с паспортом**.")
	senior.say("готово")
	senior.sees("Ответ отправлен: Иван П. и ещё 1.", "теперь находится")
	for _, asker := range []*process{ivan, maria} {
		asker.sees(answerFrom(t, "Анна К.", passQuestion), "На ресепшен,\n\nс паспортом.", "[1] Помогло")
	}
	ivan.say("пропуск на парковку где получить")
	ivan.sees("На ресепшен")
	for _, p := range []*process{senior, ivan, maria} {
		p.end()
		if code := p.code(); code != 0 || p.err.String() != "" {
			t.Errorf("%s: exit %d: %s", p.name, code, p.err.String())
		}
	}
}

func TestAnotherTerminalTakesOverFromAKilledBot(t *testing.T) {
	t.Parallel()
	c := folder(t)
	first := start(t, c.data, "chat", "--as", "Иван П.")
	first.isBot(c.data)
	second := start(t, c.data, "chat", "--as", "Мария")
	second.say("Как оформить отпуск?")
	second.sees("Раздел «Кадры»")
	for range 3 {
		first.kill()
		// Asked while nobody is the bot: who takes over answers.
		second.say("Как добавить наблюдателя в сделку?")
		second.sees("Карточка → «Наблюдатели»")
		second.isBot(c.data)
		first, second = second, start(t, c.data, "chat", "--as", "Пётр")
		second.say("Как оформить отпуск?")
		second.sees("Раздел «Кадры»")
	}
}

func TestABotThatEndsHandsOver(t *testing.T) {
	t.Parallel()
	c := folder(t)
	first := start(t, c.data, "chat", "--as", "Иван П.")
	first.isBot(c.data)
	second := start(t, c.data, "chat", "--as", "Мария")
	second.say("Как оформить отпуск?")
	second.sees("Раздел «Кадры»")
	first.end()
	if code := first.code(); code != 0 {
		t.Errorf("exit %d: %s", code, first.err.String())
	}
	second.say("Как добавить наблюдателя в сделку?")
	second.sees("Карточка → «Наблюдатели»")
	second.isBot(c.data)
}

func TestServeTwice(t *testing.T) {
	t.Parallel()
	c := folder(t)
	first := startBot(t, c.data)
	second := start(t, c.data, "serve")
	if code := second.code(); code != exitFailed {
		t.Errorf("the second bot ends with %d, want %d", code, exitFailed)
	}
	for _, want := range []string{c.data, "nastavnik serve", "процесс " + strconv.Itoa(first.cmd.Process.Pid), "nastavnik chat"} {
		if !strings.Contains(second.err.String(), want) {
			t.Errorf("the refusal does not say %q: %s", want, second.err.String())
		}
	}
	// A terminal that is the bot is named as such.
	first.kill()
	terminal := start(t, c.data, "chat", "--as", "Иван П.")
	terminal.isBot(c.data)
	third := start(t, c.data, "serve")
	if code := third.code(); code != exitFailed || !strings.Contains(third.err.String(), "nastavnik chat, процесс "+strconv.Itoa(terminal.cmd.Process.Pid)) {
		t.Errorf("exit %d: %s", code, third.err.String())
	}
	// And a killed one is in nobody's way, although it still stands in bot.json.
	terminal.kill()
	startBot(t, c.data)
}

// TestCommandsBesideTheBot runs commands in another process than the bot's and
// the terminals', and sees their effect there.
func TestCommandsBesideTheBot(t *testing.T) {
	t.Parallel()
	c := folder(t)
	startBot(t, c.data)
	ivan := start(t, c.data, "chat", "--as", "Иван П.")
	anna := start(t, c.data, "chat", "--as", "Анна К.")
	anna.say("привет")
	anna.sees("Здравствуйте")

	ivan.say("Можно ли кормить кота в офисе?")
	ivan.sees("Нет моего вопроса")
	c.must("import", c.file("more.jsonl", `{"id":"cat","question":"Можно ли кормить кота в офисе?","answer":"Кот на диете."}`))
	ivan.say("Можно ли кормить кота в офисе?")
	ivan.sees("Кот на диете.")

	ivan.say(passQuestion)
	ivan.sees("Нет моего вопроса")
	ivan.say("нет моего вопроса")
	ivan.sees(say(t, "sent_no_senior", nil))
	c.must("person", "add", "Анна К.", "--senior")
	anna.sees("Спрашивает Иван П.", passQuestion)
	ivan.sees(say(t, "handed_on", texts.Data{"Senior": "Анна К.", "Question": passQuestion}))

	id := questionID(t, c, passQuestion)
	c.must("question", "answer", id, "--by", "Олег", "--text", "На ресепшен.")
	ivan.sees(answerFrom(t, "Олег", passQuestion), "На ресепшен.")
	anna.sees(passQuestion)
	c.must("question", "answer", id, "--by", "Олег", "--text", "У охраны.")
	ivan.sees(plain(say(t, "answer_changed", texts.Data{"Senior": "Олег", "Question": passQuestion})), "У охраны.")
	c.must("question", "status", id, "faq")
	ivan.say("/faq")
	ivan.sees(passQuestion)
	c.must("question", "status", id, "unanswered")
	ivan.say("/faq")
	ivan.sees(say(t, "faq_none", nil))
}

// questionID finds a question by its text.
func questionID(t testing.TB, c cli, text string) string {
	t.Helper()
	var list []struct{ ID, Text string }
	decode(t, c.must("question", "list", "--json", "--all"), &list)
	for _, q := range list {
		if q.Text == text {
			return q.ID
		}
	}
	t.Fatalf("no question %q", text)
	return ""
}

func TestTheBotComputesTheVectorsOfAnImport(t *testing.T) {
	withModel(t)
	c := newCLI(t)
	startBot(t, c.data)
	got := c.must("import", c.file("kb.jsonl", threeEntries))
	if !strings.Contains(got, "Векторы досчитает работающий бот (nastavnik serve, процесс") {
		t.Errorf("import says %q", got)
	}
	eventually(t, "the vectors of three questions and three answers", func() bool { return c.count(`SELECT COUNT(*) FROM embeddings`) == 6 })
}

func TestAPipeGetsAllRepliesBeforeItEnds(t *testing.T) {
	t.Parallel()
	c := folder(t)
	for _, ask := range []struct{ who, question string }{{"Иван", passQuestion}, {"Мария", "сколько стоит обед в столовой"}} {
		if ask.who == "Мария" { // the terminal is the bot, then another process is
			startBot(t, c.data)
		}
		p := start(t, c.data, "chat", "--as", ask.who)
		p.say("Как оформить отпуск?\nпомогло\n" + ask.question + "\nнет моего вопроса\n/my")
		p.end()
		if code := p.code(); code != 0 || p.err.String() != "" {
			t.Fatalf("exit %d: %s", code, p.err.String())
		}
		wantInOrder(t, p.out.String(), "Раздел «Кадры»", say(t, "helped", nil), "[1]", "выбрано: Нет моего вопроса", say(t, "sent_no_senior", nil), say(t, "my_title", nil), ask.question)
	}
}

func TestCtrlC(t *testing.T) {
	t.Parallel()
	c := folder(t)
	terminal := start(t, c.data, "chat", "--as", "Иван П.")
	terminal.isBot(c.data)
	joined := start(t, c.data, "chat", "--as", "Мария")
	joined.say("Как оформить отпуск?")
	joined.sees("Раздел «Кадры»")
	for _, p := range []*process{joined, terminal} {
		p.interrupt()
		if code := p.code(); code != 0 || p.err.String() != "" {
			t.Errorf("%s: exit %d: %s", p.name, code, p.err.String())
		}
	}
	bot := startBot(t, c.data)
	bot.interrupt()
	if code := bot.code(); code != 0 || strings.Contains(bot.err.String(), "level=") {
		t.Errorf("serve: exit %d: %s", code, bot.err.String())
	}
	startBot(t, c.data) // at once: the lock is free
}

func TestATerminalOpenedLaterPrintsWhatItMissed(t *testing.T) {
	t.Parallel()
	c := folder(t)
	startBot(t, c.data)
	c.must("person", "add", "Анна К.", "--senior")
	ivan := start(t, c.data, "chat", "--as", "Иван П.")
	ivan.say(passQuestion)
	ivan.sees("Нет моего вопроса")
	ivan.say("нет моего вопроса")
	ivan.sees(say(t, "sent", texts.Data{"Senior": "Анна К."}))
	ivan.kill()

	senior := start(t, c.data, "chat", "--senior", "Анна К.")
	senior.sees(passQuestion)
	senior.say("На ресепшен.")
	senior.end() // the end of the input ends the answer
	if code := senior.code(); code != 0 {
		t.Fatalf("exit %d: %s", code, senior.err.String())
	}
	wantInOrder(t, senior.out.String(), "Записываю как ответ", "Ответ отправлен: Иван П.")

	ivan = start(t, c.data, "chat", "--as", "Иван П.")
	ivan.sees(answerFrom(t, "Анна К.", passQuestion), "На ресепшен.", "[1] Помогло")
	ivan.say("1") // a button of what it missed
	ivan.sees(say(t, "helped", nil))
	ivan.end()
	ivan.code()
	if again := start(t, c.data, "chat", "--as", "Иван П."); true {
		again.end()
		if again.code(); again.out.String() != "" {
			t.Errorf("printed twice: %s", again.out.String())
		}
	}
}
