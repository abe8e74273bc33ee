package bot

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

// command does what words that begin with a slash ask for; false when they are no
// command.
func (t *turn) command(text string) bool {
	word, rest, ok := commandOf(text)
	if !ok {
		return false
	}
	switch strings.ToLower(word) {
	case "/start":
		t.s.Greeted = true
		if t.invited(text) {
			break
		}
		t.do(ReadFAQ{For: FAQWelcome, Limit: welcomeFAQ})
	case "/help":
		t.s.Greeted = true
		t.alone(Message{Text: t.say.Say(pick(t.e.Person.Senior, "help_senior", "help"), nil)})
	case "/my":
		t.do(ReadMine{})
	case "/faq":
		t.do(ReadFAQ{For: pickUse(rest), Topic: rest, Limit: listLimit})
	case "/cancel":
		t.cancelCommand()
	default:
		// A path such as /var/log is not a command; a single word is a slip.
		if strings.Contains(word[1:], "/") || rest != "" {
			return false
		}
		t.alone(Message{Text: t.say.Say("unknown_command", texts.Data{"Command": oneLine(word, titleRunes)})})
	}
	return true
}

// commandOf splits «/faq кадры». Telegram writes /help@the_bot.
func commandOf(text string) (word, rest string, ok bool) {
	text, err := knowledge.CleanText(text, knowledge.MaxQuestionRunes)
	if err != nil {
		return "", "", false // which is said of any words
	}
	word = text
	if i := strings.IndexFunc(text, unicode.IsSpace); i >= 0 {
		word, rest = text[:i], strings.TrimSpace(text[i:])
	}
	ok = strings.HasPrefix(word, "/") && len(word) > 1
	word, _, _ = strings.Cut(word, "@")
	return word, rest, ok
}

func pickUse(topic string) FAQUse {
	if topic == "" {
		return FAQList
	}
	return FAQOfTopic
}

func (t *turn) cancelCommand() {
	switch {
	case t.s.Detail != "":
		t.s.Detail = ""
		t.reply("detail_dropped", nil)
	case len(t.takeKept()) > 0:
		t.reply("files_dropped", nil)
	case t.s.Held != nil:
		t.s.Held = nil
		t.reply("draft_dropped", nil)
	case t.s.Draft != nil:
		t.dropDraft()
	default:
		t.do(ReadMine{WaitingOnly: true})
	}
}

// said handles a message.
func (t *turn) said(b Said) {
	t.heardAgain()
	if t.command(b.Text) {
		return
	}
	p, ok := t.part(b)
	if !ok || t.albumGoesOn(b.Album, p) {
		return
	}
	t.s.Album = nil
	if b.Album != "" {
		t.s.Album = &Album{ID: b.Album}
	}
	switch {
	case t.saidAsDetail(p), t.saidAsSenior(p):
	case p.Text == "":
		t.keep(p)
	default:
		t.asked(p)
	}
}

// saidAsDetail handles what is to be added to a question that waits.
func (t *turn) saidAsDetail(p Part) bool {
	q, within := t.s.Detail, fresh
	if q == "" && p.Text == "" {
		q, within = t.s.Added, follows // the screenshot comes after the words
	}
	t.s.Detail, t.s.Added = "", ""
	if q == "" || t.e.At.Sub(t.s.DetailAt) > within {
		return false
	}
	t.s.Added, t.s.DetailAt = q, t.e.At
	t.addDetail(q, p)
	return true
}

// follows is how soon after what was added files are taken to belong to it, too.
const follows = 2 * time.Minute

func (t *turn) addDetail(question string, p Part) {
	t.albumIs(Album{Question: question})
	t.askedHere(t.e.ID, p.Ref)
	t.do(AddDetail{Question: question, Text: p.Text, Files: append(t.takeKept(), p.Files...)})
}

