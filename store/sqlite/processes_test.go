package sqlite_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
)

const countTimes = 50

// countRole adds to a number that every process reads and writes.
func countRole(ctx context.Context, dir string) error {
	s, err := openChild(ctx, dir)
	if err != nil {
		return err
	}
	awaitStart()
	for i := range countTimes {
		err := s.Write(ctx, func(tx bot.Tx) error {
			p, err := tx.Person(ctx, 1)
			if err != nil {
				return err
			}
			n, err := strconv.Atoi(p.Name)
			if err != nil {
				return err
			}
			p.Name = strconv.Itoa(n + 1)
			if err := tx.PutPerson(ctx, &p); err != nil {
				return err
			}
			return tx.Post(ctx, &bot.Row{Key: fmt.Sprintf("%d/%d", os.Getpid(), i), Chat: "console:все", Kind: "said"})
		})
		if err != nil {
			return err
		}
	}
	return s.Close()
}

func TestProcessesWriteAtOnce(t *testing.T) {
	const processes = 4
	dir := folder(t)
	s := open(t, dir)
	write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.PutPerson(ctx, &knowledge.Person{Name: "0"}) })
	var children []*process
	for range processes {
		children = append(children, spawn(t, "count", dir))
	}
	for _, c := range children {
		if err := c.start.Close(); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan error)
	for _, c := range children {
		go func() { done <- c.Wait() }()
	}
	// This process reads and writes all the while. What it sees only grows, and
	// Changed tells of every growth.
	var seen int
	var version uint64
	look := func() {
		before, err := s.Changed(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p := read(t, s, func(ctx context.Context, tx bot.Tx) (knowledge.Person, error) { return tx.Person(ctx, 1) })
		n, err := strconv.Atoi(p.Name)
		if err != nil || n < seen {
			t.Fatalf("the number was %d and is %q", seen, p.Name)
		}
		after, err := s.Changed(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n > seen && after == version {
			t.Errorf("the number grew from %d to %d and Changed stayed %d", seen, n, version)
		}
		seen, version = n, before
	}
	for left := processes; left > 0; {
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("child: %v", err)
			}
			left--
		default:
			look()
			write(t, s, func(ctx context.Context, tx bot.Tx) error { return tx.MarkRead(ctx, "console:я", 1) })
		}
	}
	look()
	if seen != processes*countTimes {
		t.Errorf("the number is %d, want %d: updates were lost", seen, processes*countTimes)
	}
}

// migrateRole prints how many steps this process took.
func migrateRole(ctx context.Context, dir string) error {
	q, err := queue()
	if err != nil {
		return err
	}
	awaitStart()
	steps, err := sqlite.Migrate(ctx, sqlite.Options{Dir: dir, Queue: q})
	fmt.Println(steps)
	return err
}

func TestRacingProcessesMigrateOnce(t *testing.T) {
	dir := t.TempDir()
	var children []*process
	for range 5 {
		children = append(children, spawn(t, "migrate", dir))
	}
	for _, c := range children {
		if err := c.start.Close(); err != nil {
			t.Fatal(err)
		}
	}
	worked, total := 0, 0
	for _, c := range children {
		if !c.lines.Scan() {
			t.Fatal("a child said nothing")
		}
		steps, err := strconv.Atoi(c.lines.Text())
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Wait(); err != nil {
			t.Errorf("child: %v", err)
		}
		total += steps
		if steps > 0 {
			worked++
		}
	}
	schema, err := sqlite.Status(t.Context(), options(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	if want := len(schema.Migrations) + schema.QueueExpected; worked != 1 || total != want || schema.Pending() != 0 {
		t.Errorf("%d processes took %d steps and left %d, want one process and %d steps", worked, total, schema.Pending(), want)
	}
}

// writeRole writes until it is killed: transaction n makes one of everything,
// and n is printed when it has been committed.
func writeRole(ctx context.Context, dir string) error {
	s, err := openChild(ctx, dir)
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		if err := s.Write(ctx, func(tx bot.Tx) error { return writeAll(ctx, tx, n) }); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

func writeAll(ctx context.Context, tx bot.Tx, n int) error {
	id := strconv.Itoa(n)
	q := knowledge.Question{ID: id, Text: "Вопрос " + id, Status: knowledge.InKnowledgeBase}
	if err := tx.PutQuestion(ctx, &q); err != nil {
		return err
	}
	if err := tx.PutAnswer(ctx, &knowledge.Answer{Question: id, Text: "Ответ " + id}); err != nil {
		return err
	}
	if err := tx.Post(ctx, &bot.Row{Key: id, Chat: "console:все", Kind: "said"}); err != nil {
		return err
	}
	if err := tx.PutDelivery(ctx, &bot.Delivery{Key: id, Chat: "console:все", State: bot.DeliverySent}); err != nil {
		return err
	}
	return tx.Schedule(ctx, bot.Job{At: time.Now(), Drain: bot.ChatID(id)})
}

func TestKilledWhileWriting(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			dir := folder(t)
			c := spawn(t, "write", dir)
			r := rand.New(rand.NewPCG(seed, 1))
			committed, until := 0, r.IntN(60)
			for committed < until && c.lines.Scan() {
				committed, _ = strconv.Atoi(c.lines.Text())
			}
			time.Sleep(time.Duration(r.IntN(3000)) * time.Microsecond) // somewhere in the next ones
			if err := c.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			for c.lines.Scan() {
				committed, _ = strconv.Atoi(c.lines.Text())
			}
			checkWhole(t, open(t, dir), committed)
		})
	}
}

// checkWhole checks that at least the transactions up to committed are there,
// and each of them whole.
func checkWhole(t *testing.T, s *sqlite.Store, committed int) {
	t.Helper()
	var n int
	count := func(query string) int {
		var got int
		if err := s.WriteDB().QueryRowContext(t.Context(), query).Scan(&got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	var verdict string
	if err := s.WriteDB().QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
		t.Fatalf("integrity: %s, %v", verdict, err)
	}
	n = count(`SELECT COUNT(*) FROM questions`)
	if n < committed {
		t.Errorf("%d transactions were committed, %d are there", committed, n)
	}
	for name, query := range map[string]string{
		"phrasings":  `SELECT COUNT(*) FROM phrasings`,
		"answers":    `SELECT COUNT(*) FROM questions q JOIN answers a ON a.id = q.answer AND a.question = q.id`,
		"changes":    `SELECT COUNT(DISTINCT question) FROM changes`,
		"rows":       `SELECT COUNT(*) FROM inbox`,
		"deliveries": `SELECT COUNT(*) FROM outbox`,
		"wake jobs":  `SELECT COUNT(*) FROM river_job WHERE kind = 'drain_chat'`,
		"index jobs": `SELECT COUNT(*) FROM river_job WHERE kind = 'index_questions'`,
	} {
		if got := count(query); got != n {
			t.Errorf("%d questions, and %d %s", n, got, name)
		}
	}
}
