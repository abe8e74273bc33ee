package bot

import (
	"strings"

	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

// guarded makes a change now that it is known what it disturbs.
func (t *turn) guarded(b Guarded) {
	switch g := b.Guard; {
	case g.Lesson != nil && len(b.Conflicts) == 0:
		t.do(Learn{Lesson: *g.Lesson})
	case g.Lesson != nil:
		t.do(Hold{Lesson: *g.Lesson, Conflicts: b.Conflicts})
	case g.Reply != nil:
		reply := *g.Reply
		reply.Conflicts, reply.Like = b.Conflicts, b.Like
		t.do(reply)
	case g.Revise != nil:
		revise := *g.Revise
		revise.Conflicts = b.Conflicts
		t.do(revise)
	case g.PointTo != nil:
		point := *g.PointTo
		point.Conflicts = b.Conflicts
		t.do(point)
	}
}

// taught checks what people's choices have taught before it is learned. Nobody is
// told: it is the bot's own business, and an administrator's. Words that read as if
// they went on with something, «а больничный?», teach nothing: from somebody else
// they may mean anything.
func (t *turn) taught(l *knowledge.Lesson) {
	if l != nil && !search.FollowsUp(l.Wording) {
		t.look(Guard{Lesson: l})
	}
}

// held tells the senior that the answer has gone out, and what is kept back from
// the base.
func (t *turn) held(p Prove, held []knowledge.Review) {
	var ids []int64
	for _, r := range held {
		ids = append(ids, r.ID)
	}
	sections := []Section{{Choice: true, Buttons: []Button{
		t.button("button_held_yes", Press{Verb: HeldYes, Reviews: ids, Escalation: p.Escalation}),
		t.button("button_held_no", Press{Verb: HeldNo, Reviews: ids, Escalation: p.Escalation}),
	}}}
	if !p.Pointed {
		sections = append(sections, Section{Buttons: []Button{t.editButton(p)}})
	}
	t.tell(p.Escalation, Message{Text: t.told(p) + " " + t.why(p.Wording, held), Sections: sections})
}

// conflictsShown is how many examples of what would change a senior is shown.
const conflictsShown = 3

// why says which wordings would find the new answer in place of theirs; for held
// wordings, because of those. Own is the question's own wording.
func (t *turn) why(own string, held []knowledge.Review) string {
	one, many, same := "held", "held_many", "held_same"
	var wordings []string
	for _, r := range held {
		if r.Wording != "" {
			one, many, same, own = "held_wording", "held_wording_many", "held_wording_same", r.Wording
			wordings = append(wordings, "«"+title(r.Wording)+"»")
		}
	}
	conflicts := held[0].Conflicts
	data := texts.Data{"Held": strings.Join(wordings, ", ")}
	if len(conflicts) == 1 && !ownText(conflicts[0]) {
		c := conflicts[0]
		data["Wording"], data["Was"] = title(c.Wording), title(c.Was.Text)
		return t.say.Say(pick(knowledge.FoldText(c.Wording) == knowledge.FoldText(own), same, one), data)
	}
	lines := []string{t.say.Say(many, data), ""}
	for _, c := range conflicts[:min(conflictsShown, len(conflicts))] {
		data := texts.Data{"Wording": title(c.Wording), "Was": title(c.Was.Text)}
		lines = append(lines, "- "+t.say.Say(pick(ownText(c), "held_own", "held_item"), data))
	}
	if more := len(conflicts) - conflictsShown; more > 0 {
		lines = append(lines, "- "+t.say.Say("held_more", texts.Data{"Count": more}))
	}
	return strings.Join(lines, "\n")
}

// ownText reports whether the wording that would change is the text of its question.
func ownText(c knowledge.Conflict) bool {
	return knowledge.FoldText(c.Wording) == knowledge.FoldText(c.Was.Text)
}

// heldDecided says what came of a decision, and lets an acceptance be proved.
func (t *turn) heldDecided(b HeldDecided) {
	if len(b.Reviews) == 0 {
		t.reply("button_unknown", nil)
		return
	}
	r := b.Reviews[0]
	data := texts.Data{"Question": title(b.Question.Text), "Wording": title(r.Wording)}
	m := Message{}
	switch {
	case b.Late:
		m.Text = t.decidedBefore(r, data)
	case r.Accepted:
		t.heldAccepted(b, r)
		return
	case r.Wording != "":
		m.Text = t.say.Say("held_wording_refused", data)
	default:
		m.Text = t.say.Say("held_answer_refused", data)
		m.Sections = []Section{{Buttons: []Button{t.putBackButton(Prove{Question: b.Question.ID, Escalation: b.Escalation})}}}
	}
	t.tell(b.Escalation, m)
}

// decidedBefore says how somebody else has decided, or that there is nothing to
// decide any more.
func (t *turn) decidedBefore(r knowledge.Review, data texts.Data) string {
	switch {
	case r.Decided.IsZero():
		return t.say.Say("held_gone", data)
	case r.Wording == "":
		return t.say.Say(pick(r.Accepted, "held_answer_was_accepted", "held_answer_was_refused"), data)
	default:
		return t.say.Say(pick(r.Accepted, "held_wording_was_accepted", "held_wording_was_refused"), data)
	}
}

// heldAccepted lets what has gone live be proved.
func (t *turn) heldAccepted(b HeldDecided, r knowledge.Review) {
	q := b.Question
	p := Prove{Question: q.ID, Entry: q.Text, Wording: q.Text, Accepted: true, Escalation: b.Escalation}
	if r.Wording != "" {
		p.Wording, p.Learned = r.Wording, true
	}
	if !q.Status.Answered() { // the entry has left the base since
		t.tell(b.Escalation, Message{Text: t.say.Say("held_wording_accepted", texts.Data{"Wording": title(p.Wording)})})
		return
	}
	t.look(p)
}
