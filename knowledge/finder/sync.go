package finder

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

// changesAtOnce bounds how many changes are followed in one step.
const changesAtOnce = 2_000

// watcher is a Record that tells at little cost whether anybody has written to it
// since it was last asked: the number is then another one. Without it every Sync
// reads the sequence of changes.
type watcher interface {
	Changed(ctx context.Context) (uint64, error)
}

// Sync follows the record up to now. It is called before every search: what any
// process has committed is found.
func (f *Finder) Sync(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.catchUp(ctx); err != nil {
		return fmt.Errorf("follow changes: %w", err)
	}
	return nil
}

func (f *Finder) catchUp(ctx context.Context) error {
	w, watches := f.o.Record.(watcher)
	var state uint64
	if watches {
		var err error
		if state, err = w.Changed(ctx); err != nil || f.all && state == f.state {
			return err
		}
	}
	if !f.all {
		if err := f.loadAll(ctx); err != nil {
			return err
		}
		f.all = true
	}
	for {
		more, err := f.follow(ctx)
		if err != nil {
			return err
		}
		if !more {
			// What was written since the state was asked for may have been followed
			// already; the next Sync looks again.
			f.state = state
			return nil
		}
	}
}

// follow takes in what has changed; true when there may be more.
func (f *Finder) follow(ctx context.Context) (more bool, err error) {
	var set snapshot
	seq := f.seq
	err = f.o.Record.View(ctx, func(tx knowledge.Tx) error {
		last, err := tx.LastChange(ctx)
		if err != nil || last == f.seq {
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
	f.seq = seq
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
	files     map[int64][]knowledge.Attachment // by answer
	texts     map[string][]text                // by question; none without an embedder
	vectors   map[string][]float32             // by TextHash

	calibration *search.Calibration // nil when it has not changed
}

// load reads questions (nil: all) with what is searched of them.
func (f *Finder) load(ctx context.Context, tx knowledge.Tx, ids []string) (snapshot, error) {
	s, err := f.loadWords(ctx, tx, ids)
	if err != nil {
		return s, err
	}
	err = f.loadVectors(ctx, tx, &s)
	return s, err
}

// loadWords reads all of a snapshot but the vectors.
func (f *Finder) loadWords(ctx context.Context, tx knowledge.Tx, ids []string) (snapshot, error) {
	s := snapshot{ids: ids, phrasings: map[string][]knowledge.Phrasing{}, verdicts: map[string][]knowledge.Verdict{}}
	var err error
	if ids == nil || slices.Contains(ids, "") {
		if s.calibration, err = f.calibration(ctx, tx); err != nil {
			return s, err
		}
	}
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
	s.files, err = filesOf(ctx, tx, s.questions, ids == nil)
	return s, err
}

// loadVectors reads the vectors of a snapshot's questions.
func (f *Finder) loadVectors(ctx context.Context, tx knowledge.Tx, s *snapshot) error {
	if f.o.Embedder == nil {
		return nil
	}
	s.texts = s.textsInParts()
	var hashes []string
	for _, q := range s.questions {
		for _, t := range s.texts[q.ID] {
			hashes = append(hashes, t.hash)
		}
	}
	var err error
	s.vectors, err = tx.Embeddings(ctx, f.o.Embedder.Name(), hashes)
	return err
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
	if passage := search.PassageText(q.Text, q.Answer.Text); passage != "" && q.Status.Answered() {
		add(knowledge.AnswerKey(q.ID), knowledge.PassageText, passage)
	}
	return out
}

// apply brings the lexicons and the indexes in memory in line with a snapshot.
func (f *Finder) apply(ctx context.Context, s snapshot) error {
	if s.calibration != nil {
		f.cal.Store(s.calibration)
	}
	if len(s.ids) == 0 {
		return nil // nothing has changed: no search is held up
	}
	f.view.Lock()
	defer f.view.Unlock()
	f.around.forget()
	if err := f.remove(ctx, s.ids); err != nil {
		return err
	}
	f.putWords(s)
	return f.putVectors(ctx, s)
}

// remove takes questions out of everything in memory.
func (f *Finder) remove(ctx context.Context, ids []string) error {
	f.answered.Remove(ids...)
	f.open.Remove(ids...)
	f.hubs.forget(ids)
	for _, id := range ids {
		delete(f.behind, id)
		delete(f.shelf, id)
	}
	err := f.o.Open.DeleteQuestions(ctx, ids)
	if f.o.Shared {
		return err
	}
	return errors.Join(err, f.o.Index.DeleteQuestions(ctx, ids))
}

// putWords takes the words of a snapshot's questions into the lexicons, and their
// pages onto the shelf.
func (f *Finder) putWords(s snapshot) {
	f.shelve(s)
	var answered, open []search.Entry
	for _, q := range s.questions {
		switch {
		case q.Status.Answered():
			answered = append(answered, s.entry(q))
		case q.Open():
			open = append(open, s.entry(q))
		}
	}
	f.answered.Put(answered...)
	f.open.Put(open...)
}

// putVectors takes the vectors of a snapshot's questions into the indexes, and
// notes which questions lack some.
func (f *Finder) putVectors(ctx context.Context, s snapshot) error {
	var answered, open []knowledge.Vector
	for _, q := range s.questions {
		switch {
		case q.Status.Answered():
			answered = append(answered, s.rows(q)...)
		case q.Open():
			open = append(open, s.rows(q)...)
		}
	}
	for _, w := range s.missing() {
		f.behind[w.question] = true
	}
	err := errors.Join(f.hubs.learn(ctx, slices.Concat(answered, open)), f.o.Open.Upsert(ctx, open))
	if f.o.Shared {
		return err
	}
	return errors.Join(err, f.o.Index.Upsert(ctx, answered))
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
