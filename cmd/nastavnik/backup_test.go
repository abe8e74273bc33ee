package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/store/sqlite"
)

// attach puts a file into the folder of attachments and returns its name there.
func (c cli) attach(content, claimed string) string {
	c.t.Helper()
	sum := sha256.Sum256([]byte(claimed))
	key := hex.EncodeToString(sum[:])
	name := filepath.Join(filesFolder, "sha256", key[:2], key[2:])
	path := filepath.Join(c.data, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return name
}

func TestBackupWhileTheBotRuns(t *testing.T) {
	c := newCLI(t)
	c.must("import", c.file("kb.jsonl", threeEntries))
	whole, damaged := c.attach("снимок", "снимок"), c.attach("не то", "что было")
	if err := os.MkdirAll(filepath.Join(c.data, filesFolder, "tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.data, filesFolder, "tmp", "half"), []byte("пол"), 0o600); err != nil {
		t.Fatal(err)
	}
	startBot(t, c.data)
	places := t.TempDir()
	r := c.run("backup", places)
	if r.code != 0 || !strings.Contains(r.err, damaged) {
		t.Fatalf("exit %d: %s%s", r.code, r.out, r.err)
	}
	found, err := filepath.Glob(filepath.Join(places, "*"))
	if err != nil || len(found) != 1 || !strings.Contains(r.out, found[0]) {
		t.Fatalf("copies: %v, %v; the command says\n%s", found, err, r.out)
	}
	restored := cli{t: t, data: found[0]}
	if a, b := c.must("question", "list", "--json"), restored.must("question", "list", "--json"); a != b {
		t.Errorf("the copy has other questions:\n%s\n%s", a, b)
	}
	if b, err := os.ReadFile(filepath.Join(restored.data, whole)); err != nil || string(b) != "снимок" {
		t.Errorf("the attachment: %q, %v", b, err)
	}
	if _, err := os.Stat(filepath.Join(restored.data, filesFolder, "tmp")); !os.IsNotExist(err) {
		t.Errorf("what was half written has been copied: %v", err)
	}
	if hidden, _ := filepath.Glob(filepath.Join(places, ".nastavnik*")); len(hidden) > 0 {
		t.Errorf("left over: %v", hidden)
	}
}

func TestBackupIntoAFile(t *testing.T) {
	c := newCLI(t)
	c.must("import", c.file("kb.jsonl", threeEntries))
	path := filepath.Join(t.TempDir(), "копия.db")
	if out := c.must("backup", path); !strings.Contains(out, path) || !strings.Contains(out, "Восстановить") {
		t.Errorf("it does not say where and how to restore: %s", out)
	}
	if err := sqlite.Verify(t.Context(), path); err != nil {
		t.Error(err)
	}
	if r := c.run("backup", path); r.code != exitFailed || !strings.Contains(r.err, "уже есть") {
		t.Errorf("over a copy: exit %d %s", r.code, r.err)
	}
	if r := c.run("backup", filepath.Join(t.TempDir(), "нет", "копия")); r.code != exitFailed || !strings.Contains(r.err, "другое место") {
		t.Errorf("into a folder that is not there: exit %d %s", r.code, r.err)
	}
	// A copy that is not whole is seen.
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(b) / 2; i < len(b)/2+8192; i++ {
		b[i] ^= 0x5a
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sqlite.Verify(t.Context(), path); err == nil {
		t.Error("a damaged copy passes")
	}
}

func TestBackupRefuses(t *testing.T) {
	c := emptyCLI(t)
	if r := c.run("backup", t.TempDir()); r.code != exitFailed || !strings.Contains(r.err, "базы нет") {
		t.Errorf("without a base: exit %d %s", r.code, r.err)
	}
	t.Setenv("NASTAVNIK_POSTGRES_DSN", "postgres://bot@127.0.0.1:1/base")
	if r := c.run("backup", t.TempDir()); r.code != exitFailed || !strings.Contains(r.err, "pg_dump") || !strings.Contains(r.err, "версионирование") {
		t.Errorf("on PostgreSQL: exit %d %s", r.code, r.err)
	}
}
