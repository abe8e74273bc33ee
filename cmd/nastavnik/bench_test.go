package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/e5"
	"github.com/nastavnik-bot/nastavnik/knowledge/finder"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
)

// cached is an embedder under the built-in one's name whose vectors take no
// time: they stand for those that an earlier import has left in the folder.
type cached struct{ model embedder }

func (c cached) Name() string { return c.model.Name() }
func (c cached) Dim() int     { return c.model.Dim() }

func (c cached) Embed(_ context.Context, _ knowledge.EmbedKind, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, t := range texts {
		out[i] = make([]float32, c.Dim())
		out[i][len(t)*31%c.Dim()] = 1
	}
	return out, nil
}

// useModel makes commands use the built-in model, and returns it.
func useModel(b *testing.B) embedder {
	b.Helper()
	path, err := e5.Find("", "")
	if err != nil {
		b.Skip(err)
	}
	m, err := e5.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	if path, err = filepath.Abs(path); err != nil {
		b.Fatal(err)
	}
	b.Setenv("NASTAVNIK_MODEL_OFF", "false")
	b.Setenv("NASTAVNIK_MODEL_PATH", path)
	return embedder{m.Informed()}
}

// manyQuestions is a file of n different questions with answers of a usual
// length.
func manyQuestions(n int) string {
	verbs := []string{"создать", "изменить", "удалить", "найти", "восстановить", "передать", "закрыть", "выгрузить", "скопировать", "объединить"}
	things := []string{"сделку", "контакт", "счёт", "задачу", "звонок", "письмо", "отчёт", "договор", "компанию", "воронку"}
	var out strings.Builder
	for i := range n {
		v, t := verbs[i%10], things[i/10%10]
		answer := strings.Repeat(fmt.Sprintf("Откройте раздел %d, выберите %s и нажмите «%s». ", i/100, t, v), 4)
		fmt.Fprintf(&out, "{\"id\":\"e%d\",\"question\":\"Как %s %s в разделе %d?\",\"answer\":%q}\n", i, v, t, i/100, answer)
	}
	return out.String()
}

// withVectors imports n questions and gives them vectors in no time.
func withVectors(b *testing.B, n int, model embedder) cli {
	b.Helper()
	c := newCLI(b)
	c.must("import", "--no-wait", c.file("kb.jsonl", manyQuestions(n)))
	a := &app{std: streams{in: strings.NewReader(""), out: &bytes.Buffer{}, err: os.Stderr}, environ: os.Environ(), dataFlag: c.data}
	if err := a.configure(); err != nil {
		b.Fatal(err)
	}
	if err := a.open(b.Context()); err != nil {
		b.Fatal(err)
	}
	defer a.close()
	var err error
	if a.find, err = newFinder(finder.Options{Record: record{a.store}, Embedder: cached{model}, Synonyms: a.slang, Log: a.log}); err != nil {
		b.Fatal(err)
	}
	ids, err := a.find.Backlog(b.Context())
	if err == nil {
		err = a.index(b.Context(), ids, nil)
	}
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// BenchmarkMemory starts a bot on 10,000 questions and their answers, with the
// built-in model, asks it something, and reports what it takes of memory.
func BenchmarkMemory(b *testing.B) {
	c := withVectors(b, 10_000, useModel(b))
	var slowest time.Duration
	var now, most int
	for b.Loop() {
		began := time.Now()
		bot := startBot(b, c.data)
		slowest = max(slowest, time.Since(began))
		p := start(b, c.data, "chat", "--as", "Иван П.")
		p.say("как выгрузить отчёт в разделе 7")
		p.sees("[1]")
		p.end()
		p.code()
		now, most = residentMB(b, bot.cmd.Process.Pid, "VmRSS:"), residentMB(b, bot.cmd.Process.Pid, "VmHWM:")
		bot.kill()
	}
	b.ReportMetric(float64(now), "RSS-MB")
	b.ReportMetric(float64(most), "peak-MB")
	b.ReportMetric(slowest.Seconds(), "s-start")
	b.ReportMetric(0, "ns/op")
}

// residentMB reads a process's resident set: the present one (VmRSS) or the
// largest so far (VmHWM).
func residentMB(b *testing.B, pid int, which string) int {
	b.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		b.Skip("only Linux tells: ", err)
	}
	for line := range strings.Lines(string(text)) {
		if kb, ok := strings.CutPrefix(line, which); ok {
			n, err := strconv.Atoi(strings.Fields(kb)[0])
			if err != nil {
				b.Fatal(err)
			}
			return n / 1024
		}
	}
	b.Fatalf("no %s in /proc", which)
	return 0
}

// BenchmarkImport imports questions with their answers: without vectors, with
// vectors that are cached, and with vectors to compute.
func BenchmarkImport(b *testing.B) {
	rate := func(b *testing.B, n int, prepare func(c cli)) {
		b.Helper()
		file := newCLI(b).file("kb.jsonl", manyQuestions(n))
		var took time.Duration
		for b.Loop() {
			c := newCLI(b)
			c.must("migrate", "up")
			prepare(c)
			began := time.Now()
			c.must("import", file)
			took += time.Since(began)
		}
		b.ReportMetric(float64(n*b.N)/took.Seconds(), "questions/s")
		b.ReportMetric(0, "ns/op")
	}
	b.Run("words only", func(b *testing.B) { rate(b, 10_000, func(cli) {}) })
	b.Run("vectors cached", func(b *testing.B) {
		const n = 10_000
		before := withVectors(b, n, useModel(b))
		rate(b, n, func(c cli) {
			db, err := sql.Open("sqlite", "file:"+filepath.Join(c.data, sqlite.FileName))
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			db.SetMaxOpenConns(1) // ATTACH is the connection's
			for _, query := range []string{
				`ATTACH '` + filepath.Join(before.data, sqlite.FileName) + `' AS before`,
				`INSERT INTO embeddings SELECT * FROM before.embeddings`,
			} {
				if _, err := db.Exec(query); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
	b.Run("vectors computed", func(b *testing.B) {
		useModel(b)
		rate(b, 100, func(cli) {})
	})
}
