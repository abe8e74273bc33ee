package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/knowledge/e5/e5test"
)

// smallBase is a base with aliases and topics.
const smallBase = `{"id":"owner","question":"Как изменить ответственного по сделке?","answer":"Карточка сделки → «Ответственный».","aliases":["переназначить сделку"],"topic":"Сделки"}
{"id":"vacation","question":"Как оформить отпуск?","answer":"Раздел «Кадры», заявление за две недели.","topic":"Кадры"}
{"id":"invoice","question":"Как выставить счёт клиенту?","answer":"Карточка сделки → «Счета» → «Новый».","topic":"Счета"}
`

// onServers makes commands and processes of the test use PostgreSQL, migrated, and the
// Milvus at an address ("" for none).
func onServers(t testing.TB, milvus string) cli {
	t.Helper()
	t.Setenv("NASTAVNIK_POSTGRES_DSN", devenv.Postgres(t))
	t.Setenv("NASTAVNIK_MILVUS_ADDRESS", milvus)
	t.Setenv("NASTAVNIK_MILVUS_COLLECTION", "t_"+strings.ToLower(strings.ReplaceAll(filepath.Base(t.TempDir()), "-", "_"))+"_"+strings.ToLower(strings.Map(letters, t.Name())))
	c := newCLI(t)
	c.must("migrate", "up")
	return c
}

func letters(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
		return r
	}
	return -1
}

func (c cli) index(args ...string) (out indexJSON) {
	c.t.Helper()
	decode(c.t, c.must(append([]string{"index"}, append(args, "--json")...)...), &out)
	return out
}

// whole waits until the index has all that the base has.
func (c cli) whole(what string) {
	c.t.Helper()
	eventually(c.t, what, func() bool {
		out := c.index("status")
		return out.Error == "" && out.Questions == strings.Count(smallBase, "\n") && out.Missing+out.Outdated+out.Orphaned+out.Backlog == 0
	})
}

// Milvus away, wiped and back: people are answered all the time, and the index is whole
// again by itself, or by index verify where no bot runs.
func TestMilvusComesAndGoes(t *testing.T) {
	milvus := devenv.PrivateMilvus(t)
	withModel(t)
	c := onServers(t, milvus.Addr)
	c.must("import", c.file("kb.jsonl", smallBase))
	bot := startBot(t, c.data)
	c.whole("the bot has filled the index")

	answered := func(when string) {
		t.Helper()
		if out := c.must("ask", "переназначить сделку"); !strings.Contains(out, "«Ответственный»") {
			t.Errorf("%s the answer is\n%s", when, out)
		}
	}
	answered("with Milvus")
	milvus.Kill()
	answered("while Milvus is away")
	if out := c.index("status"); out.Error == "" || !strings.Contains(out.Error, "Milvus") {
		t.Errorf("status while it is away: %+v", out)
	}
	c.must("question", "answer", "invoice", "--text", "Иначе: раздел «Документы» → «Новый счёт».")
	milvus.Start()
	c.whole("the bot has caught up")
	milvus.Wipe()
	answered("after a wipe")
	c.whole("the bot has filled a wiped index")

	bot.interrupt()
	if code := bot.code(); code != 0 {
		t.Errorf("the bot ended with %d", code)
	}
	milvus.Wipe()
	if dry := c.index("verify", "--dry-run"); dry.Missing != dry.Vectors || dry.Vectors == 0 || dry.Repaired != 0 {
		t.Errorf("a look at a wiped index: %+v", dry)
	}
	if done := c.index("verify"); done.Repaired != 3 {
		t.Errorf("verify: %+v", done)
	}
	c.whole("verify has filled the index")
	if again := c.index("verify"); again.Repaired != 0 {
		t.Errorf("verify again: %+v", again)
	}
}

// Vectors of another model mean nothing here: the bot says so, and how to go on.
func TestAnotherModelNeedsARebuild(t *testing.T) {
	withModel(t)
	c := onServers(t, devenv.Milvus(t))
	c.must("import", "--no-wait", c.file("kb.jsonl", smallBase))
	if out := c.must("index", "rebuild"); !strings.Contains(out, "вопросов 3") {
		t.Errorf("the first rebuild: %s", out)
	}
	c.whole("the index is there")
	before := c.index("status").Embedder

	otherModel(t)
	if r := c.run("serve"); r.code != exitFailed || !strings.Contains(r.err, "nastavnik index rebuild") {
		t.Fatalf("serve with another model: exit %d\n%s", r.code, r.err)
	}
	if out := c.must("ask", "переназначить сделку"); !strings.Contains(out, "«Ответственный»") {
		t.Errorf("by words there is still an answer:\n%s", out)
	}
	c.must("index", "rebuild")
	c.whole("the index is of the other model")
	if after := c.index("status").Embedder; after == before {
		t.Errorf("the model is %s before and after", after)
	}
	bot := startBot(t, c.data)
	bot.interrupt()
	bot.code()
}

// otherModel makes commands use a model whose weights are others.
func otherModel(t testing.TB) {
	t.Helper()
	f := e5test.File()
	f.Tensors[1].Data[0] ^= 1
	path := filepath.Join(t.TempDir(), "other.bin")
	if err := os.WriteFile(path, f.Encode(), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("NASTAVNIK_MODEL_PATH", path)
}
