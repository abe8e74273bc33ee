package finder_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// ids returns the entries that a finding offers.
func ids(f knowledge.Finding) []string {
	var out []string
	for _, m := range f.Matches {
		out = append(out, m.ID)
	}
	return out
}

func TestFollowUpIsSearchedWithWhatItFollows(t *testing.T) {
	eachEmbedder(t, func(t *testing.T, e knowledge.Embedder) {
		r := openRecord(t, t.TempDir())
		r.put(base()...)
		f := newFinder(t, r, e)
		if err := f.IndexQuestions(t.Context(), []string{"deal-owner", "contact-owner", "deal-observer", "deal-new", "vacation", "password"}); err != nil {
			t.Fatal(err)
		}
		find := func(in knowledge.Inquiry) knowledge.Finding {
			t.Helper()
			found, err := f.Find(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			return found
		}
		after := "Как изменить ответственного по сделке?"

		// What it follows makes it understood, and the entry just read steps back.
		found := find(knowledge.Inquiry{Text: "а в другом месте?", After: after, Shown: "deal-owner"})
		if got := ids(found); !found.Together || found.Page != nil || !slices.Contains(got, "contact-owner") || slices.Contains(got, "deal-owner") {
			t.Errorf("a follow-up gives %v, %+v", got, found)
		}
		// So it is in the wrong keyboard layout.
		typed := find(knowledge.Inquiry{Text: "f d lheujv vtcnt?", After: after, Shown: "deal-owner"})
		if diff := cmp.Diff(found, typed); diff != "" {
			t.Errorf("in the wrong layout (-right +wrong):\n%s", diff)
		}
		// Where nothing else is near, it is offered again.
		found = find(knowledge.Inquiry{Text: "а потом?", After: "сменить пароль", Shown: "password"})
		if e == nil && !slices.Contains(ids(found), "password") {
			t.Errorf("nothing else is near, and %v", ids(found))
		}
		// A new subject is none of it.
		found = find(knowledge.Inquiry{Text: "Как оформить отпуск?", After: after, Shown: "deal-owner"})
		if found.Together || found.Page == nil || found.Page.ID != "vacation" {
			t.Errorf("a new subject gives %+v", found)
		}
		// The same text asked first is as it was.
		found = find(knowledge.Inquiry{Text: after})
		if found.Together || found.Page == nil || found.Page.ID != "deal-owner" {
			t.Errorf("the question by itself gives %+v", found)
		}
	})
}

// Two texts together are answered directly only when somebody has confirmed just
// that before.
func TestFollowUpThatWasLearned(t *testing.T) {
	r := openRecord(t, t.TempDir())
	r.put(base()...)
	f := newFinder(t, r, nil)
	in := knowledge.Inquiry{Text: "А если нет?", After: "переназначить сделку", Shown: "deal-owner"}
	before, err := f.Find(t.Context(), in)
	if err != nil || before.Page != nil {
		t.Fatalf("%+v, %v", before, err)
	}
	r.put(entry{id: "substitute", text: "Как назначить заместителя?", answer: "Профиль → «Замещение».", aliases: []string{"Переназначить сделку — а если нет?"}})
	found, err := f.Find(t.Context(), in)
	if err != nil || found.Page == nil || found.Page.ID != "substitute" || !found.Together {
		t.Errorf("%+v, %v", found, err)
	}
}

// What people asked next is offered after an answer, unless this dialogue has had it.
func TestRelatedIsWhatPeopleAskedNext(t *testing.T) {
	eachEmbedder(t, func(t *testing.T, e knowledge.Embedder) {
		r := openRecord(t, t.TempDir())
		r.put(base()...)
		r.put(entry{id: "badge", text: "Где взять гостевой бейдж?", answer: "На стойке."})
		f := newFinder(t, r, e)
		related := func(seen ...string) []string {
			t.Helper()
			found, err := f.Find(t.Context(), knowledge.Inquiry{Text: "Как изменить ответственного по сделке?", Seen: seen})
			if err != nil || found.Page == nil {
				t.Fatalf("%+v, %v", found, err)
			}
			var out []string
			for _, b := range found.Page.Related {
				out = append(out, b.ID)
			}
			return out
		}
		if got := related(); slices.Contains(got, "badge") {
			t.Fatalf("nobody has asked it next: %v", got)
		}
		r.change(func(ctx context.Context, tx knowledge.Tx) error {
			start := time.Now().Add(-time.Hour)
			for i := range 5 {
				chat := fmt.Sprint("console:", i)
				for j, q := range []string{"deal-owner", "badge"} {
					a := knowledge.Ask{ID: int64(10*i + j + 1), Person: 1, Chat: chat, Text: q, Asked: start.Add(time.Duration(j) * time.Minute), Decision: knowledge.DecisionAnswer, Question: q}
					if err := tx.PutAsk(ctx, a); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if got := related(); !slices.Contains(got, "badge") {
			t.Errorf("five people asked for a badge next: %v", got)
		}
		if got := related("badge"); slices.Contains(got, "badge") {
			t.Errorf("this dialogue has had it: %v", got)
		}
	})
}
