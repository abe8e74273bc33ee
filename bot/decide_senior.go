package bot

import (
	"strings"

	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

// saidAsSenior handles words that belong to a senior's work: a reply, a new
// version of one, or a search. False when they are something else.
func (t *turn) saidAsSenior(text string) bool {
	about := t.e.About
	if about != 0 {
		if _, open := t.s.task(about); !open {
			// A reply to a message whose question is settled: say so, do not guess.
			t.do(ReadTask{Escalation: about, Then: TakeTask})
			return true
		}
	}
	d := t.s.Draft
	switch {
	case d != nil && (about == 0 || about == d.Escalation):
		return t.saidToDraft(*d, text)
	case about != 0:
		t.draftReply(about, text)
	case len(t.s.Tasks) == 0 || isSmallTalk(text):
		return false
	case len(t.s.Tasks) == 1:
		t.draftReply(t.s.Tasks[0].Escalation, text)
	default:
		t.askWhich(text)
	}
	return true
}

func isSmallTalk(text string) bool {
	i := search.Classify(text)
	return i != search.Question && i != search.Human
}

// saidToDraft adds to what the senior is writing.
func (t *turn) saidToDraft(d Draft, text string) bool {
	switch d.Kind {
	case DraftLookup:
		t.look(Search{Text: text, Purpose: ForExisting, Escalation: d.Escalation})
	case DraftHeld:
		t.askWhich(strings.Join(append(d.Parts, text), "\n\n"))
	case DraftReply, DraftEdit:
		t.addToDraft(d, text)
	}
	return true
}

// draftReply begins the reply to an escalation.
func (t *turn) draftReply(escalation int64, text string) {
	task, _ := t.s.task(escalation)
	t.settleDraft()
	t.addToDraft(Draft{Kind: DraftReply, Escalation: escalation, Question: task.Question, Title: task.Text}, text)
}

// addToDraft adds a message; the first one is confirmed with buttons.
func (t *turn) addToDraft(d Draft, text string) {
	first := len(d.Parts) == 0
	d.Parts = append(append([]string(nil), d.Parts...), text)
	d.Last = t.e.At
	t.s.Draft = &d
	t.out = append(t.out, Wake{At: t.e.At.Add(t.manner.Silence), Body: Silence{Last: t.e.At}})
	if !first {
		return
	}
	t.send(Message{
		Text: t.say.Say(pick(d.Kind == DraftEdit, "draft_edit", "draft_reply"), texts.Data{"Question": d.Title, "Time": t.span(t.manner.Silence)}),
		Sections: []Section{{Choice: true, Buttons: []Button{
			t.button("button_done", Press{Verb: DraftDone}),
			t.button("button_drop", Press{Verb: DraftDrop}),
		}}},
	})
}

// askWhich asks a senior with several questions which one the text answers.
func (t *turn) askWhich(text string) {
	t.s.Draft = &Draft{Kind: DraftHeld, Parts: []string{text}, Last: t.e.At}
	var buttons []Button
	for _, task := range t.s.Tasks {
		buttons = append(buttons, Button{Label: short(task.Text), Press: Press{Verb: TakeTask, Escalation: task.Escalation}})
	}
	buttons = append(buttons, t.button("button_drop", Press{Verb: DraftDrop}))
	t.send(Message{Text: t.say.Say("which_question", texts.Data{"Count": len(t.s.Tasks)}), Sections: []Section{{Choice: true, Buttons: buttons}}})
}

// take makes an escalation the one that the next words answer.
func (t *turn) take(p Press) {
	task, open := t.s.task(p.Escalation)
	if !open {
		t.do(ReadTask{Escalation: p.Escalation, Then: TakeTask})
		return
	}
	if d := t.s.Draft; d != nil && d.Kind == DraftHeld {
		held := strings.Join(d.Parts, "\n\n")
		t.s.Draft = nil
		t.draftReply(p.Escalation, held)
		return
	}
	if d := t.s.Draft; d != nil && d.Kind == DraftReply && d.Escalation == p.Escalation {
		t.reply("answer_please", texts.Data{"Question": task.Text})
		return
	}
	t.settleDraft()
	t.s.Draft = &Draft{Kind: DraftReply, Escalation: p.Escalation, Question: task.Question, Title: task.Text, Last: t.e.At}
	t.reply("answer_please", texts.Data{"Question": task.Text})
}

// settleDraft gives out what is written before another text begins: a senior
// who turns to the next question has finished the one before.
func (t *turn) settleDraft() {
	if d := t.s.Draft; d != nil && len(d.Parts) > 0 && (d.Kind == DraftReply || d.Kind == DraftEdit) {
		t.finishDraft()
	}
	t.s.Draft = nil
}

// finishDraft gives out what is written: [Готово], silence, or the end of input.
func (t *turn) finishDraft() {
	d := t.s.Draft
	if d == nil {
		return
	}
	text := strings.Join(d.Parts, "\n\n")
	switch {
	case d.Kind == DraftHeld || d.Kind == DraftLookup:
		return // nobody knows yet what it is for
	case text == "":
		t.s.Draft = nil
		return
	case d.Kind == DraftEdit:
		t.do(Revise{Question: d.Question, Text: text})
	default:
		t.do(Reply{Escalation: d.Escalation, Text: text})
	}
	t.s.Draft = nil
}

func (t *turn) dropDraft() {
	d := t.s.Draft
	t.s.Draft = nil
	if d == nil {
		t.reply("nothing_to_cancel", nil)
		return
	}
	t.reply("draft_dropped", nil)
	if d.Kind == DraftReply && len(d.Parts) > 0 {
		t.s.Last = nil
		t.reply("draft_was_question", nil)
	}
}

// assigned brings the senior a question.
func (t *turn) assigned(task Task) {
	task.Postponed = false
	t.s.Tasks = t.s.withTask(task)
	t.out = append(t.out, Send{Key: taskKey(task.Escalation), Message: t.taskMessage("task", task)})
}

func (t *turn) due(b Due) {
	task, open := t.s.task(b.Escalation)
	if !open || !task.Postponed {
		return
	}
	task.Postponed = false
	t.s.Tasks = t.s.withTask(task)
	t.send(t.taskMessage("task_again", task))
}

// taskChanged shows that who asks has changed.
func (t *turn) taskChanged(b TaskChanged) {
	old, open := t.s.task(b.Task.Escalation)
	if !open {
		return
	}
	b.Task.Postponed = old.Postponed
	t.s.Tasks = t.s.withTask(b.Task)
	switch {
	case b.Hidden:
		m := t.taskMessage("task", b.Task)
		m.Replaces = taskKey(b.Task.Escalation)
		t.send(m)
	default:
		t.send(Message{
			Text:  t.say.Say("task_joined", texts.Data{"Name": t.name(b.Joined), "Question": b.Task.Text, "Count": len(b.Task.Names)}),
			About: b.Task.Escalation,
		})
	}
}

func (t *turn) taskGone(b TaskGone) {
	_, open := t.s.task(b.Escalation)
	t.forget(b.Escalation)
	if open && !b.Silent {
		t.reply("task_gone", texts.Data{"Question": b.Text})
	}
}

// forget removes a task and the draft about it.
func (t *turn) forget(escalation int64) {
	t.s.Tasks = t.s.withoutTask(escalation)
	if d := t.s.Draft; d != nil && d.Escalation == escalation && d.Kind != DraftEdit {
		t.s.Draft = nil
	}
}

func (t *turn) detail(b Detail) {
	t.send(Message{
		Text:  t.say.Say("detail", texts.Data{"Name": t.name(b.Name), "Question": b.Question}) + "\n\n" + quote(b.Text),
		About: b.Escalation,
	})
}

// taskRead goes on with an escalation that had to be looked up.
func (t *turn) taskRead(b TaskRead) {
	switch b.Then {
	case HasEntry:
		t.s.Draft = &Draft{Kind: DraftLookup, Escalation: b.Task.Escalation, Question: b.Task.Question, Title: b.Task.Text, Last: t.e.At}
		t.look(Search{Text: b.Task.Text, Purpose: ForExisting, Escalation: b.Task.Escalation})
	default: // a question that this chat had lost sight of
		t.s.Tasks = t.s.withTask(b.Task)
		t.take(Press{Verb: TakeTask, Escalation: b.Task.Escalation})
	}
}

// foundExisting offers entries that may answer an escalated question already.
func (t *turn) foundExisting(b Found) {
	var buttons []Button
	for _, c := range b.Result.Matches {
		buttons = append(buttons, Button{Label: short(c.Text), Press: Press{Verb: PickEntry, Escalation: b.Search.Escalation, Question: c.ID}})
	}
	id := "existing_choose"
	if len(buttons) == 0 {
		id = "existing_none"
	}
	buttons = append(buttons, t.button("button_drop", Press{Verb: DraftDrop}))
	t.send(Message{Text: t.say.Say(id, texts.Data{"Question": b.Search.Text}), Sections: []Section{{Choice: true, Buttons: buttons}}})
}

func (t *turn) seniors(b Seniors) {
	if len(b.Others) == 0 {
		t.reply("no_other_senior", nil)
		return
	}
	var buttons []Button
	for _, p := range b.Others {
		buttons = append(buttons, Button{Label: p.Name, Press: Press{Verb: PassTo, Escalation: b.Escalation, Person: p.ID}})
	}
	t.send(Message{Text: t.say.Say("pass_to_whom", nil), Sections: []Section{{Choice: true, Buttons: buttons}}})
}

func (t *turn) tooLate(b TooLate) {
	t.forget(b.Escalation)
	by := b.Question.Answer.ByName
	switch {
	case b.Question.Status.Answered() && by != "":
		t.reply("too_late", texts.Data{"Question": b.Question.Text, "Senior": by})
	default:
		t.reply("task_gone", texts.Data{"Question": b.Question.Text})
	}
}

func (t *turn) taskEnded(b TaskEnded) {
	t.forget(b.Escalation)
	if b.PassedTo != "" {
		t.reply("passed", texts.Data{"Senior": b.PassedTo})
		return
	}
	t.reply("task_dismissed", nil)
}

func (t *turn) taskPostponed(b TaskPostponed) {
	if task, ok := t.s.task(b.Escalation); ok {
		task.Postponed = true
		t.s.Tasks = t.s.withTask(task)
	}
	t.out = append(t.out, Wake{At: b.Due, Body: Due{Escalation: b.Escalation}})
	t.reply("postponed", texts.Data{"Time": b.Due.In(t.manner.Zone).Format("15:04")})
}

// replyDone asks the searcher for proof that the question is found from now on.
func (t *turn) replyDone(b ReplyDone) {
	if b.Escalation != 0 {
		t.forget(b.Escalation)
	}
	q := b.Replied.Question
	t.look(Prove{Question: q.ID, Entry: q.Text, Wording: b.Replied.Wording, Names: b.Replied.Names, Changed: b.Changed})
}

// proved reports to the senior what came of the reply.
func (t *turn) proved(b Proved) {
	p := b.Prove
	parts := []string{t.told(p)}
	if !p.Changed {
		parts = append(parts, t.say.Say("in_base", nil))
	}
	parts = append(parts, t.say.Say(pick(b.Found, "proof", "proof_missing"), texts.Data{"Wording": p.Wording}))
	t.send(Message{Text: strings.Join(parts, " "), Sections: []Section{{Buttons: []Button{
		t.button("button_edit", Press{Verb: EditAnswer, Question: p.Question, Text: p.Entry}),
		t.button("button_keep_out", Press{Verb: KeepOut, Question: p.Question}),
		t.button("button_make_faq", Press{Verb: MakeFAQ, Question: p.Question}),
	}}}})
}

// told says to whom the answer went.
func (t *turn) told(p Prove) string {
	if len(p.Names) == 0 {
		return t.say.Say(pick(p.Changed, "revised_nobody", "replied_nobody"), nil)
	}
	data := texts.Data{"Name": t.name(p.Names[0]), "Count": len(p.Names) - 1}
	id := pick(p.Changed, "revised", "replied")
	if len(p.Names) > 1 {
		id += "_many"
	}
	return t.say.Say(id, data)
}

func (t *turn) entrySet(b EntrySet) {
	q := b.Question
	data := texts.Data{"Question": q.Text}
	switch b.To {
	case KeepOut:
		t.send(Message{Text: t.say.Say("kept_out", data), Sections: []Section{{Buttons: []Button{
			t.button("button_put_back", Press{Verb: PutBack, Question: q.ID}),
		}}}})
	case PutBack:
		t.reply("put_back", data)
	default:
		t.reply(pick(q.Status == knowledge.FAQ, "made_faq", "not_in_base"), data)
	}
}
