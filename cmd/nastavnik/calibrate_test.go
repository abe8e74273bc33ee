package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/quality"
	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

// made are rankings whose first is right as often as a calibration says.
func made(c search.Calibration, n int, seed uint64) []labelled {
	r := rand.New(rand.NewPCG(seed, 2))
	out := make([]labelled, n)
	for i := range out {
		f := make([]float64, len(search.FeatureNames()))
		for j := range f {
			f[j] = 2 * r.Float64()
		}
		out[i] = labelled{Case: quality.Case{Rank: 2, Answerable: true, Group: fmt.Sprint(i)}, features: f}
		if r.Float64() < c.Trust(search.Example{Features: f}) {
			out[i].Rank = 1
		}
	}
	return out
}

func calibrationOf(bias float64) search.Calibration {
	of := make([]float64, len(search.FeatureNames()))
	for j := range of {
		of[j] = 3
	}
	return search.DefaultCalibration("").WithCoefficients(bias, of)
}

// TestFitKeepsThePromise fits on some rankings and judges on others.
func TestFitKeepsThePromise(t *testing.T) {
	shipped := calibrationOf(-10)
	shipped.AnswerAt = 0.99
	truth := calibrationOf(-14) // the base is harder than the shipped calibration thinks
	kept, covered := 0, 0
	const tries = 20
	for seed := range uint64(tries) {
		f, err := fit(shipped, made(truth, 400, seed), promise(0.95))
		if err != nil {
			t.Fatal(err)
		}
		var right, all float64
		for _, l := range made(truth, 5_000, 1000+seed) {
			if f.Now.Trust(l.example()) >= f.Now.AnswerAt {
				all++
				if l.Right() {
					right++
				}
			}
		}
		if right/all >= 0.94 {
			kept++
		}
		if all/5_000 > 0.15 {
			covered++
		}
	}
	if kept < tries*7/10 || covered < tries*7/10 {
		t.Errorf("of %d fits %d kept the promise, %d answered enough", tries, kept, covered)
	}
}

func TestFitRefusesToPretend(t *testing.T) {
	few := made(calibrationOf(-14), 25, 1)
	if f, err := fit(calibrationOf(-10), few, promise(0.95)); !errors.Is(err, errTooLittle) || f.Now != calibrationOf(-10) {
		t.Errorf("25 examples: %+v, %v", f.Now, err)
	}
	hopeless := made(calibrationOf(-14), 400, 1)
	for i := range hopeless {
		hopeless[i].Rank = 1 + i%2 // chance alone
	}
	if f, err := fit(calibrationOf(-10), hopeless, promise(0.95)); !errors.Is(err, errTooLittle) || f.Now != calibrationOf(-10) || !strings.Contains(err.Error(), "не держится") {
		t.Errorf("labels by chance: %+v, %v", f.Now, err)
	}
}

// TestConfidencesAreOfFitsThatHaveNotSeenTheExample: an entry whose rankings are
// unlike all others vouches for itself only in a fit that has seen it.
func TestConfidencesAreOfFitsThatHaveNotSeenTheExample(t *testing.T) {
	shipped := calibrationOf(-14)
	all := made(shipped, 200, 1)
	odd := made(shipped, 60, 2)
	for i := range odd {
		clear(odd[i].features)
		odd[i].Rank, odd[i].Group = 1, "odd"
	}
	all = append(all, odd...)
	seen := shipped.Fit(examples(all, nil)).Trust(odd[0].example())
	if got := unseen(shipped, all)[len(all)-1].Conf; got > seen/2 {
		t.Errorf("confidence %v by folds, %v by a fit that has seen it", got, seen)
	}
}

