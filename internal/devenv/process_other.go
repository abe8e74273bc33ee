//go:build !unix

package devenv

import (
	"errors"
	"syscall"
)

// A process is a running server. Servers are started on Unix only.
type process struct{}

func spawn(*Server) (*process, error) {
	return nil, missingError{"servers for tests are started on Unix only", "run the tests there, or in WSL"}
}

func (*process) ended() bool { return true }

func (*process) end(syscall.Signal) error { return errors.ErrUnsupported }
