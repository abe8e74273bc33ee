package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/kbfile"
	"github.com/nastavnik-bot/nastavnik/store/lock"
)

type importOptions struct {
	file   string
	fields map[string]string
	dryRun bool
	noWait bool
}

func newImport(a *app) *cobra.Command {
	var o importOptions
	c := &cobra.Command{
		Use:   "import ФАЙЛ",
		Short: "Загрузить вопросы и ответы из jsonl или csv",
		Long: `Загружает базу знаний: jsonl (id, question, answer, aliases, topic) или csv с такими столбцами,
по-русски или по-английски. Файл берётся целиком или не берётся совсем: все ошибки названы по строкам.
Запись с номером, который уже есть, обновляется; повторная загрузка того же файла ничего не меняет.

По словам запись находится сразу. Векторы считаются следом: здесь, с показом хода, либо в работающем боте.
Прервать можно в любой момент: остаток досчитает бот или следующая загрузка.`,
		Example: `  nastavnik import база.csv --dry-run
  nastavnik import база.csv --map "вопрос клиента=question,решение=answer"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.file = args[0]
			return a.importFile(cmd.Context(), o)
		},
	}
	c.Flags().StringToStringVar(&o.fields, "map", nil, "какой столбец чем считать: вопрос=question,ответ=answer")
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "только проверить файл и показать все замечания")
	c.Flags().BoolVar(&o.noWait, "no-wait", false, "не считать векторы здесь: их досчитает бот")
	return c
}

func (a *app) importFile(ctx context.Context, o importOptions) error {
	entries, err := a.readEntries(o.file, kbfile.Options{Map: o.fields})
	if err != nil {
		return err
	}
	if o.dryRun {
		return a.printf("Файл в порядке: записей %d. Ничего не записано (--dry-run).\n", len(entries))
	}
	if err := a.open(ctx); err != nil {
		return err
	}
	defer func() { _ = a.close() }()
	sum, err := store(ctx, a.store, entries, a.progress("Запись", len(entries)))
	if err != nil {
		return fmt.Errorf("загрузка прервана, записано %d из %d: %w; запустите её ещё раз — готовое не повторится", sum.total(), len(entries), err)
	}
	if err := a.printf("Добавлено: %d, обновлено: %d, без изменений: %d.\n", sum.added, sum.updated, sum.same); err != nil {
		return err
	}
	if o.noWait {
		return nil
	}
	return a.embedImported(ctx)
}

// readEntries reads a file and reports what is wrong with it.
func (a *app) readEntries(path string, o kbfile.Options) ([]kbfile.Entry, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("файл %s не открывается: %s", path, reason(err))
	}
	defer func() { _ = f.Close() }()
	entries, problems, err := kbfile.Read(f, filepath.Base(path), o)
	errs := 0
	for _, p := range problems {
		kind := "ошибка"
		if p.Warning {
			kind = "предупреждение"
		} else {
			errs++
		}
		_, _ = fmt.Fprintf(a.std.err, "%s: %s\n", kind, p)
	}
	if errors.Is(err, syscall.EISDIR) {
		return nil, fmt.Errorf("файл %s не читается: %s", path, reason(err))
	}
	if err != nil {
		return nil, err
	}
	if errs > 0 {
		return nil, fmt.Errorf("файл %s: ошибок %d, ничего не загружено; исправьте строки, названные выше", path, errs)
	}
	return entries, nil
}

// progress shows how far something has come: a bar in a terminal, nothing in a pipe.
func (a *app) progress(what string, total int) func(done int) {
	if !isTerminal(a.std.err) {
		return func(int) {}
	}
	bar := progressbar.NewOptions(total,
		progressbar.OptionSetWriter(a.std.err), progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true))
	return func(done int) { _ = bar.Set(done) }
}

// embedImported computes the missing vectors, unless a running bot does.
func (a *app) embedImported(ctx context.Context) error {
	p, err := a.store.join(ctx, "import")
	if held := (*lock.HeldError)(nil); errors.As(err, &held) {
		return a.printf("Векторы досчитает работающий бот (%s); по словам всё находится уже сейчас.\n", a.describe(held.Holder))
	}
	if err != nil {
		return err
	}
	defer func() { _ = p.leave() }()
	if err := a.joinFinder(ctx); err != nil {
		return err
	}
	began := time.Now()
	n, err := a.indexMissing(ctx, "Векторы")
	if err != nil {
		return fmt.Errorf("подсчёт векторов прерван: %w; остаток досчитает бот", err)
	}
	if n == 0 {
		return nil
	}
	return a.printf("Векторы посчитаны: вопросов %d за %s.\n", n, time.Since(began).Round(time.Second/10))
}

// importSum counts what an import did.
type importSum struct{ added, updated, same int }

func (s importSum) total() int { return s.added + s.updated + s.same }

// importAtOnce is how many entries one transaction takes: an interruption
// leaves whole entries, and people's messages are not kept waiting.
const importAtOnce = 500

// store writes entries, in transactions of importAtOnce.
func store(ctx context.Context, s bot.Store, entries []kbfile.Entry, progress func(done int)) (importSum, error) {
	var sum importSum
	for len(entries) > 0 {
		n := min(importAtOnce, len(entries))
		part := sum
		err := s.Write(ctx, func(tx bot.Tx) error {
			ahead, err := readAhead(ctx, tx, entries[:n])
			if err != nil {
				return err
			}
			rest, err := ahead.putFresh(ctx, entries[:n])
			if err != nil {
				return err
			}
			part.added += n - len(rest)
			for _, e := range rest {
				if err := storeEntry(ctx, ahead, e, &part); err != nil {
					return fmt.Errorf("%s: %w", e.Place, err)
				}
			}
			return nil
		})
		if err != nil {
			return sum, err
		}
		sum, entries = part, entries[n:]
		progress(sum.total())
	}
	return sum, nil
}

// storeEntry adds an entry, or updates the question with its id. Changes of a
// question that was there go into its history; a new one begins with its own row.
func storeEntry(ctx context.Context, tx bot.Tx, e kbfile.Entry, sum *importSum) error {
	q, before, err := target(ctx, tx, e)
	if err != nil {
		return err
	}
	fresh := q.Version == 0
	steps := importSteps(q, before, fresh)
	changed := fresh || q.Text != before.Text || q.Topic != before.Topic || q.Status != before.Status
	if changed {
		if err := tx.PutQuestion(ctx, &q); err != nil {
			return err
		}
	}
	if q.Answer.Text != e.Answer {
		answer, err := importAnswer(ctx, tx, q, e.Answer)
		if err != nil {
			return err
		}
		changed = true
		steps = append(steps, knowledge.Step{Kind: knowledge.StepAnswered, Text: e.Answer, Was: q.Answer.Text, Ref: answer})
	}
	added, err := putAliases(ctx, tx, q.ID, e.Aliases)
	if err != nil {
		return err
	}
	steps = append(steps, added...)
	sum.count(fresh, changed || len(added) > 0)
	if fresh {
		return nil
	}
	return putSteps(ctx, tx, q.ID, steps)
}

// importAnswer stores a new version of an answer, with the files of the one before,
// and returns its id.
func importAnswer(ctx context.Context, tx bot.Tx, q knowledge.Question, text string) (int64, error) {
	now := time.Now()
	answer := knowledge.Answer{Question: q.ID, Text: text, Created: now}
	if err := tx.PutAnswer(ctx, &answer); err != nil {
		return 0, err
	}
	return answer.ID, knowledge.Desk{Tx: tx, Now: now}.KeepFiles(ctx, q.Answer, answer)
}

// putAliases adds the wordings that a question does not have, and returns the
// steps that say so.
func putAliases(ctx context.Context, tx bot.Tx, question string, aliases []string) ([]knowledge.Step, error) {
	var steps []knowledge.Step
	for _, alias := range aliases {
		added, err := tx.PutPhrasing(ctx, knowledge.Phrasing{Question: question, Text: alias, Origin: knowledge.Imported, Created: time.Now()})
		if err != nil {
			return nil, err
		}
		if added {
			steps = append(steps, knowledge.Step{Kind: knowledge.StepPhrasing, Text: alias, Was: string(knowledge.Imported)})
		}
	}
	return steps, nil
}

// importSteps returns what an import changes of a question's status.
func importSteps(q, before knowledge.Question, fresh bool) []knowledge.Step {
	if fresh || q.Status == before.Status {
		return nil
	}
	return []knowledge.Step{{Kind: knowledge.StepStatus, Was: string(before.Status), Text: string(q.Status)}}
}

func putSteps(ctx context.Context, tx bot.Tx, question string, steps []knowledge.Step) error {
	for _, s := range steps {
		s.Question, s.At = question, time.Now()
		if err := tx.PutStep(ctx, &s); err != nil {
			return err
		}
	}
	return nil
}

func (s *importSum) count(fresh, changed bool) {
	switch {
	case fresh:
		s.added++
	case changed:
		s.updated++
	default:
		s.same++
	}
}

// target is the question that an entry becomes, and what it is before that: the
// zero question when it is new.
func target(ctx context.Context, tx bot.Tx, e kbfile.Entry) (q, before knowledge.Question, err error) {
	before, err = existing(ctx, tx, e)
	if errors.Is(err, knowledge.ErrNotFound) {
		return knowledge.Question{ID: e.ID, Text: e.Question, Topic: e.Topic, Status: knowledge.InKnowledgeBase, Asked: time.Now()}, before, nil
	}
	if err != nil {
		return q, before, err
	}
	q = before
	q.Text = e.Question
	if e.Topic != "" {
		q.Topic = e.Topic
	}
	if !q.Status.Answered() {
		if err := q.Status.To(knowledge.InKnowledgeBase); err != nil {
			return q, before, err
		}
		q.Status, q.Closed = knowledge.InKnowledgeBase, knowledge.NotClosed
	}
	return q, before, nil
}

// existing finds the question that an entry updates: by its id, else, when the
// file gives none, by the same words.
func existing(ctx context.Context, tx bot.Tx, e kbfile.Entry) (knowledge.Question, error) {
	if e.ID != "" {
		return tx.Question(ctx, e.ID)
	}
	same, err := tx.Questions(ctx, knowledge.QuestionFilter{Fold: knowledge.FoldText(e.Question), Answered: true})
	if err != nil {
		return knowledge.Question{}, err
	}
	if len(same) == 0 {
		return knowledge.Question{}, knowledge.ErrNotFound
	}
	return same[0], nil
}
