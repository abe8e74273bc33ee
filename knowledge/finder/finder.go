// Package finder finds entries of the knowledge base. It keeps what ranking
// needs in memory (the words of all questions, and on the embedded store their
// vectors), follows the record of truth by its sequence of changes, and checks
// every hit against it before anybody sees it. The ranking itself is the pure
// package search, the same for every store.
package finder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

// Record is the record of truth.
type Record interface {
	// View runs fn on one consistent state.
	View(ctx context.Context, fn func(knowledge.Tx) error) error
	// Update runs fn in a transaction and commits it when fn returns nil.
	Update(ctx context.Context, fn func(knowledge.Tx) error) error
}

// Options are what a Finder needs.
type Options struct {
	Record Record
	Index  knowledge.Index // of answered questions
	Open   knowledge.Index // of questions that have no answer yet
	// Embedder makes vectors; nil means that words alone must do.
	Embedder knowledge.Embedder
	Log      *slog.Logger
}

// Finder searches. It is safe for concurrent use.
type Finder struct {
	o        Options
	parser   *search.Parser
	answered *search.Lexicon
	open     *search.Lexicon
	weights  search.Weights
	cal      search.Calibration
	queries  *memo

	indexing sync.Mutex // held while a batch is embedded

	// view is held for writing while changes are taken in: a search sees all of a
	// change or nothing of it.
	view sync.RWMutex

	mu  sync.Mutex // held while following changes
	seq int64      // of the last change followed
	all bool       // the first loading is done
}

// How many vectors are asked of the index, and how many candidates are checked
// against the record.
const (
	nearest = 100
	checked = 12
	shown   = 5
)

// New returns a finder that has loaded nothing yet; see Sync.
func New(o Options) *Finder {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	name := ""
	if o.Embedder != nil {
		name = o.Embedder.Name()
	}
	f := &Finder{
		o: o, answered: search.NewLexicon(), open: search.NewLexicon(),
		weights: search.DefaultWeights(name), cal: search.DefaultCalibration(name),
		queries: newMemo(),
	}
	f.parser = search.NewParser(search.ParserOptions{Vocabulary: f.answered})
	return f
}

// query is a text made ready: its words, and what the vectors have near it.
type query struct {
	words  search.Query
	vector []float32
}

func (f *Finder) prepare(ctx context.Context, text string) (query, error) {
	if err := f.Sync(ctx); err != nil {
		return query{}, err
	}
	q := query{words: f.parser.Parse(text)}
	if f.o.Embedder == nil || q.words.Text == "" {
		return q, nil
	}
	var err error
	q.vector, err = f.queries.get(ctx, f.o.Embedder, q.words.Text)
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return q, err
	}
	if err != nil {
		// The base still answers from words; the admin sees why in the log.
		f.o.Log.WarnContext(ctx, "embedding a question failed, searching by words", "err", err)
		q.vector = nil
	}
	return q, nil
}

// rank orders the questions of a lexicon and its index.
func (f *Finder) rank(ctx context.Context, q query, lex *search.Lexicon, index knowledge.Index) ([]search.Scored, error) {
	f.view.RLock()
	defer f.view.RUnlock()
	near, err := f.near(ctx, q.vector, index)
	if err != nil {
		return nil, err
	}
	return lex.Rank(q.words, near, f.weights), nil
}

func (f *Finder) near(ctx context.Context, vector []float32, index knowledge.Index) ([]search.Near, error) {
	if vector == nil {
		return nil, nil
	}
	hits, err := index.Nearest(ctx, vector, nearest, nil)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		f.o.Log.WarnContext(ctx, "vector search failed, searching by words", "err", err)
		return nil, nil
	}
	out := make([]search.Near, len(hits))
	for i, h := range hits {
		out[i] = search.Near{Question: h.Question, Similarity: h.Similarity}
		if h.Kind == knowledge.PassageText {
			out[i].Kind = search.Passage
		}
	}
	return out, nil
}

// Find decides on a text: an answer, up to five similar questions, or nothing.
func (f *Finder) Find(ctx context.Context, in knowledge.Inquiry) (knowledge.Finding, error) {
	q, err := f.prepare(ctx, in.Text)
	if err != nil {
		return knowledge.Finding{}, fmt.Errorf("find: %w", err)
	}
	ranked, err := f.rank(ctx, q, f.answered, f.o.Index)
	if err != nil {
		return knowledge.Finding{}, fmt.Errorf("find: %w", err)
	}
	if in.Without != "" {
		ranked = slices.DeleteFunc(ranked, func(s search.Scored) bool { return s.ID == in.Without })
	}
	pages, err := f.pages(ctx, ranked)
	if err != nil {
		return knowledge.Finding{}, fmt.Errorf("find: %w", err)
	}
	// What the record no longer has must not be shown, nor count as a rival.
	ranked = slices.DeleteFunc(ranked, func(s search.Scored) bool {
		_, ok := pages[s.ID]
		return !ok && slices.IndexFunc(ranked[:min(checked, len(ranked))], func(c search.Scored) bool { return c.ID == s.ID }) >= 0
	})
	return f.finding(ctx, ranked, pages)
}

func (f *Finder) finding(ctx context.Context, ranked []search.Scored, pages map[string]knowledge.Page) (knowledge.Finding, error) {
	d := search.Decide(ranked, f.cal)
	out := knowledge.Finding{Confidence: d.Confidence, Decision: decision(d.Kind)}
	for _, s := range d.Candidates[:min(shown, len(d.Candidates))] {
		if p, ok := pages[s.ID]; ok {
			out.Matches = append(out.Matches, knowledge.Match{Brief: p.Brief, Score: s.Score})
		}
	}
	for _, s := range ranked {
		out.Ranked = append(out.Ranked, knowledge.Match{Brief: knowledge.Brief{ID: s.ID}, Score: s.Score})
	}
	if out.Decision != knowledge.DecisionAnswer {
		return out, nil
	}
	p := pages[ranked[0].ID]
	var err error
	if p.Related, err = f.related(ctx, p, nil); err != nil {
		return out, fmt.Errorf("find: %w", err)
	}
	out.Page = &p
	return out, nil
}

