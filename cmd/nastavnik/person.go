package main

import (
	"errors"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/console"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

var errNoName = errors.New("имя не может быть пустым")

func newPerson(a *app) *cobra.Command {
	c := &cobra.Command{Use: "person", Short: "Люди: сотрудники, сеньоры, администраторы"}
	c.AddCommand(newPersonAdd(a), newPersonList(a))
	return c
}

func newPersonAdd(a *app) *cobra.Command {
	var senior, admin bool
	c := &cobra.Command{
		Use:   "add ИМЯ",
		Short: "Добавить человека или дать ему роль",
		Long: `Добавляет человека; с --senior он получает вопросы, на которые нет ответа.
Вопросы, которые ждали первого сеньора, уйдут ему сразу.`,
		Example: `  nastavnik person add "Анна К." --senior`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if knowledge.FoldText(args[0]) == "" {
				return usageError{errNoName}
			}
			if err := a.open(cmd.Context()); err != nil {
				return err
			}
			defer func() { _ = a.close() }()
			p, err := a.office().AddPerson(cmd.Context(), console.Identity(args[0]), func(p *knowledge.Person) {
				p.Senior = p.Senior || senior
				p.Admin = p.Admin || admin
			})
			if err != nil {
				return err
			}
			return a.printf("%s: %s\n", p.Name, roles(p))
		},
	}
	c.Flags().BoolVar(&senior, "senior", false, "сеньор: отвечает на вопросы")
	c.Flags().BoolVar(&admin, "admin", false, "администратор")
	return c
}

func roles(p knowledge.Person) string {
	out := []string{"сотрудник"}
	if p.Senior {
		out = append(out, "сеньор")
	}
	if p.Admin {
		out = append(out, "администратор")
	}
	return strings.Join(out, ", ")
}

// personJSON is a person in lists.
type personJSON struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	Senior bool   `json:"senior"`
	Admin  bool   `json:"admin"`
}

func newPersonList(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "Список людей",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			var people []knowledge.Person
			err := a.reading(ctx, func(tx bot.Tx) (err error) {
				people, err = tx.People(ctx, false)
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				out := make([]personJSON, len(people))
				for i, p := range people {
					out[i] = personJSON{ID: p.ID, Name: p.Name, Senior: p.Senior, Admin: p.Admin}
				}
				return a.printJSON(out)
			}
			rows := make([]table.Row, len(people))
			for i, p := range people {
				rows[i] = table.Row{p.Name, roles(p)}
			}
			a.printTable(table.Row{"Имя", "Роли"}, rows)
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "напечатать как JSON")
	return c
}
