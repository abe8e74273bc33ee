package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// event is one line of "go test -json", as "go doc test2json" describes it;
// build-output events carry ImportPath instead of Package.
type event struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Output     string
}

// canary is in every secret that tests give the program (devenv.Canary): where tests
// print it, the program has.
const canary = "c4nary5ecret"

// report gathers the events of one or several "go test" runs, one after another
// on the same stream.
type report struct {
	w    io.Writer
	open map[string]*packageRun // packages that have started and not ended

	packages                int
	passed, failed, skipped int
	brokenPackages          int
	leaks                   []string // "package TestName", of those that printed a canary
	err                     error    // the first error in writing to w
}

// packageRun is what a package has said so far. The output of a test is kept
// until its verdict is known, and dropped if it passes.
type packageRun struct {
	output  strings.Builder             // of the package itself
	verdict string                      // go test's own closing line
	tests   map[string]*strings.Builder // of the tests that have no verdict yet
	skips   []string                    // "TestName: reason", in order
}

func newReport(w io.Writer) *report {
	return &report{w: w, open: map[string]*packageRun{}}
}

// read consumes the stream up to its end. Lines that are not events, such as
// complaints of the go command itself, are passed on as they are.
func (r *report) read(in io.Reader) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			r.line(line)
		}
		if errors.Is(err, io.EOF) {
			return r.err
		}
		if err != nil {
			return fmt.Errorf("read the output of go test: %w", err)
		}
	}
}

func (r *report) line(line []byte) {
	var e event
	if !bytes.HasPrefix(line, []byte("{")) || json.Unmarshal(line, &e) != nil {
		r.print(string(line))
		return
	}
	if strings.Contains(e.Output, canary) {
		r.leaks = append(r.leaks, strings.TrimSpace(e.Package+" "+e.Test))
		e.Output = strings.ReplaceAll(e.Output, canary, "(A SECRET OF THE TESTS)")
	}
	switch {
	case e.Action == "build-output":
		r.print(e.Output)
	case e.Package == "":
		// build-fail: the package that needed the build reports its own failure.
	case e.Test == "":
		r.packageEvent(e)
	default:
		r.testEvent(e)
	}
}

func (r *report) packageEvent(e event) {
	p := r.run(e.Package)
	switch e.Action {
	case "output":
		p.add(e.Output)
	case "pass":
		r.packages++
		r.close(e.Package, p)
	case "skip": // the package has no test files
		r.close(e.Package, p)
	case "fail":
		r.packages++
		r.brokenPackages++
		r.printUnfinished(p)
		r.print(p.output.String())
		r.close(e.Package, p)
	}
}

func (r *report) testEvent(e event) {
	p := r.run(e.Package)
	switch e.Action {
	case "output":
		p.test(e.Test).WriteString(e.Output)
	case "pass":
		r.passed++
		delete(p.tests, e.Test)
	case "fail":
		r.failed++
		r.print(p.test(e.Test).String())
		delete(p.tests, e.Test)
	case "skip":
		r.skipped++
		p.skips = append(p.skips, e.Test+": "+skipReason(p.test(e.Test).String()))
		delete(p.tests, e.Test)
	}
}

// finish prints the closing line and says what makes the run a failure, if
// anything does. With strict set, a skipped test does.
func (r *report) finish(strict bool) error {
	for _, name := range slices.Sorted(maps.Keys(r.open)) {
		r.brokenPackages++
		r.printUnfinished(r.open[name])
		r.print(fmt.Sprintf("FAIL\t%s [go test ended before the package did]\n", name))
	}
	r.print(fmt.Sprintf("%d packages: %d tests passed, %d failed, %d skipped\n",
		r.packages, r.passed, r.failed, r.skipped))
	switch {
	case r.err != nil:
		return fmt.Errorf("write the report: %w", r.err)
	case r.failed > 0 || r.brokenPackages > 0:
		return fmt.Errorf("failed: %d tests, %d packages", r.failed, r.brokenPackages)
	case r.passed+r.skipped == 0:
		return errors.New("no test was run")
	case len(r.leaks) > 0:
		slices.Sort(r.leaks)
		return fmt.Errorf("a secret was printed by %s", strings.Join(slices.Compact(r.leaks), ", "))
	case strict && r.skipped > 0:
		return fmt.Errorf("%d tests were skipped, and with CI=true nothing may be: the reasons stand above", r.skipped)
	}
	return nil
}

func (r *report) run(name string) *packageRun {
	p, ok := r.open[name]
	if !ok {
		p = &packageRun{tests: map[string]*strings.Builder{}}
		r.open[name] = p
	}
	return p
}

func (r *report) close(name string, p *packageRun) {
	r.print(p.verdict)
	for _, s := range p.skips {
		r.print("    --- SKIP: " + s + "\n")
	}
	delete(r.open, name)
}

// printUnfinished shows what the tests without a verdict wrote: a panic, a
// time-out or an os.Exit leaves them so, and the reason is in their output.
func (r *report) printUnfinished(p *packageRun) {
	for _, name := range slices.Sorted(maps.Keys(p.tests)) {
		r.print(p.tests[name].String())
	}
}

func (r *report) print(s string) {
	if _, err := io.WriteString(r.w, s); err != nil && r.err == nil {
		r.err = err
	}
}

// add keeps a line of the package's own output: the verdict apart from the
// rest, without the bare PASS or FAIL that go test prints before it.
func (p *packageRun) add(line string) {
	switch {
	case line == "PASS\n" || line == "FAIL\n":
	case isVerdict(line):
		p.verdict = line
	default:
		p.output.WriteString(line)
	}
}

func (p *packageRun) test(name string) *strings.Builder {
	b, ok := p.tests[name]
	if !ok {
		b = &strings.Builder{}
		p.tests[name] = b
	}
	return b
}

// isVerdict recognises the line that "go test" closes a package with.
func isVerdict(line string) bool {
	for _, prefix := range []string{"ok  \t", "FAIL\t", "?   \t"} {
		if strings.HasPrefix(line, prefix) {
			return true
		}
	}
	// A package without tests, run with -cover.
	return strings.HasPrefix(line, "\t") && strings.Contains(line, "\tcoverage: ")
}

// skipReason finds the text given to t.Skip in the output of a skipped test:
// whatever is not a line of go test's own.
func skipReason(output string) string {
	var said []string
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, "--- ") {
			said = append(said, line)
		}
	}
	if len(said) == 0 {
		return "no reason given"
	}
	return strings.Join(said, " ")
}
