package bot

import (
	"slices"

	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// edited follows a message that was changed after it had been sent. One that is not
// known any more, or never meant anything, changes nothing.
func (t *turn) edited(b Edited) {
	text, err := knowledge.CleanText(b.Text, knowledge.MaxAnswerRunes)
	if b.Ref == "" || err != nil && b.Text != "" {
		return
	}
	b.Text = text // "" beneath a picture
	change := func(p *Part) { p.Text = text }
	if t.changeDraft(b.Ref, change) || t.changeHeld(b.Ref, change) {
		return
	}
	if g, _, ok := t.given(b.Ref); ok {
		t.do(ReadAnswer{Question: g.Question, Change: b})
		return
	}
	if ask := t.askOf(b.Ref); ask != 0 && text != "" {
		t.do(ChangeAsk{Ask: ask, Ref: b.Ref, Text: text})
	}
}

// deleted follows a message that was deleted. What others have by now stays.
func (t *turn) deleted(b Deleted) {
	if b.Ref == "" {
		return
	}
	remove := func(p *Part) { *p = Part{} }
	if t.changeDraft(b.Ref, remove) || t.changeHeld(b.Ref, remove) || t.forgetKept(b.Ref) {
		return
	}
	if g, _, ok := t.given(b.Ref); ok {
		t.do(ReadAnswer{Question: g.Question, Change: Edited{Ref: b.Ref}, Deleted: true})
		return
	}
	if ask := t.askOf(b.Ref); ask != 0 {
		t.do(ChangeAsk{Ask: ask, Ref: b.Ref})
	}
}

// askOf returns the latest ask that was made with a message, 0 for none. What is said
// next goes to where that was.
func (t *turn) askOf(ref string) int64 {
	for _, p := range slices.Backward(t.s.Places) {
		if p.Ref == ref {
			t.s.Under = p.Under
			return p.Ask
		}
	}
	return 0
}

// changed returns parts with the one of a message changed, and without those that are
// empty now; ok is false when no part is of the message.
func changedParts(parts []Part, ref string, change func(*Part)) (out []Part, ok bool) {
	i := slices.IndexFunc(parts, func(p Part) bool { return p.Ref == ref })
	if i < 0 {
		return parts, false
	}
	out = slices.Clone(parts)
	change(&out[i])
	return slices.DeleteFunc(out, func(p Part) bool { return p.Text == "" && len(p.Files) == 0 }), true
}

// changeDraft changes what is being written. A text of which nothing is left is no
// answer to anything.
func (t *turn) changeDraft(ref string, change func(*Part)) bool {
	if t.s.Draft == nil {
		return false
	}
	parts, ok := changedParts(t.s.Draft.Parts, ref, change)
	if !ok {
		return false
	}
	d := *t.s.Draft
	d.Parts = parts
	if len(parts) == 0 {
		t.dropDraft()
		return true
	}
	d.Last = t.e.At // who corrects is not ready yet
	t.s.Draft = &d
	t.out = append(t.out, Wake{At: t.e.At.Add(t.manner.Silence), Body: Silence{Last: t.e.At}})
	return true
}

// changeHeld changes what waits for its purpose to be named.
func (t *turn) changeHeld(ref string, change func(*Part)) bool {
	if t.s.Held == nil {
		return false
	}
	parts, ok := changedParts(t.s.Held.Parts, ref, change)
	if !ok {
		return false
	}
	h := *t.s.Held
	h.Parts = parts
	t.s.Held = &h
	if len(parts) == 0 {
		t.s.Held = nil
		t.reply("draft_dropped", nil)
	}
	return true
}

// forgetKept forgets files that wait for words.
func (t *turn) forgetKept(ref string) bool {
	if t.s.Kept == nil {
		return false
	}
	parts, ok := changedParts(t.s.Kept.Parts, ref, func(p *Part) { *p = Part{} })
	if ok {
		t.s.Kept = &Kept{Parts: parts, At: t.s.Kept.At}
	}
	return ok
}

// answerRead goes on after a message of a given answer was changed: the answer gets a
// new version, unless it has one already that was written elsewhere.
func (t *turn) answerRead(b AnswerRead) {
	q := b.Question
	g, source, ok := t.given(b.Read.Change.Ref)
	if !ok {
		return
	}
	edit := t.button("button_edit", Press{Verb: EditAnswer, Question: q.ID, Text: q.Text})
	data := texts.Data{"Question": title(q.Text)}
	parts := g.parts(q.Answer.Text)
	switch {
	case b.Read.Deleted:
		buttons := []Button{edit}
		if q.Status.Answered() {
			buttons = append(buttons, t.keepOutButton(Prove{Question: q.ID}))
		}
		t.send(Message{Text: t.say.Say("answer_stays", data), Sections: []Section{{Buttons: buttons}}})
	case parts == nil || q.Answer.Version != g.Version:
		t.send(Message{Text: t.say.Say("edited_too_late", data), Sections: []Section{{Buttons: []Button{edit}}}})
	case parts[source].Text == b.Read.Change.Text: // nothing but its looks
	default:
		parts[source].Text = b.Read.Change.Text
		text := textOf(parts)
		if text == "" {
			return // only its files are left, and they have not changed
		}
		t.look(Guard{Revise: &Revise{Question: q.ID, Text: text, Sources: sourcesOf(parts)}})
	}
}

// askChanged goes on after a message with a question was changed.
func (t *turn) askChanged(b AskChanged) {
	switch {
	case b.Change.Text == "" && b.Waits && !b.Detail:
		t.send(Message{
			Text:     t.say.Say("deleted_still_waits", texts.Data{"Question": title(b.Question.Text)}),
			Sections: []Section{{Buttons: []Button{t.button("button_cancel", Press{Verb: CancelWait, Question: b.Question.ID})}}},
		})
	case b.Change.Text == "": // there is nothing to take back
	case b.Waits:
		t.send(Message{Text: t.say.Say("edit_sent", texts.Data{"Senior": b.Senior})})
	case b.Detail:
		t.reply("not_waiting", nil)
	default:
		t.asked(Part{Text: b.Change.Text, Ref: b.Change.Ref, Files: b.Files})
	}
}
