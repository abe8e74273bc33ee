package devenv

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// A Bucket is a bucket of an S3 server that speaks plain HTTP, and how to reach it.
type Bucket struct {
	Endpoint  string // host:port
	Bucket    string
	AccessKey string
	SecretKey string
	Region    string
}

// The keys of the servers that are started here. They guard nothing.
const (
	s3AccessKey = "nastavnik"
	s3SecretKey = "nastavnik-secret"
	s3Region    = "us-east-1"
)

// s3 is the S3 server: versitygw over a folder. It keeps what S3 says about objects
// in files beside them, because not every file system has extended attributes.
func s3() program {
	return program{
		name:  "s3",
		ports: 1,
		setup: func(_ context.Context, s *Server) error {
			if _, err := findVersitygw(); err != nil {
				return err
			}
			s.S3 = Bucket{Endpoint: s.Addr, AccessKey: s3AccessKey, SecretKey: s3SecretKey, Region: s3Region}
			for _, folder := range []string{"objects", "sidecar"} {
				if err := os.MkdirAll(filepath.Join(s.dir, folder), 0o700); err != nil {
					return err
				}
			}
			return nil
		},
		run: func(s *Server) command {
			binary, _ := findVersitygw() // setup has found it
			return command{
				path: binary,
				args: []string{
					"--port", s.Addr, "--region", s3Region, "--quiet",
					"posix", "--sidecar", filepath.Join(s.dir, "sidecar"), filepath.Join(s.dir, "objects"),
				},
				env: append(os.Environ(), "ROOT_ACCESS_KEY="+s3AccessKey, "ROOT_SECRET_KEY="+s3SecretKey),
			}
		},
		ready: func(ctx context.Context, s *Server) error {
			client, err := s.S3.client()
			if err != nil {
				return err
			}
			_, err = client.ListBuckets(ctx)
			return err
		},
		stop: syscall.SIGTERM,
		quit: syscall.SIGKILL,
	}
}

func (b Bucket) client() (*minio.Client, error) {
	return minio.New(b.Endpoint, &minio.Options{
		Creds:      credentials.NewStaticV4(b.AccessKey, b.SecretKey, ""),
		Region:     b.Region,
		MaxRetries: 1,
	})
}

// url is what EnvS3 holds.
func (b Bucket) url() string {
	u := url.URL{Scheme: "http", User: url.UserPassword(b.AccessKey, b.SecretKey), Host: b.Endpoint, RawQuery: url.Values{"region": {b.Region}}.Encode()}
	return u.String()
}

// parseS3 reads what EnvS3 holds.
func parseS3(text string) (Bucket, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" || u.Host == "" || u.User == nil {
		// The error of Parse would repeat the keys.
		return Bucket{}, fmt.Errorf("not of the form http://ACCESS_KEY:SECRET_KEY@host:port?region=REGION")
	}
	secret, _ := u.User.Password()
	region := u.Query().Get("region")
	if region == "" {
		region = s3Region
	}
	return Bucket{Endpoint: u.Host, AccessKey: u.User.Username(), SecretKey: secret, Region: region}, nil
}

// freshBucket makes a bucket that is removed when the test ends.
func freshBucket(tb testing.TB, b Bucket) Bucket {
	tb.Helper()
	client, err := b.client()
	if err != nil {
		tb.Fatal(err)
	}
	b.Bucket = "nastavnik-test-" + uniqueName()
	if err := client.MakeBucket(tb.Context(), b.Bucket, minio.MakeBucketOptions{Region: b.Region}); err != nil {
		tb.Fatalf("make the bucket %s: %v", b.Bucket, err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		removeBucket(ctx, client, b.Bucket)
	})
	return b
}

// removeBucket removes a bucket with all that is in it. Where that fails the test
// has removed it itself, or the server goes with the run.
func removeBucket(ctx context.Context, client *minio.Client, bucket string) {
	objects := client.ListObjects(ctx, bucket, minio.ListObjectsOptions{Recursive: true})
	// Reading the failures is what runs it.
	for range client.RemoveObjects(ctx, bucket, objects, minio.RemoveObjectsOptions{}) {
	}
	_ = client.RemoveBucket(ctx, bucket)
}
