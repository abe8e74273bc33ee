package bot

import (
	"unicode/utf8"

	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// filled does what a button asks words for when they came with it, in a form. It
// comes to the same as pressing the button and writing.
func (t *turn) filled(b Filled) {
	if !t.pressable(b.Pressed) {
		return
	}
	p := b.Button.Press
	if !forms(p.Verb) {
		t.press(b.Pressed)
		return
	}
	text, err := knowledge.CleanText(b.Text, formRunes(p.Verb))
	switch {
	case err == nil:
		t.out = append(t.out, Mark{b.ID})
		t.fillIn(p, text)
	case utf8.RuneCountInString(b.Text) > formRunes(p.Verb):
		t.tell(p.Escalation, Message{Text: t.say.Say("form_too_long", texts.Data{"Limit": formRunes(p.Verb)})})
	default:
		t.tell(p.Escalation, Message{Text: t.say.Say("form_empty", nil)})
	}
}

// forms reports whether a button asks for words.
func forms(v Verb) bool {
	switch v {
	case AddDetails, EditAnswer, HasEntry, TakeTask, ChooseTopic:
		return true
	default:
		return false
	}
}

func formRunes(v Verb) int {
	switch v {
	case EditAnswer, TakeTask:
		return knowledge.MaxAnswerRunes
	case ChooseTopic:
		return knowledge.MaxTopicRunes
	default:
		return knowledge.MaxQuestionRunes
	}
}

// fillIn does what a button says with the words that came with it.
func (t *turn) fillIn(p Press, text string) {
	switch p.Verb {
	case AddDetails:
		t.s.Detail = ""
		t.addDetail(p.Question, Part{Text: text})
	case EditAnswer:
		if d := t.s.Draft; d != nil && d.Kind == DraftEdit && d.Question == p.Question {
			t.s.Draft = nil // which the form has replaced
		}
		t.look(Guard{Revise: &Revise{Question: p.Question, Escalation: p.Escalation, Text: text}})
	case ChooseTopic:
		t.do(SetTopic{Question: p.Question, Topic: text, Escalation: p.Escalation})
	case HasEntry:
		t.do(ReadTask{Escalation: p.Escalation, Then: HasEntry, Parts: []Part{{Text: text}}})
	default:
		t.do(ReadTask{Escalation: p.Escalation, Then: FillIn, Parts: []Part{{Text: text}}})
	}
}
