package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// clerk performs the commands of one event within its transaction. Results go
// back to the decider; mail goes to other chats.
type clerk struct {
	tx   Tx
	desk knowledge.Desk
	e    Event
	mail []Mail
}

// Mail is an event for another chat.
type Mail struct {
	Chat ChatID
	Body Body
}

func newClerk(tx Tx, e Event, l knowledge.Learning) *clerk {
	return &clerk{tx: tx, desk: knowledge.Desk{Tx: tx, Now: e.At, Learning: l, By: e.Person.ID}, e: e}
}

// post sends mail; a chat that nobody has opened yet gets none.
func (c *clerk) post(chat string, b Body) {
	if chat != "" {
		c.mail = append(c.mail, Mail{Chat: ChatID(chat), Body: b})
	}
}

// execute performs a command. The result is nil when there is nothing to decide on.
func (c *clerk) execute(ctx context.Context, cmd Command) (Body, error) {
	switch m := cmd.(type) {
	case RecordAsk:
		_, err := c.desk.Record(ctx, m.Ask)
		return nil, err
	case RecordPick:
		lesson, err := c.desk.Pick(ctx, m.Ask, m.Question)
		if err != nil || lesson == nil {
			return nil, err
		}
		return Taught{Lesson: *lesson}, nil
	case RecordFeedback:
		return c.feedback(ctx, m)
	case ReadAsk:
		return c.readAsk(ctx, m.Ask, m.Then)
	case ReadMine:
		return c.readMine(ctx, m)
	case ReadFAQ:
		return c.readFAQ(ctx, m)
	}
	if b, done, err := c.executeWait(ctx, cmd); done {
		return b, err
	}
	if b, done, err := c.executeGuarded(ctx, cmd); done {
		return b, err
	}
	return c.executeSenior(ctx, cmd)
}

// executeWait performs what changes who waits for what.
func (c *clerk) executeWait(ctx context.Context, cmd Command) (Body, bool, error) {
	var b Body
	var err error
	switch m := cmd.(type) {
	case Escalate:
		b, err = c.escalate(ctx, m)
	case Join:
		b, err = c.join(ctx, m)
	case Cancel:
		b, err = c.cancel(ctx, m)
	case Hide:
		b, err = c.hide(ctx, m)
	case AddDetail:
		b, err = c.addDetail(ctx, m)
	case AttachFiles:
		err = c.attachFiles(ctx, m)
	case ChangeAsk:
		b, err = c.changeAsk(ctx, m)
	default:
		return nil, false, nil
	}
	return b, true, err
}

func (c *clerk) feedback(ctx context.Context, m RecordFeedback) (Body, error) {
	lesson, err := c.desk.Feedback(ctx, m.Ask, m.Helped)
	if err != nil {
		return nil, err
	}
	then := SayNot
	if m.Helped {
		then = SayHelped
	}
	ask := m.Ask
	if m.Asked != 0 {
		ask = m.Asked
	}
	out, err := c.readAsk(ctx, ask, then)
	out.Shown, out.Lesson = m.Question, lesson
	return out, err
}

func (c *clerk) readAsk(ctx context.Context, id int64, then Verb) (AskRead, error) {
	a, err := c.tx.Ask(ctx, id)
	out := AskRead{Ask: a, Then: then}
	if err != nil || then != NotMine {
		return out, err
	}
	q, err := c.tx.Question(ctx, a.Question)
	if err != nil {
		return out, err
	}
	all, err := c.tx.Waiters(ctx, q.ID)
	for _, w := range all {
		switch {
		case w.State != knowledge.Waiting:
		case w.Person == a.Person:
			out.Waits = true
		default:
			out.Same = &knowledge.Brief{ID: q.ID, Text: q.Text}
		}
	}
	return out, err
}

// myLimit is how many of their latest asks people are shown.
const myLimit = 10

