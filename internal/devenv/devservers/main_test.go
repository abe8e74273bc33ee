package main

import (
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
)

// Exec starts what the environment does not name, and passes on how its command
// ended.
func TestExec(t *testing.T) {
	t.Setenv(devenv.EnvPostgres, "postgres://named")
	t.Setenv(devenv.EnvMilvus, "named")
	t.Setenv(devenv.EnvS3, "")
	script := `case $NASTAVNIK_TEST_POSTGRES,$NASTAVNIK_TEST_MILVUS,$NASTAVNIK_TEST_S3 in postgres://named,named,http://*) exit 7 ;; esac`
	var said strings.Builder
	err := run(t.Context(), []string{"exec", "sh", "-c", script}, &said, &said)
	if said.Len() > 0 {
		t.Skip(said.String()) // what it says when a server is missing; under CI that is an error
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 7 {
		t.Errorf("exec: %v, want the command's status 7", err)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"exec"}, {"start"}, {"up", "now"}} {
		if err := run(t.Context(), args, t.Output(), t.Output()); err == nil || !strings.Contains(err.Error(), "usage") {
			t.Errorf("%q: %v, want the usage", args, err)
		}
	}
}
