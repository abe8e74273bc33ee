package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/console"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

func newAsk(a *app) *cobra.Command {
	var asJSON, dryRun bool
	var as string
	c := &cobra.Command{
		Use:   `ask "вопрос"`,
		Short: "Спросить одной строкой и увидеть, что решил поиск",
		Long: `Ищет ответ и печатает, что решил поиск: ответ, похожие вопросы или ничего.
Вопрос записывается, как в чате; --dry-run только ищет. К сеньору отсюда не отправить: для этого — nastavnik chat.`,
		Example: `  nastavnik ask "как сменить ответственного в сделке"
  nastavnik ask --json --dry-run "не проходит оплата"`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := knowledge.CleanText(strings.Join(args, " "), knowledge.MaxQuestionRunes)
			if err != nil {
				return usageError{fmt.Errorf("вопрос: %w", err)}
			}
			if knowledge.FoldText(as) == "" && cmd.Flags().Changed("as") {
				return usageError{errNoName}
			}
			return a.ask(cmd.Context(), askOptions{text: text, as: firstOf(as, systemUser()), json: asJSON, dryRun: dryRun})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "напечатать решение как JSON")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "только искать, вопрос не записывать")
	c.Flags().StringVar(&as, "as", "", "имя спрашивающего")
	return c
}

type askOptions struct {
	text, as     string
	json, dryRun bool
}

// askJSON is what ask --json prints.
type askJSON struct {
	Decision   knowledge.Decision `json:"decision"`
	ID         string             `json:"id,omitempty"` // of the question answered
	Question   string             `json:"question"`     // its text; "" without an answer
	Answer     string             `json:"answer"`
	Files      []fileJSON         `json:"files,omitempty"` // of the answer
	Confidence float64            `json:"confidence"`      // 0–1
	Candidates []candidateJSON    `json:"candidates"`
	Related    []knowledge.Brief  `json:"related"`
	AskedID    string             `json:"asked_id,omitempty"` // the question recorded for it
}

type candidateJSON struct {
	ID       string  `json:"id"`
	Question string  `json:"question"`
	Score    float64 `json:"score"`
}

func (a *app) ask(ctx context.Context, o askOptions) error {
	if err := a.openFinder(ctx); err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	found, err := a.find.Find(ctx, knowledge.Inquiry{Text: o.text})
	if err != nil {
		return err
	}
	var recorded knowledge.Ask
	if !o.dryRun {
		if recorded, err = a.office().RecordAsk(ctx, console.Identity(o.as), o.text, found); err != nil {
			return err
		}
	}
	if o.json {
		return a.printJSON(askResult(found, recorded.Question))
	}
	return a.printFinding(o.text, found)
}

func askResult(f knowledge.Finding, recorded string) askJSON {
	out := askJSON{Decision: f.Decision, Confidence: f.Confidence, AskedID: recorded, Candidates: []candidateJSON{}, Related: []knowledge.Brief{}}
	for _, m := range f.Matches {
		out.Candidates = append(out.Candidates, candidateJSON{ID: m.ID, Question: m.Text, Score: m.Score})
	}
	if f.Page != nil {
		out.ID, out.Question, out.Answer = f.Page.ID, f.Page.Text, f.Page.Answer
		out.Files = filesOut(f.Page.Files)
		out.Related = append(out.Related, f.Page.Related...)
	}
	return out
}

func (a *app) printFinding(text string, f knowledge.Finding) error {
	var m bot.Message
	switch {
	case f.Page != nil:
		m.Text = "**" + f.Page.Text + "**\n\n" + f.Page.Answer + bot.FileLines(a.say, f.Page.Files)
		if len(f.Page.Related) > 0 {
			m.Text += "\n\n" + a.say.Say("related", nil) + list(f.Page.Related)
		}
	case len(f.Matches) > 0:
		briefs := make([]knowledge.Brief, len(f.Matches))
		for i, c := range f.Matches {
			briefs[i] = c.Brief
		}
		m.Text = a.say.Say("suggest", nil) + list(briefs)
	default:
		m.Text = a.say.Say("ask_nothing", map[string]any{"Question": text})
	}
	_, err := fmt.Fprint(a.std.out, console.Render(m, a.say, console.Plain()))
	return err
}

func list(items []knowledge.Brief) string {
	var b strings.Builder
	for _, i := range items {
		b.WriteString("\n- " + i.Text)
	}
	return b.String()
}
