package search_test

import (
	"testing"

	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

// A question with many wordings has one near to anything; its centre tells.
func TestCentreAgainstAChanceNeighbour(t *testing.T) {
	l := search.NewLexicon()
	l.Put(search.Entry{ID: "many", Phrasings: []string{"раз", "два"}}, search.Entry{ID: "one", Phrasings: []string{"три"}})
	near := []search.Near{
		{Question: "many", Similarity: 0.90}, {Question: "many", Kind: search.Centre, Similarity: 0.80},
		{Question: "one", Similarity: 0.88},
	}
	w := search.DefaultWeights(search.EmbedderE5)
	if first := l.Rank(search.Parse("нечто"), near, w)[0]; first.ID != "one" {
		t.Errorf("first is %s", first.ID)
	}
	w.Centre = 0
	first := l.Rank(search.Parse("нечто"), near, w)[0]
	if first.ID != "many" || first.Parts.Vector != 0.9 {
		t.Errorf("without a share of the centre first is %+v", first)
	}
}
