package main

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"text/tabwriter"
)

// figure is one number of a run with its interval.
type figure struct {
	Name             string
	Value, Low, High float64
}

// run is what one file holds, as far as the table needs it.
type run struct {
	Ranking []figure
	Shipped []figure
	Unseen  []figure `json:"cross_validated"`
	Figures []figure // of a replay
}

// readRuns reads every run of a folder by its name.
func readRuns(dir fs.FS) (map[string]run, error) {
	names, err := fs.Glob(dir, "*.json")
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("no runs to report: %w", firstError(err, fs.ErrNotExist))
	}
	out := map[string]run{}
	for _, name := range names {
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, err
		}
		var r run
		if err := json.Unmarshal(text, &r); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[strings.TrimSuffix(path.Base(name), ".json")] = r
	}
	return out, nil
}

func firstError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// part chooses a list of figures.
type part func(run) []figure

func ranking(r run) []figure { return r.Ranking }
func shipped(r run) []figure { return r.Shipped }
func unseen(r run) []figure  { return r.Unseen }
func replayed(r run) []figure {
	return r.Figures
}

// find returns a figure of a run.
func find(runs map[string]run, name string, p part, figureName string) (figure, bool) {
	list := p(runs[name])
	i := slices.IndexFunc(list, func(f figure) bool { return f.Name == figureName })
	if i < 0 {
		return figure{}, false
	}
	return list[i], true
}

// value returns what a target is about: a figure, or its share of another run's.
func (t target) value(runs map[string]run) (figure, bool) {
	f, ok := find(runs, t.run, t.part, t.figure)
	if !ok || t.shareOf == "" {
		return f, ok
	}
	whole, ok := find(runs, t.shareOf, t.part, t.figure)
	if !ok || whole.Value == 0 {
		return f, false
	}
	// The interval is that of the part alone: the other is taken as it is.
	return figure{Value: f.Value / whole.Value, Low: f.Low / whole.Value, High: f.High / whole.Value}, true
}

func (t target) reached(value float64) bool {
	if t.atMost {
		return value <= t.bound
	}
	return value >= t.bound
}

// write prints the table and how many targets are reached.
func write(w io.Writer, all []target, runs map[string]run) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(tw, "what\tvalue\t95 %\ttarget\t")
	reached, judged := 0, 0
	var missing []string
	for _, t := range all {
		f, ok := t.value(runs)
		if !ok {
			if _, there := runs[t.run]; !there && !slices.Contains(missing, t.run) {
				missing = append(missing, t.run)
			}
			continue
		}
		target, verdict := "", ""
		if t.bound != 0 {
			sign := "≥"
			if t.atMost {
				sign = "≤"
			}
			judged++
			target, verdict = fmt.Sprintf("%s %.3g", sign, t.bound), "MISSED"
			if t.reached(f.Value) {
				reached++
				verdict = "reached"
			}
		}
		_, _ = fmt.Fprintf(tw, "%s\t%.3f\t%.3f – %.3f\t%s\t%s\n", t.what, f.Value, f.Low, f.High, target, verdict)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%d of %d targets reached.\n", reached, judged)
	if err == nil && len(missing) > 0 {
		_, err = fmt.Fprintf(w, "Not measured, because the runs are not there: %s.\n", strings.Join(missing, ", "))
	}
	return err
}