// unusable says why a message is no text to work with.
func (t *turn) unusable(text string) {
	switch {
	case utf8.RuneCountInString(text) <= knowledge.MaxAnswerRunes:
		t.reply("empty", nil)
	case len(t.s.Tasks) > 0 || t.s.Draft != nil:
		t.reply("answer_too_long", texts.Data{"Limit": knowledge.MaxAnswerRunes})
	default:
		t.reply("too_long", texts.Data{"Limit": knowledge.MaxQuestionRunes})
	}
}

// asked handles words that are meant as a question, or as small talk.
func (t *turn) asked(p Part) {
	if utf8.RuneCountInString(p.Text) > knowledge.MaxQuestionRunes {
		t.reply("too_long", texts.Data{"Limit": knowledge.MaxQuestionRunes})
		return
	}
	intent := t.parser.Classify(p.Text)
	switch welcomed := t.welcomed(intent); {
	case intent != search.Question && len(p.Files) > 0:
		t.keep(p) // «привет» under a screenshot
	case welcomed || t.smallTalk(intent):
	default:
		t.search(p)
	}
}

// welcomed greets somebody new; true when that is all there is to say. In a room that
// others read nobody is told at length who the bot is.
func (t *turn) welcomed(intent search.Intent) bool {
	if t.s.Greeted {
		return false
	}
	t.s.Greeted = true
	if t.e.Chat.Shared() {
		return false
	}
	t.do(ReadFAQ{For: FAQWelcome, Limit: welcomeFAQ})
	return intent != search.Question
}

// search looks for what the base has on words.
func (t *turn) search(p Part) {
	after, shown := t.follows(p.Text)
	t.forgetSeen()
	t.askedHere(t.e.ID, p.Ref)
	t.albumIs(Album{Ask: t.e.ID})
	t.look(Search{Ask: t.e.ID, Text: p.Text, Purpose: ForAsk, After: after, Shown: shown, Files: append(t.takeKept(), p.Files...)})
}

// smallTalk answers what is not a question: it never goes to a senior.
func (t *turn) smallTalk(i search.Intent) bool {
	switch i {
	case search.Greeting:
		t.reply("greeting", nil)
	case search.Thanks:
		t.reply("thanks", nil)
	case search.Bye:
		t.reply("bye", nil)
	case search.SmallTalk:
		t.reply("small_talk", nil)
	case search.Empty:
		t.reply("empty", nil)
	case search.Human:
		t.wantsHuman()
	default:
		return false
	}
	return true
}

// wantsHuman offers to send the latest question to a senior.
func (t *turn) wantsHuman() {
	if t.s.Last == nil || t.s.Last.Ask == 0 {
		t.reply("human_no_question", nil)
		return
	}
	t.send(Message{
		Text:     t.say.Say("human", texts.Data{"Question": title(t.s.Last.Text)}),
		Sections: []Section{{Choice: true, Buttons: []Button{t.button("button_send_last", Press{Verb: NotMine, Ask: t.s.Last.Ask})}}},
	})
}

// found shows what a search has found.
func (t *turn) found(b Found) {
	switch b.Search.Purpose {
	case ForExisting:
		t.foundExisting(b)
	case ForAgain:
		t.send(t.suggestion("suggest_again", "nothing_again", b.Search.Ask, b.Result))
	case ForAsk:
		t.foundForAsk(b)
	}
}

func (t *turn) foundForAsk(b Found) {
	ask := b.Search.Ask
	text := t.newAsk(b)
	t.do(RecordAsk{knowledge.Ask{
		ID: ask, Person: t.e.Person.ID, Chat: string(t.e.Chat), Text: text, Asked: t.e.At,
		Decision: b.Result.Decision, Confidence: b.Result.Confidence, Candidates: candidates(b.Result),
	}})
	if len(b.Search.Files) > 0 {
		t.do(AttachFiles{Ask: ask, Files: b.Search.Files})
	}
	if b.Result.Decision == knowledge.DecisionAnswer && b.Result.Page != nil {
		t.sendPage(ask, ask, *b.Result.Page)
		return
	}
	t.send(t.suggestion("suggest", "nothing", ask, b.Result))
}

