package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/nastavnik-bot/nastavnik/store/sqlite"
)

// TestHelp holds the help of every command, for somebody to read when it changes.
func TestHelp(t *testing.T) {
	var got strings.Builder
	var walk func(c *cobra.Command)
	c := newCLI(t)
	walk = func(cmd *cobra.Command) {
		path := strings.Fields(cmd.CommandPath())[1:]
		fmt.Fprintf(&got, "───── nastavnik %s\n%s\n", strings.Join(append(path, "--help"), " "), c.must(append(path, "--help")...))
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				walk(sub)
			}
		}
	}
	walk(newRoot(&app{}))
	const golden = "testdata/help.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); diff != "" {
		t.Errorf("the help has changed (-golden +now; go test -run Help -update rewrites it):\n%s", diff)
	}
	for _, english := range []string{"Usage", "Flags:", "Available", "help for", "Use \""} {
		if strings.Contains(got.String(), english) {
			t.Errorf("the help is English in places: %q", english)
		}
	}
}

const threeEntries = `{"id":"deal-owner","topic":"Сделки","question":"Как изменить ответственного по сделке?","answer":"Карточка → «Ответственный»."}
{"id":"deal-observer","topic":"Сделки","question":"Как добавить наблюдателя в сделку?","answer":"Карточка → «Наблюдатели»."}
{"id":"vacation","topic":"Кадры","question":"Как оформить отпуск?","answer":"Раздел «Кадры»."}
`

// TestJSONShapes holds what scripts rely on, whatever the transcripts say.
func TestJSONShapes(t *testing.T) {
	c := newCLI(t)
	c.must("import", c.file("kb.jsonl", threeEntries))
	var ask struct {
		Decision   string
		ID         string
		Question   string
		Answer     string
		Confidence float64
		Candidates []struct {
			ID, Question string
			Score        *float64
		}
		Related []struct{ ID, Text string }
	}
	decodeStrictly(t, c.must("ask", "--json", "--dry-run", "Как изменить ответственного по сделке?"), &ask)
	if ask.Decision != "answer" || ask.ID != "deal-owner" || ask.Question == "" || ask.Answer != "Карточка → «Ответственный»." {
		t.Errorf("ask --json: %+v", ask)
	}
	if ask.Confidence <= 0 || ask.Confidence > 1 || len(ask.Candidates) == 0 || ask.Candidates[0].Score == nil {
		t.Errorf("ask --json: confidence %v, candidates %+v", ask.Confidence, ask.Candidates)
	}
	var list []struct{ ID, Text, Status, StatusTitle, Asked, Topic string }
	decodeStrictly(t, strings.ReplaceAll(c.must("question", "list", "--json"), "status_title", "statustitle"), &list)
	if len(list) != 3 || list[0].ID != "deal-owner" || list[0].Text == "" || list[0].Status != "in_knowledge_base" || list[0].Asked == "" {
		t.Errorf("question list --json: %+v", list)
	}
	if got := c.must("question", "list", "--json", "--status", "faq"); strings.TrimSpace(got) != "[]" {
		t.Errorf("an empty list is %q, want []", got)
	}
	// More than a page: JSON is the whole list.
	var many strings.Builder
	for i := range 120 {
		fmt.Fprintf(&many, "{\"question\":\"вопрос номер %d\",\"answer\":\"да\"}\n", i)
	}
	c.must("import", c.file("many.jsonl", many.String()))
	decodeStrictly(t, strings.ReplaceAll(c.must("question", "list", "--json"), "status_title", "statustitle"), &list)
	if len(list) != 123 {
		t.Errorf("question list --json gives %d of 123 questions", len(list))
	}
}

func decodeStrictly(t *testing.T, text string, into any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
}

