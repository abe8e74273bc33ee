package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/knowledge/quality"
	"github.com/nastavnik-bot/nastavnik/knowledge/replay"
)

// TestEvalJSON holds what scripts rely on.
func TestEvalJSON(t *testing.T) {
	c := newCLI(t)
	kb, queries := sets(t, c)
	run := filepath.Join(t.TempDir(), "run.jsonl")
	var got evalJSON
	decodeStrictly(t, c.must("eval", kb, queries, "--json", "--out", run), &got)
	if got.Queries != 128 || got.Answerable != 128 || got.Entries != 64 || len(got.Ranking) < 3 || len(got.Shipped) == 0 || len(got.Unseen) == 0 {
		t.Errorf("%+v", got)
	}
	decodeStrictly(t, c.must("eval", kb, queries, "--json", "--compare", run), &got)
	if len(got.Differences) < 3 {
		t.Errorf("differences: %+v", got.Differences)
	}
	for _, d := range got.Differences {
		if d.Change != 0 || d.Beyond {
			t.Errorf("the same run differs from itself: %+v", d)
		}
	}
	runs, err := readRun(run)
	if err != nil {
		t.Fatal(err)
	}
	confidences := map[float64]bool{}
	for _, r := range runs {
		if len(r.Ranked) < 10 {
			t.Errorf("%d are ranked, want at least 10", len(r.Ranked))
		}
		confidences[r.Conf] = true
	}
	if len(confidences) < len(runs)/2 { // half of the queries differ in a number only
		t.Errorf("%d queries have %d different confidences", len(runs), len(confidences))
	}
	var r replay.Report
	decodeStrictly(t, c.must("eval", kb, queries, "--json", "--replay", "--seeds", "1"), &r)
	if r.Arrivals != 128 || r.Distinct != 64 || r.Seeds != 1 || len(r.Figures) == 0 || len(r.Tenths) != 10 {
		t.Errorf("%+v", r)
	}
}

// TestEvalLeavesOneOut: a wording must not find itself, and finds its sisters.
func TestEvalLeavesOneOut(t *testing.T) {
	c := newCLI(t)
	queries := c.file("queries.jsonl", `{"text":"хочу на море","expected_ids":["vacation"]}
{"text":"наружу бы съездить","expected_ids":["vacation"]}
{"text":"хочу съездить на море","expected_ids":["vacation"]}
`)
	recall := func(args ...string) float64 {
		t.Helper()
		var got evalJSON
		decode(t, c.must(append([]string{"eval", c.file("kb.jsonl", threeEntries), queries, "--json"}, args...)...), &got)
		for _, e := range got.Ranking {
			if e.Name == quality.Recall1 {
				return e.Value
			}
		}
		return -1
	}
	if bare, left := recall(), recall("--leave-one-out"); bare > 0 || left != 1 {
		t.Errorf("recall@1 is %v, with the sisters stored %v", bare, left)
	}
	// One that has no sisters has only itself.
	lonely := c.file("lonely.jsonl", `{"text":"хочу на море","expected_ids":["vacation"]}
`)
	queries = lonely
	if got := recall("--leave-one-out"); got > 0 {
		t.Errorf("a wording found itself: recall@1 %v", got)
	}
}

// TestEvalRemembersVectors: the second time the embedder has nothing to do, and a
// file of something else is written anew.
func TestEvalRemembersVectors(t *testing.T) {
	withModel(t)
	c := newCLI(t)
	kb, queries := c.file("kb.jsonl", threeEntries), c.file("queries.jsonl", `{"text":"отпуск","expected_ids":["vacation"]}`)
	file := filepath.Join(t.TempDir(), "vectors")
	first := c.must("eval", kb, queries, "--vectors", file)
	saved, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if again := c.must("eval", kb, queries, "--vectors", file); again != first {
		t.Errorf("with remembered vectors:\n%s\nwant\n%s", again, first)
	}
	if now, err := os.Stat(file); err != nil || !now.ModTime().Equal(saved.ModTime()) {
		t.Errorf("the file was written again: %v, %v", now, err)
	}
	if err := os.WriteFile(file, []byte("not vectors"), 0o600); err != nil {
		t.Fatal(err)
	}
	if again := c.must("eval", kb, queries, "--vectors", file); again != first {
		t.Errorf("with a damaged file:\n%s", again)
	}
	if r := c.run("eval", kb, queries, "--vectors", filepath.Join(t.TempDir(), "no", "vectors")); r.code != exitFailed || !strings.Contains(r.err, "не создаётся") {
		t.Errorf("a folder that is not there: exit %d: %s", r.code, r.err)
	}
}
