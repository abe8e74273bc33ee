package bot

import (
	"context"
	"errors"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

func (c *clerk) addDetail(ctx context.Context, m AddDetail) (Body, error) {
	text := m.Text
	if text == "" {
		text = fileNames(m.Files)
	}
	a, err := c.desk.AddDetail(ctx, knowledge.Ask{ID: c.e.ID, Person: c.e.Person.ID, Chat: string(c.e.Chat), Text: text, Question: m.Question})
	if errors.Is(err, knowledge.ErrNotFound) {
		return DetailSent{Text: m.Text, Files: m.Files}, nil
	}
	if err != nil {
		return nil, err
	}
	if err := c.attachToAsk(ctx, c.e.ID, m.Files); err != nil {
		return nil, err
	}
	if err := c.postDetail(ctx, a, Detail{Text: m.Text, Files: m.Files, Quiet: m.Quiet}); err != nil {
		return nil, err
	}
	return DetailSent{Senior: a.Senior.Name, Found: true, Text: m.Text, Files: m.Files, Quiet: m.Quiet}, nil
}

// postDetail brings what an asker has added to the senior who has the question.
func (c *clerk) postDetail(ctx context.Context, a knowledge.Assignment, d Detail) error {
	d.Escalation, d.Question = a.Escalation.ID, a.Question.Text
	for i, w := range a.Waiters {
		if w.Person == c.e.Person.ID {
			d.Name = a.Names[i]
		}
	}
	return c.postTask(ctx, a, d)
}

// attachFiles adds files to an ask. They go to the senior, too, who has its question.
func (c *clerk) attachFiles(ctx context.Context, m AttachFiles) error {
	if err := c.attachToAsk(ctx, m.Ask, m.Files); err != nil {
		return err
	}
	ask, err := c.tx.Ask(ctx, m.Ask)
	if err != nil {
		return err
	}
	a, err := c.desk.Waits(ctx, ask.Question, c.e.Person.ID)
	if errors.Is(err, knowledge.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return c.postDetail(ctx, a, Detail{Files: m.Files})
}

// attachToAsk keeps files with an ask; what is too much for it is left out.
func (c *clerk) attachToAsk(ctx context.Context, ask int64, files []SentFile) error {
	for _, f := range files {
		_, err := c.desk.AttachToAsk(ctx, ask, f.attachment())
		if err != nil && !errors.Is(err, knowledge.ErrInvalid) {
			return err
		}
	}
	return nil
}

// attachment returns a file as the record keeps it.
func (f SentFile) attachment() knowledge.Attachment {
	return knowledge.Attachment{Content: knowledge.Content{Key: f.Key, Media: f.Media, Size: f.Size}, Name: f.Name}
}

// changeAsk brings the new words of a question to the senior who has it.
func (c *clerk) changeAsk(ctx context.Context, m ChangeAsk) (Body, error) {
	out := AskChanged{Change: m}
	ask, err := c.tx.Ask(ctx, m.Ask)
	if errors.Is(err, knowledge.ErrNotFound) {
		return nil, nil // small talk, or never recorded
	}
	if err != nil {
		return nil, err
	}
	out.Detail = ask.Decision == knowledge.DecisionDetail
	of, err := c.tx.Attachments(ctx, knowledge.AttachmentFilter{Asks: []int64{ask.ID}})
	if err != nil {
		return nil, err
	}
	out.Files = attached(of)
	a, err := c.desk.Waits(ctx, ask.Question, c.e.Person.ID)
	if errors.Is(err, knowledge.ErrNotFound) {
		if m.Text == "" || out.Detail {
			return out, nil
		}
		return out, c.forgetWording(ctx, ask)
	}
	if err != nil {
		return nil, err
	}
	out.Waits, out.Question, out.Senior = true, knowledge.Brief{ID: a.Question.ID, Text: a.Question.Text}, a.Senior.Name
	if m.Text == "" {
		return out, nil
	}
	_, err = c.addDetail(ctx, AddDetail{Question: ask.Question, Text: m.Text})
	return out, err
}

// forgetWording closes the question that an ask opened in words that its asker has
// changed since: nobody needs an answer to that.
func (c *clerk) forgetWording(ctx context.Context, ask knowledge.Ask) error {
	q, err := c.tx.Question(ctx, ask.Question)
	if err != nil || q.Status != knowledge.Unanswered || q.Closed != knowledge.NotClosed {
		return ignoreNotFound(err)
	}
	behind, err := c.tx.Asks(ctx, 0, q.ID, 2)
	if err != nil || len(behind) > 1 {
		return err
	}
	q.Closed = knowledge.Cancelled
	return c.tx.PutQuestion(ctx, &q)
}
