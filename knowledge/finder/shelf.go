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
	maps.Copy(f.shelf, pagesOf(s.questions, s.files))
}

// pagesOf returns what is shown of questions that have an answer to give.
func pagesOf(questions []knowledge.Question, files map[int64][]knowledge.Attachment) map[string]knowledge.Page {
	out := make(map[string]knowledge.Page, len(questions))
	for _, q := range questions {
		if !q.Status.Answered() || q.Answer.ID == 0 {
			continue
		}
		out[q.ID] = knowledge.Page{
			Brief: knowledge.Brief{ID: q.ID, Text: q.Text}, Topic: q.Topic,
			Answer: q.Answer.Text, By: q.Answer.ByName, Updated: q.Answer.Created,
			Files: files[q.Answer.ID],
		}
	}
	return out
}

// filesOf returns the files of the questions' answers, by answer; all says that the
// questions are all there are.
func filesOf(ctx context.Context, tx knowledge.FileTx, questions []knowledge.Question, all bool) (map[int64][]knowledge.Attachment, error) {
	filter := knowledge.AttachmentFilter{Current: all}
	for _, q := range questions {
		if !all && q.Answer.ID != 0 {
			filter.Answers = append(filter.Answers, q.Answer.ID)
		}
	}
	found, err := tx.Attachments(ctx, filter)
	if err != nil {
		return nil, err
	}
	out := map[int64][]knowledge.Attachment{}
	for _, a := range found {
		out[a.Answer] = append(out[a.Answer], a)
	}
	return out, nil
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
