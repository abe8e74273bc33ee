package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
)

// The module below goes through the real "go test -json", so that the tests
// hold for what the go command prints and not for what we believe it prints.
var fixture = map[string]string{
	"go.mod":              "module example.com/fixture\n\ngo 1.26\n",
	"good/good_test.go":   "package good\n\nimport \"testing\"\n\nfunc TestGood(t *testing.T) { t.Log(\"chatter\") }\n",
	"bad/bad_test.go":     "package bad\n\nimport \"testing\"\n\nfunc TestBad(t *testing.T) { t.Run(\"inner\", func(t *testing.T) { t.Error(\"two is not one\") }) }\n",
	"lazy/lazy_test.go":   "package lazy\n\nimport \"testing\"\n\nfunc TestLazy(t *testing.T) { t.Skip(\"no server: run make server\") }\nfunc TestBusy(t *testing.T) {}\n",
	"panics/p_test.go":    "package panics\n\nimport \"testing\"\n\nfunc TestPanics(t *testing.T) { panic(\"the roof is on fire\") }\n",
	"exits/e_test.go":     "package exits\n\nimport (\n\t\"fmt\"\n\t\"os\"\n\t\"testing\"\n)\n\nfunc TestExits(t *testing.T) { fmt.Println(\"leaving early\"); os.Exit(3) }\n",
	"broken/b_test.go":    "package broken\n\nimport \"testing\"\n\nfunc TestBroken(t *testing.T) { undefinedName() }\n",
	"untested/package.go": "// Package untested has no tests.\npackage untested\n",
}

// goTest runs "go test -json" over packages of the fixture and returns its
// output; that go test itself fails is part of what is tested.
func goTest(t *testing.T, packages ...string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range fixture {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"test", "-json"}, packages...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	out, err := cmd.Output()
	if exit := new(exec.ExitError); err != nil && (!errors.As(err, &exit) || errors.Is(err, context.Canceled)) {
		t.Fatalf("go test: %v", err)
	}
	return string(out)
}

func TestReportOnGoTest(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		packages []string
		strict   bool
		wantErr  string // "" for success
		want     []string
		wantNot  []string
	}{
		{
			name: "success is one line a package", packages: []string{"./good", "./untested"}, strict: true,
			want:    []string{"ok  \texample.com/fixture/good\t", "?   \texample.com/fixture/untested\t[no test files]", "1 packages: 1 tests passed, 0 failed, 0 skipped"},
			wantNot: []string{"chatter", "=== RUN", "PASS"},
		},
		{
			name: "a failure is shown in full", packages: []string{"./good", "./bad"},
			wantErr: "failed: 2 tests, 1 packages",
			want:    []string{"two is not one", "--- FAIL: TestBad/inner", "FAIL\texample.com/fixture/bad\t", "ok  \texample.com/fixture/good\t"},
			wantNot: []string{"chatter"},
		},
		{
			name: "a skip is told", packages: []string{"./lazy"},
			want: []string{"--- SKIP: TestLazy: lazy_test.go:5: no server: run make server", "1 tests passed, 0 failed, 1 skipped"},
		},
		{
			name: "a skip fails under CI", packages: []string{"./lazy", "./good"}, strict: true,
			wantErr: "1 tests were skipped",
			want:    []string{"--- SKIP: TestLazy"},
		},
		{name: "a panic is shown", packages: []string{"./panics"}, wantErr: "failed", want: []string{"the roof is on fire", "goroutine "}},
		{name: "an exit is shown", packages: []string{"./exits"}, wantErr: "failed", want: []string{"leaving early", "FAIL\texample.com/fixture/exits"}},
		{name: "a build failure is shown", packages: []string{"./broken", "./good"}, wantErr: "failed: 0 tests, 1 packages", want: []string{"undefined: undefinedName", "[build failed]"}},
		{name: "nothing tested is a failure", packages: []string{"./untested"}, wantErr: "no test was run"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			r := newReport(&out)
			if err := r.read(strings.NewReader(goTest(t, tt.packages...))); err != nil {
				t.Fatal(err)
			}
			checkError(t, r.finish(tt.strict), tt.wantErr)
			for _, want := range tt.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("the report lacks %q:\n%s", want, out.String())
				}
			}
			for _, not := range tt.wantNot {
				if strings.Contains(out.String(), not) {
					t.Errorf("the report has %q, which nobody needs:\n%s", not, out.String())
				}
			}
		})
	}
}

