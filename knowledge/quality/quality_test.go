package quality_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/knowledge/quality"
)

// sets draws labelled queries and a run on them, with ties and misses.
func sets(t *rapid.T) ([]quality.Query, []quality.Run) {
	n := rapid.IntRange(1, 60).Draw(t, "n")
	queries := make([]quality.Query, n)
	runs := make([]quality.Run, n)
	for i := range queries {
		queries[i].Text = fmt.Sprint("q", i)
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			queries[i].Outside = rapid.SampledFrom([]quality.Outside{quality.Far, quality.Near, quality.Native}).Draw(t, "outside")
		case 1:
			queries[i].Expected = []string{"b", "a"}
		default:
			queries[i].Expected = []string{rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "expected")}
		}
		runs[i].Ranked = rapid.Permutation([]string{"a", "b", "c", "d", "e", "f", "g"}).Draw(t, "ranked")[:rapid.IntRange(0, 7).Draw(t, "found")]
		runs[i].Conf = float64(rapid.IntRange(0, 20).Draw(t, "conf")) / 10
	}
	return queries, runs
}

func judge(t rapid.TB, queries []quality.Query, runs []quality.Run) []quality.Case {
	t.Helper()
	cases, err := quality.Judge(queries, runs)
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

func values(list []quality.Estimate) map[string]float64 {
	out := map[string]float64{}
	for _, e := range list {
		out[e.Name] = e.Value
	}
	return out
}

// few keeps a property quick where the intervals are not what it looks at.
func few() quality.Options {
	return quality.Options{
		Promise:   quality.Promise{Precision: 0.9, Least: 3},
		Bootstrap: quality.Bootstrap{Resamples: 20}, Folds: quality.Folds{Repeats: 2},
	}
}

// TestMetricsAreTheNaiveDefinitions computes every figure a second time, in the
// most literal way.
func TestMetricsAreTheNaiveDefinitions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		queries, runs := sets(t)
		r, err := quality.Measure(judge(t, queries, runs), nil, few())
		if err != nil {
			t.Fatal(err)
		}
		got := values(r.Ranking)
		same := func(name string, want float64) {
			v, ok := got[name]
			if math.IsNaN(want) != !ok || ok && math.Abs(v-want) > 1e-9 {
				t.Fatalf("%s is %v (%v), want %v", name, v, ok, want)
			}
		}
		var in []float64
		outside := map[quality.Outside][]float64{}
		var all []float64
		var first, five, reciprocal float64
		for i, q := range queries {
			if len(q.Expected) == 0 {
				outside[q.Outside] = append(outside[q.Outside], runs[i].Conf)
				all = append(all, runs[i].Conf)
				continue
			}
			in = append(in, runs[i].Conf)
			for rank, id := range runs[i].Ranked {
				if !slices.Contains(q.Expected, id) {
					continue
				}
				if rank == 0 {
					first++
				}
				if rank < 5 {
					five++
				}
				reciprocal += 1 / float64(rank+1)
				break
			}
		}
		n := float64(len(in)) // 0/0 is NaN: not defined
		same(quality.Recall1, first/n)
		same(quality.Recall5, five/n)
		same(quality.MRR, reciprocal/n)
		same(quality.AUROCFar, pairs(in, outside[quality.Far]))
		same(quality.AUROCNear, pairs(in, outside[quality.Near]))
		same(quality.AUROCNative, pairs(in, outside[quality.Native]))
		same(quality.AUROCAll, pairs(in, all))
		if want := pairs(in, all); !math.IsNaN(want) && math.Abs(quality.AUROC(in, all)-want) > 1e-9 {
			t.Fatalf("AUROC is %v, want %v", quality.AUROC(in, all), want)
		}
	})
}

// pairs is the AUROC by its definition: every pair is looked at.
func pairs(above, below []float64) float64 {
	won := 0.0
	for _, a := range above {
		for _, b := range below {
			switch {
			case a > b:
				won++
			case a == b:
				won += 0.5
			}
		}
	}
	return won / float64(len(above)*len(below))
}

// TestShippedDecisions counts precision, coverage and escapes by hand.
func TestShippedDecisions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		queries, runs := sets(t)
		answered := rapid.SliceOfN(rapid.Bool(), len(queries), len(queries)).Draw(t, "answered")
		r, err := quality.Measure(judge(t, queries, runs), answered, few())
		if err != nil {
			t.Fatal(err)
		}
		var right, given, covered, in, escaped, out float64
		for i, q := range queries {
			if len(q.Expected) > 0 {
				in++
			} else {
				out++
			}
			if !answered[i] {
				continue
			}
			given++
			if len(q.Expected) > 0 {
				covered++
			} else {
				escaped++
			}
			if len(runs[i].Ranked) > 0 && slices.Contains(q.Expected, runs[i].Ranked[0]) {
				right++
			}
		}
		got := values(r.Shipped)
		for name, want := range map[string]float64{quality.Precision: right / given, quality.Coverage: covered / in, quality.Escaped: escaped / out} {
			v, ok := got[name]
			if math.IsNaN(want) != !ok || ok && math.Abs(v-want) > 1e-9 {
				t.Fatalf("%s is %v (%v), want %v", name, v, ok, want)
			}
		}
	})
}

