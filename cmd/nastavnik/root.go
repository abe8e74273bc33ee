package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/nastavnik-bot/nastavnik/configs"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// newRoot builds the command tree.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "nastavnik",
		Short: "Наставник отвечает новичкам тем, что уже объясняли коллеги",
		Long: `Наставник отвечает на вопросы новичков ответами, которые уже дали сеньоры.
Чего нет в базе, он один раз спросит у сеньора и запомнит ответ.

Попробовать сразу:   nastavnik demo
Работать:            nastavnik serve          (бот)
                     nastavnik chat           (спросить из терминала)
                     nastavnik chat --senior "Анна К."   (отвечать из терминала)`,
		SilenceUsage:      true,
		SilenceErrors:     true,
		Version:           version,
		PersistentPreRunE: func(*cobra.Command, []string) error { return a.configure() },
		RunE:              func(cmd *cobra.Command, args []string) error { return cmd.Help() },
		Args:              cobra.NoArgs,
	}
	root.SetIn(a.std.in)
	root.SetOut(a.std.out)
	root.SetErr(a.std.err)
	root.SetVersionTemplate("nastavnik {{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.PersistentFlags().StringVar(&a.dataFlag, "data", "", "папка данных (или NASTAVNIK_DATA; по умолчанию "+configs.Default().Data+")")
	root.PersistentFlags().StringVar(&a.configFlag, "config", "", "файл настроек (или NASTAVNIK_CONFIG; по умолчанию nastavnik.yaml, если он есть)")
	root.PersistentFlags().BoolVar(&a.words, "words-only", false, "искать только по словам, без модели")
	root.AddCommand(
		newServe(a), newDemo(a), newChat(a), newAsk(a), newQuestion(a), newPerson(a),
		newImport(a), newEval(a), newMigrate(a), newConfig(a),
	)
	wrapArgs(root)
	return root
}

// wrapArgs makes wrong arguments usage errors, and unknown subcommands too.
func wrapArgs(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usageError{fmt.Errorf("%w\nПодсказка: %s --help", err, cmd.CommandPath())}
			}
			return nil
		}
	}
	if c.HasSubCommands() && c.RunE == nil {
		c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		c.Args = func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("команды %q нет\nПодсказка: %s --help", args[0], cmd.CommandPath())}
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		wrapArgs(sub)
	}
}

// explain adds the remedy to errors that have a known one.
func explain(err error) string {
	switch {
	case errors.Is(err, knowledge.ErrNotFound):
		return err.Error() + "\nПодсказка: список вопросов с номерами — nastavnik question list"
	case errors.Is(err, configs.ErrConfig):
		return err.Error() + "\nПодсказка: все ключи с пояснениями — configs/example.yaml; проверить — nastavnik config check"
	}
	return err.Error()
}
