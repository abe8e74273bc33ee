package search_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

// crm is a small base in the words of a CRM.
func crm() *search.Lexicon {
	l := search.NewLexicon()
	l.Put(
		search.Entry{ID: "password", Topic: "Доступ", Phrasings: []string{"Как сменить пароль?", "Хочу поменять пароль от CRM"}, Answer: "Откройте профиль, раздел «Безопасность», и задайте новый пароль."},
		search.Entry{ID: "owner", Topic: "Сделки", Phrasings: []string{"Как изменить ответственного по сделке?"}, Answer: "В карточке сделки нажмите «Ответственный» и выберите сотрудника."},
		search.Entry{ID: "export", Topic: "Отчёты", Phrasings: []string{"Как выгрузить отчёт в Excel?"}, Answer: "Над таблицей нажмите «Экспорт» и выберите формат."},
		search.Entry{ID: "stage", Topic: "Сделки", Phrasings: []string{"Как перевести сделку на другой этап воронки?"}, Answer: "Перетащите карточку в нужный столбец."},
		search.Entry{ID: "api", Topic: "Интеграции", Phrasings: []string{"Где взять ключ API?"}, Answer: "В настройках интеграций."},
	)
	return l
}

func parser() *search.Parser { return search.NewParser(search.ParserOptions{Vocabulary: crm()}) }

func TestParseRepairs(t *testing.T) {
	t.Parallel()
	p := parser()
	for _, c := range []struct{ name, text, want string }{
		{"wrong layout", "rfr cvtybnm gfhjkm", "как сменить пароль"},
		{"wrong layout with letters on marks", "rfr cltkfnm 'rcgjhn jnx`nf? e vtyz yt hf,jnftn", "как сделать экспорт отчёта? у меня не работает"},
		{"wrong layout keeps a name of the base", "ult dpznm API rk.x", "где взять API ключ"},
		{"a comma at the edge is a comma or a letter", "ghbdtn, rfr ds,hfnm 'nfg", "как выбрать этап"},
		{"Russian layout for English", "рщц ещ кузщке ф згзгпу дфыеуф", ""},
		{"transliteration", "kak smenit parol", "как сменить пароль"},
		{"transliteration with digraphs", "gde nayti otchyot po sdelkam i klyuch api", "где найти отчет по сделкам и ключ api"},
		{"greeting and request", "Здравствуйте, подскажите, пожалуйста, как выгрузить отчёт в Excel? Заранее спасибо!", "как выгрузить отчёт в Excel?"},
		{"greeting in the wrong layout", "ljhsq ltym? rfr cvtybnm gfhjkm", ""},
		{"typo against the base", "как сменить парроль", "как сменить пароль"},
		{"swapped letters", "кто ответстевнный по сделке, ответсвенного изменить", "кто ответственный по сделке, ответственного изменить"},
		{"English greeting", "Hi there! Could you tell me where the API key is, please?", "where the API key is"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			q := p.Parse(c.text)
			if c.want != "" && q.Text != c.want {
				t.Errorf("Parse(%q).Text = %q, want %q; repairs %v", c.text, q.Text, c.want, q.Repairs)
			}
			if c.want != "" && len(q.Repairs) == 0 {
				t.Errorf("Parse(%q) names no repair", c.text)
			}
		})
	}
}

