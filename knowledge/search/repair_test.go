package search_test

import (
	"os"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

// slang is what the tests' companies say.
func slang() map[string]string {
	return map[string]string{
		"юзер": "пользователь", "срм": "CRM", "тел": "телефон", "кп": "коммерческое предложение", "р/с": "расчетный счет",
		"холодный прозвон": "холодный звонок", "этап": "стадия", "лк": "личный кабинет", "lead": "лид", "неслово": "",
	}
}

func slangParser() *search.Parser {
	return search.NewParser(search.ParserOptions{Vocabulary: crm(), Synonyms: slang()})
}

func TestParseReplacesSlang(t *testing.T) {
	t.Parallel()
	p := slangParser()
	for name, c := range map[string]struct{ text, want string }{
		"a word":                      {"где срм", "где CRM"},
		"another form":                {"дать права двум юзерам", "дать права двум пользователь"},
		"among marks":                 {"Юзер, срм: «кп»?", "пользователь, CRM: «коммерческое предложение»?"},
		"two words":                   {"это холодные прозвоны", "это холодный звонок"},
		"with a mark inside":          {"поменялся р/с", "поменялся расчетный счет"},
		"in the wrong layout":         {"ghfdf lkz юзера", "права для пользователь"},
		"a Latin word among Russian":  {"новый lead", "новый лид"},
		"of a short word no form":     {"боль в теле", "боль в теле"},
		"no part of a word":           {"телеграм", "телеграм"},
		"what the base says stays":    {"какой этап", "какой этап"},
		"nothing in English":          {"qualify a lead", "qualify a lead"},
		"slang that means no word":    {"это неслово", "это неслово"},
		"plain words stay":            {"личный кабинет", "личный кабинет"},
		"the plain words are no typo": {"где лк юзера", "где личный кабинет пользователь"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := p.Parse(c.text)
			if q.Text != c.want {
				t.Errorf("Parse(%q).Text = %q, want %q; repairs %v", c.text, q.Text, c.want, q.Repairs)
			}
		})
	}
}

func TestParseTakesNoiseOff(t *testing.T) {
	t.Parallel()
	p := parser()
	for _, c := range []struct{ name, text, want string }{
		{"marks", "как сменить пароль!!!???", "как сменить пароль?"},
		{"pictures", "😡 как сменить пароль 🙏🏽🙏🏽", "как сменить пароль"},
		{"Caps Lock", "КАК СМЕНИТЬ ПАРОЛЬ ОТ CRM", "как сменить пароль от CRM"},
		{"Caps Lock in the wrong layout", "RFR CVTYBNM GFHJKM", "как сменить пароль"},
		{"a Latin letter that looks Russian", "cмeнить пaроль", "сменить пароль"},
		{"one word in the wrong layout", "как cvtybnm пароль", "как сменить пароль"},
		{"greeting in the wrong layout", "ghbdtn, как сменить пароль", "как сменить пароль"},
		{"thanks at the end", "как сменить пароль, спасибо заранее", "как сменить пароль"},
		{"a plea at the end", "как сменить пароль? помогите плиз!!!", "как сменить пароль?"},
		{"a long farewell", "как сменить пароль буду очень благодарна за помощь", ""},
		{"a misspelled greeting", "здраствуйте, подскажите пожалуста как сменить пароль", "как сменить пароль"},
		{"everything", "ДОБРЫЙ ДЕНЬ!!! ПОДСКАЖИТЕ, КАК СМЕНИТЬ ПАРРОЛЬ??? 🙏", "как сменить пароль?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if q := p.Parse(c.text); c.want != "" && q.Text != c.want {
				t.Errorf("Parse(%q).Text = %q, want %q; repairs %v", c.text, q.Text, c.want, q.Repairs)
			}
		})
	}
}

