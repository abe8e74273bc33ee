// Devservers installs and runs the servers that production has, for tests and for
// a developer.
//
//	go run ./internal/devenv/devservers install       put what is missing into .tools
//	go run ./internal/devenv/devservers exec CMD …    run a command that finds one set of servers in its environment
//	go run ./internal/devenv/devservers up            start a set that stays, with its data in .tools/run
//	go run ./internal/devenv/devservers down          stop that
//
// A server that is not installed is named and left out, except under CI=true, where
// it is an error. Exec ends with the status of its command, and its servers end
// with it, even if it is killed.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
)

const usage = "usage: devservers install | exec CMD [ARG …] | up | down"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		os.Exit(max(exit.ExitCode(), 1)) // the command has said why
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "devservers:", err)
		os.Exit(1)
	}
}

// run is main with its surroundings as arguments.
func run(ctx context.Context, args []string, out, log io.Writer) error {
	if len(args) == 0 {
		return errors.New(usage)
	}
	command, args := args[0], args[1:]
	if command == "exec" {
		if len(args) == 0 {
			return errors.New(usage)
		}
		return execute(ctx, args, log)
	}
	if len(args) > 0 {
		return errors.New(usage)
	}
	switch command {
	case "install":
		return tolerate(devenv.Install(ctx, log), log)
	case "up":
		return up(ctx, out)
	case "serve": // what up leaves running
		return serve(ctx)
	case "down":
		return down(ctx, out)
	}
	return errors.New(usage)
}

// tolerate makes a warning of an error that servers are missing, except under
// CI=true.
func tolerate(err error, log io.Writer) error {
	ci, _ := strconv.ParseBool(os.Getenv("CI"))
	if err == nil || ci || !devenv.IsMissing(err) {
		return err
	}
	for line := range strings.Lines(err.Error() + "\n") {
		fmt.Fprint(log, "devservers: without it: ", line)
	}
	return nil
}

// execute runs a command beside a set of servers.
func execute(ctx context.Context, args []string, log io.Writer) error {
	set, err := devenv.StartForTests(ctx)
	if set != nil {
		defer set.Close()
	}
	if err := tolerate(err, log); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), set.Env()...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	// It has the interrupt from the terminal too: let it end in its own way.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	return cmd.Run()
}
