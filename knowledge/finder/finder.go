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
	"sync/atomic"

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
	Open   knowledge.Index // of questions that have no answer yet, in memory
	// Shared says that Index is on a server and every process searches the same: who
	// follows the record leaves it alone, IndexQuestions keeps it up to date.
	Shared bool
	// Embedder makes vectors; nil means that words alone must do.
	Embedder knowledge.Embedder
	// Synonyms maps slang to the plain words for it; see search.ParserOptions.
	Synonyms map[string]string
	Log      *slog.Logger
	// Report is told how PartEmbedder and PartIndex did whenever a search needed them,
	// nil for well; without them it goes on by words. It is called at every search, so it
	// must be quick, and by several goroutines at once. Nil is nobody.
	Report func(part string, err error)
}

// Finder searches. It is safe for concurrent use.
type Finder struct {
	o        Options
	parser   *search.Parser
	answered *search.Lexicon
	open     *search.Lexicon
	weights  search.Weights
	hubs     *hubs
	cal      atomic.Pointer[search.Calibration]
	queries  *memo
	around   surroundings

	embedding, nearing *outage // of the embedder, and of the indexes

	indexing sync.Mutex // held while a batch is embedded

	// view is held for writing while changes are taken in: a search sees all of a
	// change or nothing of it.
	view sync.RWMutex

	mu     sync.Mutex                // held while following changes
	seq    int64                     // of the last change followed
	all    bool                      // the first loading is done
	state  uint64                    // what a watcher told before the latest following
	behind map[string]bool           // questions some of whose vectors are missing
	shelf  map[string]knowledge.Page // what is shown of questions, see fromShelf
}

// How many vectors are asked of the index, and how many candidates are checked
// against the record.
const (
	nearestHits = 100
	checked     = 12
	shown       = 5
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
		weights: search.DefaultWeights(name),
		queries: newMemo(), behind: map[string]bool{}, shelf: map[string]knowledge.Page{},
	}
	f.embedding, f.nearing = newOutage(PartEmbedder, o), newOutage(PartIndex, o)
	if o.Embedder != nil {
		f.o.Embedder = watched{o.Embedder, f.embedding}
	}
	f.hubs = newHubs(o.Embedder, f.weights, o.Log)
	shipped := search.DefaultCalibration(name)
	f.cal.Store(&shipped)
	f.parser = search.NewParser(search.ParserOptions{Vocabulary: f.answered, Synonyms: o.Synonyms})
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
	return f.query(ctx, text)
}

// query reads a text by the base as it is, and gives it its vector.
func (f *Finder) query(ctx context.Context, text string) (query, error) {
	q := query{words: f.parser.Parse(text)}
	if f.o.Embedder == nil || q.words.Text == "" {
		return q, nil
	}
	var err error
	q.vector, err = f.queries.get(ctx, f.o.Embedder, q.words.Text)
	if err != nil && ctx.Err() != nil { // an embedder's own time-out is no end of the search
		return q, err
	}
	if err != nil {
		// The base still answers from words; the admin sees why in the log.
		f.embedding.begins(ctx, err)
		q.vector = nil
	}
	return q, nil
}

// rank orders the questions of a lexicon and its index.
func (f *Finder) rank(ctx context.Context, q query, lex *search.Lexicon, index knowledge.Index, fresh bool) ([]search.Scored, error) {
	f.view.RLock()
	defer f.view.RUnlock()
	if q.vector == nil {
		return lex.Rank(q.words, nil, f.weights), nil
	}
	hits := f.look(ctx, knowledge.Probe{Values: q.vector, K: nearestHits, Fresh: fresh}, index)
	ranked := lex.RankWhile(q.words, hits.wait, f.weights)
	return ranked, hits.err
}

// hits are what the vectors have near a query, being looked for beside what its
// words find.
type hits struct {
	done chan struct{}
	near []search.Near
	err  error // valid after wait, as near
}

// look begins to look for hits. The caller holds the view until it has waited.
func (f *Finder) look(ctx context.Context, p knowledge.Probe, index knowledge.Index) *hits {
	h := &hits{done: make(chan struct{})}
	go func() {
		defer close(h.done)
		h.near, h.err = f.near(ctx, p, index)
	}()
	return h
}

func (h *hits) wait() []search.Near {
	<-h.done
	return h.near
}

func (f *Finder) near(ctx context.Context, p knowledge.Probe, index knowledge.Index) ([]search.Near, error) {
	found, _, err := f.nearest(ctx, p, index)
	return f.hubs.near(p.Values, found, nil), err
}

// nearest asks an index; ok is false when it could not be asked, or need not be: words
// must do.
func (f *Finder) nearest(ctx context.Context, p knowledge.Probe, index knowledge.Index) (found []knowledge.VectorHit, ok bool, err error) {
	if p.Values == nil {
		return nil, false, nil
	}
	found, err = index.Nearest(ctx, p)
	if err != nil {
		if ctx.Err() != nil {
			return nil, false, ctx.Err()
		}
		f.nearing.begins(ctx, err)
		return nil, false, nil
	}
	f.nearing.over(ctx)
	return found, true, nil
}

