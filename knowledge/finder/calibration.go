package finder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

// Calibration returns the calibration by which the finder decides: the one that
// is stored for its embedder, else the shipped one.
func (f *Finder) Calibration() search.Calibration { return *f.cal.Load() }

// embedder returns the embedder's name, "" for searching by words alone.
func (f *Finder) embedder() string {
	if f.o.Embedder == nil {
		return ""
	}
	return f.o.Embedder.Name()
}

// calibration reads what is stored for the embedder. One that cannot be used must
// not stop the search: the shipped one stands in, and the log says why.
func (f *Finder) calibration(ctx context.Context, tx knowledge.Tx) (*search.Calibration, error) {
	name := f.embedder()
	shipped := search.DefaultCalibration(name)
	stored, err := tx.Calibration(ctx, name)
	if errors.Is(err, knowledge.ErrNotFound) {
		return &shipped, nil
	}
	if err != nil {
		return nil, err
	}
	c, err := decodeCalibration(stored)
	if err != nil {
		f.o.Log.WarnContext(ctx, "stored calibration cannot be used, the shipped one decides", "embedder", name, "err", err)
		return &shipped, nil
	}
	return &c, nil
}

func decodeCalibration(stored knowledge.StoredCalibration) (search.Calibration, error) {
	var c search.Calibration
	if err := json.Unmarshal(stored.Data, &c); err != nil {
		return c, fmt.Errorf("decode: %w", err)
	}
	if c.Embedder != stored.Embedder {
		return c, fmt.Errorf("%w: fitted for %q, stored for %q", search.ErrCalibration, c.Embedder, stored.Embedder)
	}
	return c, c.Validate()
}

// Leave says what of the base a ranking is to do without, so that a wording that
// the base has learned can be asked as if it were new.
type Leave struct {
	// Wording is taken, by FoldText, from every entry that has it as a phrasing, or
	// that people have refused for it. An entry whose only phrasing it is keeps its
	// answer.
	Wording string
	// Entries are left out whole.
	Entries []string
}

// Assessor ranks texts as if the base had not learned this or that. It knows the
// wordings that the base had when it was made.
type Assessor struct {
	f        *Finder
	wordings map[string][]string // questions by FoldText
}

// Assessor looks at the base as it is now.
func (f *Finder) Assessor(ctx context.Context) (*Assessor, error) {
	if err := f.Sync(ctx); err != nil {
		return nil, err
	}
	a := &Assessor{f: f, wordings: map[string][]string{}}
	err := f.o.Record.View(ctx, func(tx knowledge.Tx) error {
		phrasings, err := tx.Phrasings(ctx, nil)
		if err != nil {
			return err
		}
		verdicts, err := tx.Verdicts(ctx, nil)
		for _, p := range phrasings {
			a.know(p.Text, p.Question)
		}
		for _, v := range verdicts {
			a.know(v.Wording, v.Question)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("assess: %w", err)
	}
	return a, nil
}

func (a *Assessor) know(wording, question string) {
	fold := knowledge.FoldText(wording)
	if !slices.Contains(a.wordings[fold], question) {
		a.wordings[fold] = append(a.wordings[fold], question)
	}
}

// Rank ranks a text without what is left out, as Find would rank it. No vector of
// the base is computed anew, so it is quick; other searches wait meanwhile.
func (a *Assessor) Rank(ctx context.Context, text string, leave Leave) ([]search.Scored, error) {
	g, err := a.gap(ctx, leave)
	if err != nil {
		return nil, fmt.Errorf("assess: %w", err)
	}
	ranked, err := a.f.rankWith(ctx, text, g)
	if err != nil {
		return nil, fmt.Errorf("assess: %w", err)
	}
	return ranked, nil
}

// gap is what is missing from the base during one ranking.
type gap struct {
	full, less []search.Entry // the entries concerned, as they are and as they become
	gone       []string       // the entries that go whole
	keys       map[knowledge.VectorKey]bool
	centres    map[string]centre // of the entries concerned, as they become
}

func (a *Assessor) gap(ctx context.Context, leave Leave) (gap, error) {
	g := gap{keys: map[knowledge.VectorKey]bool{}, centres: map[string]centre{}}
	fold := knowledge.FoldText(leave.Wording)
	concerned := slices.Concat(leave.Entries, a.wordings[fold])
	if len(concerned) == 0 {
		return g, nil
	}
	err := a.f.o.Record.View(ctx, func(tx knowledge.Tx) error {
		s, err := a.f.load(ctx, tx, concerned)
		if err != nil {
			return err
		}
		for _, q := range s.questions {
			if q.Status.Answered() {
				g.add(s, q, fold, slices.Contains(leave.Entries, q.ID))
			}
		}
		return a.f.hubs.correct(ctx, g.centres)
	})
	return g, err
}

// add takes a wording out of a question, or the question whole.
func (g *gap) add(s snapshot, q knowledge.Question, fold string, whole bool) {
	e := s.entry(q)
	g.full = append(g.full, e)
	for _, p := range s.phrasings[q.ID] {
		if whole || knowledge.FoldText(p.Text) == fold {
			g.keys[knowledge.PhrasingKey(p.ID)] = true
		}
	}
	if whole {
		g.gone = append(g.gone, q.ID)
		g.keys[knowledge.AnswerKey(q.ID)] = true
		return
	}
	rows := slices.DeleteFunc(s.rows(q), func(v knowledge.Vector) bool { return g.keys[v.Key] })
	g.centres[q.ID] = centresOf(rows)[q.ID]
	is := func(wording string) bool { return knowledge.FoldText(wording) == fold }
	e.Phrasings = slices.DeleteFunc(slices.Clone(e.Phrasings), is)
	e.Refused = slices.DeleteFunc(slices.Clone(e.Refused), is)
	g.less = append(g.less, e)
}

// rankWith ranks while the lexicon has a gap, and closes it again.
func (f *Finder) rankWith(ctx context.Context, text string, g gap) ([]search.Scored, error) {
	f.view.Lock()
	defer f.view.Unlock()
	f.answered.Remove(g.gone...)
	f.answered.Put(g.less...)
	defer f.answered.Put(g.full...)
	// Only now: what the base does not have must not mend the text's typos.
	q, err := f.query(ctx, text)
	if err != nil {
		return nil, err
	}
	near, err := f.nearWithout(ctx, q.vector, g)
	if err != nil {
		return nil, err
	}
	return f.answered.Rank(q.words, near, f.weights), nil
}

// nearWithout is near without the vectors of a gap.
func (f *Finder) nearWithout(ctx context.Context, vector []float32, g gap) ([]search.Near, error) {
	if vector == nil {
		return nil, nil
	}
	hits, err := f.o.Index.Nearest(ctx, knowledge.Probe{Values: vector, K: nearestHits + len(g.keys)})
	if err != nil {
		return nil, err
	}
	hits = slices.DeleteFunc(hits, func(h knowledge.VectorHit) bool { return g.keys[h.Key] })
	return f.hubs.near(vector, hits[:min(nearestHits, len(hits))], g.centres), nil
}