// TestVerdicts tells what people's acts say about the first of a ranking.
func TestVerdicts(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }
	answered := func(id string, asked int) knowledge.Question {
		return knowledge.Question{ID: id, Status: knowledge.InKnowledgeBase, Asked: day(asked)}
	}
	questions := map[string]knowledge.Question{
		"old": answered("old", 1), "other": answered("other", 1), "made": answered("made", 5), "later": answered("later", 9),
		"gone": {ID: "gone", Status: knowledge.Unanswered, Closed: knowledge.AnsweredPrivately, Asked: day(1)},
	}
	shown := []knowledge.Candidate{{Question: "other", Rank: 1}}
	ask := func(d knowledge.Decision, o knowledge.Outcome, question string) knowledge.Ask {
		return knowledge.Ask{Text: "слова", Asked: day(5), Decision: d, Outcome: o, Question: question, Candidates: shown}
	}
	for name, c := range map[string]struct {
		ask   knowledge.Ask
		first string // of the ranking today
		known bool
		right bool
	}{
		"helped, and found":          {ask(knowledge.DecisionAnswer, knowledge.Helped, "old"), "old", true, true},
		"picked, and not found":      {ask(knowledge.DecisionSuggest, knowledge.Picked, "old"), "other", true, false},
		"picked what is gone":        {ask(knowledge.DecisionSuggest, knowledge.Picked, "gone"), "old", false, false},
		"did not help":               {ask(knowledge.DecisionAnswer, knowledge.NotHelped, "other"), "other", true, false},
		"did not help, another now":  {ask(knowledge.DecisionAnswer, knowledge.NotHelped, "other"), "old", false, false},
		"refused":                    {ask(knowledge.DecisionSuggest, knowledge.Rejected, "gone"), "other", true, false},
		"the senior pointed to it":   {ask(knowledge.DecisionSuggest, knowledge.Rejected, "old"), "old", true, true},
		"a senior answered it anew":  {ask(knowledge.DecisionSuggest, knowledge.Rejected, "made"), "old", true, false},
		"refused, a newer one found": {ask(knowledge.DecisionSuggest, knowledge.Rejected, "made"), "later", false, false},
		"nothing done":               {ask(knowledge.DecisionSuggest, knowledge.NoOutcome, "old"), "old", false, false},
		"opened by a button":         {ask(knowledge.DecisionOpened, knowledge.Picked, "old"), "old", false, false},
	} {
		v := verdictOf(c.ask, questions)
		l, known := labelled{}, false
		if v.known {
			l, known = v.label(c.ask, []search.Scored{{ID: c.first}, {ID: "zzz"}}, questions)
		}
		if known != c.known || known && l.Right() != c.right {
			t.Errorf("%s: known %v, right %v", name, known, l.Right())
		}
	}
	if v := verdictOf(ask(knowledge.DecisionSuggest, knowledge.Rejected, "made"), questions); len(v.leave) != 1 || v.leave[0] != "made" {
		t.Errorf("the entry that was made for the ask stays in its way: %+v", v)
	}
}

// sets writes a base and labelled queries: those that say what they mean, and those
// whose words mean any of eight.
func sets(t *testing.T, c cli) (kb, queries string) {
	t.Helper()
	verbs := []string{"создать", "удалить", "распечатать", "согласовать", "перенести", "скопировать", "закрыть", "отправить"}
	things := []string{"договор", "пропуск", "отпуск", "счёт", "календарь", "звонок", "шаблон", "отчёт"}
	var base, asked strings.Builder
	line := func(b *strings.Builder, v any) {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(b, "%s\n", text)
	}
	for i, verb := range verbs {
		for j, thing := range things {
			id := fmt.Sprintf("e%d%d", i, j)
			line(&base, map[string]any{"id": id, "question": fmt.Sprintf("Как %s %s?", verb, thing), "answer": "Кнопка " + id})
			line(&asked, map[string]any{"text": fmt.Sprintf("подскажите коллеги не могу %s %s", verb, thing), "expected_ids": []string{id}})
			line(&asked, map[string]any{"text": fmt.Sprintf("что там про %s номер %d", thing, i), "expected_ids": []string{id}})
		}
	}
	return c.file("kb.jsonl", base.String()), c.file("queries.jsonl", asked.String())
}

func TestCalibrateStoresShowsAndResets(t *testing.T) {
	c := newCLI(t)
	kb, queries := sets(t, c)
	picture := filepath.Join(t.TempDir(), "curve.svg")
	args := []string{"calibrate", "--kb", kb, "--queries", queries, "--precision", "0.9", "--json"}
	run := func(more ...string) (got calibrateJSON) {
		t.Helper()
		decode(t, c.must(append(args, more...)...), &got)
		return got
	}
	shipped := search.DefaultCalibration("")
	dry := run("--dry-run", "--picture", picture)
	if dry.Stored || dry.Was != shipped || dry.Now == shipped || dry.FromSets != 128 || len(dry.Curve) == 0 || len(dry.Unseen) == 0 {
		t.Fatalf("dry run: %+v", dry)
	}
	stored := run()
	if !stored.Stored || stored.Was != shipped || stored.Now != dry.Now {
		t.Errorf("after a dry run %+v was in force; stored %v: %+v, want %+v", stored.Was, stored.Stored, stored.Now, dry.Now)
	}
	// The next command decides by what was stored, and a fit begins again from the shipped.
	if again := run(); again.Was != stored.Now || again.Now != stored.Now {
		t.Errorf("the second time: was %+v, now %+v, want %+v", again.Was, again.Now, stored.Now)
	}
	if got := c.must("calibrate", "--reset"); !strings.Contains(got, "встроенный") {
		t.Errorf("reset: %s", got)
	}
	if after := run("--dry-run"); after.Was != shipped {
		t.Errorf("after the reset %+v decides", after.Was)
	}
	text := c.must("calibrate", "--kb", kb, "--queries", queries, "--precision", "0.9")
	wantInOrder(t, text, "Размеченных вопросов: 128", "Точность", "← выбран", "●", "─", "Порог прямых ответов: ", " → ", "--reset")
	checkPicture(t, picture)
}

