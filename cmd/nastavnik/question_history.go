package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// stepJSON is a step of a question's history. Its number is 0 for the beginning
// of an imported question, which cannot be undone.
type stepJSON struct {
	Step   int64              `json:"step"`
	At     time.Time          `json:"at"`
	By     string             `json:"by"`
	Kind   knowledge.StepKind `json:"kind"`
	What   string             `json:"what"`
	Text   string             `json:"text,omitempty"`
	Was    string             `json:"was,omitempty"`
	Ref    int64              `json:"ref,omitempty"`
	Undone bool               `json:"undone"`
}

type historyOptions struct {
	after int64
	limit int
	json  bool
}

func newQuestionHistory(a *app) *cobra.Command {
	var o historyOptions
	c := &cobra.Command{
		Use:   "history НОМЕР",
		Short: "История вопроса: кто спросил, ответил, помогло ли, что выучено; номера шагов — для question undo",
		Example: `  nastavnik question history deal-owner
  nastavnik question history deal-owner --after 120 --limit 20`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.questionHistory(cmd.Context(), args[0], o) },
	}
	c.Flags().Int64Var(&o.after, "after", 0, "продолжить после шага с этим номером")
	c.Flags().IntVar(&o.limit, "limit", 50, "сколько показать за раз; 0 — все")
	c.Flags().BoolVar(&o.json, "json", false, "напечатать как JSON, всю историю")
	return c
}

func (a *app) questionHistory(ctx context.Context, id string, o historyOptions) error {
	limit := 0
	if o.limit > 0 && !o.json {
		limit = o.limit + 1 // one more, to see whether there is a next page
	}
	steps := []stepJSON{}
	err := a.reading(ctx, func(tx bot.Tx) error {
		all, err := knowledge.Desk{Tx: tx, Now: time.Now()}.History(ctx, id, o.after, limit)
		if err != nil {
			return err
		}
		told := newTeller(tx)
		for _, s := range all {
			out, err := told.step(ctx, s)
			if err != nil {
				return err
			}
			steps = append(steps, out)
		}
		return nil
	})
	if err != nil {
		return noQuestion(id, err)
	}
	if o.json {
		return a.printJSON(steps)
	}
	return a.printSteps(steps, o.limit)
}

func (a *app) printSteps(steps []stepJSON, limit int) error {
	more := limit > 0 && len(steps) > limit
	if more {
		steps = steps[:limit]
	}
	if len(steps) == 0 {
		return a.printf("Больше ничего не было.\n")
	}
	rows := make([]table.Row, len(steps))
	for i, s := range steps {
		number := "—"
		if s.Step != 0 {
			number = strconv.FormatInt(s.Step, 10)
		}
		what := s.What
		if s.Undone {
			what = "(отменено) " + what
		}
		rows[i] = table.Row{number, a.day(s.At), s.By, cell(what, 120)}
	}
	a.printTable(table.Row{"Шаг", "Когда", "Кто", "Что"}, rows)
	if more {
		return a.printf("Дальше: --after %d\n", steps[len(steps)-1].Step)
	}
	return nil
}

func newQuestionUndo(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "undo ШАГ",
		Short: "Отменить шаг истории: формулировку, ответ, статус, отзыв, решение; отмену тоже можно отменить",
		Long: `Отменяет шаг, номер которого показывает nastavnik question history.
Формулировка забывается, прежний ответ снова действует (и его получат те, кому отвечал сеньор), статус
возвращается, отзыв не учитывается, решение снова открыто. Ничего не стирается: отмену можно отменить.`,
		Example: `  nastavnik question undo 118`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.numbered(args[0], "шаг", func(id int64) error { return a.questionUndo(cmd.Context(), id) })
		},
	}
}

// numbered reads a number and does something with what it names.
func (a *app) numbered(text, noun string, fn func(id int64) error) error {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 {
		return usageError{fmt.Errorf("%s — это число, а не %q", noun, text)}
	}
	if err = fn(id); errors.Is(err, knowledge.ErrNotFound) {
		return fmt.Errorf("такого нет: %s %d", noun, id)
	}
	return err
}

func (a *app) questionUndo(ctx context.Context, id int64) error {
	if err := a.open(ctx); err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	undoing, err := a.office().Undo(ctx, id, 0)
	if err != nil {
		return err
	}
	return a.printUndone(ctx, undoing)
}

// printUndone says what an undoing has done.
func (a *app) printUndone(ctx context.Context, undoing knowledge.Step) error {
	var told stepJSON
	err := a.store.Read(ctx, func(tx bot.Tx) (err error) {
		told, err = newTeller(tx).step(ctx, undoing)
		return err
	})
	if err != nil {
		return err
	}
	return a.printf("Вопрос %s, %s\nПередумали: nastavnik question undo %d\n", undoing.Question, cell(told.What, 200), undoing.ID)
}

func newQuestionUnlearn(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "unlearn НОМЕР ФОРМУЛИРОВКА",
		Short:   "Забыть формулировку вопроса",
		Long:    "Забывает формулировку. Сама она снова не выучится, пока её не подтвердят новые люди.",
		Example: `  nastavnik question unlearn deal-owner "кому передать сделку"`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.questionUnlearn(cmd.Context(), args[0], args[1])
		},
	}
}

func (a *app) questionUnlearn(ctx context.Context, id, wording string) error {
	if err := a.open(ctx); err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	if err := a.store.Read(ctx, func(tx bot.Tx) error {
		_, err := tx.Question(ctx, id)
		return err
	}); err != nil {
		return noQuestion(id, err)
	}
	undoing, err := a.office().Unlearn(ctx, id, wording, 0)
	if errors.Is(err, knowledge.ErrNotFound) {
		return fmt.Errorf("у вопроса %s нет формулировки «%s»; все — в nastavnik question show %s", id, wording, id)
	}
	if err != nil {
		return err
	}
	return a.printUndone(ctx, undoing)
}
