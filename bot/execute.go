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

func newClerk(tx Tx, e Event, l knowledge.Learning, r knowledge.Routing) *clerk {
	return &clerk{tx: tx, desk: knowledge.Desk{Tx: tx, Now: e.At, Learning: l, Routing: r, By: e.Person.ID}, e: e}
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
	if b, done, err := c.executeDesk(ctx, cmd); done {
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
		mine, err := c.myQuestion(ctx, q, a)
		if err != nil {
			return nil, err
		}
		if mine.Waits || !m.WaitingOnly {
			out.Items = append(out.Items, mine)
		}
	}
	return out, nil
}

// myQuestion tells how a question of the asker's stands.
func (c *clerk) myQuestion(ctx context.Context, q knowledge.Question, a knowledge.Ask) (MyQuestion, error) {
	out := MyQuestion{Question: q, Text: a.Text, Ask: a.ID}
	as, err := c.desk.Waits(ctx, q.ID, c.e.Person.ID)
	if errors.Is(err, knowledge.ErrNotFound) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.Waits, out.Senior, out.Usual = true, as.Senior, as.Usual
	out.Before, err = c.before(ctx, as.Escalation)
	return out, err
}

// before counts the questions that their senior, or the queue, had before this one.
func (c *clerk) before(ctx context.Context, e knowledge.Escalation) (int, error) {
	open, err := c.tx.Escalations(ctx, knowledge.EscalationFilter{Senior: e.Senior, Unassigned: e.Senior == 0, State: knowledge.EscalationOpen})
	n := 0
	for _, o := range open {
		if o.ID < e.ID {
			n++
		}
	}
	return n, err
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
	out.Senior = c.e.Person.Senior
	if m.For == FAQList || m.For == FAQOfTopic && len(out.Items) == 0 {
		out.Topics = topics
	}
	return out, nil
}

func (c *clerk) escalate(ctx context.Context, m Escalate) (Body, error) {
	s, err := c.desk.Escalate(ctx, m.Ask, m.Apart)
	if errors.Is(err, knowledge.ErrConflict) {
		return AnsweredMeanwhile{Ask: m.Ask, Question: s.Question}, nil
	}
	if err != nil {
		return nil, err
	}
	return c.sent(ctx, s)
}

// sent tells the senior, and how many questions are before this one.
func (c *clerk) sent(ctx context.Context, s knowledge.Escalated) (Body, error) {
	if err := c.tellSenior(ctx, s); err != nil {
		return nil, err
	}
	n, err := c.before(ctx, s.Escalation)
	return Sent{Escalated: s, Before: n}, err
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
		return c.postTask(ctx, s.Assignment, change)
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
	return c.sent(ctx, s)
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
		err := c.postTask(ctx, w.Assignment, TaskGone{Escalation: w.Escalation.ID, Text: w.Question.Text})
		if err != nil {
			return nil, err
		}
		return out, c.refill(ctx, w.Senior.ID)
	}
	return out, c.postChange(ctx, w.Assignment, AskerLeft)
}

// postTask sends mail about a question to where its senior has it.
func (c *clerk) postTask(ctx context.Context, a knowledge.Assignment, b Body) error {
	chat, err := taskChat(ctx, c.tx, a.Escalation.ID, a.Senior)
	if err == nil {
		c.post(chat, b)
	}
	return err
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
	if err != nil {
		return err
	}
	return c.postTask(ctx, a, TaskChanged{Task: task, Kind: kind})
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

// replied tells everybody who waits, and gives the senior the next question.
func (c *clerk) replied(ctx context.Context, r knowledge.Replied, done ReplyDone) (Body, error) {
	done.Replied = r
	c.mail = append(c.mail, answerMail(r, done.Changed, done.Pointed)...)
	if r.Question.Topic == "" {
		topics, err := c.tx.Topics(ctx)
		if err != nil {
			return nil, err
		}
		done.Topics = slices.ContainsFunc(topics, func(t knowledge.Topic) bool { return len(t.Seniors) > 0 })
	}
	return done, c.refill(ctx, c.e.Person.ID)
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

func (c *clerk) dismiss(ctx context.Context, m Dismiss) (Body, error) {
	a, err := c.desk.Dismiss(ctx, m.Escalation, c.e.Person.ID)
	if err == nil {
		if err := c.refill(ctx, c.e.Person.ID); err != nil {
			return nil, err
		}
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
