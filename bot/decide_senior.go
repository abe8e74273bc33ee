package bot

import (
	"slices"
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
	t.taskFiles(task.Escalation, task.Files)
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
	t.tell(task.Escalation, t.taskMessage("task_again", task))
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
		t.tell(b.Task.Escalation, Message{Text: text})
		t.taskFiles(b.Task.Escalation, newFiles(b.Task.Files, old.Files))
	case AskerLeft: // others still wait: nothing for the senior to do
	}
}

// newFiles returns the files that were not there before.
func newFiles(files, before []SentFile) []SentFile {
	var out []SentFile
	for _, f := range files {
		if !slices.Contains(before, f) {
			out = append(out, f)
		}
	}
	return out
}

// taskGone tells the senior that a question has been settled by somebody else.
func (t *turn) taskGone(b TaskGone) {
	if _, open := t.s.task(b.Escalation); !open {
		return
	}
	lost := t.forget(b.Escalation)
	t.s.Over = &Over{Title: b.Text, At: t.e.At}
	text := t.say.Say(pick(b.By != "", "task_answered", "task_gone"), texts.Data{"Question": title(b.Text), "Senior": b.By})
	t.tell(b.Escalation, Message{Text: text + t.notSent(lost)})
}

// forget removes a task and the draft about it, and returns what was written.
func (t *turn) forget(escalation int64) (lost []Part) {
	t.s.Tasks = t.s.withoutTask(escalation)
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
	if task, open := t.s.task(b.Escalation); open {
		task.Files = append(append([]SentFile(nil), task.Files...), b.Files...)
		task.Details = append(append([]Addition(nil), task.Details...), a)
		t.s.Tasks = t.s.withTask(task)
	}
	if !b.Quiet {
		t.tell(b.Escalation, Message{
			Text: t.say.Say("detail", texts.Data{"Name": t.name(b.Name), "Question": title(b.Question)}) + "\n\n" + quote(a.Text),
		})
	}
	t.taskFiles(b.Escalation, b.Files)
}

// taskFiles sends the files of those who ask beneath their question.
func (t *turn) taskFiles(escalation int64, files []SentFile) {
	t.sendFiles(Message{About: escalation, Beneath: taskKey(escalation)}, files)
}

// taskRead goes on with an escalation that had to be looked up.
func (t *turn) taskRead(b TaskRead) {
	switch b.Then {
	case HasEntry:
		t.lookForEntry(b)
	case FillIn:
		t.s.Tasks = t.s.withTask(t.asShown(b.Task))
		lost := t.dropDraftOf(b.Task.Escalation) // the form has the whole answer
		t.settleDraft()
		if len(lost) > 0 {
			t.tell(b.Task.Escalation, Message{Text: t.say.Say("not_sent", texts.Data{"Text": title(gist(lost))})})
		}
		t.s.Draft = &Draft{Kind: DraftReply, Escalation: b.Task.Escalation, Question: b.Task.Question, Title: b.Task.Text, Parts: b.Parts, Last: t.e.At}
		t.finishDraft()
	default: // a question that this chat had lost sight of
		t.s.Tasks = t.s.withTask(t.asShown(b.Task))
		if len(b.Parts) > 0 {
			t.draftReply(b.Task.Escalation, b.Parts...)
			return
		}
		t.take(b.Task.Escalation)
	}
}

// asShown returns a task that was read anew with what the chat knows of it.
func (t *turn) asShown(task Task) Task {
	if old, ok := t.s.task(task.Escalation); ok {
		task.Until = old.Until
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
	lost := t.forget(b.Escalation)
	text := t.say.Say(pick(b.PassedTo != "", "passed", "task_dismissed"), texts.Data{"Senior": b.PassedTo})
	t.tell(b.Escalation, Message{Text: text + t.notSent(lost)})
}

func (t *turn) taskPostponed(b TaskPostponed) {
	if task, ok := t.s.task(b.Escalation); ok {
		task.Until = b.Due
		t.s.Tasks = t.s.withTask(task)
	}
	t.out = append(t.out, Wake{At: b.Due, Body: Due{Escalation: b.Escalation}})
	text := t.say.Say("postponed", texts.Data{"Time": b.Due.In(t.manner.Zone).Format("15:04")})
	t.tell(b.Escalation, Message{Text: text + t.notSent(t.dropDraftOf(b.Escalation))})
}
