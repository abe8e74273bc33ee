package devenv_test

import (
	"bytes"
	"context"
	"io"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
)

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func query[T any](t *testing.T, conn *pgx.Conn, sql string) T {
	t.Helper()
	var got T
	if err := conn.QueryRow(t.Context(), sql).Scan(&got); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return got
}

// People type Russian: a server that does not fold its letters would pass tests
// that production fails.
func TestPostgresFoldsCyrillic(t *testing.T) {
	t.Parallel()
	conn := connect(t, devenv.Postgres(t))
	if got := query[string](t, conn, "SELECT lower('ЁЖИК')"); got != "ёжик" {
		t.Errorf("lower('ЁЖИК') = %q", got)
	}
	if got := query[string](t, conn, "SHOW server_encoding"); got != "UTF8" {
		t.Errorf("encoding %s", got)
	}
	if !query[bool](t, conn, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") {
		t.Error("the role is no superuser")
	}
}

func TestPostgresTestsDoNotMeet(t *testing.T) {
	t.Parallel()
	for range 4 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			conn := connect(t, devenv.Postgres(t))
			if _, err := conn.Exec(t.Context(), "CREATE TABLE mine (id int)"); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestPostgresRefusesAWrongPassword(t *testing.T) {
	t.Parallel()
	config, err := pgx.ParseConfig(devenv.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	config.Password = "not it"
	if conn, err := pgx.ConnectConfig(t.Context(), config); err == nil {
		_ = conn.Close(t.Context())
		t.Error("the server let a wrong password in")
	}
}

func TestPrivatePostgresKeepsItsData(t *testing.T) {
	t.Parallel()
	server := devenv.PrivatePostgres(t)
	addr := server.Addr
	conn := connect(t, server.DSN)
	if _, err := conn.Exec(t.Context(), "CREATE TABLE kept AS SELECT 1 AS id"); err != nil {
		t.Fatal(err)
	}
	for name, end := range map[string]func(){"kill": server.Kill, "stop": server.Stop} {
		end()
		if conn, err := pgx.Connect(t.Context(), server.DSN); err == nil {
			_ = conn.Close(t.Context())
			t.Errorf("%s: the server still answers", name)
		}
		server.Start()
		if server.Addr != addr {
			t.Errorf("%s: it came back on %s, was on %s", name, server.Addr, addr)
		}
		if got := query[int](t, connect(t, server.DSN), "SELECT count(*) FROM kept"); got != 1 {
			t.Errorf("%s: %d rows left of 1", name, got)
		}
	}
}

func client(t *testing.T, b devenv.Bucket, secret string) *minio.Client {
	t.Helper()
	c, err := minio.New(b.Endpoint, &minio.Options{Creds: credentials.NewStaticV4(b.AccessKey, secret, ""), Region: b.Region, MaxRetries: 1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestS3(t *testing.T) {
	t.Parallel()
	bucket := devenv.S3(t)
	good := client(t, bucket, bucket.SecretKey)
	const key = "вложения/счёт.txt"
	content := []byte("счёт")
	put := func(c *minio.Client) error {
		_, err := c.PutObject(t.Context(), bucket.Bucket, key, bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{})
		return err
	}
	if err := put(good); err != nil {
		t.Fatal(err)
	}
	object, err := good.GetObject(t.Context(), bucket.Bucket, key, minio.GetObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer object.Close()
	if got, err := io.ReadAll(object); err != nil || !bytes.Equal(got, content) {
		t.Errorf("got %q, %v", got, err)
	}
	if err := put(client(t, bucket, "wrong")); minio.ToErrorResponse(err).Code != "SignatureDoesNotMatch" {
		t.Errorf("wrong keys: %v", err)
	}
	if other := devenv.S3(t); other.Bucket == bucket.Bucket {
		t.Error("two tests have one bucket")
	}
}

func TestPrivateS3KeepsItsData(t *testing.T) {
	t.Parallel()
	server := devenv.PrivateS3(t)
	c := client(t, server.S3, server.S3.SecretKey)
	if err := c.MakeBucket(t.Context(), "kept", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	if _, err := c.BucketExists(t.Context(), "kept"); err == nil {
		t.Error("a killed server answers")
	}
	server.Start()
	if ok, err := c.BucketExists(t.Context(), "kept"); err != nil || !ok {
		t.Errorf("after a kill: %t, %v", ok, err)
	}
}

func TestMilvus(t *testing.T) {
	t.Parallel()
	if devenv.Milvus(t) == "" {
		t.Error("no address")
	}
}