func (c *clerk) readMine(ctx context.Context, m ReadMine) (Body, error) {
	asks, err := c.tx.Asks(ctx, c.e.Person.ID, "", 5*myLimit)
	if err != nil {
		return nil, err
	}
	out := Mine{WaitingOnly: m.WaitingOnly}
	seen := map[string]bool{}
	for _, a := range asks {
		if seen[a.Question] || len(out.Items) == myLimit || !askedInWords(a) {
			continue
		}
		seen[a.Question] = true
		q, err := c.tx.Question(ctx, a.Question)
		if errors.Is(err, knowledge.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		_, err = c.desk.Waits(ctx, q.ID, c.e.Person.ID)
		if err != nil && !errors.Is(err, knowledge.ErrNotFound) {
			return nil, err
		}
		if waits := err == nil; waits || !m.WaitingOnly {
			out.Items = append(out.Items, MyQuestion{Question: q, Text: a.Text, Ask: a.ID, Waits: waits})
		}
	}
	return out, nil
}

// askedInWords leaves out what people have only added or looked at.
func askedInWords(a knowledge.Ask) bool {
	switch a.Decision {
	case knowledge.DecisionDetail:
		return false
	case knowledge.DecisionOpened:
		return a.Outcome == knowledge.Rejected // and sent to a senior after all
	default:
		return true
	}
}

func (c *clerk) readFAQ(ctx context.Context, m ReadFAQ) (Body, error) {
	all, err := c.tx.Questions(ctx, knowledge.QuestionFilter{Statuses: []knowledge.Status{knowledge.FAQ}})
	if err != nil {
		return nil, err
	}
	out := FAQ{For: m.For, Topic: m.Topic}
	var topics []string
	for _, q := range all {
		if q.Topic != "" && !slices.Contains(topics, q.Topic) {
			topics = append(topics, q.Topic)
		}
		if m.Topic != "" && knowledge.FoldText(m.Topic) != knowledge.FoldText(q.Topic) {
			continue
		}
		if m.Topic != "" {
			out.Topic = q.Topic // as it is written
		}
		if len(out.Items) < m.Limit {
			out.Items = append(out.Items, knowledge.Brief{ID: q.ID, Text: q.Text})
		}
	}
	if m.For == FAQList || m.For == FAQOfTopic && len(out.Items) == 0 {
		out.Topics = topics
	}
	return out, nil
}

// taskOf gathers what a senior is shown of an assignment.
func taskOf(ctx context.Context, tx knowledge.Tx, a knowledge.Assignment) (Task, error) {
	t := Task{Escalation: a.Escalation.ID, Question: a.Question.ID, Text: a.Question.Text, Names: a.Names, Rejected: a.Rejected, Since: a.Escalation.Created}
	if len(a.Waiters) > 0 {
		t.Since = a.Waiters[0].Since
	}
	for _, d := range a.Details {
		t.Details = append(t.Details, Addition{Name: d.Name, Text: d.Text})
	}
	asks, err := asksBehind(ctx, tx, a)
	if err != nil || len(asks) == 0 {
		return t, err
	}
	files, err := tx.Attachments(ctx, knowledge.AttachmentFilter{Asks: asks})
	t.Files = attached(files)
	return t, err
}

// asksBehind returns what those who wait have asked and added.
func asksBehind(ctx context.Context, tx knowledge.Tx, a knowledge.Assignment) (asks []int64, err error) {
	waits := map[int64]bool{}
	for _, w := range a.Waiters {
		waits[w.Person] = true
		asks = append(asks, w.Ask)
	}
	if len(a.Details) == 0 {
		return asks, nil
	}
	all, err := tx.Asks(ctx, 0, a.Question.ID, 0)
	for _, ask := range all {
		if waits[ask.Person] && ask.Decision == knowledge.DecisionDetail {
			asks = append(asks, ask.ID)
		}
	}
	return asks, err
}

func (c *clerk) escalate(ctx context.Context, m Escalate) (Body, error) {
	s, err := c.desk.Escalate(ctx, m.Ask, m.Apart)
	if errors.Is(err, knowledge.ErrConflict) {
		return AnsweredMeanwhile{Ask: m.Ask, Question: s.Question}, nil
	}
	if err != nil {
		return nil, err
	}
	return Sent{s}, c.tellSenior(ctx, s)
}

// tellSenior brings a new question, or a new asker of one, to its senior.
func (c *clerk) tellSenior(ctx context.Context, s knowledge.Escalated) error {
	if s.Already {
		return nil
	}
	task, err := taskOf(ctx, c.tx, s.Assignment)
	switch {
	case err != nil:
		return err
	case s.Joined:
		change := TaskChanged{Task: task, Kind: AskerJoined}
		for i, w := range s.Waiters {
			if w.Person == c.e.Person.ID {
				change.Name, change.Wording = s.Names[i], w.Text
			}
		}
		c.post(s.Senior.Chat, change)
	default:
		c.post(s.Senior.Chat, Assigned{Task: task})
	}
	return nil
}

func (c *clerk) join(ctx context.Context, m Join) (Body, error) {
	s, err := c.desk.Join(ctx, m.Ask, m.Question)
	if errors.Is(err, knowledge.ErrConflict) {
		if s.Question.Status.Answered() {
			return AnsweredMeanwhile{Ask: m.Ask, Question: s.Question}, nil
		}
		return c.escalate(ctx, Escalate{Ask: m.Ask})
	}
	if err != nil {
		return nil, err
	}
	return Sent{s}, c.tellSenior(ctx, s)
}

func (c *clerk) cancel(ctx context.Context, m Cancel) (Body, error) {
	ask, err := c.waitingAsk(ctx, m.Question)
	if err != nil {
		return nil, err
	}
	w, err := c.desk.CancelWait(ctx, m.Question, c.e.Person.ID)
	if errors.Is(err, knowledge.ErrNotFound) {
		return WaitEnded{}, nil
	}
	if err != nil {
		return nil, err
	}
	out := WaitEnded{Text: w.Question.Text, Ask: ask, Found: true}
	if w.Left == 0 {
		c.post(w.Senior.Chat, TaskGone{Escalation: w.Escalation.ID, Text: w.Question.Text})
		return out, nil
	}
	return out, c.postChange(ctx, w.Assignment, AskerLeft)
}

// waitingAsk returns the ask by which the person waits for a question; 0 for none.
func (c *clerk) waitingAsk(ctx context.Context, question string) (int64, error) {
	all, err := c.tx.Waiters(ctx, question)
	for _, w := range all {
		if w.Person == c.e.Person.ID && w.State == knowledge.Waiting {
			return w.Ask, err
		}
	}
	return 0, err
}

// postChange tells the senior that who asks has changed.
func (c *clerk) postChange(ctx context.Context, a knowledge.Assignment, kind TaskChange) error {
	task, err := taskOf(ctx, c.tx, a)
	if err == nil {
		c.post(a.Senior.Chat, TaskChanged{Task: task, Kind: kind})
	}
	return err
}

func (c *clerk) hide(ctx context.Context, m Hide) (Body, error) {
	a, changed, err := c.desk.Hide(ctx, m.Question, c.e.Person.ID)
	if errors.Is(err, knowledge.ErrNotFound) {
		return NameHidden{}, nil
	}
	if err != nil {
		return nil, err
	}
	if changed {
		err = c.postChange(ctx, a, NameDropped)
	}
	return NameHidden{Found: true}, err
}

// executeSenior performs the commands of a senior's chat.
func (c *clerk) executeSenior(ctx context.Context, cmd Command) (Body, error) {
	me := c.e.Person.ID
	switch m := cmd.(type) {
	case Pass:
		return c.pass(ctx, m)
	case Postpone:
		a, err := c.desk.Postpone(ctx, m.Escalation, me, m.Delay)
		return c.held(m.Escalation, a, err, TaskPostponed{Escalation: m.Escalation, Due: a.Escalation.Due})
	case Dismiss:
		return c.dismiss(ctx, m)
	case ReadTask:
		return c.readTask(ctx, m)
	case ReadSeniors:
		return c.readSeniors(ctx, m)
	case SetEntry:
		return c.setEntry(ctx, m)
	case ReadAnswer:
		q, err := c.tx.Question(ctx, m.Question)
		return AnswerRead{Read: m, Question: q}, err
	}
	return nil, fmt.Errorf("execute: unknown command %T", cmd)
}

// replied tells everybody who waits.
func (c *clerk) replied(r knowledge.Replied, done ReplyDone) Body {
	done.Replied = r
	c.mail = append(c.mail, answerMail(r, done.Changed, done.Pointed)...)
	return done
}

// answerMail is what those who wait for an answer are told.
func answerMail(r knowledge.Replied, changed, pointed bool) []Mail {
	q := r.Question
	page := knowledge.Page{Brief: knowledge.Brief{ID: q.ID, Text: q.Text}, Answer: q.Answer.Text, By: q.Answer.ByName, Updated: q.Answer.Created, Files: r.Files}
	var out []Mail
	for _, w := range r.Waiters {
		out = append(out, Mail{Chat: ChatID(w.Chat), Body: AnswerCame{Ask: w.Ask, Wording: w.Text, Page: page, Changed: changed, Pointed: pointed}})
	}
	return out
}

// held returns result, or TooLate when the escalation is not the senior's any more.
func (c *clerk) held(escalation int64, a knowledge.Assignment, err error, result Body) (Body, error) {
	if errors.Is(err, knowledge.ErrConflict) {
		return TooLate{Escalation: escalation, Question: a.Question}, nil
	}
	if err != nil {
		return nil, err
	}
	return result, nil
}

func (c *clerk) pass(ctx context.Context, m Pass) (Body, error) {
	a, err := c.desk.Pass(ctx, m.Escalation, c.e.Person.ID, m.To)
	if err == nil {
		task, err := taskOf(ctx, c.tx, a)
		if err != nil {
			return nil, err
		}
		c.post(a.Senior.Chat, Assigned{Task: task})
		for _, w := range a.Waiters {
			c.post(w.Chat, HandedOn{Question: a.Question.ID, Wording: w.Text, Senior: a.Senior.Name, Ask: w.Ask})
		}
	}
	return c.held(m.Escalation, a, err, TaskEnded{Escalation: m.Escalation, PassedTo: a.Senior.Name})
}

func (c *clerk) dismiss(ctx context.Context, m Dismiss) (Body, error) {
	a, err := c.desk.Dismiss(ctx, m.Escalation, c.e.Person.ID)
	if err == nil {
		for _, w := range a.Waiters {
			c.post(w.Chat, Dismissed{Wording: w.Text, Senior: c.e.Person.Name, Ask: w.Ask})
		}
	}
	return c.held(m.Escalation, a, err, TaskEnded{Escalation: m.Escalation})
}

func (c *clerk) readTask(ctx context.Context, m ReadTask) (Body, error) {
	e, late, err := c.ownTask(ctx, m.Escalation)
	if late, ok := late.(TooLate); ok {
		if m.Then != HasEntry { // whose words are none for others
			late.Parts = m.Parts
		}
		return late, nil
	}
	if err != nil {
		return nil, err
	}
	a, err := c.desk.Assignment(ctx, e)
	if err != nil {
		return nil, err
	}
	task, err := taskOf(ctx, c.tx, a)
	return TaskRead{Task: task, Then: m.Then, Parts: m.Parts}, err
}

// ownTask returns an escalation that the senior still has to settle; else late
// says what has become of it.
func (c *clerk) ownTask(ctx context.Context, id int64) (e knowledge.Escalation, late Body, err error) {
	e, err = c.tx.Escalation(ctx, id)
	if err != nil || e.State == knowledge.EscalationOpen && e.Senior == c.e.Person.ID {
		return e, nil, err
	}
	q, err := c.tx.Question(ctx, e.Question)
	if err != nil {
		return e, nil, err
	}
	return e, TooLate{Escalation: e.ID, Question: q}, nil
}

func (c *clerk) readSeniors(ctx context.Context, m ReadSeniors) (Body, error) {
	e, late, err := c.ownTask(ctx, m.Escalation)
	if err != nil || late != nil {
		return late, err
	}
	all, err := c.tx.People(ctx, true)
	if err != nil {
		return nil, err
	}
	waiters, err := c.tx.Waiters(ctx, e.Question)
	if err != nil {
		return nil, err
	}
	out := Seniors{Escalation: m.Escalation}
	for _, p := range all {
		asks := slices.ContainsFunc(waiters, func(w knowledge.Waiter) bool { return w.Person == p.ID })
		if p.ID != c.e.Person.ID && !asks {
			out.Others = append(out.Others, p)
		}
	}
	return out, nil
}

func (c *clerk) setEntry(ctx context.Context, m SetEntry) (Body, error) {
	var q knowledge.Question
	var err error
	switch m.To {
	case KeepOut:
		q, err = c.desk.Withdraw(ctx, m.Question)
	case PutBack:
		q, err = c.desk.Restore(ctx, m.Question)
	default:
		q, err = c.desk.SetStatus(ctx, m.Question, knowledge.FAQ)
		if errors.Is(err, knowledge.ErrTransition) || errors.Is(err, knowledge.ErrInvalid) {
			err = nil // told by the question's status
		}
	}
	return EntrySet{Question: q, To: m.To, Escalation: m.Escalation}, err
}
