package main

import (
	"context"
	"fmt"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/kbfile"
)

// ahead is a transaction that has read the questions of a portion of an import all
// at once: looking them up one by one takes a sixth of an import's time.
type ahead struct {
	bot.Tx
	read map[string]*knowledge.Question // nil of those that are not there
}

// readAhead reads the questions that the entries name.
func readAhead(ctx context.Context, tx bot.Tx, entries []kbfile.Entry) (ahead, error) {
	a := ahead{Tx: tx, read: map[string]*knowledge.Question{}}
	var ids []string
	for _, e := range entries {
		if e.ID != "" {
			ids = append(ids, e.ID)
			a.read[e.ID] = nil
		}
	}
	if len(ids) == 0 {
		return a, nil
	}
	found, err := tx.Questions(ctx, knowledge.QuestionFilter{IDs: ids, WithClosed: true})
	for i, q := range found {
		a.read[q.ID] = &found[i]
	}
	return a, err
}

// putFresh stores the entries that are new, all at once, and returns the others.
func (a ahead) putFresh(ctx context.Context, entries []kbfile.Entry) (rest []kbfile.Entry, err error) {
	var fresh []knowledge.Entry
	now := time.Now()
	for _, e := range entries {
		if q, named := a.read[e.ID]; !named || q != nil {
			rest = append(rest, e)
			continue
		}
		delete(a.read, e.ID) // should the file name it again
		fresh = append(fresh, knowledge.Entry{
			Question: knowledge.Question{ID: e.ID, Text: e.Question, Topic: e.Topic, Status: knowledge.InKnowledgeBase, Asked: now},
			Answer:   knowledge.Answer{Text: e.Answer, Created: now},
			Aliases:  e.Aliases,
		})
	}
	return rest, a.PutEntries(ctx, fresh)
}

// Question is knowledge.QuestionTx's.
func (a ahead) Question(ctx context.Context, id string) (knowledge.Question, error) {
	q, ok := a.read[id]
	switch {
	case !ok:
		return a.Tx.Question(ctx, id)
	case q == nil:
		return knowledge.Question{}, fmt.Errorf("question %q: %w", id, knowledge.ErrNotFound)
	default:
		return *q, nil
	}
}

// PutQuestion is knowledge.QuestionTx's. What was read of the question is no longer
// so.
func (a ahead) PutQuestion(ctx context.Context, q *knowledge.Question) error {
	err := a.Tx.PutQuestion(ctx, q)
	delete(a.read, q.ID)
	return err
}