func decision(k search.Kind) knowledge.Decision {
	switch k {
	case search.Answer:
		return knowledge.DecisionAnswer
	case search.Suggest:
		return knowledge.DecisionSuggest
	default:
		return knowledge.DecisionNothing
	}
}

// pages reads the best of a ranking from the record; those that have no answer
// to give are missing from the result.
func (f *Finder) pages(ctx context.Context, ranked []search.Scored) (map[string]knowledge.Page, error) {
	return f.read(ctx, idsOf(ranked[:min(checked, len(ranked))]))
}

func (f *Finder) read(ctx context.Context, ids []string) (map[string]knowledge.Page, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	out := map[string]knowledge.Page{}
	err := f.o.Record.View(ctx, func(tx knowledge.Tx) error {
		found, err := tx.Questions(ctx, knowledge.QuestionFilter{IDs: ids, Answered: true})
		for _, q := range found {
			out[q.ID] = knowledge.Page{
				Brief: knowledge.Brief{ID: q.ID, Text: q.Text}, Topic: q.Topic,
				Answer: q.Answer.Text, By: q.Answer.ByName, Updated: q.Answer.Created,
			}
		}
		return err
	})
	return out, err
}

// Show returns an entry with related questions, without those in seen. The
// error wraps knowledge.ErrNotFound when the base does not have it.
func (f *Finder) Show(ctx context.Context, question string, seen []string) (knowledge.Page, error) {
	if err := f.Sync(ctx); err != nil {
		return knowledge.Page{}, err
	}
	pages, err := f.read(ctx, []string{question})
	if err != nil {
		return knowledge.Page{}, fmt.Errorf("show %s: %w", question, err)
	}
	p, ok := pages[question]
	if !ok {
		return p, fmt.Errorf("show %s: %w", question, knowledge.ErrNotFound)
	}
	p.Related, err = f.related(ctx, p, seen)
	return p, err
}

// Proves reports whether the wording finds the question, answered at once or
// among those suggested. It brings the question's vectors up to date first.
func (f *Finder) Proves(ctx context.Context, wording, question string) (bool, error) {
	if err := f.indexNow(ctx, question); err != nil {
		// Words may find it already; the late work tries the vectors again.
		f.o.Log.WarnContext(ctx, "indexing a new answer failed", "entry_id", question, "err", err)
	}
	found, err := f.Find(ctx, knowledge.Inquiry{Text: wording})
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(found.Matches, func(m knowledge.Match) bool { return m.ID == question }), nil
}

// sameAt is the confidence from which an open question counts as much the same
// as another: the asker is asked, so it may be wrong at times.
const sameAt = 0.5

// FindOpen returns the question without an answer that is much the same as the
// text, other than own; nil when there is none.
func (f *Finder) FindOpen(ctx context.Context, text, own string) (*knowledge.Brief, error) {
	q, err := f.prepare(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("find open: %w", err)
	}
	ranked, err := f.rank(ctx, q, f.open, f.o.Open)
	if err != nil {
		return nil, fmt.Errorf("find open: %w", err)
	}
	ranked = slices.DeleteFunc(ranked, func(s search.Scored) bool { return s.ID == own })
	if len(ranked) == 0 || search.Decide(ranked, f.cal).Confidence < sameAt {
		return nil, nil
	}
	var out *knowledge.Brief
	err = f.o.Record.View(ctx, func(tx knowledge.Tx) error {
		found, err := tx.Question(ctx, ranked[0].ID)
		if err == nil && found.Open() && found.Status == knowledge.AwaitingSenior {
			out = &knowledge.Brief{ID: found.ID, Text: found.Text}
		}
		if errors.Is(err, knowledge.ErrNotFound) {
			return nil
		}
		return err
	})
	return out, err
}

// related returns questions that are useful after one that is shown, without
// those in seen.
func (f *Finder) related(ctx context.Context, p knowledge.Page, seen []string) ([]knowledge.Brief, error) {
	var vector []float32
	if f.o.Embedder != nil {
		v, err := f.queries.get(ctx, f.o.Embedder, p.Text)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err == nil {
			vector = v
		}
	}
	scored, err := f.rankRelated(ctx, p.ID, vector, seen)
	if err != nil {
		return nil, err
	}
	pages, err := f.read(ctx, idsOf(scored))
	if err != nil {
		return nil, err
	}
	var out []knowledge.Brief
	for _, s := range scored {
		if r, ok := pages[s.ID]; ok {
			out = append(out, r.Brief)
		}
	}
	return out, nil
}

func (f *Finder) rankRelated(ctx context.Context, question string, vector []float32, seen []string) ([]search.Scored, error) {
	f.view.RLock()
	defer f.view.RUnlock()
	near, err := f.near(ctx, vector, f.o.Index)
	if err != nil {
		return nil, err
	}
	exclude := map[string]bool{}
	for _, id := range seen {
		exclude[id] = true
	}
	return f.answered.Related(question, f.weights, search.RelatedOptions{Near: near, Exclude: exclude}), nil
}

func idsOf(scored []search.Scored) []string {
	out := make([]string, len(scored))
	for i, s := range scored {
		out[i] = s.ID
	}
	return out
}
