package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/kbfile"
	"github.com/nastavnik-bot/nastavnik/knowledge/quality"
	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

type calibrateOptions struct {
	precision float64
	bases     []string // --kb and --queries, in pairs
	queries   []string
	picture   string
	vectors   string
	dryRun    bool
	reset     bool
	json      bool
}

func newCalibrate(a *app) *cobra.Command {
	var o calibrateOptions
	c := &cobra.Command{
		Use:   "calibrate",
		Short: "Подобрать порог прямых ответов под обещанную точность",
		Long: `Учится, когда ответу можно верить, на том, что уже размечено: что люди выбирали и отвергали, что отвечали
сеньоры, и на наборах, названных флагами --kb и --queries. Каждый вопрос оценивается так, будто его собственной
формулировки в базе нет. Порог выбирается на вопросах, которых подбор не видел, и с запасом; если размеченного
мало, ничего не меняется и сказано, чего не хватает.

Показывает, какая точность при какой доле прямых ответов. Результат хранится в базе вместе с названием модели и
действует сразу, в том числе в работающем боте. Вернуть как было: nastavnik calibrate --reset.`,
		Example: `  nastavnik calibrate --precision 0.95 --dry-run
  nastavnik calibrate --kb kb.jsonl --queries queries.jsonl --picture curve.svg
  nastavnik calibrate --reset`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validate(); err != nil {
				return usageError{err}
			}
			if o.reset {
				return a.resetCalibration(cmd.Context())
			}
			return a.calibrate(cmd.Context(), o)
		},
	}
	f := c.Flags()
	f.Float64Var(&o.precision, "precision", defaultPrecision, "обещанная точность прямых ответов, 0–1 (по умолчанию 0.95)")
	f.StringArrayVar(&o.bases, "kb", nil, "база размеченного набора; можно несколько раз, каждой — свои --queries")
	f.StringArrayVar(&o.queries, "queries", nil, "размеченные запросы к базе из --kb")
	f.StringVar(&o.picture, "picture", "", "записать кривую в файл .svg")
	f.StringVar(&o.vectors, "vectors", "", "файл, в котором помнить векторы наборов между запусками")
	f.BoolVar(&o.dryRun, "dry-run", false, "только показать, ничего не менять")
	f.BoolVar(&o.reset, "reset", false, "вернуть встроенный порог")
	f.BoolVar(&o.json, "json", false, "вывести JSON")
	hideDefaults(f, "precision")
	return c
}

func (o calibrateOptions) validate() error {
	switch {
	case !(o.precision > 0 && o.precision < 1):
		return fmt.Errorf("--precision %v: нужно число между 0 и 1, например 0.95", o.precision)
	case len(o.bases) != len(o.queries):
		return fmt.Errorf("--kb названо раз: %d, --queries: %d; у каждой базы должны быть свои запросы", len(o.bases), len(o.queries))
	case o.picture != "" && filepath.Ext(o.picture) != ".svg":
		return fmt.Errorf("--picture %s: рисую только .svg", o.picture)
	case o.reset && (o.dryRun || len(o.bases) > 0 || o.picture != ""):
		return errors.New("--reset ни с чем не сочетается: он только возвращает встроенный порог")
	}
	return nil
}

func (a *app) calibrate(ctx context.Context, o calibrateOptions) (err error) {
	if o.picture != "" {
		if _, err := os.Stat(filepath.Dir(o.picture)); err != nil {
			return fmt.Errorf("файл %s не создаётся: такой папки нет", o.picture)
		}
	}
	if err := a.openFinder(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	was := a.find.Calibration()
	labelled, err := a.labelledAsks(ctx, was)
	if err != nil {
		return err
	}
	fromAsks := len(labelled)
	sets, err := a.labelledSets(ctx, o, was)
	if err != nil {
		return err
	}
	labelled = append(labelled, sets...)
	f, err := fit(search.DefaultCalibration(was.Embedder), labelled, promise(o.precision))
	f.Was, f.FromAsks, f.FromSets = was, fromAsks, len(sets)
	if err != nil {
		return errors.Join(a.reportFit(o, f), fmt.Errorf("порог не изменён: %w", err))
	}
	if o.picture != "" {
		if err := writeCurve(o.picture, f); err != nil {
			return err
		}
	}
	if !o.dryRun {
		if err := a.storeCalibration(ctx, f); err != nil {
			return err
		}
		f.Stored = true
	}
	return a.reportFit(o, f)
}

// labelledSets ranks the queries of the sets on the command line.
func (a *app) labelledSets(ctx context.Context, o calibrateOptions, by search.Calibration) (out []labelled, err error) {
	if len(o.bases) == 0 {
		return nil, nil
	}
	e, save, err := a.trialEmbedder(ctx, o.vectors)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, save()) }()
	for i, base := range o.bases {
		queries, err := readQueries(o.queries[i])
		if err != nil {
			return nil, err
		}
		entries, err := a.readEntries(base, kbfile.Options{AnswerOptional: true})
		if err != nil {
			return nil, err
		}
		t, err := a.trial(ctx, evalOptions{}, e, entries, queries)
		if err != nil {
			return nil, err
		}
		cases, err := quality.Judge(queries, t.runs)
		if err != nil {
			return nil, err
		}
		for n, c := range cases {
			c.Group = fmt.Sprint(i, "\x00", c.Group)
			l := labelled{Case: c, features: by.Features(t.rankings[n])}
			if l.features != nil {
				l.among = t.rankings[n][0].Parts.Among
			}
			out = append(out, l)
		}
	}
	return out, nil
}

func (a *app) storeCalibration(ctx context.Context, f fitted) error {
	data, err := json.Marshal(f.Now)
	if err != nil {
		return err
	}
	return a.store.Write(ctx, func(tx bot.Tx) error {
		return tx.PutCalibration(ctx, knowledge.StoredCalibration{
			Embedder: f.Now.Embedder, Fitted: time.Now(), Asks: f.Examples, Data: data,
		})
	})
}

// resetCalibration removes what is stored for the embedder in use.
func (a *app) resetCalibration(ctx context.Context) (err error) {
	if err := a.openFinder(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	was := a.find.Calibration()
	err = a.store.Write(ctx, func(tx bot.Tx) error {
		return tx.PutCalibration(ctx, knowledge.StoredCalibration{Embedder: was.Embedder})
	})
	if err != nil {
		return err
	}
	shipped := search.DefaultCalibration(was.Embedder)
	if was == shipped {
		return a.printf("Действует встроенный порог: %.3f. Менять нечего.\n", shipped.AnswerAt)
	}
	return a.printf("Порог прямых ответов: %.3f → %.3f, встроенный.\n", was.AnswerAt, shipped.AnswerAt)
}