func candidates(r knowledge.Finding) []knowledge.Candidate {
	out := make([]knowledge.Candidate, len(r.Matches))
	for i, c := range r.Matches {
		out[i] = knowledge.Candidate{Question: c.ID, Rank: i + 1, Score: c.Score}
	}
	return out
}

// sendPage shows an entry and remembers that it was seen. Feedback is on ask;
// asked goes to a senior when nothing helps.
func (t *turn) sendPage(ask, asked int64, p knowledge.Page) {
	t.saw(p)
	t.send(t.page(ask, asked, p, t.pageText(p)))
	t.sendFiles(Message{}, attached(p.Files))
}

// seenLimit bounds how many shown questions a dialogue remembers.
const seenLimit = 40

func (t *turn) saw(p knowledge.Page) {
	if t.s.Last == nil {
		t.s.Last = &LastAsk{}
	}
	last := *t.s.Last
	last.Seen = append(append([]string(nil), last.Seen...), p.ID)
	for _, r := range p.Related {
		last.Seen = append(last.Seen, r.ID)
	}
	if len(last.Seen) > seenLimit {
		last.Seen = last.Seen[len(last.Seen)-seenLimit:]
	}
	last.At, last.Shown = t.e.At, p.ID
	t.s.Last = &last
}

// shown shows an entry that was asked for by a button.
func (t *turn) shown(b Shown) {
	if b.Page == nil {
		t.send(Message{Text: t.say.Say("entry_gone", nil), Sections: t.notMine(max(b.Show.Ask, b.Show.Asked))})
		return
	}
	ask, asked := b.Show.Ask, b.Show.Ask
	if ask == 0 {
		// Opened from the FAQ or as a related question: an ask of its own, so that
		// it counts and can be judged.
		ask, asked = t.e.ID, b.Show.Asked
		t.do(RecordAsk{knowledge.Ask{
			ID: ask, Person: t.e.Person.ID, Chat: string(t.e.Chat), Text: b.Page.Text, Asked: t.e.At,
			Decision: knowledge.DecisionOpened, Confidence: 1, Outcome: knowledge.Picked,
			Candidates: []knowledge.Candidate{{Question: b.Page.ID, Rank: 1, Score: 1}},
		}})
	}
	t.sendPage(ask, asked, *b.Page)
	t.s.Last.Thread = []string{oneLine(b.Page.Text, threadRunes)} // what is asked next goes on with this
}

// openFound goes on after «Нет моего вопроса».
func (t *turn) openFound(b OpenFound) {
	if b.Open == nil {
		t.do(Escalate{Ask: b.Ask})
		return
	}
	t.send(Message{
		Text: t.say.Say("same_waits", texts.Data{"Question": title(b.Open.Text)}),
		Sections: []Section{{Choice: true, Buttons: []Button{
			t.button("button_join", Press{Verb: JoinOpen, Ask: b.Ask, Question: b.Open.ID}),
			t.button("button_send_mine", Press{Verb: SendMine, Ask: b.Ask, Question: b.Open.ID}),
		}}},
	})
}

// sent tells the asker where the question went.
func (t *turn) sent(b Sent) {
	s := b.Escalated
	text := t.say.Say(sentText(s, b.Before), texts.Data{"Senior": s.Senior.Name, "Question": title(s.Question.Text), "Count": b.Before})
	if s.Senior.ID != 0 {
		text += t.whenAnswered(s.Senior, s.Usual)
	}
	if !s.Already {
		text += " " + t.say.Say("comes_here", nil)
	}
	for _, w := range s.Waiters {
		if w.Person == t.e.Person.ID {
			t.waitsHere(w.Ask, true)
		}
	}
	q := s.Question.ID
	t.send(Message{Text: text, Sections: []Section{{Buttons: []Button{
		t.button("button_details", Press{Verb: AddDetails, Question: q}),
		t.button("button_cancel", Press{Verb: CancelWait, Question: q}),
		t.button("button_hide", Press{Verb: HideName, Question: q}),
	}}}})
}

