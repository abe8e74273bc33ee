package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

func newQuestionAttach(a *app) *cobra.Command {
	var name, author string
	c := &cobra.Command{
		Use:   "attach НОМЕР ФАЙЛ",
		Short: "Приложить файл к ответу",
		Long: `Прикладывает файл к действующему ответу: его увидят все, кто получит ответ с этой минуты.
Можно картинки, PDF, тексты, документы Office и OpenDocument, звук и видео; наибольший размер — files.limit в настройках.
Когда ответ меняют, файлы остаются при нём.`,
		Example: `  nastavnik question attach deal-owner схема.png
  nastavnik question attach deal-owner /tmp/1.pdf --name "Регламент сделок.pdf"`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.questionAttach(cmd.Context(), attachOptions{question: args[0], path: args[1], name: name, author: author})
		},
	}
	c.Flags().StringVar(&name, "name", "", "под каким именем (по умолчанию — имя файла)")
	c.Flags().StringVar(&author, "by", "", "от чьего имени (по умолчанию — имя пользователя системы)")
	return c
}

type attachOptions struct{ question, path, name, author string }

func (a *app) questionAttach(ctx context.Context, o attachOptions) error {
	if err := a.open(ctx); err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	// Before the content is stored: nothing would point to it.
	if err := a.store.Read(ctx, func(tx bot.Tx) error { _, err := tx.Question(ctx, o.question); return err }); err != nil {
		return noQuestion(o.question, err)
	}
	c, err := a.storeFile(ctx, o.path)
	if err != nil {
		return err
	}
	p, err := a.author(ctx, firstOf(o.author, systemUser()))
	if err != nil {
		return err
	}
	f, err := a.office().Attach(ctx, o.question, p.ID, knowledge.Attachment{Content: c, Name: firstOf(o.name, filepath.Base(o.path))})
	if err != nil {
		return noQuestion(o.question, err)
	}
	return a.printf("Файл приложен: %s (%s).\n", f.Name, knowledge.FileSize(f.Size))
}

func newQuestionFiles(a *app) *cobra.Command {
	var o filesOptions
	c := &cobra.Command{
		Use:   "files НОМЕР",
		Short: "Файлы ответа: список, ссылки, или сохранить их в папку",
		Example: `  nastavnik question files deal-owner
  nastavnik question files deal-owner --out файлы
  nastavnik question files deal-owner --link --as "Иван П."`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.questionFiles(cmd.Context(), args[0], o)
		},
	}
	c.Flags().StringVar(&o.out, "out", "", "сохранить в эту папку; готовые файлы в ней не заменяются")
	c.Flags().BoolVar(&o.link, "link", false, "напечатать ссылки: работают несколько минут")
	c.Flags().StringVar(&o.as, "as", "", "для кого ссылки (по умолчанию — имя пользователя системы)")
	c.Flags().BoolVar(&o.json, "json", false, "напечатать список как JSON")
	return c
}

// filesOptions say what to do with the files of an answer.
type filesOptions struct {
	out, as    string
	link, json bool
}

func (a *app) questionFiles(ctx context.Context, id string, o filesOptions) error {
	if err := a.open(ctx); err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	files, err := a.filesOf(ctx, id)
	if err != nil {
		return err
	}
	switch {
	case o.out != "":
		return a.saveFiles(ctx, files, o.out)
	case o.json:
		return a.printJSON(append([]fileJSON{}, filesOut(files)...))
	case len(files) == 0:
		return a.printf("У ответа нет файлов.\n")
	case o.link:
		return a.printLinks(ctx, files, o.as)
	}
	rows := make([]table.Row, len(files))
	for i, f := range files {
		rows[i] = table.Row{f.ID, cell(f.Name, 80), knowledge.FileSize(f.Size), f.Media, a.day(f.Created)}
	}
	a.printTable(table.Row{"Файл", "Имя", "Размер", "Вид", "Приложен"}, rows)
	return nil
}

// filesOf returns the files of a question's current answer.
func (a *app) filesOf(ctx context.Context, id string) (files []knowledge.Attachment, err error) {
	err = a.store.Read(ctx, func(tx bot.Tx) error {
		q, err := tx.Question(ctx, id)
		if err != nil {
			return noQuestion(id, err)
		}
		files, err = readFiles(ctx, tx, q.Answer.ID)
		return err
	})
	return files, err
}

func (a *app) saveFiles(ctx context.Context, files []knowledge.Attachment, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("папка %s: %s", dir, reason(err))
	}
	for _, f := range files {
		path, err := a.saveFile(ctx, f, dir)
		if err != nil {
			return err
		}
		if err := a.printf("%s (%s)\n", path, knowledge.FileSize(f.Size)); err != nil {
			return err
		}
	}
	return a.printf("Файлов сохранено: %d.\n", len(files))
}

func newQuestionDetach(a *app) *cobra.Command {
	var author string
	c := &cobra.Command{
		Use:   "detach НОМЕР ФАЙЛ",
		Short: "Убрать файл из ответа",
		Long: `Убирает файл из действующего ответа: у ответа появляется новая версия без него. ФАЙЛ — имя или номер из
nastavnik question files. Отменить — nastavnik question undo.`,
		Example: `  nastavnik question detach deal-owner схема.png`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.questionDetach(cmd.Context(), args[0], args[1], author)
		},
	}
	c.Flags().StringVar(&author, "by", "", "от чьего имени (по умолчанию — имя пользователя системы)")
	return c
}

func (a *app) questionDetach(ctx context.Context, id, file, author string) error {
	if err := a.open(ctx); err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	files, err := a.filesOf(ctx, id)
	if err != nil {
		return err
	}
	f, err := choose(files, file)
	if err != nil {
		return err
	}
	p, err := a.author(ctx, firstOf(author, systemUser()))
	if err != nil {
		return err
	}
	r, err := a.office().Detach(ctx, f.ID, p.ID)
	if err != nil {
		return err
	}
	return a.printf("Файл убран: %s. У ответа новая версия: %d.\n", f.Name, r.Question.Answer.Version)
}

// choose returns the file with a name or an id.
func choose(files []knowledge.Attachment, file string) (found knowledge.Attachment, err error) {
	var names []string
	n := 0
	for _, f := range files {
		names = append(names, f.Name)
		if strconv.FormatInt(f.ID, 10) == file {
			return f, nil
		}
		if f.Name == file {
			found = f
			n++
		}
	}
	switch {
	case n == 1:
		return found, nil
	case n > 1:
		return found, usageError{fmt.Errorf("файлов с именем %q несколько: назовите номер из nastavnik question files", file)}
	case len(files) == 0:
		return found, usageError{fmt.Errorf("у ответа нет файлов")}
	}
	return found, usageError{fmt.Errorf("файла %q у ответа нет; есть: %s", file, strings.Join(names, ", "))}
}

// writeFiles names the files of an answer under it.
func writeFiles(b *strings.Builder, files []fileJSON) {
	if len(files) == 0 {
		return
	}
	b.WriteString("\nФайлы:\n")
	for _, f := range files {
		fmt.Fprintf(b, "  %s (%s, %s)\n", f.Name, knowledge.FileSize(f.Size), f.Media)
	}
}
