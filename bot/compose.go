package bot

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// How much is offered at once; DESIGN of the conversation: five similar, three related.
const (
	suggestions = 5
	welcomeFAQ  = 3
	listLimit   = 10
)

// labelRunes bounds a button's label: Slack takes 75 characters, and a phone
// shows about 60.
const labelRunes = 72

func short(s string) string { return oneLine(s, labelRunes) }

// titleRunes bounds a question, or another text of somebody's, inside a sentence.
const titleRunes = 120

// innerQuotes are those inside of others.
var innerQuotes = strings.NewReplacer("«", "„", "»", "“")

// title shows a text inside of quotes.
func title(s string) string {
	return strings.TrimSuffix(innerQuotes.Replace(oneLine(s, titleRunes)), ".")
}

// oneLine folds white space and cuts at a word, with an ellipsis.
func oneLine(s string, limit int) string {
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	r := []rune(s)[:limit-1]
	cut := string(r)
	if i := strings.LastIndexByte(cut, ' '); i > len(cut)/2 {
		cut = cut[:i]
	}
	return strings.TrimRight(cut, " ,.;:—-") + "…"
}

func quote(s string) string { return "> " + strings.ReplaceAll(s, "\n", "\n> ") }

func (t *turn) button(id string, p Press) Button { return Button{Label: t.say.Say(id, nil), Press: p} }

// taskKey names the message that brings a senior a question in a chat.
func taskKey(escalation int64, chat ChatID) string {
	return "task:" + strconv.FormatInt(escalation, 10) + "/" + string(chat)
}

func (t *turn) taskKey(escalation int64) string { return taskKey(escalation, t.e.Chat) }

// entryButtons open entries; from says which asks they settle and lead away from.
func entryButtons(from Press, items []knowledge.Brief) []Button {
	out := make([]Button, len(items))
	for i, b := range items {
		p := from
		p.Verb, p.Question = OpenEntry, b.ID
		out[i] = Button{Label: short(b.Text), Press: p}
	}
	return out
}

func (t *turn) notMine(ask int64) []Section {
	return []Section{{Choice: true, Buttons: []Button{t.button("button_none", Press{Verb: NotMine, Ask: ask})}}}
}

func (t *turn) feedback(ask, asked int64, question string) Section {
	return Section{Choice: true, Buttons: []Button{
		t.button("button_helped", Press{Verb: SayHelped, Ask: ask, Asked: asked, Question: question}),
		t.button("button_not_helped", Press{Verb: SayNot, Ask: ask, Asked: asked, Question: question}),
	}}
}

// page lays out an entry: the text, feedback on the ask, related questions, and
// the way to a senior for what was asked in words (0 when nothing was).
func (t *turn) page(ask, asked int64, p knowledge.Page, text string) Message {
	next := Section{Choice: true}
	if len(p.Related) > 0 {
		next.Title = t.say.Say("related", nil)
		next.Buttons = entryButtons(Press{Asked: asked}, p.Related)
	}
	next.Buttons = append(next.Buttons, t.button("button_none", Press{Verb: NotMine, Ask: asked}))
	return Message{Text: text, Sections: []Section{t.feedback(ask, asked, p.ID), next}}
}

func (t *turn) pageText(p knowledge.Page) string {
	data := texts.Data{"Senior": p.By, "Date": t.date(p.Updated)}
	return "**" + strings.Join(strings.Fields(p.Text), " ") + "**\n\n" + p.Answer + FileLines(t.say, p.Files) + "\n\n_" + t.say.Say(pick(p.By != "", "signed", "unsigned"), data) + "_"
}

// FileLines names the files of an answer, with their sizes, to follow its text; ""
// when there are none.
func FileLines(say *texts.Catalogue, files []knowledge.Attachment) string {
	if len(files) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n\n" + say.Say("files", nil))
	for _, f := range files {
		b.WriteString("\n- " + f.Name + " (" + fileSize(say, f.Size) + ")")
	}
	return b.String()
}

func fileSize(say *texts.Catalogue, n int64) string {
	size, unit := knowledge.RoundSize(n)
	data := texts.Data{"Size": size}
	switch unit {
	case knowledge.Megabytes:
		return say.Say("size_mb", data)
	case knowledge.Kilobytes:
		return say.Say("size_kb", data)
	default:
		return say.Say("size_b", data)
	}
}