// sentText names the text that says where a question went.
func sentText(s knowledge.Escalated, before int) string {
	switch {
	case s.Already:
		return "already_waiting"
	case s.Senior.ID == 0 && s.Escalation.Reason == knowledge.Queued:
		return pick(before > 0, "sent_queued", "sent_queued_next")
	case s.Senior.ID == 0:
		return "sent_no_senior"
	case s.Joined:
		return "joined"
	default:
		return "sent"
	}
}

// whenAnswered says when a senior may be expected to answer, with the space before it;
// "" when nothing is known of that.
func (t *turn) whenAnswered(senior knowledge.Person, usual time.Duration) string {
	out := ""
	if opens := t.opens(senior, t.e.At); opens.After(t.e.At) {
		out += " " + t.say.Say("answers_after", texts.Data{"Time": t.at(opens)})
	}
	if usual > 0 {
		out += " " + t.say.Say("usual", texts.Data{"Time": t.span(max(usual, time.Minute))})
	}
	return out
}

func (t *turn) waitEnded(b WaitEnded) {
	if !b.Found {
		t.reply("not_waiting", nil)
		return
	}
	t.waitsHere(b.Ask, false)
	t.reply("wait_cancelled", texts.Data{"Question": title(b.Text)})
}

// detailSent goes on after more words for a question. When it no longer waits,
// they may well be a question by themselves: they must not be lost.
func (t *turn) detailSent(b DetailSent) {
	p := Part{Text: b.Text, Files: b.Files}
	switch {
	case b.Found && b.Quiet:
	case b.Found:
		t.reply("detail_sent", texts.Data{"Senior": b.Senior})
	case p.Text == "":
		t.keep(p)
	default:
		t.reply("detail_late", nil)
		t.asked(p)
	}
}

// askRead goes on after «Не помогло» and «Нет моего вопроса».
func (t *turn) askRead(b AskRead) {
	defer t.taught(b.Lesson) // after what the person sees
	switch b.Then {
	case SayNot:
		t.look(Search{Ask: b.Ask.ID, Text: b.Ask.Text, Purpose: ForAgain, Without: b.Shown})
	case NotMine:
		switch {
		case b.Waits:
			t.do(Escalate{Ask: b.Ask.ID}) // which says that it waits
		case b.Same != nil:
			t.openFound(OpenFound{Ask: b.Ask.ID, Open: b.Same})
		default:
			t.look(FindOpen{Ask: b.Ask.ID, Text: b.Ask.Text, Own: b.Ask.Question})
		}
	default:
		t.reply("helped", nil)
	}
}

// answerCame brings the reply that was waited for, as a new message.
func (t *turn) answerCame(b AnswerCame) {
	id := "answer_came"
	switch {
	case b.Changed:
		id = "answer_changed"
	case b.Pointed || b.Page.By == "":
		id = "answer_came_unsigned"
	}
	text := t.say.Say(id, texts.Data{"Senior": b.Page.By, "Question": title(b.Wording)}) + "\n\n"
	if b.Pointed {
		text += t.pageText(b.Page) // written for another question: show for which
	} else {
		text += b.Page.Answer + FileLines(t.say, b.Page.Files)
	}
	t.s.Last = &LastAsk{
		Ask: b.Ask, Text: b.Wording, Seen: []string{b.Page.ID},
		Thread: []string{oneLine(b.Wording, threadRunes)}, At: t.e.At, Shown: b.Page.ID,
	}
	t.waitsHere(b.Ask, false)
	t.tellAsker(b.Ask, Message{Text: text, Sections: []Section{t.feedback(b.Ask, b.Ask, b.Page.ID)}})
	m := Message{}
	if i := t.placeOf(b.Ask); i >= 0 {
		m.Under = t.s.Places[i].Under
	}
	t.sendFiles(m, attached(newsOf(b)))
}

// newsOf returns the files that an answer brings: of a new version only those that the
// one before had not.
func newsOf(b AnswerCame) []knowledge.Attachment {
	var out []knowledge.Attachment
	for _, f := range b.Page.Files {
		if !b.Changed || b.Page.Updated.Sub(f.Created) < time.Second { // stores keep no more than milliseconds
			out = append(out, f)
		}
	}
	return out
}
