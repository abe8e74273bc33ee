package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/bot/console"
	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/e5"
)

// useRealModel makes commands use the built-in model, where it has been made; words
// alone do where it has not.
func useRealModel(t *testing.T) {
	t.Helper()
	path, err := e5.Find("", "")
	if err != nil {
		t.Logf("comparing by words alone: %v", err)
		return
	}
	if path, err = filepath.Abs(path); err != nil {
		t.Fatal(err)
	}
	t.Setenv("NASTAVNIK_MODEL_OFF", "false")
	t.Setenv("NASTAVNIK_MODEL_PATH", path)
}

// paraphrases are questions to the demo base that are not in it as they are.
func paraphrases(t *testing.T, n int) []string {
	t.Helper()
	f, err := os.Open("../../knowledge/finder/testdata/wordings.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []string
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var w struct{ Text, Kind string }
		if err := json.Unmarshal(lines.Bytes(), &w); err != nil {
			t.Fatal(err)
		}
		if w.Kind == "paraphrase" {
			all = append(all, w.Text)
		}
	}
	if len(all) < n {
		t.Fatalf("only %d paraphrases", len(all))
	}
	var out []string
	for i := range n {
		out = append(out, all[i*len(all)/n])
	}
	return out
}

// trialFolder is a data folder with the demo base and a conversation: a senior is answering
// what somebody has asked, and has not ended yet; when he is silent for an hour, late
// work ends it for him.
func trialFolder(t *testing.T) cli {
	t.Helper()
	c := newCLI(t)
	t.Setenv("NASTAVNIK_SENIOR_SILENCE", "1h")
	c.must("import", "../../configs/demo/kb.jsonl")
	c.must("person", "add", chaosSenior, "--senior")
	d := openDesk(t, c)
	b := startBot(t, c.data)
	d.say("Иван П.", chaosQuestion)
	d.press("Иван П.", say(t, "button_none", nil))
	d.take(chaosQuestion)
	d.say(chaosSenior, chaosReply)
	d.close()
	b.interrupt()
	if code := b.code(); code != 0 {
		t.Fatalf("exit %d: %s", code, b.err.String())
	}
	if n := c.count(`SELECT COUNT(*) FROM river_job WHERE state = 'scheduled' AND json_extract(args, '$.event') = 'silence'`); n == 0 {
		t.Fatal("the end of the reply does not wait for its time")
	}
	return c
}

// found asks a base, all questions in one go.
func (c cli) found(questions []string) []askJSON {
	c.t.Helper()
	a := &app{std: streams{in: strings.NewReader(""), out: &bytes.Buffer{}, err: os.Stderr}, environ: os.Environ(), dataFlag: c.data}
	if err := a.configure(); err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = a.close() }()
	if err := a.openFinder(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	var out []askJSON
	for _, q := range questions {
		f, err := a.find.Find(c.t.Context(), knowledge.Inquiry{Text: q})
		if err != nil {
			c.t.Fatal(err)
		}
		out = append(out, askResult(f, ""))
	}
	return out
}

func TestMigrateCopyMovesATrialIntoProduction(t *testing.T) {
	useRealModel(t)
	c := trialFolder(t)
	questions := append(paraphrases(t, 20), chaosQuestion, "в столовой есть суп")
	before := c.found(questions)
	list := c.must("question", "list", "--all", "--json")
	late := c.count(`SELECT COUNT(*) FROM river_job WHERE state = 'scheduled'`)

	dsn := devenv.Postgres(t)
	copying := []string{"migrate", "copy", "--from", "sqlite:" + c.data, "--to", "postgres:" + strings.TrimPrefix(dsn, "postgres:"), "--json"}
	if r := c.run(copying...); r.code != exitFailed || !strings.Contains(r.err, "migrate up") {
		t.Fatalf("into a database without a schema: exit %d %s", r.code, r.err)
	}
	t.Setenv("NASTAVNIK_POSTGRES_DSN", dsn)
	c.must("migrate", "up")
	b := startBot(t, c.data)
	if r := c.run(copying...); r.code != exitFailed || !strings.Contains(r.err, "остановите") {
		t.Errorf("while a bot works on the target: exit %d %s", r.code, r.err)
	}
	b.interrupt()
	b.code()
	var report copyJSON
	decode(t, c.must(copying...), &report)
	if report.Rows == 0 || report.Jobs != late || report.Resumed {
		t.Errorf("report: %+v", report)
	}
	for _, table := range report.Tables {
		if table.Name == "embeddings" && table.Rows == 0 && os.Getenv("NASTAVNIK_MODEL_OFF") == "false" {
			t.Error("no vectors have come")
		}
	}
	if out := c.must(copying...); !strings.Contains(out, "уже закончен") {
		t.Errorf("a second time: %s", out)
	}
	// The address is in the configuration now: commands work on PostgreSQL.
	if after := c.must("question", "list", "--all", "--json"); after != list {
		t.Errorf("other questions on PostgreSQL:\n%s", cmp.Diff(list, after))
	}
	if diff := cmp.Diff(before, c.found(questions), cmpopts.EquateApprox(0, 1e-4)); diff != "" {
		t.Errorf("PostgreSQL ranks otherwise (-SQLite +PostgreSQL):\n%s", diff)
	}
	deliveredLate(t, c, dsn)
}

