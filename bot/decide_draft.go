package bot

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

// fresh is how long words are taken to go on with what was begun before: with
// an empty draft, a text held, or a question that has just been settled.
const fresh = 10 * time.Minute

// saidAsSenior handles words that belong to a senior's work: a reply, a new
// version of one, or a search. False when they are something else.
//
// An answer that reaches the wrong person is the worst that can happen here. So
// words go to a question by themselves only when they cannot mean another one;
// else they are held, and the senior is asked.
func (t *turn) saidAsSenior(p Part) bool {
	if own, ok := t.ownQuestion(p.Text); ok {
		p.Text = own
		t.asked(p)
		return true
	}
	d := t.s.Draft
	about := t.e.About
	switch {
	case d != nil && d.Kind == DraftLookup && (about == 0 || about == d.Escalation):
		t.lookUp(d.Escalation, p.Text)
	case about != 0 && !t.goesOnEditing(about):
		t.saidAbout(about, p)
	case d == nil:
		return t.saidLoosely(p)
	case t.doubtful(*d):
		t.hold(p)
	default:
		t.addToDraft(*d, p)
	}
	return true
}

// lookUp searches the base for the entry that answers a question already.
func (t *turn) lookUp(escalation int64, words string) {
	if words == "" {
		t.tell(escalation, Message{Text: t.say.Say("lookup_words", nil)})
		return
	}
	t.look(Search{Text: words, Purpose: ForExisting, Escalation: escalation})
}

// goesOnEditing reports whether a reply to a message about a settled question is a new
// version of its answer, which the senior is writing: in a thread every message is
// such a reply.
func (t *turn) goesOnEditing(about int64) bool {
	d := t.s.Draft
	_, open := t.s.task(about)
	return d != nil && d.Kind == DraftEdit && d.Escalation == about && !open
}

// ownQuestion returns what a senior asks for themself: «вопрос: …».
func (t *turn) ownQuestion(text string) (string, bool) {
	if !t.e.Person.Senior && len(t.s.Tasks) == 0 {
		return "", false
	}
	word, rest, found := strings.Cut(text, ":")
	rest = strings.TrimSpace(rest)
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "вопрос", "мой вопрос", "question", "my question":
		return rest, found && rest != ""
	}
	return "", false
}

// saidAbout handles a reply to a message about an escalation.
func (t *turn) saidAbout(escalation int64, p Part) {
	if _, open := t.s.task(escalation); !open {
		// Settled, or lost sight of: say so, do not guess.
		t.do(ReadTask{Escalation: escalation, Then: TakeTask, Parts: []Part{p}})
		return
	}
	t.dropHeld()
	t.draftReply(escalation, p)
}

// saidLoosely handles words while nothing is being written.
func (t *turn) saidLoosely(p Part) bool {
	over := t.s.Over != nil && t.e.At.Sub(t.s.Over.At) <= fresh
	switch {
	case len(t.s.Tasks) == 0 && !over, p.Text != "" && t.isSmallTalk(p.Text):
		return false
	case len(t.s.Tasks) == 1 && !over && t.s.Tasks[0].Until.IsZero():
		t.draftReply(t.s.Tasks[0].Escalation, p)
	default:
		t.hold(p)
	}
	return true
}

// isSmallTalk reports words that are no answer. «Да» and «нет» are answers.
func (t *turn) isSmallTalk(text string) bool {
	switch knowledge.FoldText(text) {
	case "да", "нет", "yes", "no":
		return false
	}
	i := t.parser.Classify(text)
	return i != search.Question && i != search.Human
}

// doubtful reports whether words may belong to something else than the draft.
func (t *turn) doubtful(d Draft) bool {
	others := 0
	for _, task := range t.s.Tasks {
		if task.Escalation != d.Escalation {
			others++
		}
	}
	return others > 0 && (d.Crossed || len(d.Parts) == 0 && t.e.At.Sub(d.Last) > fresh)
}

// hold keeps what was written and asks what it is for.
func (t *turn) hold(p Part) {
	if h := t.s.Held; h != nil && h.Crossed {
		t.dropHeld()
	}
	parts := append(t.takeHeld(), p)
	t.s.Held = &Held{Parts: parts, At: t.e.At}
	t.albumIs(Album{Held: true})
	var buttons []Button
	if d := t.s.Draft; d != nil && d.Kind == DraftEdit {
		buttons = append(buttons, t.labelled("button_edit_of", d.Title, Press{Verb: EditAnswer, Question: d.Question, Escalation: d.Escalation, Text: d.Title}))
	}
	for _, task := range t.s.Tasks {
		buttons = append(buttons, Button{Label: short(t.name(firstName(task)) + ": " + task.Text), Press: Press{Verb: TakeTask, Escalation: task.Escalation}})
	}
	if o := t.s.Over; o != nil && len(o.Parts) > 0 && t.e.At.Sub(o.At) <= fresh {
		buttons = append(buttons, t.labelled("button_append", o.Title, Press{Verb: HeldAppend, Question: o.Question}))
	}
	buttons = append(buttons, t.button("button_own", Press{Verb: HeldOwn}), t.button("button_drop", Press{Verb: HeldDrop}))
	t.send(Message{Text: t.say.Say("which", nil) + "\n\n" + quote(t.draftText(parts)), Sections: []Section{{Choice: true, Buttons: buttons}}})
}