// Find decides on a text: an answer, up to five similar questions, or nothing.
func (f *Finder) Find(ctx context.Context, in knowledge.Inquiry) (knowledge.Finding, error) {
	r, err := f.ranking(ctx, in.Text, in)
	if err != nil {
		return knowledge.Finding{}, fmt.Errorf("find: %w", err)
	}
	var out knowledge.Finding
	if in.After == "" {
		out, err = f.finding(ctx, r, in.Seen)
	} else {
		out, err = f.goOn(ctx, in, r)
	}
	if err != nil {
		return out, fmt.Errorf("find: %w", err)
	}
	return out, nil
}

// ranking is what was found for a text, the best first. The first of them have
// their pages, unless the record has nothing to show of them.
type ranking struct {
	scored []search.Scored
	pages  map[string]knowledge.Page
}

// ranking ranks the base for a text. What the record no longer has is left out: it
// must not be shown, nor count as a rival.
func (f *Finder) ranking(ctx context.Context, text string, in knowledge.Inquiry) (ranking, error) {
	q, err := f.prepare(ctx, text)
	if err != nil {
		return ranking{}, err
	}
	ranked, err := f.rank(ctx, q, f.answered, f.o.Index, in.Fresh)
	if err != nil {
		return ranking{}, err
	}
	if in.Without != "" {
		ranked = slices.DeleteFunc(ranked, func(s search.Scored) bool { return s.ID == in.Without })
	}
	if in.Refused {
		ranked = unrefused(ranked)
	}
	pages, err := f.pages(ctx, ranked)
	if err != nil {
		return ranking{}, err
	}
	head := min(checked, len(ranked))
	there := slices.DeleteFunc(ranked[:head], func(s search.Scored) bool {
		_, ok := pages[s.ID]
		return !ok
	})
	return ranking{scored: append(there, ranked[head:]...), pages: pages}, nil
}

// unrefused returns a ranking as it were had nobody refused anything.
func unrefused(ranked []search.Scored) []search.Scored {
	for i := range ranked {
		ranked[i].Parts.Refused = false
	}
	slices.SortFunc(ranked, search.Better)
	return ranked
}

// finding decides on a ranking. Questions in seen are not offered as related.
func (f *Finder) finding(ctx context.Context, r ranking, seen []string) (knowledge.Finding, error) {
	d := search.Decide(r.scored, f.Calibration())
	out := knowledge.Finding{Confidence: d.Confidence, Decision: decision(d.Kind)}
	for _, s := range d.Candidates[:min(shown, len(d.Candidates))] {
		if p, ok := r.pages[s.ID]; ok {
			out.Matches = append(out.Matches, knowledge.Match{Brief: p.Brief, Score: s.Score})
		}
	}
	out.Ranked = make([]knowledge.Match, 0, len(r.scored))
	for _, s := range r.scored {
		out.Ranked = append(out.Ranked, knowledge.Match{Brief: knowledge.Brief{ID: s.ID}, Score: s.Score})
	}
	if out.Decision != knowledge.DecisionAnswer {
		return out, nil
	}
	p := r.pages[r.scored[0].ID]
	var err error
	if p.Related, err = f.related(ctx, p, seen); err != nil {
		return out, err
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
	out, ok, err := f.fromShelf(ctx, ids)
	if ok || err != nil {
		return out, err
	}
	err = f.o.Record.View(ctx, func(tx knowledge.Tx) error {
		found, err := tx.Questions(ctx, knowledge.QuestionFilter{IDs: ids, Answered: true})
		if err != nil {
			return err
		}
		files, err := filesOf(ctx, tx, found, false)
		out = pagesOf(found, files)
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
	found, err := f.Find(ctx, knowledge.Inquiry{Text: wording, Fresh: true})
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(found.Matches, func(m knowledge.Match) bool { return m.ID == question }), nil
}

// From either an open question counts as much the same as another: the asker is
// asked, so it may be wrong at times. The calibration was fitted on bases of many
// questions with answers; of the few that are open, the words themselves tell more.
const (
	sameAt    = 0.5  // confidence
	sameWords = 0.75 // search.Query.Overlap
)

// muchTheSame reports whether the first of the open questions is what q asks.
func (f *Finder) muchTheSame(q query, ranked []search.Scored) bool {
	if e, ok := f.open.Entry(ranked[0].ID); ok {
		for _, p := range e.Phrasings {
			if q.words.Overlap(p) >= sameWords {
				return true
			}
		}
	}
	return search.Decide(ranked, f.Calibration()).Confidence >= sameAt
}

// FindOpen returns the question without an answer that is much the same as the
// text, other than own; nil when there is none.
func (f *Finder) FindOpen(ctx context.Context, text, own string) (*knowledge.Brief, error) {
	q, err := f.prepare(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("find open: %w", err)
	}
	ranked, err := f.rank(ctx, q, f.open, f.o.Open, false)
	if err != nil {
		return nil, fmt.Errorf("find open: %w", err)
	}
	ranked = slices.DeleteFunc(ranked, func(s search.Scored) bool { return s.ID == own })
	if len(ranked) == 0 || !f.muchTheSame(q, ranked) {
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

func idsOf(scored []search.Scored) []string {
	out := make([]string, len(scored))
	for i, s := range scored {
		out[i] = s.ID
	}
	return out
}
