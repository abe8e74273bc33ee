// Noskip reads what "go test -json" prints and shows what a person wants of it:
// one line for each package, the whole output of whatever failed, the reason of
// everything that was skipped, and one closing line. Under CI=true a skipped test
// fails the run, because a check that quietly does not happen looks like a check
// that passed.
//
//	go test -json ./... | go run ./internal/noskip
//
// It ends with status 1 when a test failed, when nothing was tested, when the
// stream ends before a package does, when CI is true and a test was skipped, or when
// a test, even one that passed, has printed a secret of those that tests give the
// program.
package main

import (
	"fmt"
	"os"
	"strconv"
)

func main() {
	// Anything that is not a boolean means that CI is not set.
	strict, _ := strconv.ParseBool(os.Getenv("CI"))
	r := newReport(os.Stdout)
	if err := r.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "noskip:", err)
		os.Exit(1)
	}
	if err := r.finish(strict); err != nil {
		fmt.Fprintln(os.Stderr, "noskip:", err)
		os.Exit(1)
	}
}
