// Package readmetest runs what the README tells people to run: a command that
// does not work is worse than none.
package readmetest

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
)

const (
	root = "../.."
	// mayNotRun is how many blocks of a README may be marked no-run: those that
	// set up a whole machine.
	mayNotRun = 1
	// patience is how long a block may take.
	patience = 3 * time.Minute
)

// block is one fenced block of shell commands.
type block struct {
	line  int
	noRun bool
	text  string
}

// blocks returns the ```sh blocks of a document. A block whose info string has
// no-run is there to be read.
func blocks(document string) ([]block, error) {
	var out []block
	inside := ""
	for i, line := range strings.Split(document, "\n") {
		info, fence := strings.CutPrefix(line, "```")
		words := strings.Fields(info)
		switch {
		case fence && inside == "":
			inside = "other"
			if len(words) > 0 && (words[0] == "sh" || words[0] == "bash" || words[0] == "shell") {
				inside = "sh"
				out = append(out, block{line: i + 1, noRun: slices.Contains(words, "no-run")})
			}
		case fence:
			inside = ""
		case inside == "sh":
			out[len(out)-1].text += line + "\n"
		}
	}
	if inside != "" {
		return nil, fmt.Errorf("a block is not closed")
	}
	return out, nil
}

func TestBlocks(t *testing.T) {
	got, err := blocks("text\n```sh no-run\nmake demo\n```\n```text\n$ ls\n```\n```sh\na\nb\n```\n")
	want := []block{{line: 2, noRun: true, text: "make demo\n"}, {line: 8, text: "a\nb\n"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := blocks("```sh\nls\n"); err == nil {
		t.Error("an open block is no error")
	}
}

func TestCommandsOfTheREADMEs(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "nastavnik")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", program, "./cmd/nastavnik")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, name := range []string{"README.md", "README.ru.md"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(filepath.Join(root, name))
			if err != nil {
				t.Fatal(err)
			}
			all, err := blocks(string(text))
			if err != nil {
				t.Fatal(err)
			}
			dir := checkout(t, program)
			run, left := 0, 0
			for _, b := range all {
				if b.noRun {
					left++
					continue
				}
				run++
				runBlock(t, dir, fmt.Sprintf("%s:%d", name, b.line), b.text)
			}
			if run == 0 || left > mayNotRun {
				t.Errorf("%d blocks were run, %d are marked no-run, at most %d may be", run, left, mayNotRun)
			}
		})
	}
}

// checkout is a folder like the repository's root, for commands to leave their
// files in: everything is there by a link, and bin/nastavnik is built.
func checkout(t *testing.T, program string) string {
	t.Helper()
	dir := t.TempDir()
	from, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"configs", "docs", "Makefile", "go.mod", "README.md"} {
		if err := os.Symlink(filepath.Join(from, name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program, filepath.Join(dir, "bin", "nastavnik")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// makeLine is a line that calls make, with its targets.
var makeLine = regexp.MustCompile(`^\s*make((?:\s+[a-z][a-z-]*)+)`)

// runBlock runs a block as a person would paste it. Lines that call make are not
// run: their targets must exist, which TestMakeTargets checks, and what make
// build leaves is there.
func runBlock(t *testing.T, dir, place, text string) {
	t.Helper()
	var lines []string
	for line := range strings.Lines(text) {
		if !makeLine.MatchString(line) {
			lines = append(lines, line)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", strings.Join(lines, ""))
	cmd.Dir = dir
	// By words only: the commands are the matter here, not the weights.
	cmd.Env = append(os.Environ(), "NASTAVNIK_MODEL_OFF=true")
	if strings.Contains(text, "production.example.yaml") {
		cmd.Env = append(cmd.Env, servers(t)...)
	}
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		t.Fatalf("%s does not end; a command that stays open belongs into a pipe, or into a block marked no-run\n%s", place, out)
	}
	if err != nil {
		t.Errorf("%s: %v\n%s\n%s", place, err, text, out)
	}
}

// servers sets, in place of those that make up starts, real ones of the test's own.
func servers(t *testing.T) []string {
	t.Helper()
	dsn, bucket := devenv.Postgres(t), devenv.S3(t)
	return []string{
		"NASTAVNIK_POSTGRES_DSN=" + dsn, "NASTAVNIK_POSTGRES_OWNER=" + dsn, "NASTAVNIK_MILVUS_ADDRESS=" + devenv.Milvus(t),
		"NASTAVNIK_S3_ENDPOINT=" + bucket.Endpoint, "NASTAVNIK_S3_BUCKET=" + bucket.Bucket, "NASTAVNIK_S3_REGION=" + bucket.Region,
		"NASTAVNIK_S3_KEY=" + bucket.AccessKey, "NASTAVNIK_S3_SECRET=" + bucket.SecretKey, "NASTAVNIK_HTTP_LISTEN=",
	}
}

// TestMakeTargets checks that every make target that a document names exists.
func TestMakeTargets(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	targets := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z][a-z-]*):`).FindAllStringSubmatch(string(makefile), -1) {
		targets[m[1]] = true
	}
	for _, need := range []string{"help", "deps", "build", "demo", "test", "model", "bench", "eval", "chaos-long"} {
		if !targets[need] {
			t.Errorf("the Makefile has no target %s", need)
		}
	}
	named := regexp.MustCompile("(?m)(?:`|^)make ([a-z][a-z-]*)")
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != root && strings.HasPrefix(entry.Name(), ".") {
			return fs.SkipDir
		}
		if filepath.Ext(path) != ".md" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range named.FindAllStringSubmatch(string(text), -1) {
			if !targets[m[1]] {
				t.Errorf("%s names make %s, which the Makefile has not", path, m[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestLinks checks that the files that the documents point to exist.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#\s]+)(?:#[^)]*)?\)`)
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md"} {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range link.FindAllStringSubmatch(string(text), -1) {
				if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
					continue
				}
				if _, err := os.Stat(filepath.Join(filepath.Dir(path), m[1])); err != nil {
					t.Errorf("%s points to %s, which is not there", path, m[1])
				}
			}
		}
	}
}
