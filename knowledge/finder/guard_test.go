package finder_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/finder"
)

// confirm records that people said a wording means a question.
func (r record) confirm(question, wording string, void bool) {
	r.t.Helper()
	r.change(func(ctx context.Context, tx knowledge.Tx) error {
		return tx.PutVerdict(ctx, &knowledge.Verdict{
			Question: question, Wording: wording, Person: 1, Outcome: knowledge.Helped, At: time.Now(), Void: void,
		})
	})
}

// indexed brings the vectors of a finder up to date.
func indexed(t *testing.T, f *finder.Finder) *finder.Finder {
	t.Helper()
	if err := f.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	ids, err := f.Backlog(t.Context())
	if err == nil {
		err = f.IndexQuestions(t.Context(), ids)
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestDisturbs(t *testing.T) {
	t.Parallel()
	const wording = "кому отдать сделку и ответственного"
	tests := []struct {
		name     string
		prepare  func(r record)
		proposal knowledge.Proposal
		want     []string // wordings
	}{
		{
			name:    "an unrelated answer",
			prepare: func(r record) { r.confirm("deal-owner", wording, false) },
			proposal: knowledge.Proposal{
				Question: "parking", Text: "Где оставить велосипед?", Answer: "Во дворе.",
			},
		},
		{
			name:    "an answer that takes over words people have confirmed",
			prepare: func(r record) { r.confirm("deal-owner", wording, false) },
			proposal: knowledge.Proposal{
				Question: "leaving", Text: "Кому отдать сделку и ответственного при увольнении?", Answer: "Руководителю.",
			},
			want: []string{wording},
		},
		{
			name:    "the same, but the confirmation was taken back",
			prepare: func(r record) { r.confirm("deal-owner", wording, true) },
			proposal: knowledge.Proposal{
				Question: "leaving", Text: "Кому отдать сделку и ответственного при увольнении?", Answer: "Руководителю.",
			},
		},
		{
			name:     "the very words of another entry",
			prepare:  func(record) {},
			proposal: knowledge.Proposal{Question: "other", Text: "переназначить сделку", Answer: "Иначе."},
			want:     []string{"переназначить сделку"},
		},
		{
			name:     "a phrasing of an entry that another has",
			prepare:  func(record) {},
			proposal: knowledge.Proposal{Question: "deal-new", Wordings: []string{"Переназначить сделку!"}},
			want:     []string{"переназначить сделку"},
		},
		{
			name:     "a phrasing of its own",
			prepare:  func(r record) { r.confirm("deal-new", "завести новую сделку", false) },
			proposal: knowledge.Proposal{Question: "deal-new", Wordings: []string{"завести новую сделку"}},
		},
	}
	for _, tt := range tests {
		for name, e := range map[string]knowledge.Embedder{"vectors": &words{}, "words only": nil} {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				r := openRecord(t, t.TempDir())
				r.put(base()...)
				tt.prepare(r)
				f := indexed(t, newFinder(t, r, e))
				before := rankings(t, f)
				conflicts, err := f.Disturbs(t.Context(), tt.proposal)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, c := range conflicts {
					got = append(got, c.Wording)
					if c.Was.ID == tt.proposal.Question || c.Now.ID != tt.proposal.Question || c.Was.Text == "" {
						t.Errorf("conflict %+v", c)
					}
				}
				slices.Sort(got)
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("disturbed (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(before, rankings(t, f)); diff != "" {
					t.Errorf("asking changed what is found:\n%s", diff)
				}
			})
		}
	}
}

// rankings are what some wordings find.
func rankings(t *testing.T, f *finder.Finder) map[string]knowledge.Finding {
	t.Helper()
	out := map[string]knowledge.Finding{}
	for _, text := range []string{"переназначить сделку", "кому отдать сделку", "новая сделка", "где велосипед"} {
		found, err := f.Find(t.Context(), knowledge.Inquiry{Text: text})
		if err != nil {
			t.Fatal(err)
		}
		out[text] = found
	}
	return out
}

func TestVerdictsSteerTheFinder(t *testing.T) {
	r := openRecord(t, t.TempDir())
	r.put(base()...)
	f := indexed(t, newFinder(t, r, &words{}))
	const asked = "изменить ответственного"
	found, err := f.Find(t.Context(), knowledge.Inquiry{Text: asked})
	if err != nil || len(found.Ranked) == 0 {
		t.Fatal(found, err)
	}
	best := found.Ranked[0].ID
	r.change(func(ctx context.Context, tx knowledge.Tx) error {
		return tx.PutVerdict(ctx, &knowledge.Verdict{Question: best, Wording: asked, Person: 7, Outcome: knowledge.Rejected, At: time.Now()})
	})
	again, err := f.Find(t.Context(), knowledge.Inquiry{Text: asked})
	if err != nil {
		t.Fatal(err)
	}
	if again.Ranked[0].ID == best || again.Ranked[len(again.Ranked)-1].ID != best {
		t.Errorf("what was refused for these words still comes first: %+v", again.Ranked)
	}
}
