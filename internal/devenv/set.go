package devenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/minio/minio-go/v7"
)

// A Set is the servers of production side by side. A server that is not installed
// is missing from it.
type Set struct {
	servers []*Server
}

// StartForTests starts one server of each kind that the environment does not name
// already. A server that is not installed is left out; the error is then one for
// which IsMissing is true, beside a Set of the others. After another error nothing
// runs.
func StartForTests(ctx context.Context) (*Set, error) {
	var wanted []func() (*Server, error)
	temporary := func(p program) func() (*Server, error) {
		return func() (*Server, error) { return launchTemporary(ctx, p) }
	}
	if postgresFromEnv() == "" {
		wanted = append(wanted, temporary(postgres()))
	}
	if os.Getenv(EnvMilvus) == "" {
		wanted = append(wanted, temporary(milvus(milvusPatience)))
	}
	if os.Getenv(EnvS3) == "" {
		wanted = append(wanted, temporary(s3()))
	}
	return startAll(wanted)
}

// The ports of a developer's servers, which configs/production.example.yaml names.
const (
	developerPostgres = 15432
	developerMilvus   = 19531 // and those after it
	developerS3       = 19100
	developerName     = "nastavnik" // the database, its role, that role's password and the bucket
)

// StartForDeveloper starts the servers that configs/production.example.yaml points
// at, with their data in dir, and makes what the bot finds in production: the
// database with its two roles, and the bucket. Missing servers are as with
// StartForTests.
func StartForDeveloper(ctx context.Context, dir string) (*Set, error) {
	in := func(p program, port int, prepare func(context.Context, *Server) error) func() (*Server, error) {
		return func() (*Server, error) {
			s, err := launchIn(ctx, p, filepath.Join(dir, p.name), port)
			if err != nil {
				return nil, err
			}
			if err := prepare(ctx, s); err != nil {
				s.discard()
				return nil, fmt.Errorf("prepare %s: %w", p.name, err)
			}
			return s, nil
		}
	}
	return startAll([]func() (*Server, error){
		in(postgres(), developerPostgres, prepareDatabase),
		in(milvus(milvusPatience), developerMilvus, func(context.Context, *Server) error { return nil }),
		in(s3(), developerS3, prepareBucket),
	})
}

// IsMissing says of an error that servers are not installed and nothing else is
// wrong.
func IsMissing(err error) bool {
	var several interface{ Unwrap() []error }
	if errors.As(err, &several) {
		for _, one := range several.Unwrap() {
			if !IsMissing(one) {
				return false
			}
		}
		return true
	}
	var missing missingError
	return errors.As(err, &missing)
}

// startAll starts servers side by side.
func startAll(starts []func() (*Server, error)) (*Set, error) {
	servers, failed := make([]*Server, len(starts)), make([]error, len(starts))
	var group sync.WaitGroup
	for i, start := range starts {
		group.Go(func() { servers[i], failed[i] = start() })
	}
	group.Wait()
	set := &Set{}
	for _, s := range servers {
		if s != nil {
			set.servers = append(set.servers, s)
		}
	}
	err := errors.Join(failed...)
	if err != nil && !IsMissing(err) {
		set.Close()
		return nil, err
	}
	return set, err
}

// Env returns the variables, NAME=value, through which tests find the servers.
func (s *Set) Env() []string {
	var env []string
	for _, server := range s.servers {
		switch server.program.name {
		case "postgres":
			env = append(env, EnvPostgres+"="+server.DSN)
		case "milvus":
			env = append(env, EnvMilvus+"="+server.Addr)
		case "s3":
			env = append(env, EnvS3+"="+server.S3.url())
		}
	}
	return env
}

// String returns a line for each server: its kind, its address, and what is on it.
func (s *Set) String() string {
	var lines []string
	for _, server := range s.servers {
		line := fmt.Sprintf("%-9s %s", server.program.name, server.Addr)
		switch server.program.name {
		case "postgres":
			line += "  database " + developerName + ", roles " + developerName + " (runs) and " + developerName + "_owner (migrates)"
		case "s3":
			line += "  bucket " + developerName
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// Close ends the servers, in good order those whose data stay.
func (s *Set) Close() {
	var group sync.WaitGroup
	for _, server := range s.servers {
		group.Go(func() {
			if !server.temporary {
				_ = server.end(server.program.stop)
			}
			server.discard()
		})
	}
	group.Wait()
}

// prepareDatabase makes the database and its two roles unless they are there: the
// owner changes the schema, the other one works in it.
func prepareDatabase(ctx context.Context, s *Server) error {
	var there bool
	conn, err := pgx.Connect(ctx, s.DSN)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", developerName).Scan(&there)
	if err != nil || there {
		return err
	}
	const owner = developerName + "_owner"
	for _, statement := range []string{
		"DROP ROLE IF EXISTS " + owner + ", " + developerName, // of a start that was interrupted here
		"CREATE ROLE " + owner + " LOGIN PASSWORD '" + developerName + "'",
		"CREATE ROLE " + developerName + " LOGIN PASSWORD '" + developerName + "'",
		"CREATE DATABASE " + developerName + " OWNER " + owner + " TEMPLATE template0",
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// prepareBucket makes the bucket unless it is there.
func prepareBucket(ctx context.Context, s *Server) error {
	client, err := s.S3.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	there, err := client.BucketExists(ctx, developerName)
	if err != nil || there {
		return err
	}
	return client.MakeBucket(ctx, developerName, minio.MakeBucketOptions{Region: s.S3.Region})
}
