package finder

import (
	"context"
	"maps"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// The shelf holds what is shown of every answered question, as the record had it
// when it was last followed: its texts are in memory anyway, to be searched. It
// stands in for the record only where the record tells that nobody has written
// since, so that what it gives has been checked as well as what is read.

// shelve puts the pages of a snapshot on the shelf.
func (f *Finder) shelve(s snapshot) {
	maps.Copy(f.shelf, pagesOf(s.questions))
}

// pagesOf returns what is shown of questions that have an answer to give.
func pagesOf(questions []knowledge.Question) map[string]knowledge.Page {
	out := make(map[string]knowledge.Page, len(questions))
	for _, q := range questions {
		if !q.Status.Answered() || q.Answer.ID == 0 {
			continue
		}
		out[q.ID] = knowledge.Page{
			Brief: knowledge.Brief{ID: q.ID, Text: q.Text}, Topic: q.Topic,
			Answer: q.Answer.Text, By: q.Answer.ByName, Updated: q.Answer.Created,
		}
	}
	return out
}

// fromShelf returns the pages of those ids that have one; false when they may have
// changed since.
func (f *Finder) fromShelf(ctx context.Context, ids []string) (map[string]knowledge.Page, bool, error) {
	w, ok := f.o.Record.(watcher)
	if !ok {
		return nil, false, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.all {
		return nil, false, nil
	}
	state, err := w.Changed(ctx)
	if err != nil || state != f.state {
		return nil, false, err
	}
	out := make(map[string]knowledge.Page, len(ids))
	for _, id := range ids {
		if p, ok := f.shelf[id]; ok {
			out[id] = p
		}
	}
	return out, true, nil
}
