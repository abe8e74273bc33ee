package main

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/nastavnik-bot/nastavnik/knowledge/quality"
)

// evalJSON is what eval --json prints.
type evalJSON struct {
	Entries     int    `json:"entries"`
	LeaveOneOut bool   `json:"leave_one_out,omitempty"`
	Embedder    string `json:"embedder"` // "" for words only
	quality.Report
	Differences []quality.Difference `json:"differences,omitempty"`
}

// reportEval prints what a trial was worth, and how that differs from before.
func (a *app) reportEval(o evalOptions, t trial, before []quality.Case) error {
	cases, err := quality.Judge(t.queries, t.runs)
	if err != nil {
		return err
	}
	report, err := quality.Measure(cases, t.answered, measuring(o.precision))
	if err != nil {
		return err
	}
	var differences []quality.Difference
	if before != nil {
		if differences, err = quality.Compare(before, cases, measuring(o.precision)); err != nil {
			return err
		}
	}
	if o.json {
		return a.printJSON(evalJSON{Entries: t.entries, LeaveOneOut: o.leaveOneOut, Embedder: t.by.Embedder, Report: report, Differences: differences})
	}
	if err := a.printf("Запросов: %d, с ответом в базе: %d; записей: %d.\n", report.Queries, report.Answerable, t.entries); err != nil {
		return err
	}
	for _, part := range []struct {
		title string
		list  []quality.Estimate
	}{
		{"Порядок и уверенность", report.Ranking},
		{"Прямые ответы, как решает программа", report.Shipped},
		{fmt.Sprintf("Прямые ответы с порогом для точности %v, выбранным на других вопросах", o.precision), report.Unseen},
	} {
		if err := a.printFigures(part.title, "Значение", figureRows(part.list)); err != nil {
			return err
		}
	}
	if len(differences) > 0 {
		if err := a.printf("\nСравнение с %s:\n\n", o.compare); err != nil {
			return err
		}
		a.printTable(table.Row{"Показатель", "Было", "Стало", "Разница", "95 %", ""}, differenceRows(differences))
	}
	if o.out == "" {
		return nil
	}
	return a.printf("\nРезультат: %s\n", o.out)
}

// printFigures prints rows of figures with their intervals under a title.
func (a *app) printFigures(title, value string, rows []table.Row) error {
	if err := a.printf("\n%s:\n\n", title); err != nil {
		return err
	}
	a.printTable(table.Row{"Показатель", value, "95 %"}, rows)
	return nil
}

func figureRows(list []quality.Estimate) []table.Row {
	var rows []table.Row
	for _, e := range list {
		rows = append(rows, figureRow(figureName(e.Name), e))
	}
	return rows
}

func figureRow(name string, e quality.Estimate) table.Row {
	return table.Row{name, fmt.Sprintf("%.3f", e.Value), fmt.Sprintf("%.3f – %.3f", e.Low, e.High)}
}

func differenceRows(list []quality.Difference) []table.Row {
	var rows []table.Row
	for _, d := range list {
		verdict := "в пределах случайного"
		switch {
		case d.Beyond && (d.Change > 0) == (d.Name != quality.Escaped):
			verdict = "лучше"
		case d.Beyond:
			verdict = "хуже"
		case d.Low == 0 && d.High == 0:
			verdict = "так же"
		}
		rows = append(rows, table.Row{
			figureName(d.Name), fmt.Sprintf("%.3f", d.Before), fmt.Sprintf("%.3f", d.After),
			fmt.Sprintf("%+.3f", d.Change), fmt.Sprintf("%+.3f – %+.3f", d.Low, d.High), verdict,
		})
	}
	return rows
}

// figureName says in Russian what a figure is; what has no name of its own keeps
// that of --json.
func figureName(name string) string {
	switch name {
	case quality.Recall1:
		return "верный первым"
	case quality.Recall5:
		return "верный среди пяти"
	case quality.Precision:
		return "верных среди прямых ответов"
	case quality.Coverage:
		return "отвечено прямо"
	case quality.Escaped:
		return "отвечено на то, чего в базе нет"
	case quality.MRR:
		return "средний обратный ранг"
	}
	return strings.NewReplacer("auroc_", "AUROC ", "far", "от далёких", "near", "от близких", "native", "от размеченных авторами", "all", "от всех чужих").Replace(name)
}