// deliveredLate lets the time of the late work come: the bot on PostgreSQL ends the
// reply that was begun on SQLite, and who asked gets it.
func deliveredLate(t *testing.T, c cli, dsn string) {
	t.Helper()
	db, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	if tag, err := db.Exec(t.Context(), `UPDATE river_job SET scheduled_at = now() WHERE state = 'scheduled' AND args->>'event' = 'silence'`); err != nil || tag.RowsAffected() == 0 {
		t.Fatalf("the end of the reply is not scheduled: %v", err)
	}
	startBot(t, c.data)
	s, err := c.app().openTruth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	eventually(t, "who asked gets the answer that was begun on SQLite", func() bool {
		got := false
		err := s.Read(t.Context(), func(tx bot.Tx) error {
			all, err := tx.Deliveries(t.Context(), bot.ChatID(console.Identity("Иван П.").Chat), 0, 100)
			for _, d := range all {
				got = got || strings.Contains(d.Message.Text, chaosReply)
			}
			return err
		})
		return err == nil && got
	})
}

func TestMigrateCopyRefuses(t *testing.T) {
	c := folder(t)
	for says, args := range map[string][]string{
		"sqlite:ПАПКА":   {"--from", "mysql:x", "--to", "postgres:"},
		"postgres.owner": {"--from", "sqlite:" + c.data, "--to", "postgres:"},
		"одну и ту же":   {"--from", "sqlite:" + c.data, "--to", "sqlite:" + c.data},
	} {
		if r := c.run(append([]string{"migrate", "copy"}, args...)...); r.code != exitUsage || !strings.Contains(r.err, says) {
			t.Errorf("%v: exit %d %s", args, r.code, r.err)
		}
	}
	empty := t.TempDir()
	if r := c.run("migrate", "copy", "--from", "sqlite:"+empty, "--to", "sqlite:"+t.TempDir()); r.code != exitFailed || !strings.Contains(r.err, "базы нет") {
		t.Errorf("from nothing: exit %d %s", r.code, r.err)
	}
	if left, _ := os.ReadDir(empty); len(left) > 0 {
		t.Errorf("it made %v in the folder it was to copy", left)
	}
	b := startBot(t, c.data)
	if r := c.run("migrate", "copy", "--from", "sqlite:"+c.data, "--to", "sqlite:"+t.TempDir()); r.code != exitFailed || !strings.Contains(r.err, "остановите") {
		t.Errorf("from a folder with a bot: exit %d %s", r.code, r.err)
	}
	b.interrupt()
	b.code()
	to := t.TempDir()
	if out := c.must("migrate", "copy", "--from", "sqlite:"+c.data, "--to", "sqlite:"+to); !strings.Contains(out, "Перенесено и сверено") {
		t.Errorf("it says\n%s", out)
	}
	if r := c.run("migrate", "copy", "--from", "sqlite:"+c.data, "--to", "sqlite:"+to, "--again"); r.code != exitFailed || !strings.Contains(r.err, "закончена") {
		t.Errorf("a finished copy is removed: exit %d %s", r.code, r.err)
	}
	other := folder(t)
	if r := c.run("migrate", "copy", "--from", "sqlite:"+c.data, "--to", "sqlite:"+other.data); r.code != exitFailed || !strings.Contains(r.err, "не пуста") {
		t.Errorf("into a base with questions: exit %d %s", r.code, r.err)
	}
	if strings.Contains(other.run("migrate", "copy", "--from", "sqlite:"+c.data, "--to", "postgres://o:taynoe-slovo@127.0.0.1:1/x").err, "taynoe") {
		t.Error("the password is shown")
	}
}