// Right input must come out as it went in: a needless repair asks another question.
func TestParseLeavesRightInputAlone(t *testing.T) {
	t.Parallel()
	bases := map[string]*search.Parser{"with a base": parser(), "without": search.NewParser(search.ParserOptions{})}
	for name, p := range bases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, text := range []string{
				"как сменить пароль", "Что такое лид?", "где моя почка", "Кто такой Ждан?", "Смена этапа и смета", "нежный цвет кнопки", "новость про разбег",
				"how to reset my password", "Where can I find the API key?", "I lost my phone", "pdf", "VPN", "GitHub Actions",
				"does it work on my iPhone?", "Why was my card declined", "export to Excel", "sql", "crm",
				"invoice number is wrong", "what does churn mean", "merge two duplicate contacts",
				"не работает Excel", "ошибка 404 в Chrome", "настроить webhook для Telegram", "Bitrix24 интеграция",
				"1С", "НДС 20%", "C++", "привет", "Спасибо", "пожалуйста", "a", "я", "42", "…", "ООО «Ромашка»",
				"How do I add a watcher to a deal?", "My manager can't see the report", "kanban board", "Zoom meeting link",
			} {
				if q := p.Parse(text); q.Text != search.Clean(text) {
					t.Errorf("Parse(%q).Text = %q by %v", text, q.Text, q.Repairs)
				}
			}
		})
	}
}

// A word that the base has never seen is no slip just because the base is full of
// one that looks like it.
func TestParseKeepsWordsOfTheLanguage(t *testing.T) {
	t.Parallel()
	l := search.NewLexicon()
	l.Put(search.Entry{ID: "access", Phrasings: []string{"Как дать доступ?"}, Answer: strings.Repeat("дать доступ данные вход может ", 60)})
	p := search.NewParser(search.ParserOptions{Vocabulary: l})
	for _, text := range []string{"сколько ждать", "очень давно", "ты можешь"} {
		if q := p.Parse(text); q.Text != text {
			t.Errorf("Parse(%q).Text = %q by %v", text, q.Text, q.Repairs)
		}
	}
	if got, want := p.Parse("нужен дооступ").Text, "нужен доступ"; got != want {
		t.Errorf("Parse = %q, want %q: slips are still mended", got, want)
	}
}

func TestParseKeepsQuestionThatIsAllFiller(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"Здравствуйте", "подскажите пожалуйста", "Добрый день, пароль"} {
		if got := search.Parse(text).Text; got != text {
			t.Errorf("Parse(%q).Text = %q: too little was left to search for", text, got)
		}
	}
}

func TestParseFoldsForScoring(t *testing.T) {
	t.Parallel()
	a, b := search.Parse("Отчёт ЕЩЁ не готов"), search.Parse("отчет еще  не\u00a0готов!")
	if diff := cmp.Diff(a.Words, b.Words); diff != "" {
		t.Errorf("case, ё, spaces and marks must not matter (-first +second):\n%s", diff)
	}
	if diff := cmp.Diff(a.Stems, b.Stems); diff != "" {
		t.Errorf("stems differ (-first +second):\n%s", diff)
	}
}

func TestParseSynonyms(t *testing.T) {
	t.Parallel()
	p := search.NewParser(search.ParserOptions{Synonyms: map[string]string{"Ответственник": "ответственный", "црмка": "CRM"}})
	if got, want := p.Parse("Где в црмка, ответственник?").Text, "Где в CRM, ответственный?"; got != want {
		t.Errorf("Text = %q, want %q", got, want)
	}
	if got, want := p.Parse("црмками не пользуюсь").Text, "црмками не пользуюсь"; got != want {
		t.Errorf("Text = %q, want %q: only whole words are synonyms", got, want)
	}
}

func TestCleanDropsWhatIsNotText(t *testing.T) {
	t.Parallel()
	if got, want := search.Clean("\x00 как\r\n\tсменить\u200b \xff пароль\a "), "как сменить пароль"; got != want {
		t.Errorf("Clean = %q, want %q", got, want)
	}
	if got := search.Clean(strings.Repeat("я", 100_000)); len([]rune(got)) != 2000 {
		t.Errorf("Clean keeps %d characters of a long text, want 2000", len([]rune(got)))
	}
}

