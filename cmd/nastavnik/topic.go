package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

func newTopic(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "topic",
		Short: "Темы: кто на какие вопросы отвечает первым",
		Long: `Вопрос с темой получают сначала сеньоры этой темы, и только если никто из них не может — другие.
Тему вопросу дают файл загрузки, сеньор в чате или nastavnik question topic.`,
	}
	c.AddCommand(newTopicList(a), newTopicAdd(a), newTopicAssign(a), newTopicRemove(a))
	return c
}

// topicJSON is a topic in lists.
type topicJSON struct {
	Topic   string   `json:"topic"`
	Seniors []string `json:"seniors"`
}

func newTopicList(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "Список тем: назначенных, и тех, что есть у вопросов",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.topicList(cmd.Context(), asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "напечатать как JSON")
	return c
}

func (a *app) topicList(ctx context.Context, asJSON bool) error {
	out := []topicJSON{}
	err := a.reading(ctx, func(tx bot.Tx) error {
		topics, err := tx.Topics(ctx)
		if err != nil {
			return err
		}
		for _, t := range topics {
			o := topicJSON{Topic: t.Name, Seniors: []string{}}
			for _, id := range t.Seniors {
				p, err := tx.Person(ctx, id)
				if err != nil {
					return err
				}
				o.Seniors = append(o.Seniors, p.Name)
			}
			out = append(out, o)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(out)
	}
	if len(out) == 0 {
		return a.printf("Тем пока нет.\n")
	}
	rows := make([]table.Row, len(out))
	for i, t := range out {
		rows[i] = table.Row{t.Topic, firstOf(strings.Join(t.Seniors, ", "), "любой сеньор")}
	}
	a.printTable(table.Row{"Тема", "Кто отвечает"}, rows)
	return nil
}

// changeTopic changes who answers for a topic. Topics are told from each other by
// their folded names; one that there is not yet begins without seniors.
func (a *app) changeTopic(ctx context.Context, name string, people []string, change func(t *knowledge.Topic, ids []int64)) error {
	if knowledge.FoldText(name) == "" {
		return usageError{errNoName}
	}
	if err := a.open(ctx); err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	var told string
	err := a.store.Write(ctx, func(tx bot.Tx) error {
		t, err := findTopic(ctx, tx, name)
		if err != nil {
			return err
		}
		ids, err := seniorsNamed(ctx, tx, people)
		if err != nil {
			return err
		}
		change(&t, ids)
		if err := tx.PutTopic(ctx, t); err != nil {
			return err
		}
		told, err = tellTopic(ctx, tx, t)
		return err
	})
	if err != nil {
		return err
	}
	// Who is free may answer what waits in the queue by that.
	if _, err := a.office().GiveOut(ctx); err != nil {
		return err
	}
	return a.printf("%s\n", told)
}

// findTopic returns a topic as it is stored, or as it will be.
func findTopic(ctx context.Context, tx bot.Tx, name string) (knowledge.Topic, error) {
	all, err := tx.Topics(ctx)
	if err != nil {
		return knowledge.Topic{}, err
	}
	if name, err = knowledge.NameTopic(name, all); err != nil {
		return knowledge.Topic{}, usageError{fmt.Errorf("название темы: %w", err)}
	}
	i := slices.IndexFunc(all, func(t knowledge.Topic) bool { return t.Name == name })
	if i < 0 {
		return knowledge.Topic{Name: name}, nil
	}
	return all[i], nil
}

// seniorsNamed returns who is meant, all of them seniors.
func seniorsNamed(ctx context.Context, tx bot.Tx, people []string) ([]int64, error) {
	var ids []int64
	for _, who := range people {
		p, err := findPerson(ctx, tx, who)
		if err != nil {
			return nil, err
		}
		if !p.Senior || p.Left {
			return nil, fmt.Errorf("%s не сеньор; дать роль: nastavnik person add %q --senior", p.Name, p.Name)
		}
		ids = append(ids, p.ID)
	}
	return ids, nil
}

func tellTopic(ctx context.Context, tx bot.Tx, t knowledge.Topic) (string, error) {
	names := []string{}
	for _, id := range t.Seniors {
		p, err := tx.Person(ctx, id)
		if err != nil {
			return "", err
		}
		names = append(names, p.Name)
	}
	return t.Name + ": " + firstOf(strings.Join(names, ", "), "любой сеньор"), nil
}

func newTopicAdd(a *app) *cobra.Command {
	var seniors []string
	c := &cobra.Command{
		Use:     "add ТЕМА",
		Short:   "Добавить тему",
		Example: `  nastavnik topic add "Сделки" --senior "Анна К." --senior "Борис Л."`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeTopic(cmd.Context(), args[0], seniors, addSeniors)
		},
	}
	c.Flags().StringArrayVar(&seniors, "senior", nil, "кто за неё отвечает; можно несколько раз")
	return c
}

func addSeniors(t *knowledge.Topic, ids []int64) {
	for _, id := range ids {
		if !slices.Contains(t.Seniors, id) {
			t.Seniors = append(t.Seniors, id)
		}
	}
}

func newTopicAssign(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "assign ТЕМА КТО…",
		Short:   "Назначить сеньоров на тему, к тем, кто уже есть",
		Example: `  nastavnik topic assign "Сделки" "Анна К." boris@example.org`,
		Args:    cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeTopic(cmd.Context(), args[0], args[1:], addSeniors)
		},
	}
}

func newTopicRemove(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "remove ТЕМА [КТО…]",
		Short: "Снять людей с темы; без имён — убрать тему",
		Long:  "Без имён убирает тему вместе с назначениями. Вопросы остаются с её названием, но отвечает на них любой сеньор.",
		Example: `  nastavnik topic remove "Сделки" "Борис Л."
  nastavnik topic remove "Сделки"`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return a.topicRemove(cmd.Context(), args[0])
			}
			return a.topicRelieve(cmd.Context(), args[0], args[1:])
		},
	}
}

// topicRelieve takes people off a topic, whatever they are by now.
func (a *app) topicRelieve(ctx context.Context, name string, people []string) error {
	if err := a.open(ctx); err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	var told string
	err := a.store.Write(ctx, func(tx bot.Tx) error {
		t, err := findTopic(ctx, tx, name)
		if err != nil {
			return err
		}
		for _, who := range people {
			p, err := findPerson(ctx, tx, who)
			if err != nil {
				return err
			}
			i := slices.Index(t.Seniors, p.ID)
			if i < 0 {
				return fmt.Errorf("%s за тему «%s» не отвечает", p.Name, t.Name)
			}
			t.Seniors = slices.Delete(t.Seniors, i, i+1)
		}
		if err := tx.PutTopic(ctx, t); err != nil {
			return err
		}
		told, err = tellTopic(ctx, tx, t)
		return err
	})
	if err != nil {
		return err
	}
	return a.printf("%s\n", told)
}

func (a *app) topicRemove(ctx context.Context, name string) error {
	if err := a.open(ctx); err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	err := a.store.Write(ctx, func(tx bot.Tx) error {
		t, err := findTopic(ctx, tx, name)
		if err != nil {
			return err
		}
		name = t.Name
		return tx.DeleteTopic(ctx, t.Name)
	})
	if errors.Is(err, knowledge.ErrNotFound) {
		return fmt.Errorf("темы «%s» среди назначенных нет; какие есть: nastavnik topic list", name)
	}
	if err != nil {
		return err
	}
	return a.printf("Темы «%s» больше нет.\n", name)
}