func TestImportReadsSpreadsheetsAsTheyAreSaved(t *testing.T) {
	table := "Номер;Вопрос;Ответ\r\n7;\"Как \"\"быстро\"\" создать сделку, и где?\";\"Шаги:\r\n1. кнопка;\r\n2. имя\"\r\n"
	for name, content := range map[string]string{
		"cp1251":          encoded(t, charmap.Windows1251.NewEncoder().String, table),
		"utf-8 with BOM":  "\ufeff" + table,
		"utf-16":          encoded(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String, table),
		"commas":          strings.ReplaceAll(strings.ReplaceAll(table, "Номер;Вопрос;Ответ", "Номер,Вопрос,Ответ"), "7;\"", "7,\"") + "",
		"tabs":            strings.NewReplacer("Номер;Вопрос;Ответ", "Номер\tВопрос\tОтвет", "7;\"", "7\t\"", "\";\"", "\"\t\"").Replace(table),
		"old Mac's lines": strings.ReplaceAll(table, "\r\n", "\r"),
	} {
		t.Run(name, func(t *testing.T) {
			if name == "commas" {
				content = strings.ReplaceAll(content, "\";\"", "\",\"")
			}
			c := newCLI(t)
			c.must("import", c.file("base.csv", content))
			var q struct {
				Text   string
				Answer struct{ Text string }
			}
			if err := json.Unmarshal([]byte(c.must("question", "show", "7", "--json")), &q); err != nil {
				t.Fatal(err)
			}
			if q.Text != `Как "быстро" создать сделку, и где?` || q.Answer.Text != "Шаги:\n1. кнопка;\n2. имя" {
				t.Errorf("got %q, %q", q.Text, q.Answer.Text)
			}
		})
	}
}

func encoded(t *testing.T, encode func(string) (string, error), text string) string {
	t.Helper()
	s, err := encode(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestBadText(t *testing.T) {
	c := newCLI(t)
	c.must("import", c.file("kb.jsonl", threeEntries))
	long := strings.Repeat("я", 100_000)
	t.Run("control characters and NUL are dropped", func(t *testing.T) {
		for _, text := range []string{"Как\x00 изменить\x07 ответственного по\u200b сделке?\x1b[31m", "\ufeffКак изменить ответственного по сделке?\xff\xfe"} {
			got := c.must("ask", "--dry-run", "--json", text)
			if !strings.Contains(got, `"decision": "answer"`) && !strings.Contains(got, `"decision": "suggest"`) || strings.ContainsAny(got, "\x00\x07\x1b\u200b") {
				t.Errorf("ask %q: %s", text, got)
			}
		}
	})
	t.Run("nothing but control characters", func(t *testing.T) {
		if r := c.run("ask", "\x00\x01\x02 \u200b"); r.code != exitUsage || !strings.Contains(r.err, "пустой текст") {
			t.Errorf("exit %d: %s", r.code, r.err)
		}
	})
	t.Run("100,000 characters", func(t *testing.T) {
		r := c.run("ask", long)
		if r.code != exitUsage || !strings.Contains(r.err, "100000") || !strings.Contains(r.err, "4000") || strings.Contains(r.err, "яяя") {
			t.Errorf("exit %d: %.300s", r.code, r.err)
		}
		if r := c.run("question", "answer", "vacation", "--text", long); r.code != exitUsage || !strings.Contains(r.err, "50000") {
			t.Errorf("answer: exit %d: %.300s", r.code, r.err)
		}
		if r := c.read(long, "question", "answer", "vacation"); r.code != exitUsage || !strings.Contains(r.err, "50000") {
			t.Errorf("answer on standard input: exit %d: %.300s", r.code, r.err)
		}
	})
	t.Run("in a chat", func(t *testing.T) {
		r := c.read("Как\x00 изменить ответственного по сделке?\n"+long+"\n"+strings.Repeat("ы", 1<<20)+"\n\x01\x02\nспасибо\n", "chat", "--as", "Иван П.")
		if r.code != 0 || r.err != "" {
			t.Fatalf("exit %d: %s", r.code, r.err)
		}
		wantInOrder(t, r.out, "«Ответственный»", "слишком длинное", "слишком длинное", "Напишите, пожалуйста, вопрос словами", "Пожалуйста!")
	})
	if n := strings.Count(c.must("question", "list", "--all", "--json"), `"id"`); n != 3 {
		t.Errorf("bad texts left %d questions, want the 3 imported", n)
	}
}

// wantInOrder checks that the parts stand in text one after another.
func wantInOrder(t *testing.T, text string, parts ...string) {
	t.Helper()
	rest := text
	for _, p := range parts {
		_, after, ok := strings.Cut(rest, p)
		if !ok {
			t.Errorf("%q is not there, or not in its place, in:\n%s", p, text)
			return
		}
		rest = after
	}
}

func TestDataFolderOfANewerVersion(t *testing.T) {
	c := newCLI(t)
	c.must("migrate", "up")
	db, err := sql.Open("sqlite", filepath.Join(c.data, sqlite.FileName))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"question", "list"}, {"serve"}, {"chat", "--as", "Иван"}, {"migrate", "up"}, {"migrate", "status"}, {"import", c.file("kb.jsonl", threeEntries)}} {
		r := c.run(args...)
		if r.code != exitFailed || !strings.Contains(r.err, "более новой версией") || !strings.Contains(r.err, c.data) || !strings.Contains(r.err, "обновите программу") {
			t.Errorf("%s: exit %d: %s", args, r.code, r.err)
		}
	}
}

