package bot

import (
	"slices"
	"strings"

	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// replyDone asks the searcher for proof that the question is found from now on.
func (t *turn) replyDone(b ReplyDone) {
	if b.Escalation != 0 {
		t.forget(b.Escalation)
	}
	t.gave(b)
	q := b.Replied.Question
	p := Prove{
		Question: q.ID, Entry: q.Text, Wording: b.Replied.Wording, Names: b.Replied.Names, Changed: b.Changed, Pointed: b.Pointed,
		Escalation: b.Escalation, LeftOut: b.LeftOut, Topics: b.Topics,
	}
	if len(b.Held) > 0 && b.Like != nil {
		t.repeated(p, b.Held[0], *b.Like)
		return
	}
	if len(b.Held) > 0 {
		t.held(p, b.Held)
		return
	}
	if !q.Status.Answered() { // kept out of the base: not to be found
		t.tell(p.Escalation, Message{Text: t.told(p), Sections: []Section{{Buttons: []Button{t.editButton(p), t.putBackButton(p)}}}})
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
		buttons = append(buttons, t.keepOutButton(p))
	}
	buttons = append(buttons, t.button("button_make_faq", Press{Verb: MakeFAQ, Question: p.Question, Escalation: p.Escalation}))
	if p.Topics && !p.Pointed && !p.Learned {
		buttons = append(buttons, t.button("button_topic", Press{Verb: ChooseTopic, Question: p.Question, Escalation: p.Escalation}))
	}
	parts = append(parts, t.say.Say(pick(b.Found, "proof", "proof_missing"), texts.Data{"Wording": title(p.Wording)}))
	t.tell(p.Escalation, Message{Text: strings.Join(parts, " "), Sections: []Section{{Buttons: buttons}}})
}

func (t *turn) editButton(p Prove) Button {
	return t.button("button_edit", Press{Verb: EditAnswer, Question: p.Question, Escalation: p.Escalation, Text: p.Entry})
}

func (t *turn) keepOutButton(p Prove) Button {
	return t.button("button_keep_out", Press{Verb: KeepOut, Question: p.Question, Escalation: p.Escalation})
}

func (t *turn) putBackButton(p Prove) Button {
	return t.button("button_put_back", Press{Verb: PutBack, Question: p.Question, Escalation: p.Escalation})
}

// told says to whom the answer went.
func (t *turn) told(p Prove) string {
	text := t.toldWhom(p)
	if p.LeftOut > 0 {
		text += " " + t.say.Say("files_left_out", texts.Data{"Count": p.LeftOut, "Limit": knowledge.MaxFiles})
	}
	return text
}

func (t *turn) toldWhom(p Prove) string {
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
	m := Message{}
	switch b.To {
	case KeepOut:
		m.Text = t.say.Say("kept_out", data)
		m.Sections = []Section{{Buttons: []Button{t.putBackButton(Prove{Question: q.ID, Escalation: b.Escalation})}}}
	case PutBack:
		m.Text = t.say.Say("put_back", data)
	default:
		m.Text = t.say.Say(pick(q.Status == knowledge.FAQ, "made_faq", "not_in_base"), data)
	}
	t.tell(b.Escalation, m)
}

// givenKept is how many of a senior's answers can be changed by editing their messages.
const givenKept = 20

// gave remembers by which messages an answer was written.
func (t *turn) gave(b ReplyDone) {
	q := b.Replied.Question
	if b.Pointed {
		return
	}
	next := Given{Question: q.ID, Title: oneLine(q.Text, titleRunes), Version: q.Answer.Version, Sources: b.Sources}
	var out []Given
	for _, g := range t.s.Given {
		switch {
		case g.Question != q.ID:
			out = append(out, g)
		case len(next.Sources) == 0 && g.parts(q.Answer.Text) != nil: // only files have been added
			next.Sources = g.Sources
		}
	}
	if len(next.Sources) > 0 && next.parts(q.Answer.Text) != nil {
		out = append(out, next)
	}
	if len(out) > givenKept {
		out = out[len(out)-givenKept:]
	}
	t.s.Given = out
}

// parts divides an answer among the messages that it was written in; nil when it is
// another text by now.
func (g Given) parts(answer string) []Part {
	out := make([]Part, len(g.Sources))
	begun := false
	for i, s := range g.Sources {
		out[i].Ref = s.Ref
		if s.Bytes <= 0 {
			continue
		}
		if begun {
			rest, ok := strings.CutPrefix(answer, partBreak)
			if !ok {
				return nil
			}
			answer = rest
		}
		begun = true
		if len(answer) < s.Bytes {
			return nil
		}
		out[i].Text, answer = answer[:s.Bytes], answer[s.Bytes:]
	}
	if answer != "" {
		return nil
	}
	return out
}

// given returns the answer of which a message is a part.
func (t *turn) given(ref string) (g Given, source int, ok bool) {
	for _, g := range slices.Backward(t.s.Given) { // an entry that has taken a question in comes later
		for i, s := range g.Sources {
			if s.Ref == ref && ref != "" {
				return g, i, true
			}
		}
	}
	return Given{}, 0, false
}
