//go:build !race

package finder_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/finder"
	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

// turn is a labelled text that came after another one.
type turn struct {
	After    string   `json:"after"`
	Shown    string   `json:"shown"`
	Text     string   `json:"text"`
	Expected []string `json:"expected_ids"`
	Kind     string   `json:"kind"`
}

func turnsOf(t testing.TB) []turn {
	t.Helper()
	raw, err := os.ReadFile("testdata/followups.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var out []turn
	for line := range strings.Lines(string(raw)) {
		var w turn
		if err := json.Unmarshal([]byte(line), &w); err != nil {
			t.Fatal(err)
		}
		out = append(out, w)
	}
	return out
}

// offered reports whether an expected entry is the answer or among those suggested,
// and whether it is the first.
func offered(f knowledge.Finding, expected []string) (first, found bool) {
	at := slices.IndexFunc(f.Matches, func(m knowledge.Match) bool { return slices.Contains(expected, m.ID) })
	return at == 0, at >= 0
}

// TestFollowUps holds what a dialogue gains by being searched as one: follow-ups find
// their entry together with what they follow, and a new subject is not drawn back to
// the old one. The limits stand a few points below what was measured.
func TestFollowUps(t *testing.T) {
	type limits struct{ first, found, alone, answered float64 }
	for name, c := range map[string]struct {
		embedder          knowledge.Embedder
		follow, newMatter limits
	}{
		"vectors and words": {embedder: realModel(t), follow: limits{first: 0.82, found: 0.9}, newMatter: limits{first: 0.9, found: 0.9, alone: 0.85, answered: 0.85}},
		"words only":        {follow: limits{first: 0.75, found: 0.85}, newMatter: limits{first: 0.85, found: 0.85, alone: 0.85, answered: 0.85}},
	} {
		t.Run(name, func(t *testing.T) {
			f := demoFinder(t, c.embedder)
			checkFirstQuestions(t, f)
			for kind, want := range map[string]limits{"follow-up": c.follow, "topic change": c.newMatter} {
				var n, wrong float64
				var got limits
				for _, w := range turnsOf(t) {
					if w.Kind != kind {
						continue
					}
					n++
					found, err := f.Find(t.Context(), knowledge.Inquiry{Text: w.Text, After: w.After, Shown: w.Shown})
					if err != nil {
						t.Fatal(err)
					}
					first, in := offered(found, w.Expected)
					for v, hit := range map[*float64]bool{&got.first: first, &got.found: in, &got.alone: !found.Together, &got.answered: found.Page != nil} {
						if hit {
							*v++
						}
					}
					if found.Page != nil && !first {
						wrong++
					}
					if !in {
						t.Logf("%s: %q after %q: %v, together %v", kind, w.Text, w.After, found.Decision, found.Together)
					}
					if found.Page != nil && found.Together {
						t.Errorf("%q after %q is answered directly by both texts together", w.Text, w.After)
					}
				}
				t.Logf("%s: %.0f texts, first %.3f, found %.3f, alone %.3f, answered %.3f, wrong answers %.0f", kind, n, got.first/n, got.found/n, got.alone/n, got.answered/n, wrong)
				if got.first/n < want.first || got.found/n < want.found || got.alone/n < want.alone || got.answered/n < want.answered || wrong > 0 {
					t.Errorf("%s: %+v of %.0f, want at least the shares %+v, and no wrong answer", kind, got, n, want)
				}
			}
		})
	}
}

// checkFirstQuestions holds that a first question that reads like a follow-up is
// found after something else, too.
func checkFirstQuestions(t *testing.T, f *finder.Finder) {
	t.Helper()
	for _, w := range wordingsOf(t, "testdata/wordings.jsonl") {
		if !search.FollowsUp(w.Text) {
			continue
		}
		alone, err := f.Find(t.Context(), knowledge.Inquiry{Text: w.Text})
		if err != nil {
			t.Fatal(err)
		}
		after, err := f.Find(t.Context(), knowledge.Inquiry{Text: w.Text, After: "как сменить ответственного в сделке", Shown: "deal-owner"})
		if err != nil {
			t.Fatal(err)
		}
		_, was := offered(alone, w.Expected)
		if _, is := offered(after, w.Expected); was && !is {
			t.Errorf("%q is no longer found in a dialogue: %+v", w.Text, after.Matches)
		}
	}
}