func TestDamagedDataFolder(t *testing.T) {
	c := newCLI(t)
	if err := os.WriteFile(filepath.Join(c.data, sqlite.FileName), bytes.Repeat([]byte("это не база "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	r := c.run("question", "list")
	if r.code != exitFailed || !strings.Contains(r.err, "повреждён") || !strings.Contains(r.err, "резервной копии") {
		t.Errorf("exit %d: %s", r.code, r.err)
	}
}

func TestModelFileThatCannotBeUsed(t *testing.T) {
	path := withModel(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := newCLI(t)
	c.must("ask", "--dry-run", "вопрос")
	for _, size := range []int{0, 3, len(whole) / 2, len(whole) - 1} {
		if err := os.WriteFile(path, whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"ask", "вопрос"}, {"serve"}} {
			r := c.run(args...)
			if r.code != exitFailed || !strings.Contains(r.err, path) || !strings.Contains(r.err, "make model") || !strings.Contains(r.err, "не целиком") {
				t.Errorf("%s with %d of %d bytes: exit %d: %s", args, size, len(whole), r.code, r.err)
			}
		}
	}
	c.must("ask", "--words-only", "--dry-run", "вопрос")
	t.Setenv("NASTAVNIK_MODEL_PATH", filepath.Join(t.TempDir(), "nowhere.bin"))
	if r := c.run("ask", "вопрос"); r.code != exitFailed || !strings.Contains(r.err, "nowhere.bin") || !strings.Contains(r.err, "make model") {
		t.Errorf("a named file that is not there: exit %d: %s", r.code, r.err)
	}
}

func TestWithoutAModelWordsDo(t *testing.T) {
	t.Chdir(t.TempDir()) // where no model can be found
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	t.Setenv("NASTAVNIK_MODEL_OFF", "false")
	c := newCLI(t)
	c.must("import", c.file("kb.jsonl", threeEntries))
	r := c.run("ask", "Как оформить отпуск?")
	if r.code != 0 || !strings.Contains(r.out, "Раздел «Кадры»") || !strings.Contains(r.err, "make model") {
		t.Errorf("exit %d\n%s\n%s", r.code, r.out, r.err)
	}
	if r := c.run("ask", "--words-only", "Как оформить отпуск?"); r.err != "" {
		t.Errorf("words only were asked for, and yet: %s", r.err)
	}
}

func TestImportComputesVectorsOnce(t *testing.T) {
	withModel(t)
	c := newCLI(t)
	file := c.file("kb.jsonl", threeEntries)
	if got := c.must("import", file, "--no-wait"); strings.Contains(got, "Векторы") {
		t.Errorf("--no-wait: %s", got)
	}
	if got := c.must("import", file); !strings.Contains(got, "без изменений: 3") || !strings.Contains(got, "Векторы посчитаны: вопросов 3") {
		t.Errorf("the rest is not made up for: %s", got)
	}
	if got := c.must("import", file); !strings.Contains(got, "без изменений: 3") || strings.Contains(got, "Векторы") {
		t.Errorf("imported again: %s", got)
	}
}

func TestEvalWritesARunInTheOrderOfTheQueries(t *testing.T) {
	c := emptyCLI(t)
	var queries strings.Builder
	want := []string{"vacation", "", "deal-observer", "deal-owner", "vacation"}
	for i, text := range []string{"Как оформить отпуск?", "xyzzy plugh", "Как добавить наблюдателя в сделку?", "Как изменить ответственного по сделке?", "как оформить отпуск"} {
		expected := []string{}
		if want[i] != "" {
			expected = append(expected, want[i])
		}
		line, err := json.Marshal(map[string]any{"text": text, "expected_ids": expected})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&queries, "%s\n", line)
	}
	out := filepath.Join(t.TempDir(), "run.jsonl")
	c.must("eval", c.file("kb.jsonl", threeEntries), c.file("queries.jsonl", queries.String()), "--out", out)
	written, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(written)) {
		var run map[string]any
		if err := json.Unmarshal([]byte(line), &run); err != nil {
			t.Fatal(err)
		}
		ranked, isList := run["ranked"].([]any)
		conf, isNumber := run["conf"].(float64)
		if !isList || !isNumber || conf < 0 || conf > 1 || len(run) != 2 {
			t.Fatalf("a line of the run: %s", line)
		}
		first := ""
		if len(ranked) > 0 && want[len(got)] != "" { // what has no answer may rank anything
			first = ranked[0].(string)
		}
		got = append(got, first)
	}
	if !slices.Equal(got, want) {
		t.Errorf("first of each query: %q, want %q", got, want)
	}
	if entries, err := os.ReadDir(c.data); err != nil || len(entries) > 0 {
		t.Errorf("eval left %v in the data folder, %v", entries, err)
	}
}

func TestTimesAreShownInTheConfiguredZone(t *testing.T) {
	c := newCLI(t)
	c.must("import", c.file("kb.jsonl", threeEntries))
	shown := func(zone string) string {
		t.Setenv("NASTAVNIK_ZONE", zone)
		return c.must("question", "list")
	}
	if a, b := shown("Pacific/Kiritimati"), shown("Pacific/Pago_Pago"); a == b { // 25 hours apart
		t.Errorf("the same times in both zones:\n%s", a)
	}
}

func TestDataFolderByEnvironment(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "Папка №1 50%")
	t.Setenv("NASTAVNIK_DATA", dir)
	var out bytes.Buffer
	std := streams{in: strings.NewReader(""), out: &out, err: &out}
	if code := run(t.Context(), []string{"person", "add", "Анна К."}, std); code != 0 {
		t.Fatal(out.String())
	}
	if _, err := os.Stat(filepath.Join(dir, sqlite.FileName)); err != nil {
		t.Error(err)
	}
	// The flag wins.
	if got := newCLI(t).must("person", "list"); strings.Contains(got, "Анна") {
		t.Errorf("--data is not used: %s", got)
	}
}

func TestUnwritableDataFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := cli{t: t, data: file}.run("question", "list")
	if r.code != exitFailed || !strings.Contains(r.err, "нельзя создать") || !strings.Contains(r.err, file) {
		t.Errorf("exit %d: %s", r.code, r.err)
	}
}
