package archtest_test

import (
	"bufio"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/nastavnik-bot/nastavnik/internal/archtest"
)

const module = "github.com/nastavnik-bot/nastavnik"

// TestLayout holds this project to its rules.
func TestLayout(t *testing.T) {
	t.Parallel()
	root := os.DirFS("../..")
	if got := moduleOf(t, root); got != module {
		t.Fatalf("go.mod names the module %q, this test looks for imports of %q", got, module)
	}
	packages, err := archtest.Load(root, module)
	if err != nil {
		t.Fatal(err)
	}
	// A walk that finds nothing must not look like a project without faults.
	for _, must := range []string{"knowledge", "internal/archtest"} {
		if !slices.ContainsFunc(packages, func(p archtest.Package) bool { return p.Path == must }) {
			t.Errorf("no package %s found among %d", must, len(packages))
		}
	}
	for _, v := range archtest.Check(packages) {
		t.Error(v)
	}
}

func moduleOf(t *testing.T, root fs.FS) string {
	t.Helper()
	f, err := root.Open("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "module "); ok {
			return name
		}
	}
	return ""
}

// Each case is a project of a few files; want has the beginning of every
// violation that is to be found in it, in order.
func TestCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{
			name: "the layers as they should be",
			files: map[string]string{
				"cmd/nastavnik/main.go":    src("main", "bot", "bot/console", "store/sqlite", "configs", "knowledge", "knowledge/e5"),
				"bot/decide.go":            src("bot", "knowledge", "knowledge/search", "bot/texts"),
				"bot/texts/texts.go":       src("texts"),
				"knowledge/e5/embed.go":    src("e5", "knowledge/e5/weightfile"),
				"bot/console/adapter.go":   src("console", "bot", "bot/texts", "knowledge"),
				"bot/bottest/script.go":    src("bottest", "bot", "knowledge", "knowledge/search", "store/sqlite"),
				"bot/decide_test.go":       src("bot_test", "bot", "bot/bottest", "store/memory"),
				"knowledge/question.go":    src("knowledge"),
				"knowledge/search/rank.go": src("search", "knowledge"),
				"knowledge/finder/find.go": src("finder", "knowledge", "knowledge/search"),
				"knowledge/e5/m/main.go":   src("main", "knowledge/e5"),
				"store/sqlite/store.go":    src("sqlite", "knowledge", "bot", "store/record", "migrations"),
				"store/record/asks.go":     src("record", "knowledge", "bot"),
				"migrations/embed.go":      src("migrations"),
				"configs/load.go":          src("configs"),
			},
		},
		{name: "the domain imports the conversation", files: one("knowledge/q.go", "knowledge", "bot"), want: []string{"knowledge/q.go:4: imports bot: knowledge may import nothing"}},
		{name: "the domain imports its own search", files: one("knowledge/q.go", "knowledge", "knowledge/search"), want: []string{"knowledge/q.go:4: imports knowledge/search"}},
		{name: "search imports the embedder", files: one("knowledge/search/r.go", "search", "knowledge", "knowledge/e5"), want: []string{"knowledge/search/r.go:5: imports knowledge/e5"}},
		{name: "the conversation imports a store", files: one("bot/runner.go", "bot", "store/sqlite"), want: []string{"bot/runner.go:4: imports store/sqlite"}},
		{name: "the conversation imports the whole search", files: one("bot/runner.go", "bot", "knowledge/finder"), want: []string{"bot/runner.go:4: imports knowledge/finder"}},
		{name: "the conversation imports an adapter", files: one("bot/runner.go", "bot", "bot/slack"), want: []string{"bot/runner.go:4: imports bot/slack"}},
		{name: "an adapter imports a store", files: one("bot/slack/a.go", "slack", "bot", "store/memory"), want: []string{"bot/slack/a.go:5: imports store/memory"}},
		{name: "an adapter imports another", files: one("bot/slack/a.go", "slack", "bot/console"), want: []string{"bot/slack/a.go:4: imports bot/console"}},
		{name: "an adapter reads configuration", files: one("bot/slack/a.go", "slack", "configs"), want: []string{"bot/slack/a.go:4: imports configs"}},
		{name: "a store imports another", files: one("store/memory/i.go", "memory", "store/sqlite"), want: []string{"store/memory/i.go:4: imports store/sqlite"}},
		{name: "a store reads configuration", files: one("store/sqlite/s.go", "sqlite", "configs"), want: []string{"store/sqlite/s.go:4: imports configs"}},
		{name: "something imports a command", files: one("store/sqlite/s.go", "sqlite", "cmd/nastavnik"), want: []string{"store/sqlite/s.go:4: imports cmd/nastavnik: nothing imports a command"}},
		{name: "a test imports a command", files: one("bot/a_test.go", "bot_test", "cmd/nastavnik"), want: []string{"bot/a_test.go:4: imports cmd/nastavnik"}},
		{name: "a test may read configuration", files: one("bot/a_test.go", "bot_test", "configs", "store/sqlite")},
		{name: "the product imports test code", files: one("cmd/nastavnik/m.go", "main", "store/storetest", "bot/bottest"), want: []string{"cmd/nastavnik/m.go:4: imports store/storetest, which is for tests", "cmd/nastavnik/m.go:5: imports bot/bottest, which is for tests"}},
		{name: "the product starts servers for tests", files: one("store/milvus/m.go", "milvus", "internal/devenv"), want: []string{"store/milvus/m.go:4: imports internal/devenv, which is for tests"}},
		{name: "a test starts servers", files: one("store/milvus/m_test.go", "milvus", "internal/devenv")},
		{name: "what starts servers imports the product", files: one("internal/devenv/d.go", "devenv", "store/postgres"), want: []string{"internal/devenv/d.go:4: imports store/postgres"}},
		{name: "the contract imports a store", files: one("store/storetest/c.go", "storetest", "knowledge", "store/sqlite"), want: []string{"store/storetest/c.go:5: imports store/sqlite"}},
		{name: "the root package is imported", files: one("bot/b.go", "bot", ""), want: []string{"bot/b.go:4: imports "}},
		{name: "a new layer", files: one("plugins/p.go", "plugins"), want: []string{"plugins: no rule says"}},
		{name: "a package in the root", files: one("p.go", "nastavnik"), want: []string{": no rule says"}},
		{name: "a forbidden name", files: one("bot/kit/k.go", "utils"), want: []string{"bot/kit/k.go: package utils"}},
		{name: "a forbidden folder", files: one("store/common/deep/k.go", "deep"), want: []string{"store/common/deep: a folder called common"}},
		{name: "no package comment", files: map[string]string{"bot/b.go": "package bot\n", "bot/c_test.go": "// Package bot.\npackage bot\n"}, want: []string{"bot: no package comment"}},
		{name: "a generator's comment is not the package's", files: map[string]string{"bot/b.go": "package bot\n", "bot/gen.go": "//go:build ignore\n\n" + src("main")}, want: []string{"bot: no package comment"}},
		{name: "a licence is no package comment", files: map[string]string{"bot/b.go": "// SPDX-License-Identifier: Apache-2.0\n\npackage bot\n"}, want: []string{"bot: no package comment"}},
		{name: "tests alone need no comment", files: map[string]string{"bot/b_test.go": "package bot\n"}},
		{name: "a long file", files: map[string]string{"bot/b.go": src("bot") + strings.Repeat("\n", 500)}, want: []string{"bot/b.go: 504 lines"}},
		{name: "a file just long enough", files: map[string]string{"bot/b.go": src("bot") + strings.Repeat("\n", 496)}},
		{name: "long, but generated or a test", files: map[string]string{
			"bot/b.go":      src("bot"),
			"bot/g.go":      "// Code generated by stringer. DO NOT EDIT.\n\npackage bot\n" + strings.Repeat("\n", 600),
			"bot/b_test.go": "package bot\n" + strings.Repeat("\n", 600),
		}},
		{name: "every build is read", files: map[string]string{"bot/b_windows.go": "//go:build windows && embedmodel\n\n" + src("bot", "store/s3")}, want: []string{"bot/b_windows.go:6: imports store/s3"}},
		{name: "what the go command leaves out", files: map[string]string{
			"bot/b.go":              src("bot"),
			"bot/testdata/x.go":     src("utils", "cmd/nastavnik"),
			"bot/_old/x.go":         src("utils"),
			".cache/x.go":           src("utils"),
			"bot/_draft.go":         src("utils"),
			"web/node_modules/x.go": src("utils"),
			"tools/go.mod":          "module " + module + "/tools\n",
			"tools/gen/x.go":        src("utils", "cmd/nastavnik"),
		}},
		{name: "a name that only begins like ours", files: map[string]string{"knowledge/k.go": "// Package knowledge.\npackage knowledge\n\nimport _ \"" + module + "-plugins/bot\"\n"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := check(t, tt.files)
			if len(got) != len(tt.want) {
				t.Fatalf("got %d violations, want %d:\n%v", len(got), len(tt.want), got)
			}
			for i, v := range got {
				if !strings.HasPrefix(v.String(), tt.want[i]) {
					t.Errorf("got %q, want it to begin with %q", v, tt.want[i])
				}
			}
		})
	}
}

func TestLoadRefusesWhatIsNotGo(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{"bot/b.go": {Data: []byte("pakage bot\n")}}
	if _, err := archtest.Load(fsys, module); err == nil || !strings.Contains(err.Error(), "bot/b.go:1") {
		t.Errorf("Load: %v, want an error that names bot/b.go:1", err)
	}
}

func check(t *testing.T, files map[string]string) []archtest.Violation {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	packages, err := archtest.Load(fsys, module)
	if err != nil {
		t.Fatal(err)
	}
	return archtest.Check(packages)
}

// src is a documented file of the package name; its imports, packages of this
// module, stand from line 4 on.
func src(name string, imports ...string) string {
	var b strings.Builder
	b.WriteString("// Package " + name + " is an example.\npackage " + name + "\n\n")
	for _, i := range imports {
		b.WriteString("import _ \"" + strings.TrimSuffix(module+"/"+i, "/") + "\"\n")
	}
	if len(imports) == 0 {
		b.WriteString("const X = 1\n")
	}
	return b.String()
}

func one(file, name string, imports ...string) map[string]string {
	return map[string]string{file: src(name, imports...)}
}
