package search

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
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
//
// Whoever classifies many texts keeps a Parser: making one takes half a millisecond.
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

// classifyMarks tells a thumbs-up, a smiley of marks and a plus from a mere dot.
func classifyMarks(cleaned string) Intent {
	picture := strings.ContainsFunc(cleaned, func(r rune) bool { return unicode.Is(unicode.So, r) })
	if picture || cleaned == "+" || strings.ContainsAny(cleaned, ")(") && strings.Trim(cleaned, ":;=-^)( ") == "" {
		return SmallTalk
	}
	return Empty
}

// chatWords writes words as the phrase book has them: laughter in one way, and no
// letter three times in a row (спасибооо).
func chatWords(spans []span) []span {
	out := make([]span, 0, len(spans))
	for _, s := range spans {
		s.word = shorten(s.word)
		if isLaughter(s.word) {
			s.word = laughter
			if len(out) > 0 && out[len(out)-1].word == laughter {
				continue
			}
		}
		out = append(out, s)
	}
	return out
}

// laughter stands in the phrase book for all ways to write it.
const laughter = "хаха"

// isLaughter reports «ха», «ахахах», «хехе», «hahaha».
func isLaughter(word string) bool {
	for _, letters := range []string{"ха", "хе", "хи", "ha", "he"} {
		if strings.Trim(word, letters) != "" {
			continue
		}
		consonant, _ := utf8.DecodeRuneInString(letters)
		if n := strings.Count(word, string(consonant)); n > 1 || n == 1 && word == "ха" {
			return true
		}
	}
	return false
}

// shorten writes one letter for three and more in a row.
func shorten(word string) string {
	r := []rune(word)
	var out []rune
	for i := 0; i < len(r); {
		end := i + 1
		for end < len(r) && r[end] == r[i] {
			end++
		}
		n := end - i
		if n > 2 && unicode.IsLetter(r[i]) {
			n = 1
		}
		out = append(out, r[i:i+n]...)
		i = end
	}
	return string(out)
}

// weight orders what a message of several parts is named after.
func weight(i Intent) int {
	return slices.Index([]Intent{Question, Greeting, SmallTalk, Bye, Thanks}, i)
}

// classify covers all words with phrases, the longest first, and names the whole
// after its weightiest part.
func (b phraseBook) classify(spans []span) Intent {
	spans = chatWords(spans)
	if wantsHuman(spans) {
		return Human
	}
	found := Question
	for all := len(spans); len(spans) > 0; {
		n := b.match(b.chat, spans, false)
		if n == 0 || n == 1 && all > 1 && (spans[0].word == "не" || spans[0].word == "not") {
			return Question // «не помогло» is no thanks
		}
		if intent := b.chat[joinWords(spans[:n])]; weight(intent) > weight(found) {
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
		сеньор сеньора сеньору сеньором сеньоров сотрудник сотрудников специалистов операторов менеджеров коллег
		старших руководитель руководителя руководителю руководителем админ админа администратор администратора
		сотрудник сотрудника сотрудником специалист специалиста специалистом специалисту
		консультант консультанта консультантом наставник наставника наставником старший старшего старшим коллега коллегу коллегой
		саппорт поддержка поддержку поддержкой поддержке
		human person operator agent representative senior somebody someone`
	humanHow = `позовите позови позвать соедините соедини соединить переключите переключи переключить переведите переведи перевести
		дайте дай нужен нужна нужно хочу хотел хотела хотелось свяжите связаться связать пригласите пригласи поговорить говорить пообщаться
		передайте передай вызовите вызови спросите ответьте могу можно давайте давай кликните кликни подключите подключи общаться разговаривать
		call connect transfer need want talk speak get give switch let`
	humanAround = `мне меня с со на к за бы с вами пожалуйста плиз живой живого живым живому живую живые живых живыми реальный реального реальным настоящий
		настоящего настоящим не ботом бот бота робот робота роботом а и я нибудь из кто кого кем то кому есть ли тут другой другого
		здравствуйте привет добрый день срочно уже просто лучше техподдержка
		me to with a an the please real live i would like actual can could you my is there any not bot robot`
)

// wantsHuman reports a message that names a person and how to get to one, and says
// nothing else.
func wantsHuman(spans []span) bool {
	whom, how, not := false, len(spans) == 1 && containsWord(humanAlone, spans[0].word), false
	for _, s := range spans {
		switch {
		case containsWord(humanWhom, s.word), not && isBot(s.word): // «не хочу говорить с роботом»
			whom = true
		case containsWord(humanHow, s.word), strings.HasPrefix(s.word, "жив"):
			how = true
		case !containsWord(humanAround, s.word):
			return false
		}
		not = not || s.word == "не"
	}
	return whom && how
}

func isBot(word string) bool {
	return strings.HasPrefix(word, "бот") || strings.HasPrefix(word, "робот")
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
