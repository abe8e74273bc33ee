package main

import (
	"fmt"
	"math"
	"os"
	"strings"
	"text/template"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/nastavnik-bot/nastavnik/knowledge/quality"
	"github.com/nastavnik-bot/nastavnik/knowledge/search"
)

// calibrateJSON is what calibrate --json prints.
type calibrateJSON struct {
	Embedder string             `json:"embedder"` // "" for words only
	Examples int                `json:"examples"` // that the fit could use
	Right    int                `json:"right"`
	FromAsks int                `json:"from_asks"`
	FromSets int                `json:"from_sets"`
	Stored   bool               `json:"stored"`
	Was      search.Calibration `json:"was"`
	Now      search.Calibration `json:"now"`
	Unseen   []quality.Estimate `json:"cross_validated,omitempty"`
	Curve    []quality.Point    `json:"curve,omitempty"`
}

// reportFit prints what came of a fit.
func (a *app) reportFit(o calibrateOptions, f fitted) error {
	if o.json {
		return a.printJSON(calibrateJSON{
			Embedder: f.Was.Embedder, Examples: f.Examples, Right: f.Right, FromAsks: f.FromAsks, FromSets: f.FromSets,
			Stored: f.Stored, Was: f.Was, Now: f.Now, Unseen: f.Unseen, Curve: f.Curve,
		})
	}
	err := a.printf("Размеченных вопросов: %d (из работы бота %d, из наборов %d); для подбора годятся %d, из них верный ответ первым у %d.\n",
		f.FromAsks+f.FromSets, f.FromAsks, f.FromSets, f.Examples, f.Right)
	if err != nil || len(f.Curve) == 0 {
		return err
	}
	if err := a.printf("\nТочность прямых ответов при разном пороге, на вопросах, которых подбор не видел:\n\n"); err != nil {
		return err
	}
	a.printTable(table.Row{"Порог", "Ответов", "Точность", "не хуже (95 %)", "Отвечено прямо", "Отвечено на чужое"}, curveRows(f))
	if err := a.printf("\n%s\n", f.draw()); err != nil {
		return err
	}
	if len(f.Unseen) == 0 {
		return nil
	}
	if err := a.printFigures("С порогом, выбранным на других вопросах", "Значение", figureRows(f.Unseen)); err != nil {
		return err
	}
	if err := a.printf("\nПорог прямых ответов: %.3f → %.3f.\n", f.Was.AnswerAt, f.Now.AnswerAt); err != nil {
		return err
	}
	if !f.Stored {
		return a.printf("Ничего не записано (--dry-run).\n")
	}
	return a.printf("Записано и действует. Вернуть встроенный: nastavnik calibrate --reset\n")
}

// curveRows picks points of a curve at every twentieth of the answers, and the
// threshold that was chosen.
func curveRows(f fitted) []table.Row {
	var rows []table.Row
	const step = 0.05
	next := step
	at, ok := f.chosen()
	for i, p := range f.Curve {
		chosen := ok && p == at
		if p.Coverage < next && !chosen && i < len(f.Curve)-1 {
			continue
		}
		for next <= p.Coverage {
			next += step
		}
		mark := ""
		if chosen {
			mark = " ← выбран"
		}
		rows = append(rows, table.Row{
			fmt.Sprintf("%.3f", p.Threshold), p.Answers, fmt.Sprintf("%.3f", p.Precision), fmt.Sprintf("%.3f", p.Lower),
			fmt.Sprintf("%.3f", p.Coverage), fmt.Sprintf("%.3f%s", p.Escaped, mark),
		})
	}
	return rows
}

// The terminal picture: columns are coverage 0–1, rows precision from the top.
const (
	curveColumns = 60
	curveLines   = 16
)

// lowestPrecision is where the pictures begin: the tenth below the worst point that
// more than a handful of answers stand behind.
func lowestPrecision(curve []quality.Point) float64 {
	lowest := 0.9
	for _, p := range curve {
		if p.Answers >= quality.DefaultLeast {
			lowest = min(lowest, p.Precision)
		}
	}
	return max(0, math.Floor(lowest*10)/10)
}