// Each repair has right input that looks like what it mends.
func TestEachRepairLeavesRightInputAlone(t *testing.T) {
	t.Parallel()
	p := slangParser()
	for kind, texts := range map[string][]string{
		"typos": {
			"вводы", "кеды", "ваза", "опята", "парту", "замша", "чихает", "правка", "обряды", "стебли", "порошок", "сделать", "сдельная оплата",
			"паром", "паруса", "эпатаж", "эпоха", "витрина", "воронок", "профилактика", "расчистить", "expert", "reposts", "profiles",
		},
		"layout":           {"hello", "gbrd", "vs code", "qwerty", "как поставить vlc", "ну да", "ok google", "wi-fi", "это б/у", "а.", "и т. д."},
		"transliteration":  {"my manager", "a moment ago", "on time", "no one", "to do list", "Moskva River cruise", "post", "nota bene", "do re mi"},
		"capitals":         {"CRM", "НДС", "ООО РОМАШКА и партнёры", "API", "ГОСТ 34", "Ошибка В ПДФ", "SQL API"},
		"marks":            {"счёт №42 от 12.05", "30 °C", "да? нет!", "версия 1.2.3", "C++ и C#", "10 % скидки", "a*b", "©"},
		"greetings, pleas": {"как ответить на спасибо клиента", "кто знает пароль", "привет мир", "пожалуйста без НДС", "как понять что все получилось", "почему не помогло", "что делать если не сработало", "как проверить что теперь все работает", "спросить от души", "как добавить приветствие в письмо"},
		"slang":            {"тела вращения", "тело письма", "лка", "кпд двигателя", "лкм", "юзабилити"},
		"look-alikes":      {"Exсel-файл", "CRM", "1С", "PDF-файл", "IT-отдел", "e-mail", "SMS-код"},
	} {
		for _, text := range texts {
			if q := p.Parse(text); q.Text != search.Clean(text) {
				t.Errorf("%s: Parse(%q).Text = %q by %v", kind, text, q.Text, q.Repairs)
			}
		}
	}
}

// everyday reads the project's everyday questions.
func everyday(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../everyday/questions.txt")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// Right Russian and English that has nothing to do with the base: what is mended
// there is mended wrongly.
func TestParseLeavesEverydayQuestionsAlone(t *testing.T) {
	t.Parallel()
	p := slangParser()
	for _, text := range everyday(t) {
		for _, r := range p.Parse(text).Repairs {
			if r.Kind != search.RepairFiller {
				t.Errorf("%q: %s %q → %q", text, r.Kind, r.From, r.To)
			}
		}
	}
}

func TestClassifyLeavesEverydayQuestionsAlone(t *testing.T) {
	t.Parallel()
	p := search.NewParser(search.ParserOptions{})
	for _, text := range everyday(t) {
		if got := p.Classify(text); got != search.Question {
			t.Errorf("Classify(%q) = %v", text, got)
		}
	}
}

// messages draws what people type: bits of right and wrong text in any order.
func messages() *rapid.Generator[string] {
	bits := []string{
		"Здравствуйте!", "привет", "подскажите пожалуйста", "ghbdtn", "как", "сменить", "пароль", "парроль", "gfhjkm", "parol", "rfr", "kak",
		"спасибо заранее", "спасбио", "помогите плиз", "юзера", "срм", "холодный прозвон", "р/с", "СДЕЛКУ", "ЭТАП", "cделку", "вводы", "API",
		"how", "to", "reset", "my", "lead", "Excel", "рщц", "🙏", "👍🏽", "?!", "!!!", "...", ",", "«", "»", "№42", "1С", "404", "ответстевнный", "а", "не",
		"'rcgjhn", "jnx`n", "shchuka", "пожалуйста", "please", "thanks", "выстaвить", "тел", "лк", "(", "—", "й\u0306", "\u00a0", "\n",
	}
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(bits), 1, 9).Draw(t, "bits"), rapid.SampledFrom([]string{" ", " ", " ", ", ", ""}).Draw(t, "between"))
	})
}

// What was understood is understood the same way again.
func TestParseIsIdempotent(t *testing.T) {
	t.Parallel()
	p := slangParser()
	rapid.Check(t, func(t *rapid.T) {
		text := messages().Draw(t, "text")
		once := p.Parse(text)
		if twice := p.Parse(once.Text); twice.Text != once.Text {
			t.Fatalf("Parse(%q).Text = %q, and parsed again %q by %v", text, once.Text, twice.Text, twice.Repairs)
		}
	})
}

// A message with letters never comes out empty, and digits are neither lost nor made.
func TestParseKeepsLettersAndNumbers(t *testing.T) {
	t.Parallel()
	p := slangParser()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(messages(), rapid.String()).Draw(t, "text")
		q := p.Parse(text)
		if strings.ContainsFunc(q.Raw, unicode.IsLetter) && !strings.ContainsFunc(q.Text, unicode.IsLetter) {
			t.Fatalf("Parse(%q).Text = %q: nothing is left", text, q.Text)
		}
	})
}
