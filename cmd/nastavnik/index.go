package main

import (
	"errors"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/nastavnik-bot/nastavnik/knowledge/finder"
)

func newIndex(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "index",
		Short: "Индекс векторов: состояние, сверка с базой, построение заново",
		Long: `Индекс строится из базы и всегда может быть построен снова: в базе — правда.
В папке данных векторы лежат в памяти бота и следуют за базой сами; с Milvus их пишет бот, а сверяет каждую ночь.`,
	}
	c.AddCommand(newIndexStatus(a), newIndexVerify(a), newIndexRebuild(a))
	return c
}

// verified is a comparison of the index with the record, and what was done about it.
type verified struct {
	finder.Verification
	repaired int
}

// indexJSON is an index in --json.
type indexJSON struct {
	Kind      string `json:"kind"` // memory or milvus
	Version   string `json:"version,omitempty"`
	Embedder  string `json:"embedder,omitempty"`
	Error     string `json:"error,omitempty"`
	Questions int    `json:"questions"`
	Vectors   int    `json:"vectors"`
	Missing   int    `json:"missing"`
	Outdated  int    `json:"outdated"`
	Orphaned  int    `json:"orphaned"`
	Backlog   int    `json:"backlog"` // questions whose vectors have still to be computed
	Repaired  int    `json:"repaired"`
}

func (a *app) indexJSON(v verified, backlog int) indexJSON {
	out := indexJSON{
		Kind: "memory", Questions: v.Questions, Vectors: v.Vectors, Missing: v.Missing, Outdated: v.Outdated, Orphaned: v.Orphaned,
		Backlog: backlog, Repaired: v.repaired,
	}
	if a.shared != nil {
		out.Kind = "milvus"
	}
	if a.vectors != nil {
		out.Embedder = a.vectors.Name()
	}
	return out
}

func newIndexStatus(a *app) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "status",
		Short: "Где векторы, чьи они и всё ли на месте",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			if err := a.joinFinder(ctx); err != nil {
				return err
			}
			defer func() { _ = a.close() }()
			backlog, err := a.find.Backlog(ctx)
			if err != nil {
				return err
			}
			v, bad := a.find.Verify(ctx)
			out := a.indexJSON(verified{Verification: v}, len(backlog))
			if a.shared != nil && bad == nil {
				out.Version, bad = a.shared.Check(ctx)
			}
			if bad != nil {
				out.Error = explain(bad)
			}
			if asJSON {
				return a.printJSON(out)
			}
			return a.printIndex(out)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "напечатать как JSON")
	return c
}

func (a *app) printIndex(out indexJSON) error {
	rows := []table.Row{{"Где", map[string]string{"memory": "в памяти бота", "milvus": "Milvus " + out.Version}[out.Kind]}}
	rows = append(rows, table.Row{"Модель", firstOf(out.Embedder, "нет: поиск только по словам")}, table.Row{"Ждут подсчёта векторов, вопросов", out.Backlog})
	if out.Kind == "milvus" {
		rows = append(rows, table.Row{"Вопросов с ответом", out.Questions}, table.Row{"Векторов должно быть", out.Vectors},
			table.Row{"Не хватает", out.Missing}, table.Row{"Устарело", out.Outdated}, table.Row{"Лишних", out.Orphaned})
	}
	if out.Error != "" {
		rows = append(rows, table.Row{"Не так", out.Error})
	}
	a.printTable(table.Row{"Индекс", ""}, rows)
	return nil
}

func newIndexVerify(a *app) *cobra.Command {
	var asJSON, dryRun bool
	c := &cobra.Command{
		Use:   "verify",
		Short: "Сверить индекс с базой в обе стороны и исправить",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			if err := a.joinFinder(ctx); err != nil {
				return err
			}
			defer func() { _ = a.close() }()
			if err := a.admitShared(ctx); err != nil {
				return err
			}
			missing := 0
			var err error
			if !dryRun {
				if missing, err = a.indexMissing(ctx, "Векторы"); err != nil {
					return err
				}
			}
			v := verified{}
			if v.Verification, err = a.find.Verify(ctx); err != nil {
				return err
			}
			if !dryRun {
				if err := a.index(ctx, v.Wrong, a.progress("Исправление", len(v.Wrong))); err != nil {
					return err
				}
				v.repaired = len(v.Wrong) + missing
			}
			if asJSON {
				return a.printJSON(a.indexJSON(v, 0))
			}
			return a.printVerified(v, dryRun)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "напечатать как JSON")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "только сверить, ничего не менять")
	return c
}

func (a *app) printVerified(v verified, dryRun bool) error {
	if a.shared == nil {
		return a.printf("Векторы в памяти бота следуют за базой сами. Досчитано вопросов: %d.\n", v.repaired)
	}
	if err := a.printf("Вопросов с ответом: %d, векторов должно быть: %d. Не хватало: %d, устарело: %d, лишних: %d.\n",
		v.Questions, v.Vectors, v.Missing, v.Outdated, v.Orphaned); err != nil {
		return err
	}
	switch {
	case dryRun:
		return a.printf("Ничего не изменено (--dry-run).\n")
	case v.repaired == 0:
		return a.printf("Индекс совпадает с базой.\n")
	}
	return a.printf("Исправлено, вопросов: %d.\n", v.repaired)
}

func newIndexRebuild(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "rebuild",
		Short: "Построить индекс заново рядом с работающим и заменить его",
		Long: `Нужно, когда сменилась модель, или индекс испорчен. Новый индекс заполняется рядом, сверяется с базой и
заменяет прежний; всё это время бот отвечает по прежнему. Прервать можно: следующий запуск продолжит.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			if err := a.joinFinder(ctx); err != nil {
				return err
			}
			defer func() { _ = a.close() }()
			if a.vectors == nil {
				return errors.New("модели нет, строить индекс нечем: make model или настройка model.path")
			}
			if a.shared == nil {
				n, err := a.indexMissing(ctx, "Векторы")
				if err != nil {
					return err
				}
				return a.printf("Векторы в памяти бота строятся при каждом запуске. Досчитано вопросов: %d.\n", n)
			}
			v, err := a.rebuild(ctx)
			if err != nil {
				return err
			}
			return a.printf("Индекс построен заново: вопросов %d, векторов %d. Сменили модель — перезапустите ботов.\n", v.Questions, v.Vectors)
		},
	}
}