// TestThresholdIsTheLowestThatKeepsThePromise tries every confidence there is, as
// the usual scorer does: the answers from it on, at least so many, precise enough.
func TestThresholdIsTheLowestThatKeepsThePromise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		queries, runs := sets(t)
		cases := judge(t, queries, runs)
		p := quality.Promise{
			Precision: rapid.SampledFrom([]float64{0.5, 0.8, 0.95}).Draw(t, "precision"),
			Least:     rapid.IntRange(1, 10).Draw(t, "least"),
			Z:         rapid.SampledFrom([]float64{0, 0.84, 1.645}).Draw(t, "z"),
		}
		want := math.Inf(1)
		for _, candidate := range cases {
			var right, all float64
			for _, c := range cases {
				if c.Conf >= candidate.Conf {
					all++
					if c.Rank == 1 {
						right++
					}
				}
			}
			if p.Kept(right, all) {
				want = min(want, candidate.Conf)
			}
		}
		if got := quality.Threshold(cases, p); got != want {
			t.Fatalf("threshold %v, want %v", got, want)
		}
	})
}

func TestCurve(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		queries, runs := sets(t)
		curve := quality.Curve(judge(t, queries, runs))
		for i, p := range curve {
			if i > 0 && (p.Threshold >= curve[i-1].Threshold || p.Coverage < curve[i-1].Coverage || p.Answers <= curve[i-1].Answers) {
				t.Fatalf("point %d does not follow the one before: %+v after %+v", i, p, curve[i-1])
			}
			if p.Lower > p.Precision+1e-9 || p.Lower < 0 {
				t.Fatalf("the lower bound of %+v", p)
			}
		}
		if last := curve[len(curve)-1]; last.Answers != len(queries) {
			t.Fatalf("the last threshold answers %d of %d", last.Answers, len(queries))
		}
	})
}

// TestFoldsKeepGroupsTogether: what one fold is judged by, the threshold has not seen.
func TestFoldsKeepGroupsTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		queries, runs := sets(t)
		cases := judge(t, queries, runs)
		f := quality.Folds{Folds: rapid.IntRange(2, 6).Draw(t, "folds"), Seed: rapid.Uint64().Draw(t, "seed")}
		fold := map[string]int{}
		for i, k := range f.Split(cases, rapid.IntRange(0, 9).Draw(t, "repeat")) {
			if before, ok := fold[cases[i].Group]; ok && before != k {
				t.Fatalf("group %q is in folds %d and %d", cases[i].Group, before, k)
			}
			if k < 0 || k >= f.Folds {
				t.Fatalf("fold %d of %d", k, f.Folds)
			}
			fold[cases[i].Group] = k
		}
	})
}

// TestCrossValidationHidesTheFold: cases that alone would carry a threshold are
// answered by nobody, because the fold that has them may not use them.
func TestCrossValidationHidesTheFold(t *testing.T) {
	var cases []quality.Case
	for range 40 { // one group: always hidden together
		cases = append(cases, quality.Case{Rank: 1, Conf: 1, Answerable: true, Group: "a"})
	}
	for i := range 40 { // right only by half
		cases = append(cases, quality.Case{Rank: 1 + i%2, Conf: 0.5, Answerable: true, Group: fmt.Sprint("b", i)})
	}
	p := quality.Promise{Precision: 0.95}
	if at := quality.Threshold(cases, p); at != 1 {
		t.Fatalf("the threshold of all is %v, want 1", at)
	}
	given := quality.Folds{}.CrossValidate(cases, p)
	if given[0] != 0 {
		t.Errorf("a group is answered by a threshold that only it supports: %v", given[0])
	}
	// With the group split up, the other folds support it.
	for i := range 40 {
		cases[i].Group = fmt.Sprint("a", i)
	}
	if given := (quality.Folds{}).CrossValidate(cases, p); math.Abs(given[0]-1) > 1e-9 {
		t.Errorf("answered in %v of the repeats, want all", given[0])
	}
}

