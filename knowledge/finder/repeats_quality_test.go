//go:build !race

package finder_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/configs"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/finder"
	"github.com/nastavnik-bot/nastavnik/knowledge/kbfile"
)

func demoEntries(t *testing.T) []kbfile.Entry {
	t.Helper()
	entries, problems, err := kbfile.Read(bytes.NewReader(configs.DemoKB), "kb.jsonl", kbfile.Options{})
	if err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	return entries
}

// An answer that says something of its own disturbs no senior, however near the
// subjects are; one that says what another entry says, less a part or in some other
// words, is found.
func TestRepeatsQuality(t *testing.T) {
	t.Parallel()
	f := demoFinder(t, nil)
	shorter := func(answer string) string {
		words := strings.Fields(answer)
		return strings.Join(words[:len(words)*3/4], " ")
	}
	reworded := func(answer string) string {
		words := strings.Fields(answer)
		for i := 5; i < len(words); i += 6 {
			words[i] = "иначе"
		}
		return strings.Join(words, " ")
	}
	entries := demoEntries(t)
	alarms, short, other := 0, 0, 0
	for _, e := range entries {
		if like := repeats(t, f, knowledge.Proposal{Question: e.ID, Text: e.Question, Answer: e.Answer}); like != "" {
			t.Logf("%s is taken for %s", e.ID, like)
			alarms++
		}
		asked := knowledge.Proposal{Question: "new", Text: "а с этим что делать"}
		if asked.Answer = shorter(e.Answer); repeats(t, f, asked) == e.ID {
			short++
		}
		if asked.Answer = reworded(e.Answer); repeats(t, f, asked) == e.ID {
			other++
		}
	}
	t.Logf("of %d answers: %d false alarms, %d found shorter, %d found reworded", len(entries), alarms, short, other)
	if alarms > 0 {
		t.Errorf("%d seniors of %d would be asked about nothing", alarms, len(entries))
	}
	if least := len(entries) * 9 / 10; short < least || other < least {
		t.Errorf("of %d repeated answers %d and %d are found, want %d", len(entries), short, other, least)
	}
}

// A question that was refused and asked all the same has got a second answer.
func TestRepeatsRefused(t *testing.T) {
	t.Parallel()
	f := demoFinder(t, nil)
	e := demoEntries(t)[0]
	asked := knowledge.Proposal{Question: "new", Text: e.Question, Answer: "Спросите на третьем этаже у Марины."}
	if like := repeats(t, f, asked); like != "" {
		t.Errorf("what nobody has refused: %s", like)
	}
	if like := repeats(t, f, asked, e.ID, "no-such"); like != e.ID {
		t.Errorf("refused: %q, want %s", like, e.ID)
	}
	asked.Text = "кому звонить про парковку у офиса"
	if like := repeats(t, f, asked, e.ID); like != "" {
		t.Errorf("another question: %s", like)
	}
	// A few words may answer anything.
	asked.Answer = "Да, можно."
	if like := repeats(t, f, asked); like != "" {
		t.Errorf("a few words: %s", like)
	}
}

func repeats(t *testing.T, f *finder.Finder, p knowledge.Proposal, refused ...string) string {
	t.Helper()
	like, err := f.Repeats(t.Context(), p, refused)
	if err != nil {
		t.Fatal(err)
	}
	if like == nil {
		return ""
	}
	return like.ID
}
