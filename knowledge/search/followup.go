package search

import "strings"

const (
	// followWords is how many words a follow-up has at most. Who writes more says
	// what it is about.
	followWords = 10
	// followRunes bounds what is looked at: a follow-up is short.
	followRunes = 200
)

// FollowsUp reports whether a message reads as if it went on with what was said
// before, so that it may not be understood alone: «а если уволился?», «где это?»,
// "what about contacts". It does not know what was said before. It rather misses one
// than takes an ordinary question for one.
func FollowsUp(text string) bool { return NewParser(ParserOptions{}).FollowsUp(text) }

// FollowsUp is like the function of the same name; it understands the wrong
// keyboard layout and transliteration with the parser's vocabulary.
func (p *Parser) FollowsUp(text string) bool {
	cleaned := Clean(text)
	if len([]rune(cleaned)) > followRunes {
		return false
	}
	repaired, _ := p.repairScript(cleaned)
	repaired, _ = p.stripFiller(repaired)
	said := words(fold(repaired), followWords+1)
	if len(said) == 0 || len(said) > followWords {
		return false
	}
	content, pointing := weigh(said)
	switch {
	case opensWithJoint(said):
		return content <= 3
	case pointing:
		return content <= 2
	default: // nothing but a circumstance: «для юрлиц?», «без телефона»
		return containsWord(circumstances, said[0]) && 0 < content && content <= 2 && len(said) <= 4
	}
}

// weigh counts the words that carry a subject, and reports whether another points
// at something said before.
func weigh(said []string) (content int, pointing bool) {
	for _, w := range said {
		switch {
		case containsWord(pointers, w):
			pointing = pointing || content <= 1 // else it stands for what the message itself names
		case !containsWord(functionWords, w):
			content++
		}
	}
	return content, pointing
}

// opensWithJoint reports whether words begin with what joins them to something
// said before.
func opensWithJoint(said []string) bool {
	if containsWord(particles, said[0]) && len(said) > 1 {
		said = said[1:]
	}
	if containsWord(joints, said[0]) {
		return len(said) > 1
	}
	start := strings.Join(said[:min(2, len(said))], " ")
	return strings.Contains("|"+jointPhrases+"|", "|"+start+"|")
}

const (
	// particles may stand before a joint: «ну а если».
	particles = `ну хорошо ок окей ладно понятно понял поняла ясно так well ok okay so`
	// joints join a message to the one before when they begin it.
	joints = `а и но или либо тогда иначе зато только если and but or then otherwise if`
	// jointPhrases are those of two words.
	jointPhrases = `в таком|в этом|при этом|после этого|что если|как насчет|то есть|а именно|what if|what about|how about|in that|in this|after that`
	// pointers stand for something said before. Words that more often begin a
	// question of their own («что это такое» aside) are not among them.
	pointers = `это этого этому этим этом эту этой этот эти этих этими так такого такой такое такую такие таких
		то того тому том тот та ту той те тех его ее её их ему ей им ими них нем нём ней нее неё нему ним он она они оно
		там туда оттуда тогда тут сюда тоже также остальные остальных другое
		it its this that these those them they he she him her there one ones same`
	// circumstances begin what is only a part of a question.
	circumstances = `для без через после до при кроме вместо между for without after before except instead during`
	// functionWords carry no subject by themselves.
	functionWords = `а и но или либо если то же ли бы не ни да нет что чем чего чему как где куда откуда когда кто кого кому кем
		какой какая какое какие каких какую каком почему зачем сколько чей чья чье чьи который которая которое которые
		в во на по к ко с со у о об от до из за под над при для без через после перед между про около кроме вместо
		я мне меня мной мы нам нас нами вы вам вас вами ты тебе тебя мой моя мое мои моего моей свой своего свою свои сам сама самому
		можно нельзя надо нужно нужен нужна нужны должен должна могу может можем можете буду будет будут быть есть был была было были
		еще ещё уже только просто все всё всех весь сразу потом теперь сейчас опять снова вдруг кстати именно вообще тогда ну
		сделать делать делается сделал сделала насчет
		the a an and but or if of to in on at by for from with without about into over under after before
		i me my we us our you your do does did done is are was were be been being can could may might must should will would have has had
		how what where when who whom whose why which not no yes any some also too then now just only else still again`
)

// Join makes one text of a message and what it follows. Each is first put into the
// script that it was meant in: the wrong keyboard layout and transliteration are
// recognised by a whole message.
func (p *Parser) Join(after, text string) string {
	after, _ = p.repairScript(Clean(after))
	text, _ = p.repairScript(Clean(text))
	return after + " " + text
}
