//go:build !unix

package devenv

import (
	"errors"
	"syscall"
)

// A process is a running server. Servers are started on Unix only.
type process struct{}

func spawn(*Server) (*process, error) {
	return nil, missingError{what: "servers for tests are started on Unix only", remedy: "run the tests there, or in WSL", forever: true}
}

func (*process) ended() bool { return true }

func (*process) end(syscall.Signal) error { return errors.ErrUnsupported }

func unprivileged() (*account, error) { return nil, nil }

func runAs(*account) *syscall.SysProcAttr { return nil }
