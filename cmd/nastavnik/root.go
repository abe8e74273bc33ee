package main

import (
	"github.com/spf13/cobra"

	"github.com/nastavnik-bot/nastavnik/configs"
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
	}
	root.SetIn(a.std.in)
	root.SetOut(a.std.out)
	root.SetErr(a.std.err)
	root.SetVersionTemplate("nastavnik {{.Version}}\n")
	root.PersistentFlags().StringVar(&a.dataFlag, "data", "", "папка данных (или NASTAVNIK_DATA; по умолчанию "+configs.Default().Data+")")
	root.PersistentFlags().StringVar(&a.configFlag, "config", "", "файл настроек (или NASTAVNIK_CONFIG; по умолчанию nastavnik.yaml, если он есть)")
	root.PersistentFlags().BoolVar(&a.words, "words-only", false, "искать только по словам, без модели")
	root.AddCommand(
		newServe(a), newDemo(a), newChat(a), newAsk(a), newQuestion(a), newPerson(a), newTopic(a), newDelivery(a),
		newImport(a), newEval(a), newCalibrate(a), newIndex(a), newBackup(a), newMigrate(a), newConfig(a), newDoctor(a),
	)
	russian(root)
	return root
}