func firstName(task Task) string {
	if len(task.Names) == 0 {
		return ""
	}
	return task.Names[0]
}

func (t *turn) labelled(id, question string, p Press) Button {
	return Button{Label: short(t.say.Say(id, texts.Data{"Question": question})), Press: p}
}

// draftText shows what has been written so far, files by their names.
func (t *turn) draftText(parts []Part) string {
	text := textOf(parts)
	if files := filesOf(parts); len(files) > 0 {
		text = strings.TrimPrefix(text+"\n\n", "\n\n") + t.say.Say("with_files", texts.Data{"Files": fileNames(files)})
	}
	return text
}

// takeHeld returns what is held, nothing for what is too old.
func (t *turn) takeHeld() []Part {
	h := t.s.Held
	t.s.Held = nil
	if h == nil || t.e.At.Sub(h.At) > fresh {
		return nil
	}
	return append([]Part(nil), h.Parts...)
}

// dropHeld gives up what is held, and says so.
func (t *turn) dropHeld() {
	if h := t.takeHeld(); len(h) > 0 {
		t.reply("not_sent", texts.Data{"Text": title(gist(h))})
	}
}

// heldPress says what is held is for. False for other buttons.
func (t *turn) heldPress(p Press) bool {
	switch p.Verb {
	case HeldDrop:
		t.s.Held = nil
		t.reply("draft_dropped", nil)
	case HeldOwn:
		t.ownHeld()
	case HeldAppend:
		t.appendHeld(p)
	default:
		return false
	}
	t.s.Over = nil
	return true
}

// ownHeld makes what is held a question of the senior's own.
func (t *turn) ownHeld() {
	h := t.takeHeld()
	own := Part{Text: textOf(h), Files: filesOf(h)}
	switch {
	case len(h) == 0:
		t.reply("write_question", nil)
	case own.Text == "":
		t.keep(own)
	default:
		own.Ref = h[0].Ref
		t.asked(own)
	}
}

// appendHeld makes what is held the end of the answer that silence gave out.
func (t *turn) appendHeld(p Press) {
	h, o := t.takeHeld(), t.s.Over
	if len(h) == 0 || o == nil || o.Question != p.Question || len(o.Parts) == 0 {
		t.reply("append_gone", nil)
		return
	}
	t.settleDraft()
	t.addToDraft(Draft{Kind: DraftEdit, Question: o.Question, Title: o.Title}, append(append([]Part(nil), o.Parts...), h...)...)
}

// draftReply adds to the reply to an escalation, or begins it.
func (t *turn) draftReply(escalation int64, parts ...Part) {
	t.s.Over = nil
	if d := t.s.Draft; d != nil && d.Kind == DraftReply && d.Escalation == escalation {
		t.addToDraft(*d, parts...)
		return
	}
	task, _ := t.s.task(escalation)
	t.settleDraft()
	t.addToDraft(Draft{Kind: DraftReply, Escalation: escalation, Question: task.Question, Title: task.Text}, parts...)
}

// addToDraft adds messages; the first one is confirmed with buttons.
func (t *turn) addToDraft(d Draft, parts ...Part) {
	first := len(d.Parts) == 0
	d.Parts = append(append([]Part(nil), d.Parts...), parts...)
	switch {
	case utf8.RuneCountInString(textOf(d.Parts)) > knowledge.MaxAnswerRunes:
		t.tell(d.Escalation, Message{Text: t.say.Say("answer_too_long", texts.Data{"Limit": knowledge.MaxAnswerRunes})})
		return
	case len(filesOf(d.Parts)) > knowledge.MaxFiles:
		t.tell(d.Escalation, Message{Text: t.say.Say("too_many_files", texts.Data{"Count": knowledge.MaxFiles})})
		return
	}
	d.Last, d.Crossed = t.e.At, false
	t.s.Draft = &d
	t.out = append(t.out, Wake{At: t.e.At.Add(t.manner.Silence), Body: Silence{Last: t.e.At}})
	if !first {
		return
	}
	own := Press{Escalation: d.Escalation, Question: d.Question}
	done, drop := own, own
	done.Verb, drop.Verb = DraftDone, DraftDrop
	t.tell(d.Escalation, Message{
		Text:     t.say.Say(pick(d.Kind == DraftEdit, "draft_edit", "draft_reply"), texts.Data{"Question": title(d.Title), "Time": t.span(t.manner.Silence)}),
		Sections: []Section{{Choice: true, Buttons: []Button{t.button("button_done", done), t.button("button_drop", drop)}}},
	})
}

