package main

import (
	"github.com/spf13/cobra"

	"github.com/nastavnik-bot/nastavnik/configs"
)

func newConfig(a *app) *cobra.Command {
	c := &cobra.Command{Use: "config", Short: "Настройки: проверить, показать"}
	c.AddCommand(
		&cobra.Command{
			Use:   "check",
			Short: "Проверить настройки; все ошибки сразу",
			Args:  cobra.NoArgs,
			// Reading the configuration before every command has checked it.
			RunE: func(*cobra.Command, []string) error { return a.printf("Настройки в порядке.\n") },
		},
		&cobra.Command{
			Use:   "show",
			Short: "Показать действующие настройки: умолчания, файл, окружение, флаги",
			Args:  cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error {
				text, err := a.cfg.YAML()
				if err != nil {
					return err
				}
				return a.printf("%s", text)
			},
		},
		&cobra.Command{
			Use:   "synonyms",
			Short: "Показать встроенный список сленга: скопируйте, исправьте, назовите в synonyms.path",
			Args:  cobra.NoArgs,
			RunE:  func(*cobra.Command, []string) error { return a.printf("%s", configs.DefaultSynonyms) },
		},
	)
	return c
}
