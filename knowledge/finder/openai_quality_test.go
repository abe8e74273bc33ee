//go:build !race

package finder_test

import (
	"testing"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/openai"
)

// TestQualityOfAnotherEmbedder: an embedder that no calibration is shipped for finds
// as well as its vectors allow, and answers directly only what was asked word for
// word: nothing is known of what its similarities are worth. `calibrate` teaches that.
func TestQualityOfAnotherEmbedder(t *testing.T) {
	e, err := openai.New(t.Context(), openai.Options{
		URL: devenv.EmbeddingServer(t), Query: devenv.EmbeddingQuery, Passage: devenv.EmbeddingPassage, Served: devenv.EmbeddingServed,
	})
	if err != nil {
		t.Fatal(err)
	}
	f := demoFinder(t, e)
	var n, first, five, answered float64
	for i, w := range wordingsOf(t, "testdata/wordings.jsonl") {
		if i%6 > 0 { // each is a request to a server with one core
			continue
		}
		found := find(t, f, w.Text)
		n++
		switch at := rankOf(found.Ranked, w.Expected); {
		case at == 0:
			first++
			five++
		case at < 5:
			five++
		}
		if found.Decision == knowledge.DecisionAnswer {
			answered++
		}
	}
	t.Logf("%.0f wordings: first %.3f, among the first five %.3f, answered directly %.3f", n, first/n, five/n, answered/n)
	if first/n < 0.6 || five/n < 0.82 {
		t.Errorf("right first %.3f, among the first five %.3f", first/n, five/n)
	}
	if answered/n > 0.05 {
		t.Errorf("%.3f of new wordings are answered directly by uncalibrated vectors", answered/n)
	}
	kinds := map[knowledge.Decision]int{}
	for i, w := range wordingsOf(t, "testdata/outside.jsonl") {
		if i%6 > 0 {
			continue
		}
		kinds[find(t, f, w.Text).Decision]++
	}
	t.Logf("outside: %v", kinds)
	if kinds[knowledge.DecisionAnswer] > 0 {
		t.Errorf("questions that the base has no answer to: %v", kinds)
	}
	if found := find(t, f, "Как выгрузить контакты в Excel?"); len(found.Matches) == 0 {
		t.Error("nothing found")
	}
}
