package bot

import (
	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// repeatedRunes bounds what is shown of the answer that another one repeats.
const repeatedRunes = 600

// repeated asks what is to become of an answer that the base has already, or that
// contradicts what it has. Who waited has it by now.
func (t *turn) repeated(p Prove, held knowledge.Review, like knowledge.Page) {
	press := Press{Question: p.Question, Entry: like.ID, Reviews: []int64{held.ID}, Escalation: p.Escalation}
	replace, both, merge, out := press, press, press, press
	replace.Verb, both.Verb, merge.Verb, out.Verb = ReplaceEntry, HeldYes, MergeEntries, HeldNo
	answer := like.Answer
	if r := []rune(answer); len(r) > repeatedRunes {
		answer = string(r[:repeatedRunes]) + "…"
	}
	t.tell(p.Escalation, Message{
		Text: t.told(p) + " " + t.say.Say("repeated", nil) + "\n\n**" + oneLine(like.Text, titleRunes) + "**\n\n" + quote(answer),
		Sections: []Section{
			{Choice: true, Buttons: []Button{
				t.button("button_replace", replace), t.button("button_both", both), t.button("button_merge", merge), t.button("button_held_no", out),
			}},
			{Buttons: []Button{t.editButton(p)}},
		},
	})
}

// combine makes one entry of the answer and the one that it repeats.
func (t *turn) combine(p Press) {
	if len(p.Reviews) == 0 {
		t.tell(p.Escalation, Message{Text: t.say.Say("button_unknown", nil)})
		return
	}
	c := Combine{Review: p.Reviews[0], Question: p.Question, Entry: p.Entry, Merge: p.Verb == MergeEntries, Escalation: p.Escalation}
	for _, g := range t.s.Given {
		if g.Question == p.Question {
			c.Sources = g.Sources
		}
	}
	t.do(c)
}

// tooLongTogether is said when the two would be too long for one answer.
func (t *turn) tooLongTogether(b TooLong) {
	t.tell(b.Escalation, Message{
		Text: t.say.Say("answer_too_long_together", texts.Data{"Limit": knowledge.MaxAnswerRunes}),
		Sections: []Section{
			{Choice: true, Buttons: []Button{
				t.button("button_both", Press{Verb: HeldYes, Reviews: []int64{b.Review}, Escalation: b.Escalation}),
				t.button("button_held_no", Press{Verb: HeldNo, Reviews: []int64{b.Review}, Escalation: b.Escalation}),
			}},
			{Buttons: []Button{t.editButton(Prove{Question: b.Question, Entry: b.Title, Escalation: b.Escalation})}},
		},
	})
}
