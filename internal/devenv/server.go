package devenv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startTimeout is how long a server may take from its start to its first answer:
// a machine that compiles on all its cores meanwhile is slow.
const startTimeout = 2 * time.Minute

// attemptTimeout is how long one question whether it is ready may take: a Milvus
// that was killed thinks about its first collection for several seconds.
const attemptTimeout = 30 * time.Second

// A program is one kind of server.
type program struct {
	name  string
	ports int // how many it listens on, in a row

	// setup makes whatever the server needs in its folder. It is called before
	// every start and leaves what is there alone.
	setup func(ctx context.Context, s *Server) error
	run   func(s *Server) command
	// ready returns nil when the server does what its clients will ask of it.
	ready func(ctx context.Context, s *Server) error

	stop syscall.Signal // asks it to end in good order
	quit syscall.Signal // ends it when its data will never be needed again
}

// A command is what is run, and as whom.
type command struct {
	path string
	args []string
	env  []string
	as   *account // nil: as whoever runs this process
	// litter are the files that it leaves outside its folder, @ for the number of
	// its process; no spaces.
	litter []string
}

// An account is a user of the system.
type account struct{ uid, gid uint32 }

// A Server is a server of a test's own, or of a developer's machine.
type Server struct {
	Addr string // host:port
	DSN  string // PostgreSQL: of a superuser on the maintenance database; else ""
	S3   Bucket // S3: how to reach it, with no bucket named; else empty

	program   program
	tb        testing.TB // of a private server
	dir       string
	temporary bool // the folder goes when the server ends for good
	port      int  // the first of its ports
	release   func()
	process   *process
}

// Kill ends the server at once, as a crash or a lost machine would. Its data stay
// for Start.
func (s *Server) Kill() {
	s.tb.Helper()
	if err := s.end(syscall.SIGKILL); err != nil {
		s.tb.Fatalf("kill %s: %v", s.program.name, err)
	}
}

// Stop ends the server in good order. Its data stay for Start.
func (s *Server) Stop() {
	s.tb.Helper()
	if err := s.end(s.program.stop); err != nil {
		s.tb.Fatalf("stop %s: %v", s.program.name, err)
	}
}

// Start starts the server again after Kill or Stop, on the same port and data, and
// returns when it answers.
func (s *Server) Start() {
	s.tb.Helper()
	if err := s.start(s.tb.Context()); err != nil {
		s.tb.Fatal(err)
	}
}

// Wipe ends the server, forgets its data, and starts it again on the same port.
func (s *Server) Wipe() {
	s.tb.Helper()
	s.Kill()
	entries, err := os.ReadDir(s.dir)
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(s.dir, e.Name())))
	}
	if err != nil {
		s.tb.Fatalf("wipe %s: %v", s.program.name, err)
	}
	s.Start()
}

// launchTemporary starts a server in a folder of its own that goes with it.
func launchTemporary(ctx context.Context, p program) (*Server, error) {
	port, release, err := reservePorts(p.ports)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	dir, err := os.MkdirTemp("", "nastavnik-"+p.name+"-")
	if err != nil {
		release()
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	s := &Server{program: p, dir: dir, temporary: true, port: port, release: release}
	if err := s.start(ctx); err != nil {
		s.discard()
		return nil, err
	}
	return s, nil
}

// launchIn starts a server whose data stay in dir, on a port that was chosen.
func launchIn(ctx context.Context, p program, dir string, port int) (*Server, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	if !portsFree(port, p.ports) {
		return nil, fmt.Errorf("start %s: something listens on one of the ports %d to %d already", p.name, port, port+p.ports-1)
	}
	s := &Server{program: p, dir: dir, port: port, release: func() {}}
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Server) logPath() string { return filepath.Join(s.dir, "log") }

// start runs the server until it is ready, and again when it ends before: after a
// kill a database may find the last of its old processes still ending.
func (s *Server) start(ctx context.Context) error {
	if s.process != nil {
		return fmt.Errorf("start %s: it runs already", s.program.name)
	}
	s.Addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port))
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	err := s.program.setup(ctx, s)
	for try := 0; err == nil && try < 3; try++ {
		if s.process, err = spawn(s); err != nil {
			break
		}
		if err = s.await(ctx); err == nil {
			return nil
		}
		ended := errors.Is(err, errEnded)
		_ = s.end(s.program.quit)
		if !ended {
			break
		}
		err = nil
		time.Sleep(500 * time.Millisecond)
	}
	if err == nil {
		err = fmt.Errorf("%w\n%s", errEnded, lastLines(s.logPath(), 20))
	}
	return fmt.Errorf("start %s: %w", s.program.name, err)
}

var errEnded = errors.New("the server ended by itself")

// await returns when the server is ready.
func (s *Server) await(ctx context.Context) error {
	for {
		if s.process.ended() {
			return errEnded
		}
		attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
		err := s.program.ready(attempt, s)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w\n%s", errors.Join(err, ctx.Err()), lastLines(s.logPath(), 20))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// end ends the server by a signal and waits until it is gone.
func (s *Server) end(signal syscall.Signal) error {
	if s.process == nil {
		return nil
	}
	err := s.process.end(signal)
	s.process = nil
	return err
}

// discard ends the server for good.
func (s *Server) discard() {
	_ = s.end(s.program.quit)
	if s.temporary {
		_ = os.RemoveAll(s.dir)
	}
	s.release()
}

// lastLines returns the end of a server's log.
func lastLines(path string, n int) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return lastOf(strings.TrimSpace(string(text)), n)
}

// lastOf returns the last n lines of a text.
func lastOf(text string, n int) string {
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
