package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
)

// A home is the folder of the developer's servers. A process of its own runs them
// and holds the lock for as long; pid says which, ready what runs, once it answers.
type home string

func (h home) lock() *flock.Flock { return flock.New(h.path("lock")) }

func (h home) path(name string) string { return filepath.Join(string(h), name) }

func developerHome() (home, error) {
	tools, err := devenv.ToolsDir()
	return home(filepath.Join(tools, "run")), err
}

const pointing = `
The bot on them:
  bin/nastavnik migrate up --config configs/production.example.yaml
  bin/nastavnik serve --config configs/production.example.yaml
Stop them, and keep their data in .tools/run: make down
`

// up starts the servers unless they run, and says what runs.
func up(ctx context.Context, out io.Writer) error {
	h, err := developerHome()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(string(h), 0o755); err != nil { //nolint:gosec // PostgreSQL is run by another user than root
		return err
	}
	running, err := h.running()
	if err != nil {
		return err
	}
	if !running {
		if err := h.spawn(ctx); err != nil {
			return err
		}
	}
	ready, err := os.ReadFile(h.path("ready"))
	if err != nil {
		return fmt.Errorf("the servers are being started or stopped, try again in a moment: %w", err)
	}
	_, err = fmt.Fprint(out, string(ready), pointing)
	return err
}

// running says whether the process that runs the servers is there.
func (h home) running() (bool, error) {
	lock := h.lock()
	free, err := lock.TryLock()
	if err != nil {
		return false, fmt.Errorf("look whether the servers run: %w", err)
	}
	return !free, lock.Close()
}

// spawn starts this program again, apart from the terminal, and waits until its
// servers answer.
func (h home) spawn(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.Create(h.path("log"))
	if err != nil {
		return err
	}
	defer log.Close()
	if err := os.RemoveAll(h.path("ready")); err != nil {
		return err
	}
	cmd := exec.Command(self, "serve") //nolint:noctx // it outlives this process on purpose
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = log, log, apart()
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		if _, err := os.Stat(h.path("ready")); err == nil {
			return nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case err := <-ended:
			said, _ := os.ReadFile(h.path("log"))
			return fmt.Errorf("the servers did not start: %w\n%s", err, said)
		case <-ctx.Done():
			return errors.Join(ctx.Err(), cmd.Process.Signal(syscall.SIGTERM))
		}
	}
}

// serve runs the servers until it is told to stop.
func serve(ctx context.Context) error {
	h, err := developerHome()
	if err != nil {
		return err
	}
	lock := h.lock()
	if free, err := lock.TryLock(); err != nil || !free {
		return errors.Join(errors.New("the servers run already"), err)
	}
	defer lock.Close()
	if err := os.WriteFile(h.path("pid"), []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		return err
	}
	set, err := devenv.StartForDeveloper(ctx, string(h))
	if set != nil {
		defer set.Close()
	}
	said := ""
	if devenv.IsMissing(err) {
		said = "not started: " + strings.ReplaceAll(err.Error(), "\n", "\nnot started: ") + "\n"
	} else if err != nil {
		return err
	}
	// Renamed, so that nobody reads half of it.
	if err := os.WriteFile(h.path("ready.part"), []byte(set.String()+"\n"+said), 0o600); err != nil {
		return err
	}
	if err := os.Rename(h.path("ready.part"), h.path("ready")); err != nil {
		return err
	}
	defer os.RemoveAll(h.path("ready"))
	<-ctx.Done()
	return nil
}

// down stops the servers and returns when they are gone.
func down(ctx context.Context, out io.Writer) error {
	h, err := developerHome()
	if err != nil {
		return err
	}
	if _, err := os.Stat(string(h)); err != nil {
		_, err := fmt.Fprintln(out, "nothing runs")
		return err
	}
	running, err := h.running()
	if err != nil {
		return err
	}
	if !running {
		_, err := fmt.Fprintln(out, "nothing runs")
		return err
	}
	// The lock says that the process of this number is ours.
	text, err := os.ReadFile(h.path("pid"))
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", h.path("pid"), err)
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	if err := process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop the servers (process %d): %w", pid, err)
	}
	lock := h.lock()
	if _, err := lock.TryLockContext(ctx, 50*time.Millisecond); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, "stopped; the data stay in "+string(h))
	return errors.Join(err, lock.Close())
}
