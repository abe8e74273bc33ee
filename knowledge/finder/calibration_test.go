package finder_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/finder"
	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

// calibrate stores a calibration; without one it removes what is stored.
func (r record) calibrate(name string, c *search.Calibration) {
	r.t.Helper()
	stored := knowledge.StoredCalibration{Embedder: name}
	if c != nil {
		var err error
		if stored.Data, err = json.Marshal(c); err != nil {
			r.t.Fatal(err)
		}
	}
	r.change(func(ctx context.Context, tx knowledge.Tx) error { return tx.PutCalibration(ctx, stored) })
}

// TestStoredCalibrationDecides follows a calibration from one process to another,
// from the first loading on, and back.
func TestStoredCalibrationDecides(t *testing.T) {
	eachEmbedder(t, func(t *testing.T, e knowledge.Embedder) {
		name := ""
		if e != nil {
			name = e.Name()
		}
		dir := t.TempDir()
		r, theirs := openRecord(t, dir), openRecord(t, dir)
		f := newFinder(t, r, e)
		sync := func(f *finder.Finder) search.Calibration {
			t.Helper()
			if err := f.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			return f.Calibration()
		}
		shipped := search.DefaultCalibration(name)
		if got := sync(f); got != shipped {
			t.Errorf("nothing is stored, and %+v decides", got)
		}
		fitted := shipped
		fitted.AnswerAt = 0.5
		theirs.calibrate(name, &fitted)
		if got := sync(f); got != fitted {
			t.Errorf("a running finder decides by %+v, want what is stored", got)
		}
		if got := sync(newFinder(t, r, e)); got != fitted {
			t.Errorf("a new finder decides by %+v, want what is stored", got)
		}
		theirs.calibrate(name, nil)
		if got := sync(f); got != shipped {
			t.Errorf("after the reset %+v decides", got)
		}
	})
}

func TestBadCalibrationDoesNotStopTheSearch(t *testing.T) {
	for name, data := range map[string]string{
		"no JSON":               "{",
		"out of range":          `{"answer_at": 2}`,
		"of another embedder":   `{"embedder": "other", "answer_at": 0.9}`,
		"a coefficient too low": `{"score": -1}`,
	} {
		t.Run(name, func(t *testing.T) {
			r := openRecord(t, t.TempDir())
			r.put(base()...)
			r.change(func(ctx context.Context, tx knowledge.Tx) error {
				return tx.PutCalibration(ctx, knowledge.StoredCalibration{Data: []byte(data)})
			})
			var log bytes.Buffer
			f := finder.New(finder.Options{Record: r, Index: newIndex(t, 1), Open: newIndex(t, 1), Log: slog.New(slog.NewTextHandler(&log, nil))})
			found, err := f.Find(t.Context(), knowledge.Inquiry{Text: "Как оформить отпуск?"})
			if err != nil || found.Page == nil || found.Page.ID != "vacation" {
				t.Errorf("%+v, %v", found, err)
			}
			if f.Calibration() != search.DefaultCalibration("") {
				t.Errorf("%+v decides", f.Calibration())
			}
			if !strings.Contains(log.String(), "calibration") {
				t.Errorf("the log says nothing of it: %s", log.String())
			}
		})
	}
}

// vacationAt is the place of the entry on vacations, from 1; 0 when it is missing.
func vacationAt(ranked []search.Scored) int {
	return 1 + slices.IndexFunc(ranked, func(s search.Scored) bool { return s.ID == "vacation" })
}

