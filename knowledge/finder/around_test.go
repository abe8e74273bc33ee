package finder_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/finder"
)

// counting counts how often the index is searched.
type counting struct {
	knowledge.Index
	searches atomic.Int64
}

func (c *counting) Nearest(ctx context.Context, p knowledge.Probe) ([]knowledge.VectorHit, error) {
	c.searches.Add(1)
	return c.Index.Nearest(ctx, p)
}

// What is related to an answer that is given again and again is looked for once, until
// the base changes; then what is new is there.
func TestSurroundingsAreRememberedUntilAChange(t *testing.T) {
	r := openRecord(t, t.TempDir())
	r.put(base()...)
	e := &words{}
	index := &counting{Index: newIndex(t, dim)}
	f := finder.New(finder.Options{Record: r, Index: index, Open: newIndex(t, dim), Embedder: e})
	indexAll(t, f)
	show := func() (related []string, searches int64) {
		t.Helper()
		before := index.searches.Load()
		p, err := f.Show(t.Context(), "deal-owner", nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range p.Related {
			related = append(related, b.ID)
		}
		return related, index.searches.Load() - before
	}
	first, asked := show()
	if len(first) == 0 || asked != 1 {
		t.Fatalf("related %q after %d searches", first, asked)
	}
	if again, asked := show(); asked != 0 || len(again) != len(first) || again[0] != first[0] {
		t.Errorf("the second time %q after %d searches, the first time %q", again, asked, first)
	}
	r.put(entry{id: "deal-close", text: "Как закрыть сделку, если ответственного по сделке уволили?", answer: "Карточка сделки → «Закрыть»."})
	if err := f.IndexQuestions(t.Context(), []string{"deal-close"}); err != nil {
		t.Fatal(err)
	}
	after, asked := show()
	if asked != 1 || !slices.Contains(after, "deal-close") {
		t.Errorf("after a change %q, %d searches", after, asked)
	}
}
