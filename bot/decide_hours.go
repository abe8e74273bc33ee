package bot

import (
	"strings"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// opens returns when somebody's working hours begin: at itself when it is in them, and
// for who has none.
func (t *turn) opens(p knowledge.Person, at time.Time) time.Time {
	if next := t.manner.Routing.Schedule(p).Next(at); next.After(at) {
		return next
	}
	return at
}

// atWork reports whether the person of the chat may be written to at this hour.
func (t *turn) atWork() bool { return !t.opens(t.e.Person, t.e.At).After(t.e.At) }

// zone is the time zone in which the person of the chat is shown times.
func (t *turn) zone() *time.Location {
	if t.e.Person.Zone != "" {
		if z, err := time.LoadLocation(t.e.Person.Zone); err == nil {
			return z
		}
	}
	return t.manner.Zone
}

// at shows a moment: the time of today, of tomorrow, or of a later day.
func (t *turn) at(at time.Time) string {
	at, now := at.In(t.zone()), t.e.At.In(t.zone())
	data := texts.Data{"Time": at.Format("15:04"), "Date": t.date(at)}
	switch day := at.Format(time.DateOnly); day {
	case now.Format(time.DateOnly):
		return t.say.Say("at_today", data)
	case now.AddDate(0, 0, 1).Format(time.DateOnly):
		return t.say.Say("at_tomorrow", data)
	}
	return t.say.Say("at_date", data)
}

// bring shows the senior a question that has come to them, and sees to it that they
// are reminded.
func (t *turn) bring(id string, task Task) {
	t.greetSenior()
	first := !task.Shown
	task.Shown, task.From, task.Until = true, t.e.At, time.Time{}
	t.s.Asleep = withoutTask(t.s.Asleep, task.Escalation)
	t.s.Tasks = withTask(t.s.Tasks, t.armed(task))
	t.crossDraft(task.Escalation)
	t.show(id, task, first)
}

// show shows a question with the files of those who ask that are new: beneath the
// message that brought it, unless this is that.
func (t *turn) show(id string, task Task, first bool) {
	if first {
		t.sendAs(t.taskKey(task.Escalation), t.taskMessage(id, task))
	} else {
		t.tell(task.Escalation, t.taskMessage(id, task))
	}
	t.taskFiles(task.Escalation, task.Files)
}

func (t *turn) greetSenior() {
	if !t.s.Greeted {
		t.s.Greeted = true
		t.reply("intro_senior", nil)
	}
}

// sleep keeps a question of which there is news until the senior's working hours.
func (t *turn) sleep(task Task) {
	t.s.Tasks = withoutTask(t.s.Tasks, task.Escalation)
	t.s.Asleep = withTask(t.s.Asleep, task)
	t.awaitMorning()
}

func (t *turn) awaitMorning() {
	at := t.opens(t.e.Person, t.e.At)
	if t.s.Morning.Equal(at) || len(t.s.Asleep) == 0 {
		return
	}
	t.s.Morning = at
	t.out = append(t.out, Wake{At: at, Body: Morning{At: at}})
}

// morning begins the working hours. What has been settled since is left out.
func (t *turn) morning(b Morning) {
	if !b.At.Equal(t.s.Morning) {
		return
	}
	t.s.Morning = time.Time{}
	if !t.atWork() { // the hours have been changed
		t.awaitMorning()
		return
	}
	t.do(Refill{})
	var ids []int64
	for _, task := range t.s.Asleep {
		ids = append(ids, task.Escalation)
	}
	if len(ids) > 0 {
		t.do(ReadTasks{Escalations: ids})
	}
}

// tasksRead brings what has come outside the working hours: one question as it is,
// several in one message.
func (t *turn) tasksRead(b TasksRead) {
	asleep := t.s.Asleep
	t.s.Asleep = nil
	var tasks []Task
	var gone []string
	for _, old := range asleep {
		task, open := findTask(b.Tasks, old.Escalation)
		switch {
		case open:
			task = task.as(old)
			tasks = append(tasks, task)
		case old.Shown:
			gone = append(gone, "«"+title(old.Text)+"»")
		}
	}
	switch {
	case len(tasks) == 1 && len(gone) == 0:
		t.bring(newsOfTask(tasks[0]), tasks[0])
	case len(tasks)+len(gone) > 0:
		t.digest(tasks, gone)
	}
}

// newsOfTask names the text that says why a question is shown.
func newsOfTask(task Task) string {
	switch {
	case !task.Until.IsZero():
		return "task_again"
	case task.Shown:
		return "task_news"
	default:
		return "task"
	}
}

// digest tells of several questions at once, with a button for each.
func (t *turn) digest(tasks []Task, gone []string) {
	t.greetSenior()
	var parts []string
	var buttons []Button
	fresh := 0
	for _, task := range tasks {
		if !task.Shown {
			fresh++
		}
		task.From, task.Until = t.e.At, time.Time{}
		t.s.Tasks = withTask(t.s.Tasks, t.armed(task))
		t.crossDraft(task.Escalation)
		buttons = append(buttons, Button{Label: short(t.name(firstName(task)) + ": " + task.Text), Press: Press{Verb: ShowTask, Escalation: task.Escalation}})
	}
	if fresh > 0 {
		parts = append(parts, t.say.Say("digest", texts.Data{"Count": fresh}))
	}
	if old := len(tasks) - fresh; old > 0 {
		parts = append(parts, t.say.Say("digest_news", texts.Data{"Count": old}))
	}
	if len(gone) > 0 {
		parts = append(parts, t.say.Say("digest_gone", texts.Data{"Questions": strings.Join(gone, ", ")}))
	}
	m := Message{Text: strings.Join(parts, " ")}
	if len(buttons) > 0 {
		m.Sections = []Section{{Buttons: buttons}}
	}
	t.send(m)
}

// armed sees to it that the senior is reminded of a question, or that it goes on to
// somebody else, when they do not react.
func (t *turn) armed(task Task) Task {
	remind := t.manner.Routing.RemindAt(t.e.Person, task.From)
	over := t.manner.Routing.HandOverAt(t.e.Person, task.From)
	if remind.IsZero() || !over.IsZero() && !over.After(remind) {
		return t.wakeFor(task, over, StageHandOver)
	}
	return t.wakeFor(task, remind, StageRemind)
}

// wakeFor makes something follow from a question that is still open at a time; the
// zero time for nothing.
func (t *turn) wakeFor(task Task, at time.Time, stage Stage) Task {
	if task.Next = at; !at.IsZero() {
		t.out = append(t.out, Wake{At: at, Body: Overdue{Escalation: task.Escalation, Stage: stage, At: at}})
	}
	return task
}

// reacted notes that the senior is at a question: the time begins anew.
func (t *turn) reacted(escalation int64) {
	if task, open := t.s.task(escalation); open {
		task.From = t.e.At
		t.s.Tasks = withTask(t.s.Tasks, t.armed(task))
	}
}

// overdue follows when nobody has reacted to a question. One that is put back, or
// whose answer is being written, is none.
func (t *turn) overdue(b Overdue) {
	task, open := t.s.task(b.Escalation)
	if !open {
		task, open = t.s.asleep(b.Escalation)
	}
	d := t.s.Draft
	switch {
	case !open || !task.Next.Equal(b.At):
	case d != nil && d.Escalation == b.Escalation && len(d.Parts) > 0:
		t.s.Tasks = withTask(t.s.Tasks, t.wakeFor(task, t.e.At.Add(2*t.manner.Silence), b.Stage))
	case b.Stage == StageRemind:
		t.do(Remind{Escalation: b.Escalation})
	default:
		t.do(HandOver{Escalation: b.Escalation})
	}
}

// reminded reminds the senior.
func (t *turn) reminded(b Reminded) {
	task := t.asShown(b.Task)
	over := t.manner.Routing.HandOverAt(t.e.Person, task.From)
	if !over.IsZero() && !over.After(t.e.At) {
		over = t.e.At.Add(time.Minute) // the times have been changed
	}
	t.s.Asleep = withoutTask(t.s.Asleep, task.Escalation)
	t.s.Tasks = withTask(t.s.Tasks, t.wakeFor(task, over, StageHandOver))
	t.show("task_reminder", task, !task.Shown)
}

// taskStays goes on when there is nobody else to hand a question to: it begins anew.
func (t *turn) taskStays(b TaskStays) {
	t.reacted(b.Escalation)
}
