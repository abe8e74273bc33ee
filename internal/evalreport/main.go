// Evalreport reads what "nastavnik eval --json" printed for the evaluation sets
// and prints one table: each figure that the project has set itself a target for,
// its 95 % interval, the target, and whether it is reached.
//
//	go run ./internal/evalreport DIR
//
// DIR holds one file for each run: SET.json, SET_KIND.json for the same questions
// typed badly, SET_leave_one_out.json and SET_replay.json. Runs that are not there
// are named. The status is 0 also where targets are missed: the table is to be read.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: evalreport DIR")
		os.Exit(2)
	}
	runs, err := readRuns(os.DirFS(os.Args[1]))
	if err == nil {
		err = write(os.Stdout, targets(), runs)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "evalreport:", err)
		os.Exit(1)
	}
}