// take makes an escalation the one that the next words answer.
func (t *turn) take(escalation int64) {
	held := t.takeHeld()
	task, open := t.s.task(escalation)
	if !open {
		t.do(ReadTask{Escalation: escalation, Then: TakeTask, Parts: held})
		return
	}
	if len(held) > 0 {
		t.draftReply(escalation, held...)
		return
	}
	t.s.Over = nil
	t.reacted(escalation)
	if d := t.s.Draft; d != nil && d.Kind == DraftReply && d.Escalation == escalation {
		again := *d
		again.Crossed, again.Last = false, t.e.At
		if len(d.Parts) > 0 {
			again.Last = d.Last // the silence goes on
		}
		t.s.Draft = &again
	} else {
		t.settleDraft()
		t.s.Draft = &Draft{Kind: DraftReply, Escalation: escalation, Question: task.Question, Title: task.Text, Last: t.e.At}
	}
	t.tell(escalation, Message{Text: t.say.Say("answer_please", texts.Data{"Question": title(task.Text)})})
}

// edit begins a new version of an answer.
func (t *turn) edit(p Press) {
	held := t.takeHeld()
	d := Draft{Kind: DraftEdit, Question: p.Question, Escalation: p.Escalation, Title: p.Text, Last: t.e.At}
	if o := t.s.Draft; o != nil && o.Kind == DraftEdit && o.Question == p.Question {
		d.Parts = o.Parts
	} else {
		t.settleDraft()
	}
	if len(held) > 0 {
		t.addToDraft(d, held...)
		return
	}
	t.s.Draft = &d
	t.tell(p.Escalation, Message{Text: t.say.Say("edit_please", texts.Data{"Question": title(p.Text)})})
}

// settleDraft gives out what is written before another text begins: a senior
// who turns to the next question has finished the one before.
func (t *turn) settleDraft() {
	t.finishDraft()
	t.s.Draft = nil
}

// donePress is [Готово] under the confirmation of a draft.
func (t *turn) donePress(p Press) {
	if !t.isDraft(p) {
		t.tell(p.Escalation, Message{Text: t.say.Say("draft_over", nil)})
		return
	}
	t.finishDraft()
}

// dropPress is [Не отправлять] under the confirmation of a draft.
func (t *turn) dropPress(p Press) {
	if !t.isDraft(p) {
		t.tell(p.Escalation, Message{Text: t.say.Say("draft_over", nil)})
		return
	}
	t.dropDraft()
}

// isDraft reports whether a button belongs to what is being written now.
func (t *turn) isDraft(p Press) bool {
	d := t.s.Draft
	return d != nil && len(d.Parts) > 0 && d.Escalation == p.Escalation && d.Question == p.Question
}

// silence ends a draft to which nothing has been added. The senior may not have
// been ready: what follows soon may still be meant for it.
func (t *turn) silence(b Silence) {
	d := t.s.Draft
	if d == nil || !d.Last.Equal(b.Last) || len(d.Parts) == 0 {
		return
	}
	t.finishDraft()
	over := Over{Title: d.Title, At: t.e.At, Question: d.Question}
	for _, p := range d.Parts {
		p.Files = nil // they are with the answer, and stay
		over.Parts = append(over.Parts, p)
	}
	t.s.Over = &over
}

// finishDraft gives out what is written, if anything is: [Готово], silence, or
// the end of input.
func (t *turn) finishDraft() {
	d := t.s.Draft
	if d == nil || len(d.Parts) == 0 {
		return
	}
	t.s.Draft = nil
	text, files, sources := textOf(d.Parts), filesOf(d.Parts), sourcesOf(d.Parts)
	if d.Kind == DraftEdit { // without words only files are added
		t.look(Guard{Revise: &Revise{Question: d.Question, Escalation: d.Escalation, Text: text, Files: files, Sources: sources}})
		return
	}
	if text == "" {
		text, sources = t.say.Say("answer_in_files", texts.Data{"Count": len(files)}), nil
	}
	t.look(Guard{Reply: &Reply{Escalation: d.Escalation, Text: text, Files: files, Sources: sources}})
}

// dropDraft forgets what is being written.
func (t *turn) dropDraft() {
	d := t.s.Draft
	t.s.Draft = nil
	text := t.say.Say(pick(d.Kind == DraftEdit, "edit_dropped", "draft_dropped"), nil)
	if d.Kind == DraftReply && len(d.Parts) > 0 {
		text += " " + t.say.Say("draft_was_question", nil)
	}
	t.tell(d.Escalation, Message{Text: text})
}
