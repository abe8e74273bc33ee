package finder

import (
	"context"
	"fmt"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

// changesAtOnce bounds how many changes are followed in one step.
const changesAtOnce = 2_000

// Sync follows the record up to now. It is called before every search: what any
// process has committed is found.
func (f *Finder) Sync(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		more, err := f.follow(ctx)
		if err != nil {
			return fmt.Errorf("follow changes: %w", err)
		}
		if !more {
			return nil
		}
	}
}

// follow takes in what has changed, or everything the first time; true when
// there may be more.
func (f *Finder) follow(ctx context.Context) (more bool, err error) {
	var set snapshot
	seq := f.seq
	err = f.o.Record.View(ctx, func(tx knowledge.Tx) error {
		last, err := tx.LastChange(ctx)
		if err != nil || f.all && last == f.seq {
			return err
		}
		if !f.all {
			seq = last
			set, err = f.load(ctx, tx, nil)
			return err
		}
		changes, err := tx.Changes(ctx, f.seq, changesAtOnce)
		if err != nil || len(changes) == 0 {
			return err
		}
		seq, more = changes[len(changes)-1].Seq, len(changes) == changesAtOnce
		set, err = f.load(ctx, tx, distinct(changes))
		return err
	})
	if err != nil {
		return false, err
	}
	if err := f.apply(ctx, set); err != nil {
		return false, err
	}
	f.seq, f.all = seq, true
	return more, nil
}

func distinct(changes []knowledge.Change) []string {
	seen := map[string]bool{}
	out := []string{}
	for _, c := range changes {
		if !seen[c.Question] {
			seen[c.Question] = true
			out = append(out, c.Question)
		}
	}
	return out
}

// snapshot is what the record says about some questions.
type snapshot struct {
	ids       []string // all that are to be replaced; nil with the first loading
	questions []knowledge.Question
	phrasings map[string][]knowledge.Phrasing
	verdicts  map[string][]knowledge.Verdict
	texts     map[string][]text    // by question; none without an embedder
	vectors   map[string][]float32 // by TextHash
}

// load reads questions (nil: all) with what is searched of them.
func (f *Finder) load(ctx context.Context, tx knowledge.Tx, ids []string) (snapshot, error) {
	s := snapshot{ids: ids, phrasings: map[string][]knowledge.Phrasing{}, verdicts: map[string][]knowledge.Verdict{}}
	var err error
	if s.questions, err = tx.Questions(ctx, knowledge.QuestionFilter{IDs: ids}); err != nil {
		return s, err
	}
	phrasings, err := tx.Phrasings(ctx, ids)
	if err != nil {
		return s, err
	}
	for _, p := range phrasings {
		s.phrasings[p.Question] = append(s.phrasings[p.Question], p)
	}
	verdicts, err := tx.Verdicts(ctx, ids)
	if err != nil {
		return s, err
	}
	for _, v := range verdicts {
		s.verdicts[v.Question] = append(s.verdicts[v.Question], v)
	}
	if f.o.Embedder == nil {
		return s, nil
	}
	s.texts = map[string][]text{}
	var hashes []string
	for _, q := range s.questions {
		s.texts[q.ID] = s.textsOf(q)
		for _, t := range s.texts[q.ID] {
			hashes = append(hashes, t.hash)
		}
	}
	s.vectors, err = tx.Embeddings(ctx, f.o.Embedder.Name(), hashes)
	return s, err
}

// text is one text of a question that has a vector.
type text struct {
	key  knowledge.VectorKey
	kind knowledge.EmbedKind
	text string
	hash string // TextHash of the two
}

// textsOf returns what is embedded of a question: its wordings and its answer.
func (s snapshot) textsOf(q knowledge.Question) []text {
	var out []text
	add := func(key knowledge.VectorKey, kind knowledge.EmbedKind, t string) {
		out = append(out, text{key: key, kind: kind, text: t, hash: knowledge.TextHash(kind, t)})
	}
	for _, p := range s.phrasings[q.ID] {
		add(knowledge.PhrasingKey(p.ID), knowledge.QueryText, p.Text)
	}
	if q.Status.Answered() && q.Answer.Text != "" {
		add(knowledge.AnswerKey(q.ID), knowledge.PassageText, search.PassageText(q.Text, q.Answer.Text))
	}
	return out
}

// apply brings the lexicons and the indexes in memory in line with a snapshot.
func (f *Finder) apply(ctx context.Context, s snapshot) error {
	if len(s.ids) == 0 && len(s.questions) == 0 {
		return nil // nothing has changed: no search is held up
	}
	f.view.Lock()
	defer f.view.Unlock()
	if len(s.ids) > 0 {
		f.answered.Remove(s.ids...)
		f.open.Remove(s.ids...)
		if err := f.o.Index.DeleteQuestions(ctx, s.ids); err != nil {
			return err
		}
		if err := f.o.Open.DeleteQuestions(ctx, s.ids); err != nil {
			return err
		}
	}
	var answered, open []search.Entry
	var vectors, openVectors []knowledge.Vector
	for _, q := range s.questions {
		switch {
		case q.Status.Answered():
			answered = append(answered, s.entry(q))
			vectors = append(vectors, s.rows(q)...)
		case q.Open():
			open = append(open, s.entry(q))
			openVectors = append(openVectors, s.rows(q)...)
		}
	}
	f.answered.Put(answered...)
	f.open.Put(open...)
	if err := f.o.Index.Upsert(ctx, vectors); err != nil {
		return err
	}
	return f.o.Open.Upsert(ctx, openVectors)
}

func (s snapshot) entry(q knowledge.Question) search.Entry {
	e := search.Entry{ID: q.ID, Topic: q.Topic, Phrasings: []string{q.Text}}
	own := knowledge.FoldText(q.Text)
	for _, p := range s.phrasings[q.ID] {
		if knowledge.FoldText(p.Text) != own {
			e.Phrasings = append(e.Phrasings, p.Text)
		}
	}
	if q.Status.Answered() {
		e.Answer = q.Answer.Text
		standing := knowledge.StandingOf(q, s.phrasings[q.ID], s.verdicts[q.ID])
		e.Refused, e.Doubt = standing.Refused, standing.Doubt
	}
	return e
}

// rows returns the vectors that are there for a question.
func (s snapshot) rows(q knowledge.Question) []knowledge.Vector {
	var out []knowledge.Vector
	for _, t := range s.texts[q.ID] {
		if v := s.vectors[t.hash]; v != nil {
			out = append(out, knowledge.Vector{Key: t.key, Kind: t.kind, Question: q.ID, Topic: q.Topic, Version: q.Version, Values: v})
		}
	}
	return out
}
