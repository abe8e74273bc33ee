package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/finder"
	"github.com/nastavnik-bot/nastavnik/knowledge/kbfile"
	"github.com/nastavnik-bot/nastavnik/knowledge/quality"
	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

type evalOptions struct {
	kb, queries string
	out         string
	compare     string
	vectors     string
	precision   float64
	leaveOneOut bool
	replay      bool
	seeds       int
	json        bool
}

func newEval(a *app) *cobra.Command {
	var o evalOptions
	c := &cobra.Command{
		Use:   "eval БАЗА ЗАПРОСЫ",
		Short: "Измерить поиск на размеченных вопросах, в отдельной временной папке",
		Long: `Загружает БАЗУ (jsonl: id, question, answer?, aliases?) в пустую временную папку, ищет каждый из ЗАПРОСОВ
(jsonl: text, expected_ids, oos?) и печатает, насколько хорош поиск; у каждого числа — интервал, в котором
оно лежит с вероятностью 95 %. Рабочая папка данных не участвует.

--out пишет по строке на запрос: {"ranked":[номера, лучший первым],"conf":уверенность 0–1}; --compare сравнивает
с таким файлом на тех же запросах и говорит, какие различия больше случайных.

--leave-one-out хранит остальные запросы той же записи как её формулировки; сам запрос всякий раз убран.

--replay начинает с ПУСТОЙ базы: запросы приходят в случайном порядке, спрашивающий принимает верный ответ,
выбирает верный из предложенных или идёт к сеньору, сеньор отвечает по разметке. Считает, сколько раз пришлось
спросить сеньора.`,
		Example: `  nastavnik eval kb.jsonl queries.jsonl --out run.jsonl
  nastavnik eval kb.jsonl queries.jsonl --compare run.jsonl
  nastavnik eval kb.jsonl queries.jsonl --replay`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.kb, o.queries = args[0], args[1]
			if err := o.validate(); err != nil {
				return usageError{err}
			}
			return a.eval(cmd.Context(), o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.out, "out", "", "куда записать результат, по строке на запрос")
	f.StringVar(&o.compare, "compare", "", "файл прежнего результата, с которым сравнить")
	f.BoolVar(&o.leaveOneOut, "leave-one-out", false, "другие запросы той же записи — её формулировки")
	f.BoolVar(&o.replay, "replay", false, "начать с пустой базы и посчитать обращения к сеньору")
	f.IntVar(&o.seeds, "seeds", 10, "сколько случайных порядков для --replay (по умолчанию 10)")
	f.Float64Var(&o.precision, "precision", defaultPrecision, "обещанная точность прямых ответов, 0–1 (по умолчанию 0.95)")
	f.StringVar(&o.vectors, "vectors", "", "файл, в котором помнить векторы между запусками")
	f.BoolVar(&o.json, "json", false, "вывести JSON")
	hideDefaults(f, "precision", "seeds")
	return c
}

// defaultPrecision is what direct answers are promised to have where nothing else
// is said.
const defaultPrecision = 0.95

// hideDefaults keeps the flags library from adding "(default …)" in English to what
// the help of the flags says in Russian.
func hideDefaults(f *pflag.FlagSet, names ...string) {
	for _, name := range names {
		f.Lookup(name).DefValue = "0"
	}
}

func (o evalOptions) validate() error {
	switch {
	case !(o.precision > 0 && o.precision < 1):
		return fmt.Errorf("--precision %v: нужно число между 0 и 1, например 0.95", o.precision)
	case o.replay && (o.out != "" || o.compare != "" || o.leaveOneOut):
		return errors.New("--replay не сочетается с --out, --compare и --leave-one-out")
	case o.seeds < 1 || o.seeds > 1000:
		return fmt.Errorf("--seeds %d: нужно от 1 до 1000", o.seeds)
	}
	return nil
}

// measuring says how figures are measured.
func measuring(precision float64) quality.Options {
	return quality.Options{Promise: promise(precision)}
}

// promise is what a threshold has to keep.
func promise(precision float64) quality.Promise {
	return quality.Promise{Precision: precision, Z: quality.CarefulZ}
}

func (a *app) eval(ctx context.Context, o evalOptions) (err error) {
	// Before the work, not after it.
	if o.out != "" {
		if _, err := os.Stat(filepath.Dir(o.out)); err != nil {
			return fmt.Errorf("файл %s не создаётся: такой папки нет", o.out)
		}
	}
	queries, err := readQueries(o.queries)
	if err != nil {
		return err
	}
	var before []quality.Case
	if o.compare != "" {
		if before, err = readCases(o.compare, queries); err != nil {
			return err
		}
	}
	entries, err := a.readEntries(o.kb, kbfile.Options{AnswerOptional: true})
	if err != nil {
		return err
	}
	e, save, err := a.trialEmbedder(ctx, o.vectors)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, save()) }()
	if o.replay {
		return a.evalReplay(ctx, o, e, entries, queries)
	}
	t, err := a.trial(ctx, o, e, entries, queries)
	if err != nil {
		return err
	}
	if o.out != "" {
		if err := writeRuns(o.out, t.runs); err != nil {
			return err
		}
	}
	return a.reportEval(o, t, before)
}

// readCases reads a saved run and judges it.
func readCases(path string, queries []quality.Query) ([]quality.Case, error) {
	runs, err := readRun(path)
	if err != nil {
		return nil, err
	}
	cases, err := quality.Judge(queries, runs)
	if err != nil {
		return nil, fmt.Errorf("%s не от этих запросов: строк %d, запросов %d", path, len(runs), len(queries))
	}
	return cases, nil
}

// trial is what the search made of labelled queries.
type trial struct {
	entries  int
	queries  []quality.Query
	runs     []quality.Run
	answered []bool // directly, by the calibration in force
	rankings [][]search.Scored
	by       search.Calibration
}

// trial searches every query in a base of the entries.
func (a *app) trial(ctx context.Context, o evalOptions, e knowledge.Embedder, entries []kbfile.Entry, queries []quality.Query) (t trial, err error) {
	if o.leaveOneOut {
		entries = withWordings(entries, queries)
	}
	b, err := a.newTrial(ctx, e)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.fill(ctx, a, entries); err != nil {
		return t, err
	}
	assess, err := b.find.Assessor(ctx)
	if err != nil {
		return t, err
	}
	t = trial{entries: len(entries), queries: queries, by: b.find.Calibration()}
	progress := a.progress("Поиск", len(queries))
	for i, q := range queries {
		var leave finder.Leave
		if o.leaveOneOut {
			leave.Wording = q.Text
		}
		ranked, err := assess.Rank(ctx, q.Text, leave)
		if err != nil {
			return t, err
		}
		d := search.Decide(ranked, t.by)
		run := quality.Run{Ranked: make([]string, len(ranked)), Conf: d.Confidence}
		for i, s := range ranked {
			run.Ranked[i] = s.ID
		}
		t.runs, t.answered = append(t.runs, run), append(t.answered, d.Kind == search.Answer)
		t.rankings = append(t.rankings, ranked)
		progress(i + 1)
	}
	return t, nil
}

// withWordings adds each query to its entries as a phrasing.
func withWordings(entries []kbfile.Entry, queries []quality.Query) []kbfile.Entry {
	out := slices.Clone(entries)
	for i, e := range out {
		e.Aliases = slices.Clone(e.Aliases)
		for _, q := range queries {
			if slices.Contains(q.Expected, e.ID) {
				e.Aliases = append(e.Aliases, q.Text)
			}
		}
		out[i] = e
	}
	return out
}
