package search

import (
	"strings"
	"unicode/utf8"
)

// phraseBook holds what people say around a question, as folded words joined by
// single spaces.
type phraseBook struct {
	opening map[string]Intent // said before the question
	closing map[string]Intent // said after it
	chat    map[string]Intent // a whole message by itself
	longest int               // words of the longest phrase
}

func newPhraseBook() phraseBook {
	b := phraseBook{opening: map[string]Intent{}, closing: map[string]Intent{}, chat: map[string]Intent{}}
	b.add(Greeting, greetings, b.opening)
	b.add(Greeting, asides, b.opening)
	b.add(Thanks, thanks, b.opening, b.closing)
	b.add(Thanks, worked) // not around a question: «как понять, что всё получилось»
	b.add(Greeting, closings, b.closing)
	b.add(Bye, byes, b.closing)
	b.add(SmallTalk, chats)
	for phrase := range b.chat {
		b.longest = max(b.longest, strings.Count(phrase, " ")+1)
	}
	return b
}

func (b *phraseBook) add(intent Intent, list string, also ...map[string]Intent) {
	for phrase := range strings.SplitSeq(list, "|") {
		phrase = strings.Join(strings.Fields(phrase), " ")
		b.chat[phrase] = intent
		for _, m := range also {
			m[phrase] = intent
		}
	}
}

