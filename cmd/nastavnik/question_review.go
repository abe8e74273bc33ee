package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// reviewJSON is something that is held back for a decision.
type reviewJSON struct {
	Review    int64                `json:"review"`
	Question  knowledge.Brief      `json:"question"`
	Wording   string               `json:"wording,omitempty"` // "" when it is the answer
	Answer    string               `json:"answer,omitempty"`  // then its text
	By        string               `json:"by,omitempty"`
	Created   time.Time            `json:"created"`
	Conflicts []knowledge.Conflict `json:"conflicts"`
}

// openReviews returns what waits for a decision, of one question or of all (""):
// the oldest first.
func openReviews(ctx context.Context, tx bot.Tx, question string) ([]reviewJSON, error) {
	all, err := tx.Reviews(ctx, question, true)
	if err != nil {
		return nil, err
	}
	told := newTeller(tx)
	out := []reviewJSON{}
	for _, r := range all {
		q, err := tx.Question(ctx, r.Question)
		if err != nil {
			return nil, err
		}
		j := reviewJSON{Review: r.ID, Question: knowledge.Brief{ID: q.ID, Text: q.Text}, Wording: r.Wording, Created: r.Created.UTC(), Conflicts: r.Conflicts}
		if r.Wording == "" {
			j.Answer = q.Answer.Text
		}
		if r.Person != 0 {
			if j.By, err = told.name(ctx, r.Person); err != nil {
				return nil, err
			}
		}
		out = append(out, j)
	}
	return out, nil
}

func newQuestionReviews(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "reviews",
		Short: "Что ждёт решения: ответы и формулировки, из-за которых другие нашли бы не то",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var all []reviewJSON
			err := a.reading(cmd.Context(), func(tx bot.Tx) (err error) {
				all, err = openReviews(cmd.Context(), tx, "")
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(all)
			}
			if len(all) == 0 {
				return a.printf("Решать нечего.\n")
			}
			return a.printReviews(all)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "напечатать как JSON")
	return c
}

func (a *app) printReviews(all []reviewJSON) error {
	var b strings.Builder
	for i, r := range all {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "Решение %d, %s%s. Вопрос %s: %s\n", r.Review, a.day(r.Created), by(r.By), r.Question.ID, cell(r.Question.Text, 100))
		if r.Wording != "" {
			fmt.Fprintf(&b, "  Формулировка: %s\n", cell(r.Wording, 200))
		} else {
			fmt.Fprintf(&b, "  Ответ: %s\n", cell(r.Answer, 200))
		}
		b.WriteString("  Если взять это в базу, первым нашлось бы другое:\n")
		for _, c := range r.Conflicts {
			fmt.Fprintf(&b, "  - «%s»: сейчас %s, стало бы %s\n", cell(c.Wording, 100), found(c.Was), found(c.Now))
		}
		fmt.Fprintf(&b, "  В базу: nastavnik question accept %d. Не в базу: nastavnik question refuse %d\n", r.Review, r.Review)
	}
	return a.printf("%s", b.String())
}

// found names an entry that is found.
func found(b knowledge.Brief) string {
	if b.ID == "" {
		return "ничего"
	}
	return fmt.Sprintf("«%s» (%s)", cell(b.Text, 80), b.ID)
}

// openGuard opens the searcher, which tells what an answer would disturb. Who
// waits for the answer gets it even when that cannot be told.
func (a *app) openGuard(ctx context.Context) {
	if err := a.openFinder(ctx); err != nil {
		a.find = nil
		_, _ = fmt.Fprintf(a.std.err, "Не удалось проверить, не помешает ли ответ находить другие: %s\nОтвет записывается без проверки.\n", explain(err))
	}
}

// printHeld prints what of a question waits for a decision.
func (a *app) printHeld(ctx context.Context, question string) error {
	var held []reviewJSON
	err := a.store.Read(ctx, func(tx bot.Tx) (err error) {
		held, err = openReviews(ctx, tx, question)
		return err
	})
	if err != nil || len(held) == 0 {
		return err
	}
	if err := a.printf("В базе его пока нет.\n\n"); err != nil {
		return err
	}
	return a.printReviews(held)
}

func newQuestionDecide(a *app, accept bool) *cobra.Command {
	name := pick(accept, "accept", "refuse")
	return &cobra.Command{
		Use:     name + " РЕШЕНИЕ",
		Short:   pick(accept, "Взять в базу то, что ждёт решения", "Не брать в базу то, что ждёт решения"),
		Example: "  nastavnik question reviews\n  nastavnik question " + name + " 3",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.numbered(args[0], "решение", func(id int64) error { return a.questionDecide(cmd.Context(), id, accept) })
		},
	}
}

func (a *app) questionDecide(ctx context.Context, id int64, accept bool) error {
	if err := a.open(ctx); err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	r, q, err := a.office().Decide(ctx, id, 0, accept)
	if err != nil {
		return err
	}
	what := "Ответ"
	if r.Wording != "" {
		what = fmt.Sprintf("Формулировка «%s»", cell(r.Wording, 100))
	}
	return a.printf("%s — %s: вопрос %s, «%s».\n", what, pick(accept, "в базе", "не в базе"), q.ID, q.Status.Title())
}

// staleJSON is an answer to check.
type staleJSON struct {
	ID        string    `json:"id"`
	Text      string    `json:"text"`
	Answered  time.Time `json:"answered"`
	By        string    `json:"by,omitempty"`
	Days      int       `json:"days"` // its age
	Old       bool      `json:"old"`
	Helped    int       `json:"helped"`
	NotHelped int       `json:"not_helped"`
	Doubted   bool      `json:"doubted"`
}

func newQuestionStale(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "stale",
		Short: "Ответы, которые пора проверить: давние и те, что не помогают",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.questionStale(cmd.Context(), asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "напечатать как JSON")
	return c
}

func (a *app) questionStale(ctx context.Context, asJSON bool) error {
	out := []staleJSON{}
	err := a.reading(ctx, func(tx bot.Tx) error {
		all, err := knowledge.Desk{Tx: tx, Now: time.Now(), Learning: a.learning()}.Stale(ctx)
		for _, s := range all {
			q := s.Question
			out = append(out, staleJSON{
				ID: q.ID, Text: q.Text, Answered: q.Answer.Created.UTC(), By: q.Answer.ByName,
				Days: int(s.Age / (24 * time.Hour)), Old: s.Old, Helped: s.Helped, NotHelped: s.NotHelped, Doubted: s.Doubted,
			})
		}
		return err
	})
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(out)
	}
	if len(out) == 0 {
		return a.printf("Проверять нечего.\n")
	}
	rows := make([]table.Row, len(out))
	for i, s := range out {
		rows[i] = table.Row{s.ID, a.day(s.Answered), s.By, reasons(s), cell(s.Text, 80)}
	}
	a.printTable(table.Row{"Номер", "Ответ от", "Кто ответил", "Почему проверить", "Вопрос"}, rows)
	return a.printf("Исправить ответ: nastavnik question answer НОМЕР. Что было: nastavnik question history НОМЕР\n")
}

// reasons says why an answer is to be checked.
func reasons(s staleJSON) string {
	var out []string
	if s.Doubted {
		out = append(out, fmt.Sprintf("не помог %d из %d", s.NotHelped, s.Helped+s.NotHelped))
	}
	if s.Old {
		out = append(out, fmt.Sprintf("ему %d дн.", s.Days))
	}
	return strings.Join(out, ", ")
}
