package bot

import (
	"slices"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// assigned brings the senior a question, in their working hours.
func (t *turn) assigned(task Task) {
	if !t.atWork() {
		t.sleep(task)
		return
	}
	t.bring("task", task)
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
	switch {
	case !open || task.Until.IsZero() || task.Until.After(t.e.At): // settled, or put back once more
	case !t.atWork():
		t.sleep(task)
	default:
		t.bring("task_again", task)
	}
}

// quiet reports whether news of a question have to wait for the senior's working
// hours; they do not while the senior is at it.
func (t *turn) quiet(escalation int64) bool {
	d := t.s.Draft
	return !t.atWork() && (d == nil || d.Escalation != escalation)
}

// taskChanged shows that who asks has changed.
func (t *turn) taskChanged(b TaskChanged) {
	e := b.Task.Escalation
	old, asleep := t.s.asleep(e)
	if !asleep {
		var open bool
		if old, open = t.s.task(e); !open {
			return
		}
	}
	task := b.Task
	task = task.as(old)
	if b.Kind == NameDropped && task.Shown {
		m := t.taskMessage("task", task)
		m.Replaces = t.taskKey(e)
		t.send(m)
	}
	switch {
	case asleep:
		t.s.Asleep = withTask(t.s.Asleep, task)
	case b.Kind == AskerJoined && t.quiet(e):
		t.sleep(task)
	default:
		t.s.Tasks = withTask(t.s.Tasks, task)
		if b.Kind == AskerJoined && task.Shown {
			t.askerJoined(b)
		}
	}
}

// askerJoined tells who waits too. That somebody does no longer, while others do, gives
// the senior nothing to do.
func (t *turn) askerJoined(b TaskChanged) {
	text := t.say.Say("task_joined", texts.Data{"Name": t.name(b.Name), "Question": title(b.Task.Text), "Count": len(b.Task.Names)})
	if knowledge.FoldText(b.Wording) != knowledge.FoldText(b.Task.Text) {
		text += "\n\n" + quote(b.Wording)
	}
	t.tell(b.Task.Escalation, Message{Text: text})
	t.taskFiles(b.Task.Escalation, b.Task.Files)
}

// taskGone tells the senior that a question has been settled by somebody else.
func (t *turn) taskGone(b TaskGone) {
	if task, asleep := t.s.asleep(b.Escalation); asleep {
		if !task.Shown { // nobody has seen it
			t.s.Asleep = withoutTask(t.s.Asleep, b.Escalation)
		}
		return
	}
	task, open := t.s.task(b.Escalation)
	if !open {
		return
	}
	if t.quiet(b.Escalation) {
		t.sleep(task) // the morning will tell
		return
	}
	lost := t.forget(b.Escalation)
	t.s.Over = &Over{Title: b.Text, At: t.e.At}
	data := texts.Data{"Question": title(b.Text), "Senior": b.By}
	text := t.say.Say(pick(b.By != "", "task_answered", "task_gone"), data)
	if b.To != "" {
		text = t.say.Say("task_elsewhere", data)
	}
	t.tell(b.Escalation, Message{Text: text + t.notSent(lost)})
}

// forget removes a task and the draft about it, and returns what was written.
func (t *turn) forget(escalation int64) (lost []Part) {
	t.s.Tasks = withoutTask(t.s.Tasks, escalation)
	t.s.Asleep = withoutTask(t.s.Asleep, escalation)
	return t.dropDraftOf(escalation)
}

// dropDraftOf ends the draft about a task, as what is put off or settled must not
// be sent by silence, and returns what was written.
func (t *turn) dropDraftOf(escalation int64) (lost []Part) {
	if d := t.s.Draft; d != nil && d.Escalation == escalation && d.Kind != DraftEdit {
		lost = d.Parts
		t.s.Draft = nil
	}
	return lost
}

// notSent says that what was written has reached nobody, with the space before it.
func (t *turn) notSent(parts []Part) string {
	if len(parts) == 0 {
		return ""
	}
	return " " + t.say.Say("not_sent", texts.Data{"Text": title(gist(parts))})
}

// detail brings the senior what an asker has added.
func (t *turn) detail(b Detail) {
	a := Addition{Name: b.Name, Text: b.Text}
	if a.Text == "" {
		a.Text = fileNames(b.Files)
	}
	task, asleep := t.s.asleep(b.Escalation)
	if !asleep {
		task, _ = t.s.task(b.Escalation)
	}
	if task.Escalation != 0 {
		task.Files = append(append([]SentFile(nil), task.Files...), b.Files...)
		task.Details = append(append([]Addition(nil), task.Details...), a)
		if asleep || t.quiet(b.Escalation) {
			t.sleep(task)
			return
		}
		t.s.Tasks = withTask(t.s.Tasks, task)
		if !task.Shown {
			return // it stands in the question, when that is looked at
		}
	}
	if !b.Quiet {
		t.tell(b.Escalation, Message{
			Text: t.say.Say("detail", texts.Data{"Name": t.name(b.Name), "Question": title(b.Question)}) + "\n\n" + quote(a.Text),
		})
	}
	t.taskFiles(b.Escalation, b.Files)
}

// taskFiles sends the files of those who ask beneath their question, each once.
func (t *turn) taskFiles(escalation int64, files []SentFile) {
	task, open := t.s.task(escalation)
	var fresh []SentFile
	for _, f := range files {
		if !slices.Contains(task.Sent, f.Key) {
			fresh = append(fresh, f)
			task.Sent = append(slices.Clone(task.Sent), f.Key)
		}
	}
	if open {
		t.s.Tasks = withTask(t.s.Tasks, task)
	}
	t.sendFiles(Message{About: escalation, Beneath: t.taskKey(escalation)}, fresh)
}

// taskRead goes on with an escalation that had to be looked up.
func (t *turn) taskRead(b TaskRead) {
	task := t.asShown(b.Task)
	e := task.Escalation
	t.s.Asleep = withoutTask(t.s.Asleep, e)
	t.s.Tasks = withTask(t.s.Tasks, task)
	switch b.Then {
	case HasEntry:
		t.lookForEntry(b)
	case FillIn:
		lost := t.dropDraftOf(e) // the form has the whole answer
		t.settleDraft()
		if len(lost) > 0 {
			t.tell(e, Message{Text: t.say.Say("not_sent", texts.Data{"Text": title(gist(lost))})})
		}
		t.s.Draft = &Draft{Kind: DraftReply, Escalation: e, Question: task.Question, Title: task.Text, Parts: b.Parts, Last: t.e.At}
		t.finishDraft()
	case ShowTask:
		first := !task.Shown
		task.Shown = true
		t.s.Tasks = withTask(t.s.Tasks, task)
		t.show("task_shown", task, first)
	default: // a question that this chat had lost sight of
		if len(b.Parts) > 0 {
			t.draftReply(e, b.Parts...)
			return
		}
		t.take(e)
	}
}

// asShown returns a task that was read anew with what the chat knows of it.
func (t *turn) asShown(task Task) Task {
	old, ok := t.s.task(task.Escalation)
	if !ok {
		old, ok = t.s.asleep(task.Escalation)
	}
	if ok {
		task = task.as(old)
	}
	return task
}

// lookForEntry begins the search for the entry that answers a question already, by
// the question's own words or by those that the senior has given.
func (t *turn) lookForEntry(b TaskRead) {
	e := b.Task.Escalation
	var lost []Part
	if d := t.s.Draft; d != nil && d.Kind == DraftReply && d.Escalation == e {
		lost = d.Parts // the entry is the answer instead
		t.s.Draft = nil
	}
	t.settleDraft()
	if len(lost) > 0 {
		t.tell(e, Message{Text: t.say.Say("not_sent", texts.Data{"Text": title(gist(lost))})})
	}
	t.s.Draft = &Draft{Kind: DraftLookup, Escalation: e, Question: b.Task.Question, Title: b.Task.Text, Last: t.e.At}
	words := b.Task.Text
	if text := textOf(b.Parts); text != "" {
		words = text
	}
	t.lookUp(e, words)
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
	t.tell(b.Search.Escalation, Message{Text: t.say.Say(id, texts.Data{"Question": title(b.Search.Text)}), Sections: []Section{{Choice: true, Buttons: buttons}}})
}

// entryGone offers what else there is when the entry chosen has just been taken
// out of the base.
func (t *turn) entryGone(b EntryGone) {
	t.tell(b.Escalation, Message{Text: t.say.Say("entry_gone", nil)})
	if task, open := t.s.task(b.Escalation); open {
		t.look(Search{Text: task.Text, Purpose: ForExisting, Escalation: b.Escalation})
	}
}

func (t *turn) seniors(b Seniors) {
	if len(b.Others) == 0 {
		t.tell(b.Escalation, Message{Text: t.say.Say("no_other_senior", nil)})
		return
	}
	var buttons []Button
	for _, p := range b.Others {
		buttons = append(buttons, Button{Label: p.Name, Press: Press{Verb: PassTo, Escalation: b.Escalation, Person: p.ID}})
	}
	t.tell(b.Escalation, Message{Text: t.say.Say("pass_to_whom", nil), Sections: []Section{{Choice: true, Buttons: buttons}}})
}

// tooLate says what has become of a question that is not the senior's any more.
func (t *turn) tooLate(b TooLate) {
	lost := t.forget(b.Escalation)
	if len(b.Parts) > 0 {
		lost = b.Parts
	}
	t.s.Over = nil
	q := b.Question
	data := texts.Data{"Question": title(q.Text), "Senior": q.Answer.ByName}
	var m Message
	switch {
	case q.Answer.ID != 0 && q.Answer.Author == t.e.Person.ID:
		m.Text = t.say.Say("answered_by_you", data)
		m.Sections = []Section{{Buttons: []Button{t.button("button_edit", Press{Verb: EditAnswer, Question: q.ID, Escalation: b.Escalation, Text: q.Text})}}}
	case q.Status.Answered():
		m.Text = t.say.Say(pick(q.Answer.ByName != "", "task_answered", "task_gone"), data)
	case q.Status == knowledge.AwaitingSenior:
		m.Text = t.say.Say("task_elsewhere", data)
	default:
		m.Text = t.say.Say("task_gone", data)
	}
	m.Text += t.notSent(lost)
	t.tell(b.Escalation, m)
}

// taskEnded says that the senior is rid of a question.
func (t *turn) taskEnded(b TaskEnded) {
	task, _ := t.s.task(b.Escalation)
	lost := t.forget(b.Escalation)
	data := texts.Data{"Senior": b.PassedTo, "Question": title(task.Text)}
	text := t.say.Say(pick(b.PassedTo != "", "passed", "task_dismissed"), data)
	if b.Overdue {
		text = t.say.Say("task_overdue", data)
	}
	t.tell(b.Escalation, Message{Text: text + t.notSent(lost)})
}

func (t *turn) taskPostponed(b TaskPostponed) {
	if task, ok := t.s.task(b.Escalation); ok {
		task.Until, task.Next = b.Due, time.Time{} // nobody is reminded of it meanwhile
		t.s.Tasks = withTask(t.s.Tasks, task)
	}
	t.out = append(t.out, Wake{At: b.Due, Body: Due{Escalation: b.Escalation}})
	text := t.say.Say("postponed", texts.Data{"Time": t.at(b.Due)})
	t.tell(b.Escalation, Message{Text: text + t.notSent(t.dropDraftOf(b.Escalation))})
}