const (
	greetings = `здравствуйте|здравствуй|здрасьте|здрасте|здрасти|здраствуйте|здравствуте|здраствуй|здравия желаю|доброе утро|добрый день|добрый вечер|доброй ночи|
		доброго дня|доброго вечера|доброго утра|доброго времени суток|доброго времени|добрый|доброго|день добрый|утро доброе|вечер добрый|
		всем добрый день|всем доброго дня|всем доброе утро|привет|приветик|приветствую|всем привет|привет всем|прив|ку|хай|салют|
		здорово|хеллоу|алло|ало|hello|hi|hey|hi there|hello there|hey there|good morning|good afternoon|good evening|
		good day|greetings|dear team|hi all|hello everyone|hi team|приветствую вас|всем здравствуйте|здравствуйте всем|всем хай|йо|хелло`
	asides = `подскажите пожалуйста|подскажите|подскажи пожалуйста|подскажи|пожалуйста подскажите|не подскажете|не подскажете ли|
		подскажите а|подскажи а|скажите а|подскажите кто знает|кто нибудь знает|подскажте|подскажите пожалуста|подскажите плиз|подскажите плз|подскажите кто нибудь|скажите пожалуйста|скажите|скажи пожалуйста|скажи|
		можете подсказать|можете подсказать пожалуйста|можешь подсказать|не могли бы вы подсказать|могли бы вы подсказать|
		помогите пожалуйста|помогите|помоги|помогите разобраться|помогите пожалуйста разобраться|объясните пожалуйста|
		расскажите пожалуйста|ответьте пожалуйста|хочу спросить|хотел спросить|хотела спросить|хотел бы спросить|
		хочу узнать|хотел узнать|хотела узнать|хотел бы узнать|хотела бы узнать|хотелось бы узнать|хочу уточнить|
		хотел уточнить|хотела уточнить|хотел бы уточнить|хотела бы уточнить|интересует вопрос|интересует такой вопрос|
		такой вопрос|вопрос такой|вопрос|у меня вопрос|у меня такой вопрос|есть вопрос|возник вопрос|возник такой вопрос|
		у меня возник вопрос|можно вопрос|коллеги|уважаемые коллеги|ребята|ребят|друзья|народ|товарищи|извините|извините пожалуйста|
		простите|извиняюсь|прошу прощения|извините за беспокойство|извините за беспокойство но|доброго дня всем|буду признателен|буду признательна|пожалуйста|пожалуста|пажалуйста|плиз|плз|пж|пжл|пжлст|
		please|could you please tell me|can you please tell me|could you tell me|can you tell me|please tell me|tell me please|
		excuse me|sorry to bother you|i have a question|i have question|quick question|question|colleagues|guys`
	thanks = `спасибо|спасибо большое|большое спасибо|спасибо огромное|огромное спасибо|спасибо вам|спасибо вам большое|спасибо тебе|
		спс|пасиб|пасибо|спасибки|спасиб|спасибочки|спасбио|спсибо|спасибо ребята|спасибо коллеги|благодарю|благодарю вас|благодарен|благодарна|спасибо за помощь|спасибо за ответ|спасибо помогло|
		всем спасибо|спасибо за информацию|спасибо за подсказку|спасибо за совет|спасибо за пояснение|
		спасибо за разъяснение|спасибо за оперативность|спасибо за быстрый ответ|спасибо что помогли|спасибо что ответили|большое человеческое спасибо|
		благодарю за помощь|благодарю за ответ|от души благодарю|спасибки большое|спасибище|спасибо большущее|
		thank u|thanks for help|thanks for your help|thank you for your help|
		much appreciated|appreciate it|сенкс|мерси|
		thanks|thank you|thanks a lot|thank you very much|thank you so much|many thanks|thx|ty|cheers`
	worked = `от души|очень помогли|очень помог|очень помогла|вы очень помогли|ты очень помог|вы помогли|помогли|
		помогло|это помогло|все помогло|вы мне очень помогли|вы меня спасли|вы меня очень выручили|выручили|очень выручили|ты меня спас|
		все получилось|получилось|у меня все получилось|все заработало|заработало|сработало|все сработало|
		все супер|сяб|
		that helped|it helped|it worked|it works|that worked`
	closings = `заранее спасибо|спасибо заранее|заранее спасибо за ответ|заранее спасибо за помощь|спасибо заранее за ответ|
		заранее большое спасибо|заранее огромное спасибо|буду благодарен|буду благодарна|буду признателен|буду признательна|буду благодарен за помощь|
		буду благодарна за помощь|буду благодарен за ответ|буду очень благодарен|буду очень благодарна|помогите плиз|помогите плз|помоги плиз|
		подскажите плиз|подскажите плз|кто нибудь знает|кто знает|жду помощи|хелп|заранее благодарю|заранее благодарен|заранее благодарна|пожалуйста|плиз|плз|пж|
		подскажите|подскажите пожалуйста|помогите|помогите пожалуйста|жду ответа|с уважением|
		please|thanks in advance|thank you in advance|please help|best regards|regards`
	byes = `пока|пока пока|до свидания|досвидания|до свиданья|всего доброго|всего хорошего|всего наилучшего|хорошего дня|хорошего вечера|
		удачи|до встречи|до завтра|прощайте|bye|goodbye|bye bye|good bye|see you|see you later|have a nice day|good night`
	// What may be a senior's whole answer (не нужно, уже работает) is not small talk.
	chats = `как дела|как ты|как жизнь|как сам|как поживаешь|как настроение|что делаешь|кто ты|ты кто|кто вы|ты бот|вы бот|это бот|ты робот|
		ты человек|ты живой|ты настоящий|как тебя зовут|как вас зовут|что ты умеешь|что вы умеете|что умеешь|что ты можешь|чем поможешь|
		ты тут|вы тут|есть кто|есть кто нибудь|кто нибудь тут|тест|проверка|проверка связи|раз два три|ок|окей|ok|okay|хорошо|понятно|понял|поняла|
		ясно|ага|угу|да|нет|не|неа|ладно|круто|супер|класс|отлично|здорово получилось|молодец|умница|ты молодец|хаха|ахах|ахаха|лол|
		расскажи анекдот|расскажи шутку|пошути|я тебя люблю|ты дурак|дурак|тупой бот|глупый бот|бот|эй|
		how are you|how are you doing|how is it going|whats up|what s up|who are you|what are you|are you a bot|are you a robot|
		are you human|what is your name|what s your name|what can you do|test|testing|got it|i see|great|cool|nice|
		well done|good bot|bad bot|yes|no|yep|nope|lol|haha|tell me a joke|
		вы тут|ты здесь|вы здесь|вы на связи|ты на связи|эй|ау|але|алле|эй ты|бот|привет бот|эй бот|слушай|слушайте|кто вы такой|кто ты такой|что ты такое|
		что ты за бот|ты кто такой|а ты кто|ты живая|ты настоящая|вы человек|вы робот|вы живой человек|ты живой человек|это робот|это человек|я говорю с ботом|
		ты умеешь разговаривать|сколько тебе лет|откуда ты|кто тебя создал|кто тебя сделал|ты нейросеть|ты искусственный интеллект|
		как твои дела|как дела бот|как сами|как вы|как оно|как успехи|че как|чо как|что нового|чем занимаешься|
		скучно|мне скучно|расскажи анекдот|расскажи шутку|пошути|расскажи что нибудь|поговори со мной|давай поболтаем|поболтаем|спой|
		это тест|тестовое сообщение|тестовый вопрос|тестовый запрос|тестирую|просто тест|просто проверяю|проверяю|проверка бота|проверка чата|раз раз|раз раз раз|
		проверка раз два три|раз два|прием|прием прием|это проверка|тест тест|тест тест тест|
		все понятно|все ясно|теперь понятно|теперь ясно|понятненько|понял вас|поняла вас|понял тебя|понятно все|да понял|да поняла|ок понял|ок поняла|окей понял|
		принято|принял|приняла|хорошо понял|хорошо поняла|вопросов нет|нет вопросов|больше вопросов нет|разобрался|разобралась|
		уже разобрался|уже разобралась|сам разобрался|сама разобралась|забудь|забей|ничего страшного|
		жаль|печально|грустно|ну ладно|ну ок|ну хорошо|ладно ладно|ясно понятно|ого|вау|ух ты|ничего себе|прикольно|здорово|замечательно|прекрасно|великолепно|
		красава|красавчик|умничка|ты супер|ты крутой|ты крутая|ты лучший|ты лучшая|вы лучшие|хороший бот|классный бот|отличный бот|отличная работа|
		дурак|ты дурак|дурак ты|дура|ты дура|тупой|ты тупой|ты тупая|тупой бот|бот тупой|какой ты тупой|какой тупой бот|глупый бот|бот глупый|ты глупый|ты глуп|
		идиот|ты идиот|кретин|тупица|балбес|болван|бестолочь|бесполезный бот|бот бесполезный|ты бесполезен|ты бесполезный|толку от тебя|толку ноль|
		от тебя никакого толку|никакого толку|ты ничего не умеешь|ты ничего не знаешь|ничего ты не знаешь|ты ничего не понимаешь|ничего не понимаешь|ты не понимаешь|
		фигня|фигня какая то|какая то фигня|ерунда|ерунда какая то|бред|бред какой то|какой то бред|чушь|отстой|хрень|отстань|отвали|заткнись|достал|ты достал|
		надоел|ты надоел|бесишь|ты меня бесишь|иди ты|да ну тебя|тупишь|ты тупишь|блин|черт|капец|жесть|
		who are you|what are you|are you a bot|are you human|are you a human|are you a robot|are you there|are you real|anybody here|anyone here|is anyone there|
		what can you do|how are you|how are you doing|what s up|what s your name|test|testing|just testing|this is a test|test test|test message|
		lol|haha|cool|great|nice|awesome|got it|i see|understood|never mind|nevermind|good job|well done|good bot|bad bot|stupid bot|you are stupid|you re stupid|
		useless|useless bot|you are useless|i m bored|tell me a joke|yes|no|yep|nope|sure|fine|alright|all right|no problem|shut up`
)