func TestReportOnBrokenStreams(t *testing.T) {
	t.Parallel()
	const started = `{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestSlow"}
{"Action":"output","Package":"p","Test":"TestSlow","Output":"waiting for the moon\n"}
`
	tests := []struct{ name, stream, wantErr, want string }{
		{"empty", "", "no test was run", "0 packages"},
		{"cut short", started, "failed: 0 tests, 1 packages", "waiting for the moon\nFAIL\tp [go test ended before the package did]"},
		{"not JSON", "go: cannot find main module\n", "no test was run", "go: cannot find main module\n"},
		{"JSON cut short", started + `{"Action":"pa`, "failed", `{"Action":"pa`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			r := newReport(&out)
			if err := r.read(strings.NewReader(tt.stream)); err != nil {
				t.Fatal(err)
			}
			checkError(t, r.finish(false), tt.wantErr)
			if !strings.Contains(out.String(), tt.want) {
				t.Errorf("the report lacks %q:\n%s", tt.want, out.String())
			}
		})
	}
}

func checkError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("finish: %v", err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("finish: %v, want an error with %q", err, want)
	}
}

// Several runs on one stream may name a package twice, and a report must not
// lose the first verdict to the second.
func TestReportTwoRuns(t *testing.T) {
	t.Parallel()
	const (
		fails  = `{"Action":"start","Package":"p"}` + "\n" + `{"Action":"fail","Package":"p","Test":"TestA"}` + "\n" + `{"Action":"fail","Package":"p"}` + "\n"
		passes = `{"Action":"start","Package":"p"}` + "\n" + `{"Action":"pass","Package":"p","Test":"TestA"}` + "\n" + `{"Action":"pass","Package":"p"}` + "\n"
	)
	var out strings.Builder
	r := newReport(&out)
	if err := r.read(strings.NewReader(fails + passes)); err != nil {
		t.Fatal(err)
	}
	checkError(t, r.finish(false), "failed: 1 tests, 1 packages")
}

// A test that passes fails the run, too, if the program has let it print a secret.
func TestReportOnSecrets(t *testing.T) {
	t.Parallel()
	if canary != devenv.Canary {
		t.Fatalf("noskip looks for %q, tests have %q", canary, devenv.Canary)
	}
	for _, in := range []string{`"Test":"TestA",`, ``} {
		stream := `{"Action":"start","Package":"p"}
{"Action":"output","Package":"p",` + in + `"Output":"xoxb-` + devenv.Canary + `x7\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p"}
`
		var out strings.Builder
		r := newReport(&out)
		if err := r.read(strings.NewReader(stream)); err != nil {
			t.Fatal(err)
		}
		checkError(t, r.finish(false), "a secret was printed by p")
		if strings.Contains(out.String(), devenv.Canary) {
			t.Error("the report prints it once more")
		}
	}
}

func FuzzReport(f *testing.F) {
	f.Add(`{"Action":"output","Package":"p","Test":"T","Output":"x\n"}` + "\n" + `{"Action":"skip","Package":"p","Test":"T"}` + "\n")
	f.Add("{}\n{\"Action\":\"fail\"}\n")
	f.Fuzz(func(t *testing.T, stream string) {
		r := newReport(&strings.Builder{})
		if err := r.read(strings.NewReader(stream)); err != nil {
			t.Fatal(err)
		}
		if r.finish(true) == nil && (r.passed == 0 || r.failed > 0 || r.skipped > 0 || len(r.leaks) > 0) {
			t.Fatalf("a good report of %d passed, %d failed, %d skipped", r.passed, r.failed, r.skipped)
		}
	})
}