// checkPicture reads the SVG as a browser would: it must be XML, with numbers.
func checkPicture(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines, chosen := 0, 0
	d := xml.NewDecoder(strings.NewReader(string(text)))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if e, ok := token.(xml.StartElement); ok {
			switch e.Name.Local {
			case "polyline":
				lines++
			case "circle":
				chosen++
			}
		}
	}
	if lines != 2 || chosen != 1 || strings.Contains(string(text), "NaN") {
		t.Errorf("%d lines, %d thresholds:\n%s", lines, chosen, text)
	}
}

// TestCalibrateLearnsFromAsks: what people did is counted, and their own words, which
// the base has learned meanwhile, do not answer for themselves.
func TestCalibrateLearnsFromAsks(t *testing.T) {
	c := newCLI(t)
	c.must("import", c.file("kb.jsonl", threeEntries))
	a := &app{std: streams{out: io.Discard, err: io.Discard}, dataFlag: c.data, words: true}
	if err := a.configure(); err != nil {
		t.Fatal(err)
	}
	if err := a.openFinder(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer a.close()
	const wording = "заявление на отгул"
	now := time.Now()
	err := a.store.Write(t.Context(), func(tx bot.Tx) error {
		for _, ask := range []knowledge.Ask{
			{ID: 1, Text: wording, Outcome: knowledge.Helped, Question: "vacation", Decision: knowledge.DecisionSuggest},
			{ID: 2, Text: "Наблюдателя добавить", Outcome: knowledge.NoOutcome, Question: "deal-observer", Decision: knowledge.DecisionAnswer},
			{ID: 3, Text: "Наблюдателя в сделку добавить", Outcome: knowledge.Helped, Question: "deal-observer", Decision: knowledge.DecisionAnswer},
		} {
			ask.Person, ask.Asked = 1, now
			if err := tx.PutAsk(t.Context(), ask); err != nil {
				return err
			}
		}
		undone := knowledge.Verdict{Question: "deal-observer", Wording: "Наблюдателя в сделку добавить", Person: 1, Outcome: knowledge.Helped, Ask: 3, Void: true}
		if err := tx.PutVerdict(t.Context(), &undone); err != nil {
			return err
		}
		_, err := tx.PutPhrasing(t.Context(), knowledge.Phrasing{Question: "vacation", Text: wording, Origin: knowledge.PickedSo})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := a.labelledAsks(t.Context(), a.find.Calibration())
	if err != nil {
		t.Fatal(err)
	}
	// Only the first says anything, the third was undone; and without its own words
	// nothing finds the first.
	if len(got) > 1 || len(got) == 1 && got[0].Right() {
		t.Errorf("%+v", got)
	}
}

func TestDrawCurveOfExtremes(t *testing.T) {
	const legend = 1
	for rank, name := range []string{"not found", "all right", "all wrong"} {
		f := fitted{Promised: 0.95, Now: search.Calibration{AnswerAt: 1}, Unseen: []quality.Estimate{{}}}
		cases := make([]quality.Case, 30)
		for i := range cases {
			cases[i] = quality.Case{Rank: rank, Answerable: true, Conf: 1}
		}
		f.Curve = quality.Curve(cases)
		if got := f.draw(); strings.Count(got, "●") != legend+1 {
			t.Errorf("%s: no threshold in\n%s", name, got)
		}
		path := filepath.Join(t.TempDir(), "c.svg")
		if err := writeCurve(path, f); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		checkPicture(t, path)
	}
	if got := (fitted{Promised: 0.95}).draw(); strings.Count(got, "●") != legend {
		t.Errorf("nothing was measured:\n%s", got)
	}
}

// TestAnAnswerMoreProbablyWrongIsNotGiven, however well the others do.
func TestAnAnswerMoreProbablyWrongIsNotGiven(t *testing.T) {
	all := made(calibrationOf(-14), 300, 1)
	f, err := fit(calibrationOf(-14), all, promise(0.3))
	if err != nil || f.Now.AnswerAt < 0.5 {
		t.Errorf("threshold %v, %v", f.Now.AnswerAt, err)
	}
}
