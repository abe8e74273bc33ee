//go:build unix

package devenv

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// guardian is what every server is started through. It becomes the server, and
// leaves a shell behind that reads from a pipe of which the process that started
// the server holds the other end: when that process is gone, however it went, the
// read ends and the shell ends the server and removes its folder, if it is
// temporary, and its litter. So nothing depends on a test ending well, on any system.
const guardian = `
quit=$1 folder=$2 litter=$3
shift 3
exec 3<&0 </dev/null
{
	read -r _ <&3
	kill -s "$quit" $$
	i=0
	while kill -0 $$ && [ $i -lt 50 ]; do
		sleep 0.1
		i=$((i + 1))
	done
	kill -s KILL $$
	rm -f $(printf '%s' "$litter" | sed "s/@/$$/")
	[ -z "$folder" ] || rm -rf "$folder" || { sleep 1; rm -rf "$folder"; }
} >/dev/null 2>&1 &
exec "$@" 3<&-
`

// A process is a running server and its guardian, which form a process group.
type process struct {
	pid      int
	lifeline *os.File // the pipe's end that the guardian waits for
	litter   []string
	gone     bool
}

// spawn starts a server. No goroutine of this process waits for it, so that tests
// which look for leaked goroutines find none.
func spawn(s *Server) (*process, error) {
	c := s.program.run(s)
	log, err := os.OpenFile(s.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer read.Close()

	folder := ""
	if s.temporary {
		folder = s.dir
	}
	sys := runAs(c.as)
	sys.Setpgid = true
	args := append([]string{"sh", "-c", guardian, "sh", signalName(s.program.quit), folder, strings.Join(c.litter, " "), c.path}, c.args...)
	p, err := os.StartProcess("/bin/sh", args, &os.ProcAttr{
		Dir:   s.dir,
		Env:   c.env,
		Files: []*os.File{read, log, log},
		Sys:   sys,
	})
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	pid := p.Pid
	_ = p.Release()
	return &process{pid: pid, lifeline: write, litter: c.litter}, nil
}

func signalName(s syscall.Signal) string {
	switch s {
	case syscall.SIGQUIT:
		return "QUIT"
	case syscall.SIGTERM:
		return "TERM"
	case syscall.SIGINT:
		return "INT"
	default:
		return "KILL"
	}
}

// ended says whether the server is gone.
func (p *process) ended() bool {
	if p.gone {
		return true
	}
	got, err := syscall.Wait4(p.pid, nil, syscall.WNOHANG, nil)
	p.gone = got == p.pid || errors.Is(err, syscall.ECHILD)
	return p.gone
}

// end sends the server a signal, waits until it is gone, by force after ten
// seconds, and ends its guardian.
func (p *process) end(signal syscall.Signal) error {
	var err error
	if !p.ended() {
		err = syscall.Kill(p.pid, signal)
	}
	for deadline := time.Now().Add(10 * time.Second); !p.ended(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			err = syscall.Kill(p.pid, syscall.SIGKILL)
			deadline = deadline.Add(time.Hour)
		}
	}
	_ = syscall.Kill(-p.pid, syscall.SIGKILL) // the guardian, which keeps the group's number taken
	_ = p.lifeline.Close()
	for _, path := range p.litter {
		_ = os.Remove(strings.ReplaceAll(path, "@", strconv.Itoa(p.pid)))
	}
	return err
}

// unprivileged returns whom to run a server as that refuses root, nil where this
// process is not root's.
func unprivileged() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			continue
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			continue
		}
		return &account{uint32(uid), uint32(gid)}, nil
	}
	return nil, fmt.Errorf("this runs as root, and there is neither a user postgres nor nobody to run the server as")
}

// runAs makes a new process that of an account.
func runAs(as *account) *syscall.SysProcAttr {
	if as == nil {
		return &syscall.SysProcAttr{}
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: as.uid, Gid: as.gid}}
}
