// Package devenv gives tests the real servers that production has: PostgreSQL,
// Milvus and an S3 server, each started on a free loopback port of this machine.
//
// A test asks for what it needs and is skipped, with the way to get it, where a
// server is not installed; under CI=true it fails instead:
//
//	dsn := devenv.Postgres(t)   // a database of its own on a shared server
//	addr := devenv.Milvus(t)    // a shared server: name collections uniquely
//	bucket := devenv.S3(t)      // a bucket of its own on a shared server
//	server := devenv.PrivatePostgres(t) // a server that the test may kill
//
// The shared servers are those that the environment names, see Env; where it
// names none, each test process starts its own when it is first asked. Either
// way they end with the process that started them, even if that is killed.
package devenv

import (
	"context"
	"errors"
	"os"
	"strconv"
	"sync"
	"testing"
)

// The variables that name the servers a whole test run shares.
const (
	EnvPostgres = "NASTAVNIK_TEST_POSTGRES" // the DSN of a superuser on the maintenance database
	EnvMilvus   = "NASTAVNIK_TEST_MILVUS"   // host:port
	EnvS3       = "NASTAVNIK_TEST_S3"       // http://ACCESS_KEY:SECRET_KEY@host:port?region=REGION
)

// Canary is in every token and secret of the chat platforms that tests give the
// program: it may be found in nothing that the program writes. The report on a run of
// the tests looks for it in all that they print.
const Canary = "c4nary5ecret"

// shared are the servers of this process that its tests share. They outlive any
// one test, so nothing smaller than the process can own them.
//
//nolint:gochecknoglobals // each is started at most once a process and never changes after that
var shared = struct{ postgres, milvus, s3 func() (*Server, error) }{
	postgres: sync.OnceValues(func() (*Server, error) { return launchTemporary(context.Background(), postgres()) }),
	milvus:   sync.OnceValues(func() (*Server, error) { return launchTemporary(context.Background(), milvus(milvusPatience)) }),
	s3:       sync.OnceValues(func() (*Server, error) { return launchTemporary(context.Background(), s3()) }),
}

// Postgres returns the DSN of a superuser on a fresh, empty database (UTF-8,
// C.UTF-8), which is dropped when the test ends.
func Postgres(tb testing.TB) string {
	tb.Helper()
	dsn := postgresFromEnv()
	if dsn == "" {
		server, err := shared.postgres()
		if err != nil {
			unavailable(tb, err)
		}
		dsn = server.DSN
	}
	return freshDatabase(tb, dsn)
}

// Milvus returns the gRPC address, host:port, of a real Milvus that answers
// searches. Other tests use it too: give collections names of their own and drop
// them.
func Milvus(tb testing.TB) string {
	tb.Helper()
	if addr := os.Getenv(EnvMilvus); addr != "" {
		return addr
	}
	server, err := shared.milvus()
	if err != nil {
		unavailable(tb, err)
	}
	return server.Addr
}

// S3 returns a fresh, empty bucket, which is removed when the test ends.
func S3(tb testing.TB) Bucket {
	tb.Helper()
	if url := os.Getenv(EnvS3); url != "" {
		access, err := parseS3(url)
		if err != nil {
			tb.Fatalf("%s: %v", EnvS3, err)
		}
		return freshBucket(tb, access)
	}
	server, err := shared.s3()
	if err != nil {
		unavailable(tb, err)
	}
	return freshBucket(tb, server.S3)
}

// PrivatePostgres starts a server that this test alone uses, until it ends.
func PrivatePostgres(tb testing.TB) *Server { tb.Helper(); return private(tb, postgres()) }

// PrivateMilvus starts a server that this test alone uses, until it ends. It takes
// several seconds and a quarter of a gigabyte of memory.
func PrivateMilvus(tb testing.TB) *Server { tb.Helper(); return private(tb, milvus(milvusOblivious)) }

// PrivateS3 starts a server that this test alone uses, until it ends.
func PrivateS3(tb testing.TB) *Server { tb.Helper(); return private(tb, s3()) }

func private(tb testing.TB, p program) *Server {
	tb.Helper()
	server, err := launchTemporary(tb.Context(), p)
	if err != nil {
		unavailable(tb, err)
	}
	server.tb = tb
	tb.Cleanup(server.discard)
	return server
}

// A missingError says that a server is not installed, and how to get it.
type missingError struct {
	what, remedy string
	forever      bool // it cannot be installed on this machine
}

func (e missingError) Error() string { return e.what + ": " + e.remedy }

// unavailable ends a test whose server could not be started: a server that is not
// installed skips it, except under CI=true, where a check that quietly does not
// happen would look like one that passed. A server that fails always fails.
func unavailable(tb testing.TB, err error) {
	tb.Helper()
	var missing missingError
	if ci, _ := strconv.ParseBool(os.Getenv("CI")); errors.As(err, &missing) && !ci {
		tb.Skip(err)
	}
	tb.Fatal(err)
}
