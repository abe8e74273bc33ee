package main

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestTable(t *testing.T) {
	runs, err := readRuns(fstest.MapFS{
		"rutube_ru.json": {Data: []byte(`{"ranking":[{"name":"recall@1","value":0.7,"low":0.65,"high":0.75},{"name":"recall@5","value":0.8,"low":0.7,"high":0.9}],
			"cross_validated":[{"name":"escaped","value":0.05,"low":0,"high":0.1}]}`)},
		"rutube_ru_layout.json": {Data: []byte(`{"ranking":[{"name":"recall@1","value":0.63,"low":0.56,"high":0.7}]}`)},
		"rutube_ru_replay.json": {Data: []byte(`{"figures":[{"name":"wrong_answers","value":0.01,"low":0,"high":0.02}]}`)},
		"notes.txt":             {Data: []byte("not a run")},
	})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := write(&b, targets(), runs); err != nil {
		t.Fatal(err)
	}
	got := b.String()
	for what, want := range map[string]string{
		"rutube: recall@1":                          "0.700 0.650 – 0.750 ≥ 0.62 reached",
		"rutube: recall@5":                          "0.800 0.700 – 0.900 ≥ 0.86 MISSED",
		"rutube: must-escalate answered at it":      "0.050 0.000 – 0.100 ≤ 0.03 MISSED",
		"rutube, wrong layout: recall@1 as a share": "of the clean 0.900 0.800 – 1.000 ≥ 0.9 reached",
		"replay: arrivals given a wrong answer":     "directly 0.010 0.000 – 0.020 ≤ 0.02 reached",
	} {
		line := ""
		for l := range strings.Lines(got) {
			if strings.HasPrefix(l, what) {
				line = strings.Join(strings.Fields(strings.TrimPrefix(l, what)), " ")
			}
		}
		if line != want {
			t.Errorf("%s: %q, want %q", what, line, want)
		}
	}
	if !strings.Contains(got, "3 of 5 targets reached.") || !strings.Contains(got, "not there: rutube_ru_leave_one_out, rutube_ru_translit") {
		t.Errorf("the last lines:\n%s", got)
	}
}

func TestNothingToReport(t *testing.T) {
	if _, err := readRuns(fstest.MapFS{}); err == nil {
		t.Error("an empty folder is reported")
	}
	if _, err := readRuns(fstest.MapFS{"a.json": {Data: []byte("{")}}); err == nil {
		t.Error("a damaged run is reported")
	}
}