// suggestion lays out what was found when it is not sure.
func (t *turn) suggestion(some, none string, ask int64, r knowledge.Finding) Message {
	if len(r.Matches) == 0 || r.Decision == knowledge.DecisionNothing {
		return Message{Text: t.say.Say(none, nil), Sections: t.notMine(ask)}
	}
	items := make([]knowledge.Brief, 0, suggestions)
	for _, c := range r.Matches[:min(len(r.Matches), suggestions)] {
		items = append(items, c.Brief)
	}
	buttons := append(entryButtons(Press{Ask: ask}, items), t.button("button_none", Press{Verb: NotMine, Ask: ask}))
	return Message{Text: t.say.Say(some, nil), Sections: []Section{{Choice: true, Buttons: buttons}}}
}

// askers name who asks, with their teams.
func (t *turn) askers(task Task) []string {
	names := make([]string, len(task.Names))
	for i, n := range task.Names {
		names[i] = t.name(n)
		if i < len(task.Teams) && task.Teams[i] != "" {
			names[i] = t.say.Say("name_team", texts.Data{"Name": n, "Team": task.Teams[i]})
		}
	}
	return names
}

// taskMessage lays out a question for its senior.
func (t *turn) taskMessage(id string, task Task) Message {
	names := t.askers(task)
	lines := []string{t.say.Say(id, texts.Data{"Names": strings.Join(names, ", "), "Count": len(names)}), "", quote(task.Text)}
	if waited := t.e.At.Sub(task.Since); waited >= time.Minute {
		lines = append(lines, "", t.say.Say("task_waits", texts.Data{"Time": t.span(waited)}))
	}
	if len(task.Rejected) > 0 {
		lines = append(lines, "", t.say.Say("task_rejected", nil))
		for _, r := range task.Rejected {
			lines = append(lines, "- "+oneLine(r, 120))
		}
	}
	if len(task.Details) > 0 {
		added := make([]string, len(task.Details))
		for i, d := range task.Details {
			added[i] = t.name(d.Name) + ": " + d.Text
		}
		lines = append(lines, "", t.say.Say("task_details", nil), "", quote(strings.Join(added, "\n\n")))
	}
	if len(task.Files) > 0 {
		lines = append(lines, "", t.say.Say("with_files", texts.Data{"Files": fileNames(task.Files)}))
	}
	how := "task_how"
	switch {
	case t.s.Draft != nil && t.s.Draft.Escalation != task.Escalation:
		how = "task_how_busy"
	case id == "task_shown" && len(t.s.Tasks) > 1:
		how = "task_how_several"
	}
	lines = append(lines, "", t.say.Say(how, texts.Data{"Time": t.span(t.manner.Silence)}))
	e := task.Escalation
	return Message{Text: strings.Join(lines, "\n"), About: e, Sections: []Section{{Buttons: []Button{
		t.button("button_take", Press{Verb: TakeTask, Escalation: e}),
		t.button("button_existing", Press{Verb: HasEntry, Escalation: e}),
		t.button("button_pass", Press{Verb: PassOn, Escalation: e}),
		t.button("button_later", Press{Verb: Later, Escalation: e}),
		t.button("button_off_topic", Press{Verb: NotOnTopic, Escalation: e}),
	}}}}
}

func (t *turn) name(n string) string {
	if n == "" {
		return t.say.Say("no_name", nil)
	}
	return n
}

// span shows a duration roughly: minutes, hours or days.
func (t *turn) span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return t.say.Say("seconds", texts.Data{"Count": int(d.Round(time.Second) / time.Second)})
	case d < 90*time.Minute:
		return t.say.Say("minutes", texts.Data{"Count": int((d + time.Minute/2) / time.Minute)})
	case d < 36*time.Hour:
		return t.say.Say("hours", texts.Data{"Count": int((d + time.Hour/2) / time.Hour)})
	}
	return t.say.Say("days", texts.Data{"Count": int((d + 12*time.Hour) / (24 * time.Hour))})
}

// date shows a day, with the year when it is not this one.
func (t *turn) date(at time.Time) string {
	at, now := at.In(t.manner.Zone), t.e.At.In(t.manner.Zone)
	day := t.say.Say("month_"+strconv.Itoa(int(at.Month())), texts.Data{"Day": at.Day()})
	if at.Year() != now.Year() {
		day += " " + strconv.Itoa(at.Year())
	}
	return day
}