// stripFiller leaves out what stands before and after the question, unless too
// little would be left to be one.
func (p *Parser) stripFiller(text string) (string, []Repair) {
	spans := wordSpans(text)
	lo, hi := 0, len(spans)
	for n := 1; n > 0 && lo < hi; lo += n {
		n = p.filler.match(p.filler.opening, spans[lo:hi], false)
	}
	for n := 1; n > 0 && lo < hi; hi -= n {
		n = p.filler.match(p.filler.closing, spans[lo:hi], true)
	}
	if lo == 0 && hi == len(spans) || !isQuestionEnough(spans[lo:hi]) {
		return text, nil
	}
	from, to := spans[lo].start, len(text)
	if lo == 0 {
		from = 0
	}
	if hi < len(spans) {
		to = spans[hi-1].end
		if mark := strings.IndexFunc(text[to:spans[hi].start], func(r rune) bool { return r == '?' }); mark >= 0 {
			to += mark + 1
		}
	}
	left := strings.TrimSpace(text[:from] + " … " + text[to:])
	return text[from:to], []Repair{{Kind: RepairFiller, From: strings.Trim(left, " …")}}
}

// isQuestionEnough asks for two words, one of which carries meaning by its length.
func isQuestionEnough(spans []span) bool {
	long := false
	for _, s := range spans {
		long = long || utf8.RuneCountInString(s.word) >= 4
	}
	return long && len(spans) >= 2
}

// match returns how many words at the beginning (or end) form the longest phrase.
func (b phraseBook) match(phrases map[string]Intent, spans []span, fromEnd bool) int {
	for n := min(b.longest, len(spans)); n > 0; n-- {
		part := spans[:n]
		if fromEnd {
			part = spans[len(spans)-n:]
		}
		if _, ok := phrases[joinWords(part)]; ok {
			return n
		}
	}
	return 0
}

func joinWords(spans []span) string {
	var b strings.Builder
	for i, s := range spans {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(s.word)
	}
	return b.String()
}

// span is a folded word and where it stands in the text, in bytes.
type span struct {
	word       string
	start, end int
}

func wordSpans(text string) []span {
	var out []span
	start := -1
	flush := func(end int) {
		if start >= 0 {
			out = append(out, span{fold(text[start:end]), start, end})
		}
		start = -1
	}
	for i, r := range text {
		if !isWordRune(r) {
			flush(i)
		} else if start < 0 {
			start = i
		}
	}
	flush(len(text))
	return out
}