func TestIntervals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		queries, runs := sets(t)
		o := quality.Options{Promise: quality.Promise{Precision: 0.9}, Bootstrap: quality.Bootstrap{Resamples: 200, Seed: 7}, Folds: quality.Folds{Repeats: 2}}
		cases := judge(t, queries, runs)
		a, err := quality.Measure(cases, nil, o)
		if err != nil {
			t.Fatal(err)
		}
		b, err := quality.Measure(cases, nil, o)
		if err != nil || fmt.Sprint(a) != fmt.Sprint(b) {
			t.Fatalf("the same seed gives %v and %v, %v", a, b, err)
		}
		for _, e := range a.Ranking {
			if e.Low < 0 || e.High > 1 || e.Low > e.High {
				t.Fatalf("%+v", e)
			}
		}
	})
}

// TestIntervalWidth compares the bootstrap with the normal interval of a share,
// which is right for a few hundred queries.
func TestIntervalWidth(t *testing.T) {
	cases := make([]quality.Case, 400)
	for i := range cases {
		cases[i] = quality.Case{Answerable: true, Conf: float64(i), Group: fmt.Sprint(i)}
		if i%4 != 0 {
			cases[i].Rank = 1
		}
	}
	r, err := quality.Measure(cases, nil, quality.Options{Promise: quality.Promise{Precision: 0.95}})
	if err != nil {
		t.Fatal(err)
	}
	e := r.Ranking[0]
	half := 1.96 * math.Sqrt(0.75*0.25/400)
	if e.Name != quality.Recall1 || math.Abs(e.Low-(0.75-half)) > 0.01 || math.Abs(e.High-(0.75+half)) > 0.01 {
		t.Errorf("%+v, want about 0.75 ± %.3f", e, half)
	}
}

func TestCompare(t *testing.T) {
	queries := make([]quality.Query, 200)
	good, bad := make([]quality.Run, 200), make([]quality.Run, 200)
	for i := range queries {
		queries[i].Expected = []string{"a"}
		good[i] = quality.Run{Ranked: []string{"a", "b"}, Conf: float64(i)}
		bad[i] = quality.Run{Ranked: []string{"b", "a"}, Conf: float64(i)}
		if i%2 == 0 {
			bad[i] = good[i]
		}
	}
	diff := func(before, after []quality.Run) quality.Difference {
		t.Helper()
		d, err := quality.Compare(judge(t, queries, before), judge(t, queries, after), few())
		if err != nil || d[0].Name != quality.Recall1 {
			t.Fatal(d, err)
		}
		return d[0]
	}
	if d := diff(bad, good); math.Abs(d.Change-0.5) > 1e-9 || !d.Beyond || d.Before != 0.5 || d.After != 1 {
		t.Errorf("half of the queries got better: %+v", d)
	}
	if d := diff(good, good); d.Change != 0 || d.Beyond || d.Low != 0 || d.High != 0 {
		t.Errorf("a run and itself, paired: %+v", d)
	}
	slightly := slices.Clone(good)
	slightly[0].Ranked = []string{"b"}
	if d := diff(good, slightly); d.Beyond {
		t.Errorf("one query of 200 is beyond noise: %+v", d)
	}
	if _, err := quality.Compare(judge(t, queries, good), judge(t, queries[1:], good[1:]), few()); !errors.Is(err, quality.ErrRun) {
		t.Errorf("runs on other queries: %v", err)
	}
}

func TestJudgeRefusesWhatDoesNotFit(t *testing.T) {
	q := []quality.Query{{Text: "a"}}
	for _, runs := range [][]quality.Run{nil, {{}, {}}, {{Conf: math.NaN()}}} {
		if _, err := quality.Judge(q, runs); !errors.Is(err, quality.ErrRun) {
			t.Errorf("%v: %v", runs, err)
		}
	}
	cases := judge(t, q, []quality.Run{{}})
	if _, err := quality.Measure(cases, []bool{true, false}, few()); !errors.Is(err, quality.ErrRun) {
		t.Errorf("decisions on other queries: %v", err)
	}
}

func TestWilsonLower(t *testing.T) {
	// Wilson's 95 % interval of 15 of 15 begins at 0.796 (z = 1.96).
	if got := quality.WilsonLower(15, 15, 1.96); math.Abs(got-0.796) > 0.001 {
		t.Errorf("15 of 15: %.4f", got)
	}
	if got := quality.WilsonLower(8, 10, 0); got != 0.8 {
		t.Errorf("without doubt: %v", got)
	}
	if got := quality.WilsonLower(0, 0, 1.645); got != 0 {
		t.Errorf("nothing: %v", got)
	}
}

func TestMean(t *testing.T) {
	e := quality.Mean("asks", []float64{1, 1.1, 1.2, 1.3}, quality.Bootstrap{})
	if math.Abs(e.Value-1.15) > 1e-9 || e.Low >= e.Value || e.High <= e.Value || e.Low < 1 || e.High > 1.3 {
		t.Errorf("%+v", e)
	}
}
