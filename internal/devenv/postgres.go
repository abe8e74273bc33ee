package devenv

import (
	"context"
	"crypto/rand"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// postgresPassword is the superuser's on the servers that are started here. It
// guards nothing, but a server that asks for passwords tells a wrong one.
const postgresPassword = "nastavnik"

// postgres is the PostgreSQL server.
func postgres() program {
	return program{
		name:  "postgres",
		ports: 1,
		setup: setupPostgres,
		run:   runPostgres,
		ready: func(ctx context.Context, s *Server) error {
			conn, err := pgx.Connect(ctx, s.DSN)
			if err != nil {
				return err
			}
			return conn.Close(ctx)
		},
		stop: syscall.SIGINT,  // "fast": ends sessions, writes everything
		quit: syscall.SIGQUIT, // "immediate": leaves recovery to the next start, gives shared memory back
	}
}

// postgresFromEnv returns the DSN of a server that runs already, "" for none.
func postgresFromEnv() string {
	if dsn := os.Getenv(EnvPostgres); dsn != "" {
		return dsn
	}
	return os.Getenv("TEST_DATABASE_URL")
}

func (s *Server) postgresData() string { return filepath.Join(s.dir, "data") }

// setupPostgres makes the cluster. PostgreSQL refuses to run as root, so root gives
// the folder to somebody else, and where that one may not read the program, as in a
// home folder of root's, a copy of it too.
func setupPostgres(ctx context.Context, s *Server) error {
	s.DSN = postgresDSN("postgres", postgresPassword, s.Addr, "postgres")
	as, err := unprivileged()
	if err != nil {
		return err
	}
	bin, err := findPostgres()
	if err != nil {
		return err
	}
	if as != nil && !open(bin) {
		if err := copyFor(as, filepath.Dir(bin), s.postgresCopy()); err != nil {
			return fmt.Errorf("copy PostgreSQL to where user %d may run it: %w", as.uid, err)
		}
	}
	if _, err := os.Stat(filepath.Join(s.postgresData(), "PG_VERSION")); err == nil {
		return nil
	}
	password := filepath.Join(s.dir, "password")
	if err := os.WriteFile(password, []byte(postgresPassword), 0o600); err != nil {
		return err
	}
	if as != nil {
		for _, path := range []string{s.dir, password} {
			if err := os.Chown(path, int(as.uid), int(as.gid)); err != nil {
				return err
			}
		}
	}
	initdb := exec.CommandContext(ctx, filepath.Join(s.postgresBin(bin), "initdb"), "--no-sync", "--auth=scram-sha-256", "--pwfile="+password,
		"--username=postgres", "--encoding=UTF8", "--locale="+locale(), "--pgdata="+s.postgresData())
	initdb.Dir, initdb.Env, initdb.SysProcAttr = s.dir, postgresEnv(), runAs(as)
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

func runPostgres(s *Server) command {
	as, _ := unprivileged() // setup has been through both
	bin, _ := findPostgres()
	args := []string{
		"-D", s.postgresData(), "-h", "127.0.0.1", "-p", strconv.Itoa(s.port),
		"-c", "unix_socket_directories=", // a folder's path may be too long for a socket's
		"-c", "max_connections=300",
		// What a killed server leaves in /dev/shm would stay there for ever.
		"-c", "dynamic_shared_memory_type=mmap",
	}
	if s.temporary {
		args = append(args, "-F") // does not wait for the disk: its data survive a kill, not the machine
	}
	return command{
		path: filepath.Join(s.postgresBin(bin), "postgres"),
		args: args,
		env:  postgresEnv(),
		as:   as,
	}
}

func (s *Server) postgresCopy() string { return filepath.Join(s.dir, "pgsql") }

// postgresBin returns the folder of the programs: the server's own copy or bin.
func (s *Server) postgresBin(bin string) string {
	if own := filepath.Join(s.postgresCopy(), "bin"); isDir(own) {
		return own
	}
	return bin
}

// locale returns one that folds Russian letters: plain C leaves Ё as it is. macOS
// has had no C.UTF-8 for long.
func locale() string {
	if runtime.GOOS == "darwin" {
		return "en_US.UTF-8"
	}
	return "C.UTF-8"
}

// postgresEnv is this process's environment without what tells PostgreSQL where
// another server is.
func postgresEnv() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "PG") {
			env = append(env, v)
		}
	}
	return env
}

// open says whether everybody may enter a folder, and all above it.
func open(dir string) bool {
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false
	}
	for {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
		dir = filepath.Dir(dir)
	}
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// copyFor copies a folder for an account unless the copy is there. The account owns
// it, because the server's guardian, which is that account's too, removes it.
func copyFor(as *account, from, to string) error {
	if isDir(to) {
		return nil
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return err
	}
	return filepath.WalkDir(to, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(as.uid), int(as.gid)) //nolint:gosec // nobody else may enter the folder yet
	})
}

func postgresDSN(role, password, addr, database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(role, password), Host: addr, Path: "/" + database, RawQuery: "sslmode=disable"}
	return u.String()
}

// freshDatabase makes a database that is dropped when the test ends, and returns
// its DSN.
func freshDatabase(tb testing.TB, dsn string) string {
	tb.Helper()
	name := "nastavnik_test_" + uniqueName()
	if err := maintain(tb.Context(), dsn, "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		tb.Fatalf("make a database: %v", err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := maintain(ctx, dsn, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			tb.Errorf("drop the test's database: %v", err)
		}
	})
	u, err := url.Parse(dsn)
	if err != nil {
		tb.Fatal("the DSN of the test server is not a URL: postgres://ROLE:PASSWORD@host:port/DATABASE")
	}
	u.Path = "/" + name
	return u.String()
}

// maintain runs one statement in a connection of its own.
func maintain(ctx context.Context, dsn, statement string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

// uniqueName returns letters and digits that no other test has.
func uniqueName() string { return strings.ToLower(rand.Text()) }
