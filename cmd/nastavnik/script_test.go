package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// TestScripts runs the transcripts in testdata/cli. A transcript is a txtar
// archive: its files are what the commands read, its comment is a session:
//
//	$ nastavnik question list --json < file     a command on the transcript's data folder
//	> [                                         what it printed,
//	! nastavnik: вопроса "x" нет                what it said on standard error,
//	= 2                                         its exit code, when that is not 0
//
// Everything else in the comment is for the reader. Commands run with words
// only; times, scores and paths are replaced by words in angle brackets. With
// -update the outputs are rewritten from what the commands do now.
func TestScripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/cli/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) { runScript(t, path) })
	}
}

// aboutTables is the transcript that begins where nobody has been.
const aboutTables = "migrate"

func runScript(t *testing.T, path string) {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := script{t: t, dir: t.TempDir()}
	if strings.TrimSuffix(filepath.Base(path), ".txtar") != aboutTables {
		s.cli().migrated()
	}
	for _, f := range archive.Files {
		if err := os.WriteFile(filepath.Join(s.dir, f.Name), f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(s.dir)
	want := string(archive.Comment)
	got := s.play(want)
	if *update {
		archive.Comment = []byte(got)
		if err := os.WriteFile(golden, txtar.Format(archive), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("the session goes otherwise (-transcript +now; go test -run Scripts -update rewrites it):\n%s", diff)
	}
}

// script is a transcript that is being played.
type script struct {
	t   *testing.T
	dir string
}

// cli runs the transcript's commands.
func (s script) cli() cli { return cli{t: s.t, data: filepath.Join(s.dir, "data")} }

// play runs the commands of a session and returns it with their present output.
func (s script) play(session string) string {
	var out strings.Builder
	for line := range strings.SplitSeq(strings.TrimSuffix(session, "\n"), "\n") {
		switch {
		case strings.HasPrefix(line, "$ "):
			out.WriteString(line + "\n" + s.command(line[2:]))
		case strings.HasPrefix(line, "> "), strings.HasPrefix(line, "! "), strings.HasPrefix(line, "= "), line == ">", line == "!":
			// the output of before
		default:
			out.WriteString(line + "\n")
		}
	}
	return out.String()
}

// command runs one line and returns its output as the transcript has it.
func (s script) command(line string) string {
	line, input, _ := strings.Cut(line, " < ")
	words := split(s.t, line)
	if len(words) == 0 || words[0] != "nastavnik" {
		s.t.Fatalf("not a command of the transcript: %s", line)
	}
	in := ""
	if input != "" {
		b, err := os.ReadFile(strings.TrimSpace(input))
		if err != nil {
			s.t.Fatal(err)
		}
		in = string(b)
	}
	r := s.cli().read(in, words[1:]...)
	text := prefixed("> ", s.stable(r.out)) + prefixed("! ", s.stable(r.err))
	if r.code != 0 {
		text += fmt.Sprintf("= %d\n", r.code)
	}
	return text
}

// What differs from run to run, and from machine to machine.
var (
	timestamps = regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z`)
	minutes    = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d`)
	daysOf     = regexp.MustCompile(`бновлено \d+ [а-я]+`)
	scores     = regexp.MustCompile(`("score"|"confidence"): [0-9.e-]+`)
	codes      = regexp.MustCompile(`(/start |"code": ")[A-Za-z0-9_-]{32}`)
	spans      = regexp.MustCompile(`за \d+(\.\d+)?m?s\.`)
)

func (s script) stable(text string) string {
	text = strings.ReplaceAll(text, s.dir, "<папка>")
	text = timestamps.ReplaceAllString(text, "<время>")
	text = minutes.ReplaceAllString(text, "<день и час>")
	text = daysOf.ReplaceAllString(text, "бновлено <день>")
	text = scores.ReplaceAllString(text, "$1: <число>")
	text = codes.ReplaceAllString(text, "$1<код>")
	return spans.ReplaceAllString(text, "за <срок>.")
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	var out strings.Builder
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		out.WriteString(strings.TrimRight(prefix+line, " ") + "\n")
	}
	return out.String()
}

// split cuts a line into words as a shell does, as far as transcripts need it:
// at spaces, except inside "…" and '…'.
func split(t *testing.T, line string) []string {
	var words []string
	var word strings.Builder
	quote, open := rune(0), false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, open = r, true
		case r == ' ':
			if open || word.Len() > 0 {
				words = append(words, word.String())
			}
			word.Reset()
			open = false
		default:
			word.WriteRune(r)
		}
	}
	if quote != 0 {
		t.Fatalf("a quote is left open: %s", line)
	}
	if open || word.Len() > 0 {
		words = append(words, word.String())
	}
	return words
}
