package bot

import (
	"github.com/nastavnik-bot/nastavnik/bot/texts"
)

// topics lets the senior say what a question is about.
func (t *turn) topics(b Topics) {
	if len(b.Names) == 0 {
		t.tell(b.Read.Escalation, Message{Text: t.say.Say("no_topics", nil)})
		return
	}
	var buttons []Button
	for _, name := range b.Names {
		buttons = append(buttons, Button{Label: short(name), Press: Press{Verb: PickTopic, Question: b.Read.Question, Escalation: b.Read.Escalation, Topic: name}})
	}
	t.tell(b.Read.Escalation, Message{Text: t.say.Say("topic_choose", nil), Sections: []Section{{Choice: true, Buttons: buttons}}})
}

// topicSet says what a question is about now.
func (t *turn) topicSet(b TopicSet) {
	data := texts.Data{"Question": title(b.Question.Text), "Topic": b.Question.Topic}
	t.tell(b.Escalation, Message{Text: t.say.Say(pick(b.Refused, "topic_refused", "topic_set"), data)})
}
