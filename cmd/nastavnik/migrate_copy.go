package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/late"
	"github.com/nastavnik-bot/nastavnik/store/lock"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
	"github.com/nastavnik-bot/nastavnik/store/transfer"
)

type copyOptions struct {
	from, to string
	again    bool
	json     bool
}

func newMigrateCopy(a *app) *cobra.Command {
	var o copyOptions
	c := &cobra.Command{
		Use:   "copy --from ОТКУДА --to КУДА",
		Short: "Перенести всё из папки данных в PostgreSQL или обратно",
		Long: `Переносит всё: людей, вопросы, ответы, историю, переписку, то, что бот выучил, отложенные задания и вложения.
Источник остаётся как был. Бот на обеих базах должен быть остановлен. Целевая база — новая, со схемой этой версии
(nastavnik migrate up). Прерванный перенос продолжается той же командой; в конце всё сверяется по числу строк и
контрольным суммам.

База называется так: sqlite:ПАПКА, postgres:АДРЕС. Без папки или адреса берётся то, что в настройках; для PostgreSQL —
postgres.owner: переносит роль-владелец. Пароль в командной строке виден соседям по машине, в настройках — нет.`,
		Example: `  nastavnik migrate copy --from sqlite:nastavnik-data --to postgres:
  nastavnik migrate copy --from sqlite:nastavnik-data --to postgres://owner@db.example.com/nastavnik`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.migrateCopy(cmd.Context(), o) },
	}
	c.Flags().StringVar(&o.from, "from", "", "откуда: sqlite:ПАПКА или postgres:АДРЕС")
	c.Flags().StringVar(&o.to, "to", "", "куда: postgres:АДРЕС или sqlite:ПАПКА")
	c.Flags().BoolVar(&o.again, "again", false, "стереть незаконченную копию в целевой базе и начать заново")
	c.Flags().BoolVar(&o.json, "json", false, "напечатать итог как JSON")
	return c
}

// end is one of the two bases of a copy.
type end struct {
	dir, dsn string // one of them
}

// parseEnd reads sqlite:DIR or postgres:DSN.
func (a *app) parseEnd(flag, value string) (end, error) {
	what, where, _ := strings.Cut(value, ":")
	switch what {
	case "sqlite":
		return end{dir: firstOf(where, a.cfg.Data)}, nil
	case "postgres", "postgresql":
		if strings.HasPrefix(where, "//") {
			where = value
		}
		where = firstOf(where, firstOf(a.cfg.Postgres.Owner.Reveal(), a.cfg.Postgres.DSN.Reveal()))
		if where == "" {
			return end{}, usageError{fmt.Errorf("--%s postgres: без адреса берёт postgres.owner или postgres.dsn из настроек, а их нет", flag)}
		}
		return end{dsn: where}, nil
	}
	return end{}, usageError{fmt.Errorf("--%s: нужен вид sqlite:ПАПКА или postgres:АДРЕС, а не %q", flag, what)}
}

func (a *app) openEnd(ctx context.Context, e end) (*transfer.Base, error) {
	if e.dsn != "" {
		q, err := late.Postgres(a.log)
		if err != nil {
			return nil, err
		}
		return transfer.Postgres(ctx, e.dsn, q)
	}
	q, err := late.SQLite(a.log)
	if err != nil {
		return nil, err
	}
	b, err := transfer.SQLite(ctx, e.dir, q, holder("migrate copy"))
	if held := (*lock.HeldError)(nil); errors.As(err, &held) {
		return nil, fmt.Errorf("с папкой %s работает бот (%s): остановите его на время переноса", e.dir, a.describe(held.Holder))
	}
	return b, err
}