// draw draws precision over coverage with text: ─ is what is promised, ● the
// threshold that was chosen.
func (f fitted) draw() string {
	low := lowestPrecision(f.Curve)
	at, ok := f.chosen()
	grid := make([][]rune, curveLines)
	for i := range grid {
		grid[i] = []rune(strings.Repeat(" ", curveColumns+1))
	}
	line := func(precision float64) int {
		return int(math.Round((1 - max(low, precision)) / max(1-low, 1e-9) * (curveLines - 1)))
	}
	for x := range grid[line(f.Promised)] {
		grid[line(f.Promised)][x] = '─'
	}
	for _, p := range f.Curve {
		if p.Answers < quality.DefaultLeast {
			continue // a handful of answers has no precision worth drawing
		}
		cell := &grid[line(p.Precision)][int(math.Round(p.Coverage*curveColumns))]
		switch {
		case ok && p == at:
			*cell = '●'
		case *cell != '●':
			*cell = '·'
		}
	}
	var b strings.Builder
	for i, row := range grid {
		label := "      "
		if i%5 == 0 {
			label = fmt.Sprintf("%5.2f ", 1-float64(i)/(curveLines-1)*(1-low))
		}
		fmt.Fprintf(&b, "%s│%s\n", label, strings.TrimRight(string(row), " "))
	}
	fmt.Fprintf(&b, "      └%s\n", strings.Repeat("─", curveColumns+1))
	fmt.Fprintf(&b, "       0%*s%*s\n", curveColumns/2, "0.5", curveColumns/2, "1")
	b.WriteString("       доля вопросов, отвеченных прямо; ● порог, ─ обещанная точность\n")
	return b.String()
}

// svgCurve is the picture: 640 × 420 with a frame for the plot.
var svgCurve = template.Must(template.New("curve").Parse(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 420" font-family="sans-serif" font-size="13">
<rect width="640" height="420" fill="white"/>
<g stroke="#ddd">{{range .Grid}}<line x1="60" x2="620" y1="{{.Y}}" y2="{{.Y}}"/>{{end}}</g>
{{range .Grid}}<text x="52" y="{{.Y}}" dy="4" text-anchor="end">{{.Label}}</text>
{{end}}{{range .Ticks}}<text x="{{.X}}" y="378" text-anchor="middle">{{.Label}}</text>
{{end}}<line x1="60" x2="620" y1="{{.Promised}}" y2="{{.Promised}}" stroke="#c33" stroke-dasharray="6 4"/>
<polyline points="{{.Lower}}" fill="none" stroke="#9bd" stroke-width="1"/>
<polyline points="{{.Line}}" fill="none" stroke="#06c" stroke-width="2"/>
{{with .Chosen}}<circle cx="{{.X}}" cy="{{.Y}}" r="5" fill="#06c"/>
{{end}}<text x="340" y="404" text-anchor="middle">доля вопросов, отвеченных прямо</text>
<text x="60" y="24">точность прямых ответов (тонкая линия: не хуже, 95 %); пунктир: обещано {{.Promise}}</text>
</svg>
`))

type svgPoint struct{ X, Y, Label string }

// writeCurve draws the curve into an SVG file.
func writeCurve(path string, f fitted) (err error) {
	low := lowestPrecision(f.Curve)
	x := func(coverage float64) string { return fmt.Sprintf("%.1f", 60+560*coverage) }
	y := func(precision float64) string {
		return fmt.Sprintf("%.1f", 40+320*(1-max(low, precision))/max(1-low, 1e-9))
	}
	var line, lower strings.Builder
	data := struct {
		Grid, Ticks       []svgPoint
		Promised, Promise string
		Line, Lower       string
		Chosen            *svgPoint
	}{Promised: y(f.Promised), Promise: fmt.Sprint(f.Promised)}
	for i := range 6 {
		p := low + (1-low)*float64(i)/5
		data.Grid = append(data.Grid, svgPoint{Y: y(p), Label: fmt.Sprintf("%.2f", p)})
		data.Ticks = append(data.Ticks, svgPoint{X: x(float64(i) / 5), Label: fmt.Sprintf("%.1f", float64(i)/5)})
	}
	for _, p := range f.Curve {
		if p.Answers < quality.DefaultLeast {
			continue
		}
		fmt.Fprintf(&line, "%s,%s ", x(p.Coverage), y(p.Precision))
		fmt.Fprintf(&lower, "%s,%s ", x(p.Coverage), y(p.Lower))
	}
	if p, ok := f.chosen(); ok {
		data.Chosen = &svgPoint{X: x(p.Coverage), Y: y(p.Precision)}
	}
	data.Line, data.Lower = line.String(), lower.String()
	var out strings.Builder
	if err := svgCurve.Execute(&out, data); err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil { //nolint:gosec // a picture to be shown to others
		return fmt.Errorf("файл %s не записывается: %s", path, reason(err))
	}
	return nil
}
