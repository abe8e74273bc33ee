package main

import (
	"strconv"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"
)

func newMigrate(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "migrate",
		Short: "Схема базы: обновить, показать состояние",
		Long: `В папке данных обычно не нужна: любая команда сама обновляет схему, сохранив прежнюю копию рядом.
Базу PostgreSQL обновляет только migrate up, под ролью-владельцем (postgres.owner); она же даёт права роли,
под которой работает бот (postgres.dsn).`,
	}
	c.AddCommand(
		&cobra.Command{
			Use:   "up",
			Short: "Обновить схему",
			Args:  cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				n, err := a.migrateUp(cmd.Context())
				if err != nil {
					return err
				}
				if n == 0 {
					return a.printf("Схема уже новейшая.\n")
				}
				return a.printf("Шагов выполнено: %d.\n", n)
			},
		},
		newMigrateStatus(a),
		newMigrateCopy(a),
	)
	return c
}

// migrationJSON is a step of the schema in migrate status --json.
type migrationJSON struct {
	Name    string `json:"name"`
	Applied string `json:"applied"` // "" while it is pending
}

func newMigrateStatus(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "status",
		Short: "Какие шаги схемы выполнены",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.schema(cmd.Context())
			if err != nil {
				return err
			}
			var out []migrationJSON
			var rows []table.Row
			for _, m := range s.Migrations {
				out = append(out, migrationJSON{Name: m.Name, Applied: a.day(m.Applied)})
				rows = append(rows, table.Row{m.Name, firstOf(a.day(m.Applied), "ещё нет")})
			}
			queue := ""
			if s.Queue > 0 {
				queue = strconv.Itoa(s.Queue) + " из " + strconv.Itoa(s.QueueExpected)
			}
			out = append(out, migrationJSON{Name: "queue", Applied: queue})
			rows = append(rows, table.Row{"очередь заданий", firstOf(queue, "ещё нет")})
			if asJSON {
				return a.printJSON(out)
			}
			a.printTable(table.Row{"Шаг", "Выполнен"}, rows)
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "напечатать как JSON")
	return c
}
