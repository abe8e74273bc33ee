package bot

import (
	"github.com/nastavnik-bot/nastavnik/bot/texts"
)

// pressed handles a press of a button, however old its message is.
func (t *turn) pressed(b Pressed) {
	if t.pressable(b) {
		t.press(b)
	}
}

// pressable reports whether a button still does something, and says why not.
func (t *turn) pressable(b Pressed) bool {
	switch {
	case b.Foreign:
		t.alone(Message{Text: t.say.Say("button_foreign", nil)})
	case b.Button == nil:
		t.reply("button_unknown", nil)
	case b.Taken == b.Button.Label: // a double press does nothing twice
	case b.Taken != "":
		t.taken(b)
	default:
		return true
	}
	return false
}

func (t *turn) press(b Pressed) {
	t.heardAgain()
	t.out = append(t.out, Mark{b.ID})
	if !t.askerPress(b.Button.Press) {
		t.seniorPress(b.Button.Press)
	}
}

// taken says why a button does nothing: another of its choice has been pressed.
func (t *turn) taken(b Pressed) {
	data := texts.Data{"Chosen": b.Taken, "Label": b.Button.Label}
	switch b.Button.Press.Verb {
	case OpenEntry:
		t.reply("taken_entry", data)
	case NotMine:
		t.reply("taken_none", data)
	case SayHelped, SayNot:
		t.reply("taken_feedback", data)
	default:
		t.reply("taken", data)
	}
}

// askerPress does what an employee's button says.
func (t *turn) askerPress(p Press) bool {
	switch p.Verb {
	case OpenEntry:
		t.s.Detail = ""
		if p.Ask != 0 {
			t.do(RecordPick{Ask: p.Ask, Question: p.Question})
		}
		t.look(Show{Ask: p.Ask, Asked: p.Asked, Question: p.Question})
	case SayHelped:
		t.do(RecordFeedback{Ask: p.Ask, Question: p.Question, Asked: p.Asked, Helped: true})
	case SayNot:
		t.do(RecordFeedback{Ask: p.Ask, Question: p.Question, Asked: p.Asked})
	case NotMine:
		if p.Ask == 0 {
			t.reply("write_question", nil)
			break
		}
		t.s.Detail = ""
		t.do(ReadAsk{Ask: p.Ask, Then: NotMine})
	case JoinOpen:
		t.do(Join{Ask: p.Ask, Question: p.Question})
	case SendMine:
		t.do(Escalate{Ask: p.Ask, Apart: p.Question})
	case FAQTopic:
		t.do(ReadFAQ{For: FAQOfTopic, Topic: p.Topic, Limit: listLimit})
	default:
		return t.waitingPress(p)
	}
	return true
}

// waitingPress does what a button says that concerns a question on its way.
func (t *turn) waitingPress(p Press) bool {
	switch p.Verb {
	case AddDetails:
		t.s.Detail, t.s.DetailAt = p.Question, t.e.At
		t.reply("details_please", nil)
	case CancelWait:
		t.s.Detail = ""
		t.do(Cancel{Question: p.Question})
	case HideName:
		t.do(Hide{Question: p.Question})
	default:
		return false
	}
	return true
}

// seniorPress does what a senior's button says.
func (t *turn) seniorPress(p Press) {
	switch p.Verb {
	case TakeTask:
		t.take(p.Escalation)
	case DraftDone:
		t.donePress(p)
	case DraftDrop:
		t.dropPress(p)
	case HasEntry:
		t.do(ReadTask{Escalation: p.Escalation, Then: HasEntry})
	case PickEntry:
		t.look(Guard{PointTo: &PointTo{Escalation: p.Escalation, Question: p.Question}})
	case ShowTask:
		t.do(ReadTask{Escalation: p.Escalation, Then: ShowTask})
	default:
		if !t.awayPress(p) && !t.heldPress(p) {
			t.answeredPress(p)
		}
	}
}

// awayPress does what a button says that takes a question away from its senior, for
// a while or for good.
func (t *turn) awayPress(p Press) bool {
	switch p.Verb {
	case PassOn:
		t.do(ReadSeniors{Escalation: p.Escalation})
	case PassTo:
		t.do(Pass{Escalation: p.Escalation, To: p.Person})
	case Later:
		due := t.opens(t.e.Person, t.e.At.Add(t.manner.Later))
		t.do(Postpone{Escalation: p.Escalation, Delay: due.Sub(t.e.At)})
	case NotOnTopic:
		t.do(Dismiss{Escalation: p.Escalation})
	default:
		return false
	}
	return true
}

// answeredPress does what a button says that concerns an answer already given.
func (t *turn) answeredPress(p Press) {
	switch p.Verb {
	case EditAnswer:
		t.edit(p)
	case KeepOut, PutBack, MakeFAQ:
		t.do(SetEntry{Question: p.Question, To: p.Verb, Escalation: p.Escalation})
	case ChooseTopic:
		t.do(ReadTopics{Question: p.Question, Escalation: p.Escalation})
	case PickTopic:
		t.do(SetTopic{Question: p.Question, Topic: p.Topic, Escalation: p.Escalation})
	case ReplaceEntry, MergeEntries:
		t.combine(p)
	case HeldYes, HeldNo:
		t.do(DecideHeld{Reviews: p.Reviews, Accept: p.Verb == HeldYes, Escalation: p.Escalation})
	default:
		t.reply("button_unknown", nil)
	}
}
