package search

import (
	"strings"
	"unicode"
)

// Intent says what kind of message it is. Only a Question is searched.
type Intent int

// The intents.
const (
	Question  Intent = iota // anything that is none of the others
	Empty                   // no letter, digit or picture character
	Greeting                // «добрый день»
	Thanks                  // «спасибо большое»
	Bye                     // «до свидания»
	Human                   // «позовите человека»
	SmallTalk               // «как дела», «ок», 👍
)

// String returns the intent's name in lower case.
func (i Intent) String() string {
	names := [...]string{"question", "empty", "greeting", "thanks", "bye", "human", "small talk"}
	if i < 0 || int(i) >= len(names) {
		return "unknown"
	}
	return names[i]
}

// Classify recognises messages that are not questions: nothing but a greeting,
// thanks, a farewell, small talk, or the wish to speak to a person. It errs on the
// side of Question: a greeting with a question after it is a Question.
func Classify(text string) Intent { return NewParser(ParserOptions{}).Classify(text) }

// maxChatWords is the length in words above which nothing is small talk.
const maxChatWords = 12

// Classify is like the function of the same name; it understands the wrong
// keyboard layout and transliteration with the parser's vocabulary.
func (p *Parser) Classify(text string) Intent {
	cleaned := Clean(text)
	spans := wordSpans(cleaned)
	if len(spans) == 0 {
		return classifyMarks(cleaned)
	}
	if len(spans) > maxChatWords {
		return Question
	}
	if intent := p.filler.classify(spans); intent != Question {
		return intent
	}
	repaired, done := p.repairScript(cleaned)
	if len(done) == 0 {
		return Question
	}
	return p.filler.classify(wordSpans(repaired))
}

// classifyMarks tells a thumbs-up from a mere dot.
func classifyMarks(cleaned string) Intent {
	if strings.ContainsFunc(cleaned, func(r rune) bool { return unicode.Is(unicode.So, r) }) {
		return SmallTalk
	}
	return Empty
}

// classify covers all words with phrases, the longest first, and names the whole
// after its weightiest part.
func (b phraseBook) classify(spans []span) Intent {
	if wantsHuman(spans) {
		return Human
	}
	found := Question
	rank := func(i Intent) int {
		switch i {
		case Thanks:
			return 4
		case Bye:
			return 3
		case SmallTalk:
			return 2
		case Greeting:
			return 1
		default:
			return 0
		}
	}
	for len(spans) > 0 {
		n := b.match(b.chat, spans, false)
		if n == 0 {
			return Question
		}
		if intent := b.chat[joinWords(spans[:n])]; rank(intent) > rank(found) {
			found = intent
		}
		spans = spans[n:]
	}
	return found
}

// humanAlone are the words that call a person by themselves; others, like
// «менеджер», may just as well be what a question is about.
const humanAlone = `человек человека оператор оператора сеньор сеньора human operator`

// The words of a call for a person: whom, how, and what may stand around them.
const (
	humanWhom = `человек человека человеком человеку людьми люди оператор оператора оператору оператором менеджер менеджера менеджером
		сеньор сеньора сеньору сеньором сотрудник сотрудника сотрудником специалист специалиста специалистом специалисту
		консультант консультанта консультантом наставник наставника наставником старший старшего старшим коллега коллегу коллегой
		саппорт поддержка поддержку поддержкой поддержке
		human person operator agent representative senior somebody someone`
	humanHow = `позовите позови позвать соедините соедини соединить переключите переключи переключить переведите переведи перевести
		дайте дай нужен нужна нужно хочу хотел хотела хотелось свяжите связаться связать пригласите пригласи поговорить говорить пообщаться
		передайте передай вызовите вызови спросите ответьте могу можно
		call connect transfer need want talk speak get give switch let`
	humanAround = `мне меня с со на к за бы с вами пожалуйста плиз живой живого живым живому живую реальный реального реальным настоящий
		настоящего настоящим не ботом бот бота робот робота роботом а и я нибудь кто кого кем то кому есть ли тут другой другого
		здравствуйте привет добрый день срочно уже просто лучше техподдержка
		me to with a an the please real live i would like actual can could you my is there any not bot robot`
)

func wantsHuman(spans []span) bool {
	whom, how := false, len(spans) == 1 && containsWord(humanAlone, spans[0].word)
	for _, s := range spans {
		switch {
		case containsWord(humanWhom, s.word):
			whom = true
		case containsWord(humanHow, s.word):
			how = true
		case s.word == "живой" || s.word == "живого":
			how = true
		case !containsWord(humanAround, s.word):
			return false
		}
	}
	return whom && how
}

func containsWord(list, word string) bool {
	for {
		i := strings.Index(list, word)
		if i < 0 {
			return false
		}
		end := i + len(word)
		if (i == 0 || isGap(list[i-1])) && (end == len(list) || isGap(list[end])) {
			return true
		}
		list = list[end:]
	}
}

func isGap(b byte) bool { return b == ' ' || b == '\n' || b == '\t' }
