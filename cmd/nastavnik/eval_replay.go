package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/kbfile"
	"github.com/nastavnik-bot/nastavnik/knowledge/quality"
	"github.com/nastavnik-bot/nastavnik/knowledge/replay"
)

// evalReplay lets the queries arrive at an empty base, in several orders.
func (a *app) evalReplay(ctx context.Context, o evalOptions, e knowledge.Embedder, entries []kbfile.Entry, queries []quality.Query) error {
	answers := map[string]string{}
	for _, x := range entries {
		answers[x.ID] = x.Answer
	}
	arrivals := replay.Arrivals(queries, answers)
	if len(arrivals) == 0 {
		return errors.New("среди запросов нет ни одного, у которого есть ответ (expected_ids)")
	}
	progress := a.progress("Вопросы приходят", o.seeds*len(arrivals))
	runs := make([][]replay.Step, o.seeds)
	for seed := range runs {
		done := seed * len(arrivals)
		var err error
		runs[seed], err = a.replayOnce(ctx, e, replay.Shuffled(arrivals, uint64(seed+1)), func(n int) { progress(done + n) })
		if err != nil {
			return err
		}
	}
	return a.reportReplay(o, replay.Summarise(arrivals, runs, quality.Bootstrap{}))
}

// replayOnce plays one order in an empty base.
func (a *app) replayOnce(ctx context.Context, e knowledge.Embedder, arrivals []replay.Arrival, progress func(int)) (steps []replay.Step, err error) {
	b, err := a.newTrial(ctx, e)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	return replay.Run(ctx, replay.World{Record: record{b.store}, Finder: b.find}, arrivals, progress)
}

func (a *app) reportReplay(o evalOptions, r replay.Report) error {
	if o.json {
		return a.printJSON(r)
	}
	if err := a.printf("Пришло вопросов: %d, разных: %d; случайных порядков: %d.\n", r.Arrivals, r.Distinct, r.Seeds); err != nil {
		return err
	}
	var rows []table.Row
	for _, e := range r.Figures {
		rows = append(rows, figureRow(replayName(e.Name), e))
	}
	if err := a.printFigures("За весь поток", "Среднее", rows); err != nil {
		return err
	}
	if err := a.printf("\nПо десятым долям потока:\n\n"); err != nil {
		return err
	}
	rows = nil
	for i, t := range r.Tenths {
		rows = append(rows, table.Row{fmt.Sprintf("%d–%d %%", 10*i, 10*i+10), fmt.Sprintf("%.2f", t.Direct), fmt.Sprintf("%.2f", t.Unaided), fmt.Sprintf("%.3f", t.Wrong)})
	}
	a.printTable(table.Row{"Доля потока", "Отвечено прямо", "Без сеньора", "Неверных ответов"}, rows)
	if err := a.printf("\nПочему спросили сеньора, раз за проход:\n\n"); err != nil {
		return err
	}
	rows = nil
	for _, reason := range []replay.Reason{replay.NewQuestion, replay.NotOffered, replay.RankedLow, replay.NotFound} {
		rows = append(rows, table.Row{reasonName(reason), fmt.Sprintf("%.1f", r.Reasons[reason])})
	}
	a.printTable(table.Row{"Причина", "Раз"}, rows)
	return nil
}

func replayName(name string) string {
	switch name {
	case replay.SeniorAsks:
		return "обращений к сеньору на один разный вопрос"
	case replay.WrongShown:
		return "неверных прямых ответов, доля вопросов"
	case replay.DirectLate:
		return "отвечено прямо во второй половине"
	case replay.DirectShare:
		return "отвечено прямо"
	case replay.Unaided:
		return "решено без сеньора"
	case replay.HeldShare:
		return "формулировок задержано до решения"
	case replay.Clicks:
		return "нажатий на решённый вопрос"
	}
	return name
}

func reasonName(r replay.Reason) string {
	switch r {
	case replay.NewQuestion:
		return "такого ещё не спрашивали"
	case replay.NotOffered:
		return "нашлось в первых пяти, но не предложено"
	case replay.RankedLow:
		return "нашлось, но не в первых пяти"
	default:
		return "не нашлось"
	}
}
