package bot

import (
	"strings"

	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// mine lists the asker's questions.
func (t *turn) mine(b Mine) {
	if b.WaitingOnly {
		t.mineWaiting(b.Items)
		return
	}
	if len(b.Items) == 0 {
		t.alone(Message{Text: t.say.Say("my_none", nil)})
		return
	}
	lines := []string{t.say.Say("my_title", nil), ""}
	var open []Button
	for _, m := range b.Items {
		lines = append(lines, "- "+t.say.Say("my_item", texts.Data{"Question": title(m.Text), "Status": t.standing(m)}))
		if m.Question.Status.Answered() && len(open) < suggestions {
			open = append(open, Button{Label: short(m.Question.Text), Press: Press{Verb: OpenEntry, Ask: m.Ask, Question: m.Question.ID}})
		}
	}
	msg := Message{Text: strings.Join(lines, "\n"), Sections: t.waitingSections(b.Items)}
	if len(open) > 0 {
		msg.Sections = append(msg.Sections, Section{Title: t.say.Say("my_answers", nil), Buttons: open})
	}
	t.alone(msg)
}

// standing says how a question of the asker's stands.
func (t *turn) standing(m MyQuestion) string {
	switch {
	case m.Question.Closed != knowledge.NotClosed:
		return t.say.Say("closed_"+string(m.Question.Closed), nil)
	case !m.Waits:
		return t.say.Say("status_"+string(m.Question.Status), nil)
	case m.Senior.ID == 0:
		return t.say.Say(pick(m.Before > 0, "my_queued", "my_queued_next"), texts.Data{"Count": m.Before})
	}
	text := t.say.Say("my_with", texts.Data{"Senior": m.Senior.Name})
	if m.Before > 0 {
		text = t.say.Say("my_with_before", texts.Data{"Senior": m.Senior.Name, "Count": m.Before})
	}
	if when := t.whenAnswered(m.Senior, m.Usual); when != "" {
		text += "." + when
	}
	return text
}

// waitingSections lets the asker add to what they wait for, or take it back.
func (t *turn) waitingSections(items []MyQuestion) []Section {
	var out []Section
	for _, m := range items {
		if !m.Waits || len(out) == suggestions {
			continue
		}
		out = append(out, Section{Title: "«" + title(m.Text) + "»", Buttons: []Button{
			t.button("button_details", Press{Verb: AddDetails, Question: m.Question.ID}),
			t.button("button_cancel", Press{Verb: CancelWait, Question: m.Question.ID}),
		}})
	}
	return out
}

func (t *turn) mineWaiting(items []MyQuestion) {
	switch len(items) {
	case 0:
		t.reply("nothing_to_cancel", nil)
	case 1:
		t.do(Cancel{Question: items[0].Question.ID})
	default:
		var buttons []Button
		for _, m := range items {
			buttons = append(buttons, Button{Label: short(m.Text), Press: Press{Verb: CancelWait, Question: m.Question.ID}})
		}
		t.alone(Message{Text: t.say.Say("cancel_which", nil), Sections: []Section{{Buttons: buttons}}})
	}
}

// faq lists frequent questions: as a welcome, by topic, or of one topic.
func (t *turn) faq(b FAQ) {
	switch {
	case b.For == FAQWelcome:
		t.welcome(b)
	case len(b.Items) == 0 && len(b.Topics) == 0:
		t.alone(Message{Text: t.say.Say("faq_none", nil)})
	default:
		id := "faq_title"
		switch {
		case len(b.Items) == 0:
			id = "faq_no_topic"
		case b.Topic != "":
			id = "faq_topic"
		}
		m := Message{Text: t.say.Say(id, texts.Data{"Topic": b.Topic})}
		if len(b.Items) > 0 {
			m.Sections = append(m.Sections, Section{Buttons: entryButtons(Press{}, b.Items)})
		}
		var topics []Button
		for _, topic := range b.Topics {
			topics = append(topics, Button{Label: topic, Press: Press{Verb: FAQTopic, Topic: topic}})
		}
		if len(topics) > 0 {
			m.Sections = append(m.Sections, Section{Title: t.say.Say("faq_topics", nil), Buttons: topics})
		}
		t.alone(m)
	}
}

func (t *turn) welcome(b FAQ) {
	m := Message{Text: t.say.Say(pick(b.Senior, "intro_senior", "intro"), nil)}
	if items := b.Items; len(items) > 0 {
		m.Sections = []Section{{Title: t.say.Say("often_asked", nil), Buttons: entryButtons(Press{}, items)}}
	}
	t.alone(m)
}
