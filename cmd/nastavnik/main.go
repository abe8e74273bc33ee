// Command nastavnik is the answer bot, its command line and its tools, in one
// binary.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// version is stamped by the build.
var version = "devel"

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr})
	stop()
	os.Exit(code)
}

// run executes the command line and returns the exit code: 0 done, 1 failed,
// 2 wrong usage.
func run(ctx context.Context, args []string, std streams) int {
	return (&app{std: std, environ: os.Environ()}).run(ctx, args)
}

func (a *app) run(ctx context.Context, args []string) int {
	root := newRoot(a) //nolint:contextcheck // cobra hands the context to each command
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	_, _ = fmt.Fprintln(a.std.err, "nastavnik: "+explain(err))
	if usage := (usageError{}); errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}