func (a *app) migrateCopy(ctx context.Context, o copyOptions) (err error) {
	from, err := a.parseEnd("from", o.from)
	if err != nil {
		return err
	}
	to, err := a.parseEnd("to", o.to)
	if err != nil {
		return err
	}
	if from == to {
		return usageError{errors.New("--from и --to называют одну и ту же базу")}
	}
	if from.dir != "" {
		if _, err := os.Stat(filepath.Join(from.dir, sqlite.FileName)); err != nil {
			return fmt.Errorf("в папке %s базы нет: проверьте --from", from.dir)
		}
	}
	source, err := a.openEnd(ctx, from)
	if err != nil {
		return fmt.Errorf("источник: %w", err)
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	target, err := a.openEnd(ctx, to)
	if err != nil {
		return fmt.Errorf("целевая база: %w", err)
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	if o.again {
		if err := transfer.Restart(ctx, source, target); err != nil {
			return err
		}
	}
	report, err := transfer.Copy(ctx, source, target, transfer.Options{
		Progress: a.copyProgress(),
		Files:    func(ctx context.Context, contents []string) error { return a.copyFiles(ctx, from, to, contents) },
	})
	return a.copyEnded(report, err, from, o)
}

// copyFiles copies the contents of attachments from where the source keeps them to
// where the target does. It may be called again after it was interrupted: a content
// that is there is the same.
func (a *app) copyFiles(ctx context.Context, from, to end, contents []string) error {
	if len(contents) == 0 {
		return nil
	}
	source, err := a.filesOfEnd(from)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	target, err := a.filesOfEnd(to)
	if err != nil {
		return err
	}
	defer func() { _ = target.Close() }()
	progress := a.progress("Вложения", len(contents))
	for i, key := range contents {
		if err := copyContent(ctx, source, target, key); err != nil {
			return fmt.Errorf("вложения: %w", err)
		}
		progress(i + 1)
	}
	return nil
}

// filesOfEnd opens where a base keeps the contents of its attachments: a data folder
// within itself, PostgreSQL as the configuration says.
func (a *app) filesOfEnd(e end) (contents, error) {
	own := &app{cfg: a.cfg, log: a.log}
	if e.dir != "" {
		own.cfg.Data, own.cfg.S3.Endpoint = e.dir, ""
	}
	return own.openFiles()
}

func copyContent(ctx context.Context, from, to knowledge.Files, key string) error {
	if r, _, err := to.Open(ctx, key); err == nil {
		return r.Close() // it was copied before the interruption
	}
	r, size, err := from.Open(ctx, key)
	if err != nil {
		return err
	}
	_, err = to.Put(ctx, r, knowledge.FileLimits{Size: size})
	return errors.Join(err, r.Close())
}

// copyProgress shows a bar for each stage.
func (a *app) copyProgress() func(transfer.Stage, int64, int64) {
	bars := map[transfer.Stage]func(int){}
	names := map[transfer.Stage]string{transfer.Copying: "Перенос", transfer.Verifying: "Сверка"}
	return func(s transfer.Stage, done, total int64) {
		if bars[s] == nil {
			bars[s] = a.progress(names[s], int(total))
		}
		bars[s](int(done))
	}
}

// copyJSON is what migrate copy --json prints.
type copyJSON struct {
	Tables  []copyTableJSON `json:"tables"`
	Rows    int64           `json:"rows"`
	Jobs    int             `json:"jobs"`
	Index   int             `json:"questions_to_index"`
	Cleaned int64           `json:"cleaned"`
	Resumed bool            `json:"resumed"`
}

type copyTableJSON struct {
	Name string `json:"name"`
	Rows int64  `json:"rows"`
	New  int64  `json:"new"`
	Sum  string `json:"sha256"`
}

// copyEnded says what a copy has done.
func (a *app) copyEnded(r transfer.Report, err error, from end, o copyOptions) error {
	var before *transfer.DoneError
	switch {
	case errors.As(err, &before):
		return a.printf("Перенос сюда уже закончен %s, повторять его не нужно.\n", a.day(before.At))
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("перенос прерван, ничего не потеряно: продолжить — той же командой: %w", err)
	case err != nil:
		return err
	case o.json:
		out := copyJSON{Rows: r.Rows(), Jobs: r.Jobs, Index: r.Index, Cleaned: r.Cleaned, Resumed: r.Resumed}
		for _, t := range r.Tables {
			out.Tables = append(out.Tables, copyTableJSON(t))
		}
		return a.printJSON(out)
	}
	var rows []table.Row
	for _, t := range r.Tables {
		rows = append(rows, table.Row{t.Name, t.Rows, t.New, t.Sum[:12]})
	}
	a.printTable(table.Row{"Таблица", "Строк", "Из них сейчас", "Контрольная сумма"}, rows)
	text := fmt.Sprintf("\nПеренесено и сверено: строк — %d, отложенных заданий — %d, вопросов в очереди на индексацию — %d.\n", r.Rows(), r.Jobs, r.Index)
	if r.Cleaned > 0 {
		text += fmt.Sprintf("Текстов с непечатными байтами, которых PostgreSQL не хранит: %d; эти байты опущены.\n", r.Cleaned)
	}
	if from.dir != "" {
		text += fmt.Sprintf("Папка %s осталась как была: не запускайте на ней бота, иначе разговоров станет два.\n", from.dir)
	}
	return a.printf("%s", text)
}
