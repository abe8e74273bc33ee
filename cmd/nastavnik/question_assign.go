package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

func newQuestionTopic(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "topic НОМЕР ТЕМА",
		Short:   "Дать вопросу тему; пустая — без темы",
		Example: `  nastavnik question topic q15 "Сделки"`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.questionTopic(cmd.Context(), args[0], args[1])
		},
	}
}

func (a *app) questionTopic(ctx context.Context, id, topic string) error {
	if err := a.open(ctx); err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	q, err := a.office().SetTopic(ctx, id, topic)
	if errors.Is(err, knowledge.ErrInvalid) {
		return usageError{fmt.Errorf("название темы: %w", err)}
	}
	if err != nil {
		return noQuestion(id, err)
	}
	return a.printf("%s: тема %s\n", q.ID, pick(q.Topic == "", "снята", "«"+q.Topic+"»"))
}

func newQuestionAssign(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "assign НОМЕР КТО",
		Short: "Отдать вопрос, который ждёт ответа, другому человеку",
		Long:  "Отдаёт вопрос сеньору или другому человеку, сколько бы вопросов у него ни было. Тем, кто ждёт, и прежнему сеньору бот скажет сам.",
		Example: `  nastavnik question assign q15 "Борис Л."
  nastavnik question list --status awaiting_senior`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.questionAssign(cmd.Context(), args[0], args[1])
		},
	}
}

func (a *app) questionAssign(ctx context.Context, id, who string) error {
	defer func() { _ = a.close() }()
	p, err := a.someone(ctx, who)
	if err != nil {
		return err
	}
	_, err = a.office().Assign(ctx, id, p.ID, 0)
	switch {
	case errors.Is(err, knowledge.ErrInvalid) && !p.Reachable():
		return fmt.Errorf("%s: написать нельзя (%s)", p.Name, a.reach(p))
	case errors.Is(err, knowledge.ErrInvalid):
		return fmt.Errorf("%s сам ждёт ответа на этот вопрос", p.Name)
	case errors.Is(err, knowledge.ErrConflict):
		return fmt.Errorf("вопрос %s сейчас не ждёт ответа; что с ним: nastavnik question history %s", id, id)
	case err != nil:
		return noQuestion(id, err)
	}
	return a.printf("%s: теперь отвечает %s\n", id, p.Name)
}
