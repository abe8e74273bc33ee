package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/kbfile"
)

func newEval(a *app) *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "eval БАЗА ЗАПРОСЫ",
		Short: "Измерить поиск на размеченных вопросах, в отдельной временной папке",
		Long: `Загружает БАЗУ (jsonl: id, question, answer?, aliases?) в пустую временную папку, ищет каждый из ЗАПРОСОВ
(jsonl: text, expected_ids) и пишет по строке на запрос: {"ranked":[номера, лучший первым],"conf":уверенность 0–1}.
Рабочая папка данных не участвует.`,
		Example: `  nastavnik eval kb.jsonl queries.jsonl --out run.jsonl`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usageError{errors.New("назовите файл результата: --out run.jsonl")}
			}
			return a.eval(cmd.Context(), args[0], args[1], out)
		},
	}
	c.Flags().StringVar(&out, "out", "", "куда записать результат")
	return c
}

// evalQuery is one labelled query.
type evalQuery struct {
	Text     string   `json:"text"`
	Expected []string `json:"expected_ids"` // empty: must not be answered
}

// evalRun is what the search made of it.
type evalRun struct {
	Ranked []string `json:"ranked"` // best first
	Conf   float64  `json:"conf"`   // that the first is right, 0–1
}

func (a *app) eval(ctx context.Context, kb, queries, out string) (err error) {
	// Before the work, not after it.
	if _, err := os.Stat(filepath.Dir(out)); err != nil {
		return fmt.Errorf("файл %s не создаётся: такой папки нет", out)
	}
	asked, err := readQueries(queries)
	if err != nil {
		return err
	}
	entries, err := a.readEntries(kb, kbfile.Options{AnswerOptional: true})
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "nastavnik-eval-")
	if err != nil {
		return fmt.Errorf("временная папка: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	a.cfg.Data = dir
	if err := a.openFinder(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	if err := a.loadForEval(ctx, entries); err != nil {
		return err
	}
	runs, err := a.evalRuns(ctx, asked)
	if err != nil {
		return err
	}
	if err := writeRuns(out, runs); err != nil {
		return err
	}
	return a.printf("Запросов: %d, записей: %d, первый ответ верен: %.3f, среди пяти: %.3f. Результат: %s\n",
		len(asked), len(entries), recall(asked, runs, 1), recall(asked, runs, 5), out)
}

func (a *app) loadForEval(ctx context.Context, entries []kbfile.Entry) error {
	for i := range entries {
		if entries[i].Answer == "" {
			// Only answered questions are search results; a set without answers is
			// measured with the question in the answer's place.
			entries[i].Answer = entries[i].Question
		}
	}
	if _, err := store(ctx, a.store, entries, a.progress("Запись", len(entries))); err != nil {
		return err
	}
	_, err := a.indexMissing(ctx, "Векторы")
	return err
}

func (a *app) evalRuns(ctx context.Context, asked []evalQuery) ([]evalRun, error) {
	progress := a.progress("Поиск", len(asked))
	runs := make([]evalRun, len(asked))
	for i, q := range asked {
		f, err := a.find.Find(ctx, knowledge.Inquiry{Text: q.Text})
		if err != nil {
			return nil, err
		}
		runs[i] = evalRun{Ranked: []string{}, Conf: f.Confidence}
		for _, m := range f.Ranked {
			runs[i].Ranked = append(runs[i].Ranked, m.ID)
		}
		progress(i + 1)
	}
	return runs, nil
}

// recall is the share of answerable queries with an expected entry among the first k.
func recall(asked []evalQuery, runs []evalRun, k int) float64 {
	n, hit := 0, 0
	for i, q := range asked {
		if len(q.Expected) == 0 {
			continue
		}
		n++
		if among(runs[i].Ranked[:min(k, len(runs[i].Ranked))], q.Expected) {
			hit++
		}
	}
	if n == 0 {
		return 0
	}
	return float64(hit) / float64(n)
}

func among(ranked, expected []string) bool {
	for _, r := range ranked {
		for _, e := range expected {
			if r == e {
				return true
			}
		}
	}
	return false
}

func readQueries(path string) ([]evalQuery, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("файл %s не открывается: %s", path, reason(err))
	}
	defer func() { _ = f.Close() }()
	var out []evalQuery
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 8<<20)
	for line := 1; sc.Scan(); line++ {
		if len(sc.Bytes()) == 0 {
			continue
		}
		var q evalQuery
		if err := json.Unmarshal(sc.Bytes(), &q); err != nil {
			return nil, fmt.Errorf("%s, строка %d: не JSON; нужно {\"text\": …, \"expected_ids\": […]}", path, line)
		}
		out = append(out, q)
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: нет ни одного запроса", path)
	}
	return out, nil
}

func writeRuns(path string, runs []evalRun) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("файл %s не создаётся: %s", path, reason(err))
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f)
	e := json.NewEncoder(w)
	for _, r := range runs {
		if err := e.Encode(r); err != nil {
			return err
		}
	}
	return w.Flush()
}