func TestAssessorLeavesOut(t *testing.T) {
	eachEmbedder(t, func(t *testing.T, e knowledge.Embedder) {
		const wording = "хочу на море в Сочи"
		r := openRecord(t, t.TempDir())
		entries := base()
		for i := range entries {
			if entries[i].id == "vacation" {
				entries[i].aliases = append(entries[i].aliases, wording)
			}
		}
		r.put(entries...)
		f := newFinder(t, r, e)
		if err := f.IndexQuestions(t.Context(), []string{"vacation", "deal-owner", "deal-observer", "deal-new", "contact-owner"}); err != nil {
			t.Fatal(err)
		}
		a, err := f.Assessor(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		rank := func(text string, leave finder.Leave) []search.Scored {
			t.Helper()
			ranked, err := a.Rank(t.Context(), text, leave)
			if err != nil {
				t.Fatal(err)
			}
			return ranked
		}
		if got := rank(wording, finder.Leave{}); vacationAt(got) != 1 || !got[0].Parts.Exact {
			t.Errorf("with nothing left out: %+v", got)
		}
		// Case and marks do not bring it back.
		for _, s := range rank(wording, finder.Leave{Wording: "Хочу, на море: в сочи!"}) {
			if s.ID == "vacation" && (s.Parts.Exact || s.Parts.Chars > 0.3 || s.Parts.Vector > 0.7) {
				t.Errorf("the wording that was left out is found: %+v", s)
			}
		}
		if got := rank("Как оформить отпуск?", finder.Leave{Entries: []string{"vacation"}}); vacationAt(got) != 0 {
			t.Errorf("an entry that was left out is found: %+v", got)
		}
		// And all is there again.
		if got := rank(wording, finder.Leave{}); vacationAt(got) != 1 || !got[0].Parts.Exact {
			t.Errorf("the gap has not been closed: %+v", got)
		}
		found, err := f.Find(t.Context(), knowledge.Inquiry{Text: wording})
		if err != nil || len(found.Matches) == 0 || found.Matches[0].ID != "vacation" {
			t.Errorf("Find afterwards: %+v, %v", found, err)
		}
	})
}

// TestAssessorForgetsWhatWasRefused: who refused an entry for a wording must not
// decide how that wording ranks when it is asked as if it were new.
func TestAssessorForgetsWhatWasRefused(t *testing.T) {
	const wording = "оформить отпуск как"
	r := openRecord(t, t.TempDir())
	r.put(base()...)
	r.change(func(ctx context.Context, tx knowledge.Tx) error {
		return tx.PutVerdict(ctx, &knowledge.Verdict{Question: "vacation", Wording: wording, Person: 7, Outcome: knowledge.Rejected})
	})
	a, err := newFinder(t, r, nil).Assessor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for leave, want := range map[string]int{"": 0, wording: 1} {
		ranked, err := a.Rank(t.Context(), wording, finder.Leave{Wording: leave})
		if err != nil {
			t.Fatal(err)
		}
		if got := vacationAt(ranked); (got == 1) != (want == 1) {
			t.Errorf("leaving out %q it ranks %d: %+v", leave, got, ranked)
		}
	}
}

// TestAssessorRanksAsFindDoes: what is measured is what people get.
func TestAssessorRanksAsFindDoes(t *testing.T) {
	eachEmbedder(t, func(t *testing.T, e knowledge.Embedder) {
		r := openRecord(t, t.TempDir())
		r.put(base()...)
		f := newFinder(t, r, e)
		ids, err := f.Backlog(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := f.IndexQuestions(t.Context(), ids); err != nil {
			t.Fatal(err)
		}
		a, err := f.Assessor(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"Как оформить отпуск?", "ответственный", "rfr jajhvbnm jngecr", "что-то совсем другое"} {
			found, err := f.Find(t.Context(), knowledge.Inquiry{Text: text})
			if err != nil {
				t.Fatal(err)
			}
			ranked, err := a.Rank(t.Context(), text, finder.Leave{})
			if err != nil {
				t.Fatal(err)
			}
			var want, got []string
			for _, m := range found.Ranked {
				want = append(want, m.ID)
			}
			for _, s := range ranked {
				got = append(got, s.ID)
			}
			if d := search.Decide(ranked, f.Calibration()); !slices.Equal(got, want) || d.Confidence != found.Confidence {
				t.Errorf("%q: %v with confidence %v, Find has %v with %v", text, got, d.Confidence, want, found.Confidence)
			}
		}
	})
}