func TestPassageTextNamesTheQuestion(t *testing.T) {
	t.Parallel()
	if got, want := search.PassageText("Как  сменить пароль?", "В профиле.\n"), "Как сменить пароль? В профиле."; got != want {
		t.Errorf("PassageText = %q, want %q", got, want)
	}
	if got := search.PassageText("Как сменить пароль?", "Как сменить  пароль?"); got != "" {
		t.Errorf("passage of an answer that repeats the question = %q, want none", got)
	}
	if got := search.PassageText("Как сменить пароль?", " \n"); got != "" {
		t.Errorf("PassageText without an answer = %q, want none", got)
	}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	for want, texts := range map[search.Intent][]string{
		search.Empty:    {"", "   ", "...", "?!", "\x00\x01", "\u200b", "«»"},
		search.Greeting: {"привет", "Здравствуйте!", "Добрый день, коллеги", "Hi!", "ghbdtn", "privet", "Добрый вечер. Подскажите, пожалуйста", "ПРИВЕТ!!!", "приветттт 👋"},
		search.Thanks: {
			"спасибо", "Спасибо большое!", "ок, спасибо", "thanks a lot", "cgfcb,j", "Спасибо, до свидания", "Спасибо большое, очень помогли!",
			"всё получилось, спасибо огромное", "от души", "спасибооо", "it worked, thanks",
		},
		search.Bye: {"пока", "До свидания!", "всего доброго", "bye"},
		search.Human: {
			"позовите человека", "Оператор!", "хочу поговорить с живым человеком", "соедините меня с сеньором, пожалуйста", "I want to talk to a human",
			"позови кого-нибудь из старших", "не хочу говорить с роботом", "есть живые люди?", "нужен админ", "соедини с поддержкой",
		},
		search.SmallTalk: {
			"как дела?", "ты бот?", "👍", "ок", "что ты умеешь", "Привет! Как дела?", "ты кто", "кто ты такой", "тест", "это тест", "проверка связи", "ха-ха", "ахахаха",
			"тупой бот", "ты ничего не понимаешь", "бесполезный бот", "скучно", ":)", ")))", "+", "🔥🔥🔥", "вопросов нет", "lol", "are you a bot?",
		},
		search.Question: {
			"как сменить пароль", "Привет, как сменить пароль?", "спасибо, а как вернуть сделку?", "пароль",
			"как соединить оператора с очередью", "менеджер", "как связаться с поддержкой клиента", "кто ответственный", "привет мир",
			"не помогло", "спасибо, не помогло", "не сработало", "ничего не получилось", "не понял", "404", "как отключить тест", "бот не отвечает клиенту",
			"кто администратор", "как узнать что ты умеешь в CRM", "ок а где кнопка", "человек недоступен", "не нужно", "теперь работает", "можно ли менеджеру видеть чужие сделки", "нет доступа",
		},
	} {
		for _, text := range texts {
			if got := search.Classify(text); got != want {
				t.Errorf("Classify(%q) = %v, want %v", text, got, want)
			}
		}
	}
}

// However small talk is put together and written, a question within it is one.
func TestClassifyFindsTheQuestion(t *testing.T) {
	t.Parallel()
	p := parser()
	talk := []string{"привет", "Здравствуйте!", "спасибо", "ок", "ага,", "понятно", "👍", "ты бот?", "хорошо", "добрый день", "ахаха"}
	questions := []string{"как сменить пароль", "где взять ключ API", "не работает экспорт", "сделка пропала", "rfr cvtybnm gfhjkm", "how do I export a report"}
	rapid.Check(t, func(t *rapid.T) {
		before := strings.Join(rapid.SliceOfN(rapid.SampledFrom(talk), 0, 4).Draw(t, "before"), " ")
		after := strings.Join(rapid.SliceOfN(rapid.SampledFrom(talk), 0, 3).Draw(t, "after"), " ")
		text := before + " " + rapid.SampledFrom(questions).Draw(t, "question") + " " + after
		if got := p.Classify(text); got != search.Question {
			t.Fatalf("Classify(%q) = %v", text, got)
		}
		if got := p.Classify(before + " " + after); got == search.Question {
			t.Fatalf("Classify(%q) = %v", before+" "+after, got)
		}
	})
}
