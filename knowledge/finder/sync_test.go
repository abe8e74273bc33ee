package finder_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/finder"
)

// Changed lets the finder ask cheaply whether anybody has written.
func (r record) Changed(ctx context.Context) (uint64, error) { return r.store.Changed(ctx) }

// A record that cannot tell whether it has changed is followed all the same.
func TestSyncOfARecordThatTellsNothing(t *testing.T) {
	r := openRecord(t, t.TempDir())
	silent := struct{ finder.Record }{r}
	f := finder.New(finder.Options{Record: silent, Index: newIndex(t, 1), Open: newIndex(t, 1)})
	if got := first(t, f, "Как оформить отпуск?"); got != "" {
		t.Fatalf("an empty base finds %q", got)
	}
	r.put(base()...)
	if got := first(t, f, "Как оформить отпуск?"); got != "vacation" {
		t.Errorf("found %q", got)
	}
}

// failing is an index that refuses to be written to while it is down.
type failing struct {
	knowledge.Index
	down bool
}

var errDown = errors.New("the index is down")

func (f *failing) Upsert(ctx context.Context, vectors []knowledge.Vector) error {
	if f.down && len(vectors) > 0 {
		return errDown
	}
	return f.Index.Upsert(ctx, vectors)
}

// A first loading that failed leaves nothing behind: what goes from the record
// before the next one is not found.
func TestFailedFirstLoading(t *testing.T) {
	r := openRecord(t, t.TempDir())
	r.put(base()...)
	e := &words{}
	whole := newFinder(t, r, e)
	ids, err := whole.Backlog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := whole.IndexQuestions(t.Context(), ids); err != nil {
		t.Fatal(err)
	}

	index := &failing{Index: newIndex(t, dim), down: true}
	f := finder.New(finder.Options{Record: r, Index: index, Open: newIndex(t, dim), Embedder: e})
	if err := f.Sync(t.Context()); !errors.Is(err, errDown) {
		t.Fatalf("with an index that is down: %v", err)
	}
	r.set("vacation", func(q *knowledge.Question) {
		q.Status, q.Closed = knowledge.Unanswered, knowledge.AnsweredPrivately
	})
	index.down = false
	found, err := f.Find(t.Context(), knowledge.Inquiry{Text: "Как оформить отпуск?"})
	if err != nil || len(found.Ranked) != len(base())-1 {
		t.Fatalf("ranked %+v, %v", found.Ranked, err)
	}
	if slices.ContainsFunc(found.Ranked, func(m knowledge.Match) bool { return m.ID == "vacation" }) {
		t.Error("an entry that went between two loadings is ranked")
	}
	stamps, err := index.Stamps(t.Context())
	indexed := map[string]bool{}
	for _, stamp := range stamps {
		indexed[stamp.Question] = true
	}
	if err != nil || len(indexed) != len(base())-1 || indexed["vacation"] {
		t.Errorf("indexed %v, %v", indexed, err)
	}
}

// The backlog follows what is embedded, and what goes.
func TestBacklog(t *testing.T) {
	r := openRecord(t, t.TempDir())
	r.put(base()...)
	f := newFinder(t, r, &words{})
	backlog := func() []string {
		t.Helper()
		ids, err := f.Backlog(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return ids
	}
	all := backlog()
	if len(all) != len(base()) || !slices.IsSorted(all) {
		t.Fatalf("at first %q", all)
	}
	if err := f.IndexQuestions(t.Context(), all[:4]); err != nil {
		t.Fatal(err)
	}
	if got := backlog(); !slices.Equal(got, all[4:]) {
		t.Errorf("after four were embedded %q, want %q", got, all[4:])
	}
	r.set(all[5], func(q *knowledge.Question) {
		q.Status, q.Closed = knowledge.Unanswered, knowledge.AnsweredPrivately
	})
	if got := backlog(); !slices.Equal(got, all[4:5]) {
		t.Errorf("after one went %q, want %q", got, all[4:5])
	}
	r.put(entry{id: all[0], text: "Как совсем иначе?", answer: "Так."})
	if got := backlog(); !slices.Equal(got, []string{all[0], all[4]}) {
		t.Errorf("after one changed %q", got)
	}
}

// meddling is an index during whose searches somebody writes to the record.
type meddling struct {
	knowledge.Index
	write func()
}

func (m *meddling) Nearest(ctx context.Context, p knowledge.Probe) ([]knowledge.VectorHit, error) {
	m.write()
	return m.Index.Nearest(ctx, p)
}

// What goes from the record while it is searched for is not shown.
func TestFindChecksWhatHasChangedMeanwhile(t *testing.T) {
	r := openRecord(t, t.TempDir())
	r.put(base()...)
	theirs := record{t, r.store}
	index := &meddling{Index: newIndex(t, dim), write: func() {}}
	f := finder.New(finder.Options{Record: r, Index: index, Open: newIndex(t, dim), Embedder: &words{}})
	shows := func() bool {
		t.Helper()
		found, err := f.Find(t.Context(), knowledge.Inquiry{Text: "Как оформить отпуск?"})
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(found.Matches, func(m knowledge.Match) bool { return m.ID == "vacation" })
	}
	if !shows() {
		t.Fatal("an entry is not shown")
	}
	index.write = func() {
		theirs.set("vacation", func(q *knowledge.Question) {
			q.Status, q.Closed = knowledge.Unanswered, knowledge.AnsweredPrivately
		})
	}
	if shows() {
		t.Error("an entry that went during the search is shown")
	}
}
