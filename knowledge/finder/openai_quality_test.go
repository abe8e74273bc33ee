//go:build !race

package finder_test

import (
	"bytes"
	"testing"

	"github.com/nastavnik-bot/nastavnik/configs"
	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/kbfile"
	"github.com/nastavnik-bot/nastavnik/knowledge/openai"
)

// TestQualityOfAnotherEmbedder: an embedder that no calibration is shipped for finds
// as well as its vectors allow, and answers directly little more than what was asked
// word for word: nothing is known of what its similarities are worth. `calibrate`
// teaches that. The base is a third of the demo's, as the server has one core.
func TestQualityOfAnotherEmbedder(t *testing.T) {
	e, err := openai.New(t.Context(), openai.Options{
		URL: devenv.EmbeddingServer(t), Query: devenv.EmbeddingQuery, Passage: devenv.EmbeddingPassage, Served: devenv.EmbeddingServed,
	})
	if err != nil {
		t.Fatal(err)
	}
	entries, problems, err := kbfile.Read(bytes.NewReader(configs.DemoKB), "kb.jsonl", kbfile.Options{})
	if err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	r := openRecord(t, t.TempDir())
	there, ids := map[string]bool{}, []string(nil)
	for _, x := range entries[:len(entries)/3] {
		r.put(entry{id: x.ID, text: x.Question, answer: x.Answer, aliases: x.Aliases})
		there[x.ID], ids = true, append(ids, x.ID)
	}
	f := newFinder(t, r, e)
	if err := f.IndexQuestions(t.Context(), ids); err != nil {
		t.Fatal(err)
	}
	var known, first, five, answered float64
	for i, w := range wordingsOf(t, "testdata/wordings.jsonl") {
		if i%7 > 0 || !there[w.Expected[0]] {
			continue
		}
		found := find(t, f, w.Text)
		known++
		at := rankOf(found.Ranked, w.Expected)
		if at == 0 {
			first++
		}
		if at < 5 {
			five++
		}
		if found.Decision == knowledge.DecisionAnswer {
			answered++
		}
	}
	t.Logf("%.0f wordings: right first %.3f, among the first five %.3f, answered directly %.3f", known, first/known, five/known, answered/known)
	if known < 20 || first/known < 0.6 || five/known < 0.9 {
		t.Errorf("of %.0f wordings right first %.3f, among the first five %.3f", known, first/known, five/known)
	}
	if answered/known > 0.1 {
		t.Errorf("%.3f of new wordings are answered directly by vectors that nobody has calibrated", answered/known)
	}
	for i, w := range wordingsOf(t, "testdata/outside.jsonl") {
		if i%24 == 0 && find(t, f, w.Text).Decision == knowledge.DecisionAnswer {
			t.Errorf("%q has no answer in the base and gets one", w.Text)
		}
	}
}
