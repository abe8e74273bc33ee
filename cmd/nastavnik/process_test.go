package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/store/lock"
)

// patience is how long a test waits for what has to come. It decides nothing
// but how soon a broken test ends.
const patience = time.Minute

// eventually waits until ok.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("has not come to pass: %s", what)
		}
	}
}

// screen is what a process has printed so far.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
	seen int // up to where it has been waited for
}

// Write implements io.Writer.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// take looks for a text behind the one found before.
func (s *screen) take(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := strings.Index(s.text.String()[s.seen:], text)
	if i >= 0 {
		s.seen += i + len(text)
	}
	return i >= 0
}

// process is the program in a process of its own.
type process struct {
	t        testing.TB
	name     string
	cmd      *exec.Cmd
	in       io.WriteCloser
	out, err screen
	ended    chan struct{}
}

// start starts the program on a data folder.
func start(t testing.TB, data string, args ...string) *process {
	t.Helper()
	return cli{t: t, data: data}.start(args...)
}

// start starts the program in a process of its own. Its input stays open; the end
// of the test kills it.
func (c cli) start(args ...string) *process {
	t := c.t
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, name: "nastavnik " + strings.Join(args, " "), ended: make(chan struct{})}
	p.cmd = exec.Command(program, c.line(args)...)
	p.cmd.Env = append(append(os.Environ(), c.env...), beProgram+"=1")
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("── %s (%v)\n%s%s", p.name, p.cmd.ProcessState, p.out.String(), p.err.String())
		}
	})
	return p
}

// say types a line.
func (p *process) say(line string) {
	p.t.Helper()
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
}

// sees waits until the texts have been printed, in this order, after what it
// was seen to print before.
func (p *process) sees(texts ...string) {
	p.t.Helper()
	for _, text := range texts {
		eventually(p.t, p.name+" prints «"+text+"»", func() bool { return p.out.take(text) })
	}
}

// kill is kill -9.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// interrupt is Ctrl-C.
func (p *process) interrupt() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatalf("%s: %v", p.name, err)
	}
}

// end closes the input.
func (p *process) end() {
	p.t.Helper()
	if err := p.in.Close(); err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
}

// code waits for the process to end and returns its exit code.
func (p *process) code() int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatalf("%s does not end", p.name)
	}
	return p.cmd.ProcessState.ExitCode()
}

// isBot waits until the process is the bot of the folder.
func (p *process) isBot(data string) {
	p.t.Helper()
	eventually(p.t, p.name+" is the bot", func() bool {
		h, err := lock.Read(data)
		return err == nil && h.PID == p.cmd.Process.Pid
	})
}

// startBot starts nastavnik serve and waits until it is the bot.
func startBot(t testing.TB, data string) *process {
	t.Helper()
	return cli{t: t, data: data}.startBot()
}

// startBot starts nastavnik serve and waits until it is the bot, or one of them.
func (c cli) startBot() *process {
	c.t.Helper()
	p := c.start("serve")
	eventually(c.t, "serve works", func() bool { return p.err.take("Наставник работает") })
	return p
}
