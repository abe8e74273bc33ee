package bot

import (
	"strings"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// assigned brings the senior a question.
func (t *turn) assigned(task Task) {
	if !t.s.Greeted {
		t.s.Greeted = true
		t.reply("intro_senior", nil)
	}
	t.s.Tasks = t.s.withTask(task)
	t.crossDraft(task.Escalation)
	t.sendAs(taskKey(task.Escalation), t.taskMessage("task", task))
}

// crossDraft notes that a question has come while another one is being answered.
func (t *turn) crossDraft(escalation int64) {
	if d := t.s.Draft; d != nil && d.Escalation != escalation {
		crossed := *d
		crossed.Crossed = true
		t.s.Draft = &crossed
	}
	if h := t.s.Held; h != nil {
		crossed := *h
		crossed.Crossed = true
		t.s.Held = &crossed
	}
}

// due brings a question back that was put back until now.
func (t *turn) due(b Due) {
	task, open := t.s.task(b.Escalation)
	if !open || task.Until.IsZero() || task.Until.After(t.e.At) {
		return // settled, or put back once more
	}
	task.Until = time.Time{}
	t.s.Tasks = t.s.withTask(task)
	t.crossDraft(task.Escalation)
	t.send(t.taskMessage("task_again", task))
}

// taskChanged shows that who asks has changed.
func (t *turn) taskChanged(b TaskChanged) {
	old, open := t.s.task(b.Task.Escalation)
	if !open {
		return
	}
	b.Task.Until = old.Until
	t.s.Tasks = t.s.withTask(b.Task)
	switch b.Kind {
	case NameDropped:
		m := t.taskMessage("task", b.Task)
		m.Replaces = taskKey(b.Task.Escalation)
		t.send(m)
	case AskerJoined:
		text := t.say.Say("task_joined", texts.Data{"Name": t.name(b.Name), "Question": title(b.Task.Text), "Count": len(b.Task.Names)})
		if knowledge.FoldText(b.Wording) != knowledge.FoldText(b.Task.Text) {
			text += "\n\n" + quote(b.Wording)
		}
		t.send(Message{Text: text, About: b.Task.Escalation})
	case AskerLeft: // others still wait: nothing for the senior to do
	}
}

// taskGone tells the senior that a question has been settled by somebody else.
func (t *turn) taskGone(b TaskGone) {
	if _, open := t.s.task(b.Escalation); !open {
		return
	}
	lost := t.forget(b.Escalation)
	t.s.Over = &Over{Title: b.Text, At: t.e.At}
	text := t.say.Say(pick(b.By != "", "task_answered", "task_gone"), texts.Data{"Question": title(b.Text), "Senior": b.By})
	t.send(Message{Text: text + t.notSent(lost)})
}

// forget removes a task and the draft about it, and returns what was written.
func (t *turn) forget(escalation int64) (lost string) {
	t.s.Tasks = t.s.withoutTask(escalation)
	return t.dropDraftOf(escalation)
}

// dropDraftOf ends the draft about a task, as what is put off or settled must not
// be sent by silence, and returns what was written.
func (t *turn) dropDraftOf(escalation int64) (lost string) {
	if d := t.s.Draft; d != nil && d.Escalation == escalation && d.Kind != DraftEdit {
		lost = d.text()
		t.s.Draft = nil
	}
	return lost
}

// notSent says that a text has reached nobody, with the space before it.
func (t *turn) notSent(text string) string {
	if text == "" {
		return ""
	}
	return " " + t.say.Say("not_sent", texts.Data{"Text": title(text)})
}

// detail brings the senior what an asker has added.
func (t *turn) detail(b Detail) {
	a := Addition{Name: b.Name, Text: b.Text}
	if task, open := t.s.task(b.Escalation); open {
		task.Details = append(append([]Addition(nil), task.Details...), a)
		t.s.Tasks = t.s.withTask(task)
	}
	t.send(Message{
		Text:  t.say.Say("detail", texts.Data{"Name": t.name(b.Name), "Question": title(b.Question)}) + "\n\n" + quote(b.Text),
		About: b.Escalation,
	})
}

// taskRead goes on with an escalation that had to be looked up.
func (t *turn) taskRead(b TaskRead) {
	switch b.Then {
	case HasEntry:
		lost := ""
		if d := t.s.Draft; d != nil && d.Kind == DraftReply && d.Escalation == b.Task.Escalation {
			lost = d.text() // the entry is the answer instead
			t.s.Draft = nil
		}
		t.settleDraft()
		if lost != "" {
			t.reply("not_sent", texts.Data{"Text": title(lost)})
		}
		t.s.Draft = &Draft{Kind: DraftLookup, Escalation: b.Task.Escalation, Question: b.Task.Question, Title: b.Task.Text, Last: t.e.At}
		t.look(Search{Text: b.Task.Text, Purpose: ForExisting, Escalation: b.Task.Escalation})
	default: // a question that this chat had lost sight of
		t.s.Tasks = t.s.withTask(b.Task)
		if b.Text != "" {
			t.draftReply(b.Task.Escalation, b.Text)
			return
		}
		t.take(b.Task.Escalation)
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
	buttons = append(buttons, t.button("button_take_self", Press{Verb: TakeTask, Escalation: b.Search.Escalation}))
	t.send(Message{Text: t.say.Say(id, texts.Data{"Question": title(b.Search.Text)}), Sections: []Section{{Choice: true, Buttons: buttons}}})
}

// entryGone offers what else there is when the entry chosen has just been taken
// out of the base.
func (t *turn) entryGone(b EntryGone) {
	t.reply("entry_gone", nil)
	if task, open := t.s.task(b.Escalation); open {
		t.look(Search{Text: task.Text, Purpose: ForExisting, Escalation: b.Escalation})
	}
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

// tooLate says what has become of a question that is not the senior's any more.
func (t *turn) tooLate(b TooLate) {
	lost := t.forget(b.Escalation)
	if b.Text != "" {
		lost = b.Text
	}
	t.s.Over = nil
	q := b.Question
	data := texts.Data{"Question": title(q.Text), "Senior": q.Answer.ByName}
	var m Message
	switch {
	case q.Answer.ID != 0 && q.Answer.Author == t.e.Person.ID:
		m.Text = t.say.Say("answered_by_you", data)
		m.Sections = []Section{{Buttons: []Button{t.button("button_edit", Press{Verb: EditAnswer, Question: q.ID, Text: q.Text})}}}
	case q.Status.Answered():
		m.Text = t.say.Say(pick(q.Answer.ByName != "", "task_answered", "task_gone"), data)
	case q.Status == knowledge.AwaitingSenior:
		m.Text = t.say.Say("task_elsewhere", data)
	default:
		m.Text = t.say.Say("task_gone", data)
	}
	m.Text += t.notSent(lost)
	t.send(m)
}

// taskEnded says that the senior is rid of a question.
func (t *turn) taskEnded(b TaskEnded) {
	lost := t.forget(b.Escalation)
	text := t.say.Say(pick(b.PassedTo != "", "passed", "task_dismissed"), texts.Data{"Senior": b.PassedTo})
	t.send(Message{Text: text + t.notSent(lost)})
}

func (t *turn) taskPostponed(b TaskPostponed) {
	if task, ok := t.s.task(b.Escalation); ok {
		task.Until = b.Due
		t.s.Tasks = t.s.withTask(task)
	}
	t.out = append(t.out, Wake{At: b.Due, Body: Due{Escalation: b.Escalation}})
	text := t.say.Say("postponed", texts.Data{"Time": b.Due.In(t.manner.Zone).Format("15:04")})
	t.send(Message{Text: text + t.notSent(t.dropDraftOf(b.Escalation))})
}

// replyDone asks the searcher for proof that the question is found from now on.
func (t *turn) replyDone(b ReplyDone) {
	if b.Escalation != 0 {
		t.forget(b.Escalation)
	}
	q := b.Replied.Question
	p := Prove{Question: q.ID, Entry: q.Text, Wording: b.Replied.Wording, Names: b.Replied.Names, Changed: b.Changed, Pointed: b.Pointed}
	if len(b.Held) > 0 {
		t.held(p, b.Held)
		return
	}
	if !q.Status.Answered() { // kept out of the base: not to be found
		t.send(Message{Text: t.told(p), Sections: []Section{{Buttons: []Button{t.editButton(p), t.button("button_put_back", Press{Verb: PutBack, Question: p.Question})}}}})
		return
	}
	t.look(p)
}

// proved reports to the senior what came of the reply.
func (t *turn) proved(b Proved) {
	p := b.Prove
	var parts []string
	buttons := []Button{t.editButton(p)}
	if !p.Accepted {
		parts = append(parts, t.told(p))
	}
	switch {
	case p.Learned:
		parts = append(parts, t.say.Say("held_wording_accepted", texts.Data{"Wording": title(p.Wording)}))
	case !p.Changed && !p.Pointed:
		parts = append(parts, t.say.Say("in_base", nil))
	}
	if !p.Pointed && !p.Learned { // an entry that was there before is not taken out by the way
		buttons = append(buttons, t.button("button_keep_out", Press{Verb: KeepOut, Question: p.Question}))
	}
	buttons = append(buttons, t.button("button_make_faq", Press{Verb: MakeFAQ, Question: p.Question}))
	parts = append(parts, t.say.Say(pick(b.Found, "proof", "proof_missing"), texts.Data{"Wording": title(p.Wording)}))
	t.send(Message{Text: strings.Join(parts, " "), Sections: []Section{{Buttons: buttons}}})
}

func (t *turn) editButton(p Prove) Button {
	return t.button("button_edit", Press{Verb: EditAnswer, Question: p.Question, Text: p.Entry})
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
	data := texts.Data{"Question": title(q.Text)}
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
