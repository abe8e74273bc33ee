package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/nastavnik-bot/nastavnik/bot/texts"
	"github.com/nastavnik-bot/nastavnik/configs"
	"github.com/nastavnik-bot/nastavnik/health"
)

// errUnwell ends doctor when something has failed. What, has been printed.
var errUnwell = errors.New("не всё в порядке: что делать, сказано выше")

// doctorWithin bounds the check of one part: servers that are far away or loading
// may take some seconds.
const doctorWithin = 10 * time.Second

func newDoctor(a *app) *cobra.Command {
	var o doctorOptions
	var broken error // what is wrong with the configuration
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Проверить всё, с чем настроен работать бот, и сказать, что чинить",
		Long: `Проверяет настройки, базу, очередь, индекс, модель, вложения, порт, место на диске и кто сейчас бот.
Ничего не меняет и ни одну часть не ждёт дольше --wait. Код завершения 1 — если что-то не работает.`,
		Example: `  nastavnik doctor
  nastavnik doctor --json`,
		Args: cobra.NoArgs,
		// Doctor is there for configurations that cannot be used, too.
		PersistentPreRunE: func(*cobra.Command, []string) error {
			broken = a.configureAnyway()
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd.Context(), broken, o) },
	}
	c.Flags().BoolVar(&o.json, "json", false, "напечатать как JSON")
	c.Flags().DurationVar(&o.wait, "wait", doctorWithin, "сколько ждать одну часть")
	return c
}

type doctorOptions struct {
	json bool
	wait time.Duration
}

// configureAnyway takes what can be read of the configuration and returns what is
// wrong with the rest.
func (a *app) configureAnyway() error {
	cfg, err := configs.Load(a.configPath(), a.environ)
	used := a.use(cfg)
	if a.say == nil {
		// There is a catalogue for the language of the default, whatever was configured.
		say, _ := texts.New(configs.Default().Language)
		a.say = say
	}
	return errors.Join(err, used)
}

// diagnosisJSON is what doctor --json prints.
type diagnosisJSON struct {
	OK    bool           `json:"ok"`
	Parts []findingsJSON `json:"parts"`
}

type findingsJSON struct {
	Part    string  `json:"part"`
	Title   string  `json:"title"`
	State   string  `json:"state"` // ok, warning or failed
	Version string  `json:"version"`
	Latency float64 `json:"latency_ms"`
	Problem string  `json:"problem"`
	Remedy  string  `json:"remedy"`
}

// States of a part in doctor --json.
const (
	partOK      = "ok"
	partWarning = "warning"
	partFailed  = "failed"
)

func (a *app) doctor(ctx context.Context, broken error, o doctorOptions) error {
	quiet := *a // what opening says to people is said by the findings
	quiet.std.err = io.Discard
	quiet.log = newLog(io.Discard, a.cfg.Log)
	m := health.New(health.Options{Parts: quiet.diagnosed(broken), Deadline: o.wait})
	out := diagnosisJSON{OK: true}
	for _, s := range m.Check(ctx) {
		f := a.findings(s)
		out.OK = out.OK && f.State != partFailed
		out.Parts = append(out.Parts, f)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := a.printDiagnosis(out, o.json); err != nil {
		return err
	}
	if !out.OK {
		return errUnwell
	}
	return nil
}

// diagnosed are all parts that doctor looks at.
func (a *app) diagnosed(broken error) []health.Part {
	parts := []health.Part{{Name: "config", Title: "Настройки", Check: func(context.Context) (string, error) {
		return firstOf(a.configPath(), "без файла"), broken
	}}}
	parts = append(parts, a.parts()...)
	if connected, err := a.connections(func() {}); err == nil { // else the settings are broken, which is told
		parts = append(parts, platformParts(connected)...)
	}
	parts = append(parts, health.Part{Name: "schema", Title: "Схема базы", Check: a.checkSchema}, health.Part{Name: "queue", Title: "Очередь заданий", Check: a.checkQueue})
	if a.production() {
		parts = append(parts, health.Part{Name: "rights", Title: "Права роли", Check: a.checkRights})
	}
	return append(parts,
		health.Part{Name: "bot", Title: "Кто сейчас бот", Check: a.checkBot},
		health.Part{Name: "http", Title: "Порт HTTP", Check: a.checkPort},
		health.Part{Name: "zone", Title: "Часовой пояс", Check: a.checkZone},
		health.Part{Name: "disk", Title: "Место на диске", Check: a.checkDisk},
	)
}

// findings says to people how a part is.
func (a *app) findings(s health.State) findingsJSON {
	f := findingsJSON{
		Part: s.Part.Name, Title: s.Part.Title, State: partOK, Version: a.scrub(s.Version),
		Latency: float64(s.Latency.Microseconds()) / 1000, Problem: a.scrub(s.Warning),
	}
	switch {
	case s.Err != nil:
		f.State, f.Remedy = partFailed, s.Part.Remedy
		f.Problem = a.scrub(explain(s.Err))
		if errors.Is(s.Err, health.ErrSilent) {
			f.Problem = fmt.Sprintf("не отвечает дольше %s", s.Latency.Round(time.Millisecond))
			f.Remedy = firstOf(f.Remedy, "проверьте адрес, сеть и что сервер работает")
		}
	case s.Warning != "":
		f.State = partWarning
	case s.Since.IsZero():
		f.State, f.Problem = partFailed, "проверка прервана"
	}
	return f
}

// shortSecret is from which length on a secret is looked for: shorter ones are parts
// of everything.
const shortSecret = 4

// scrub hides secrets of the configuration, whoever has quoted them.
func (a *app) scrub(text string) string {
	for _, secret := range a.cfg.Secrets() {
		if len(secret) >= shortSecret {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}

func (a *app) printDiagnosis(d diagnosisJSON, asJSON bool) error {
	if asJSON {
		return a.printJSON(d)
	}
	words := map[string]string{partOK: "в порядке", partWarning: "внимание", partFailed: "не работает"}
	var rows []table.Row
	var problems []findingsJSON // the same problem of several parts once
	for _, f := range d.Parts {
		rows = append(rows, table.Row{f.Title, words[f.State], cell(f.Version, 60), fmt.Sprintf("%.1f мс", f.Latency)})
		same := slices.IndexFunc(problems, func(p findingsJSON) bool { return p.Problem == f.Problem && p.Remedy == f.Remedy })
		switch {
		case f.Problem == "":
		case same >= 0:
			problems[same].Title += ", " + f.Title
		default:
			problems = append(problems, f)
		}
	}
	a.printTable(table.Row{"Часть", "Состояние", "Что это", "Ответ за"}, rows)
	var text strings.Builder
	for _, f := range problems {
		fmt.Fprintf(&text, "\n%s: %s\n", f.Title, strings.ReplaceAll(f.Problem, "\n", "\n  "))
		if f.Remedy != "" {
			fmt.Fprintf(&text, "  Что делать: %s\n", f.Remedy)
		}
	}
	return a.printf("%s", text.String())
}
