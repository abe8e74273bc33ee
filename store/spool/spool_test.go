package spool_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/rs/zerolog"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/disk"
	"github.com/nastavnik-bot/nastavnik/store/s3"
	"github.com/nastavnik-bot/nastavnik/store/spool"
	"github.com/nastavnik-bot/nastavnik/store/storetest"
)

func folder(t *testing.T, dir string) *disk.Store {
	t.Helper()
	s, err := disk.Open(disk.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// left names the contents in a folder.
func left(t *testing.T, dir string) (keys []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			keys = append(keys, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// With the remote store at hand, nobody notices the spool.
func TestContract(t *testing.T) {
	storetest.TestFiles(t, func(t *testing.T) storetest.FilesUnderTest {
		t.Helper()
		near, far := t.TempDir(), t.TempDir()
		t.Cleanup(func() {
			if got := left(t, near); len(got) != 0 {
				t.Errorf("in the spool there are %q", got)
			}
		})
		return storetest.FilesUnderTest{
			Files: spool.New(spool.Options{Local: folder(t, near), Remote: folder(t, far)}),
			Replace: func(t *testing.T, key string, with []byte) {
				t.Helper()
				if err := os.WriteFile(filepath.Join(far, key), with, 0o600); err != nil {
					t.Fatal(err)
				}
			},
			Count: func(t *testing.T) int { t.Helper(); return len(left(t, far)) },
		}
	})
}

// logged collects the lines of a log.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Split(strings.TrimSpace(l.b.String()), "\n")
}

// setting is a spool before a real S3 server.
type setting struct {
	*spool.Store
	remote *s3.Store
	dir    string
	log    *logged
}

// before puts a spool before a bucket that is reached through an address.
func before(t *testing.T, b devenv.Bucket, address, dir string) setting {
	t.Helper()
	remote, err := s3.Open(s3.Options{Endpoint: address, Region: b.Region, Bucket: b.Bucket, AccessKey: b.AccessKey, SecretKey: b.SecretKey, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	log := &logged{}
	s := spool.New(spool.Options{Local: folder(t, dir), Remote: remote, Log: slog.New(slog.NewTextHandler(log, nil)), Pause: time.Second})
	return setting{Store: s, remote: remote, dir: dir, log: log}
}

func put(t *testing.T, s knowledge.Files, text string) knowledge.Content {
	t.Helper()
	c, err := s.Put(t.Context(), strings.NewReader(text), knowledge.FileLimits{})
	if err != nil {
		t.Fatalf("put: %v", err)
	}
	return c
}

func want(t *testing.T, s knowledge.Files, key, text string) {
	t.Helper()
	r, _, err := s.Open(t.Context(), key)
	if err != nil {
		t.Errorf("open: %v", err)
		return
	}
	b, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil || string(b) != text {
		t.Errorf("%d bytes came, %v", len(b), err)
	}
}

// A server that is killed takes nothing with it, and gets everything when it is back.
func TestServerIsKilled(t *testing.T) {
	server := devenv.PrivateS3(t)
	b := server.S3
	b.Bucket = "files"
	client, err := minio.New(b.Endpoint, &minio.Options{Creds: credentials.NewStaticV4(b.AccessKey, b.SecretKey, ""), Region: b.Region})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.MakeBucket(t.Context(), b.Bucket, minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	s := before(t, b, b.Endpoint, t.TempDir())
	first := put(t, s, "до аварии")
	if n, _, err := s.Waiting(t.Context()); n != 0 || err != nil || s.Fault() != nil {
		t.Fatalf("%d wait, %v, %v", n, err, s.Fault())
	}

	server.Kill()
	kept := map[string]string{}
	for i := range 3 {
		text := fmt.Sprint("во время аварии ", i)
		kept[put(t, s, text).Key] = text
	}
	for key, text := range kept {
		want(t, s, key, text)
		if _, err := s.Link(t.Context(), key, knowledge.FileLink{Name: "а.txt", TTL: time.Minute}); !errors.Is(err, knowledge.ErrNoLinks) {
			t.Errorf("link to what waits: %v", err)
		}
	}
	if _, _, err := s.Open(t.Context(), first.Key); !errors.Is(err, knowledge.ErrAway) {
		t.Errorf("what is only there: %v", err)
	}
	if n, bytes, err := s.Waiting(t.Context()); n != 3 || bytes == 0 || err != nil || !errors.Is(s.Fault(), knowledge.ErrAway) {
		t.Errorf("%d wait with %d bytes, %v; fault %v", n, bytes, err, s.Fault())
	}
	if n, err := s.Flush(t.Context()); n != 0 || !errors.Is(err, knowledge.ErrAway) {
		t.Errorf("flushed %d, %v", n, err)
	}
	// The process dies as well: the next one finds the folder.
	again := before(t, b, b.Endpoint, s.dir)

	server.Start()
	if n, err := again.Flush(t.Context()); n != 3 || err != nil || again.Fault() != nil {
		t.Errorf("flushed %d, %v; fault %v", n, err, again.Fault())
	}
	if got := left(t, s.dir); len(got) != 0 {
		t.Errorf("in the spool there are %q", got)
	}
	kept[first.Key] = "до аварии"
	for key, text := range kept {
		want(t, again.remote, key, text)
		want(t, s, key, text)
	}
	for i := 0; s.Fault() != nil; i++ { // it asks again when the pause is over
		put(t, s, fmt.Sprint("после аварии ", i))
		time.Sleep(50 * time.Millisecond)
	}
	if got := s.log.lines(); len(got) != 2 || !strings.Contains(got[0], "level=WARN") || !strings.Contains(got[1], "level=INFO") {
		t.Errorf("the log says, once for each change:\n%s", strings.Join(got, "\n"))
	}
}

// What a network does to a connection loses no file, whatever it does.
func TestNetworkFaults(t *testing.T) {
	t.Parallel()
	for name, toxic := range map[string]string{
		"silent": `{"type":"timeout","stream":"upstream","attributes":{"timeout":0}}`,
		"reset":  `{"type":"reset_peer","stream":"downstream","attributes":{"timeout":0}}`,
		"cut":    `{"type":"limit_data","stream":"upstream","attributes":{"bytes":20000}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := devenv.S3(t)
			server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
			p := toxiproxy.NewProxy(server, "s3", "127.0.0.1:0", b.Endpoint)
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(p.Stop)
			s := before(t, b, p.Listen, t.TempDir())
			if _, err := p.Toxics.AddToxicJson(strings.NewReader(strings.Replace(toxic, "{", `{"name":"fault",`, 1))); err != nil {
				t.Fatal(err)
			}
			text := strings.Repeat("договор ", 20_000)
			c := put(t, s, text)
			want(t, s, c.Key, text)
			if s.Fault() == nil {
				t.Error("nobody noticed")
			}
			if err := p.Toxics.RemoveToxic(t.Context(), "fault"); err != nil {
				t.Fatal(err)
			}
			if n, err := s.Flush(t.Context()); n != 1 || err != nil {
				t.Errorf("flushed %d, %v", n, err)
			}
			want(t, s.remote, c.Key, text)
		})
	}
}

// Wrong keys lose no file either.
func TestWrongKeysLoseNothing(t *testing.T) {
	b := devenv.S3(t)
	wrong := b
	wrong.SecretKey = "не тот"
	s := before(t, wrong, b.Endpoint, t.TempDir())
	c := put(t, s, "важное")
	want(t, s, c.Key, "важное")
	if !errors.Is(s.Fault(), s3.ErrDenied) {
		t.Errorf("fault %v", s.Fault())
	}
	right := before(t, b, b.Endpoint, s.dir)
	if n, err := right.Flush(t.Context()); n != 1 || err != nil {
		t.Errorf("flushed %d, %v", n, err)
	}
}

// Two processes that share the folder move the same files at once.
func TestTwoMove(t *testing.T) {
	b := devenv.S3(t)
	dir := t.TempDir()
	away := before(t, b, "127.0.0.1:1", dir)
	kept := map[string]string{}
	for i := range 20 {
		text := fmt.Sprint("файл ", i)
		kept[put(t, away, text).Key] = text
	}
	var both sync.WaitGroup
	for range 2 {
		s := before(t, b, b.Endpoint, dir)
		both.Go(func() {
			if _, err := s.Flush(t.Context()); err != nil {
				t.Errorf("flush: %v", err)
			}
		})
		both.Go(func() {
			for _, text := range kept {
				if _, err := s.Put(t.Context(), strings.NewReader(text), knowledge.FileLimits{}); err != nil {
					t.Errorf("put: %v", err)
				}
			}
		})
	}
	both.Wait()
	s := before(t, b, b.Endpoint, dir)
	if _, err := s.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	if got := left(t, dir); len(got) != 0 {
		t.Errorf("in the spool there are %q", got)
	}
	for key, text := range kept {
		want(t, s.remote, key, text)
	}
}

// A file that was damaged in the spool is told of and stops no other.
func TestDamagedInTheSpool(t *testing.T) {
	b := devenv.S3(t)
	s := before(t, b, "127.0.0.1:1", t.TempDir())
	for i := range 5 {
		put(t, s, fmt.Sprint("файл ", i))
	}
	damaged := left(t, s.dir)[0]
	if err := os.WriteFile(damaged, []byte("другое"), 0o600); err != nil {
		t.Fatal(err)
	}
	again := before(t, b, b.Endpoint, s.dir)
	n, err := again.Flush(t.Context())
	if n != 4 || !errors.Is(err, knowledge.ErrFileChanged) || again.Fault() != nil {
		t.Errorf("flushed %d, %v; fault %v", n, err, again.Fault())
	}
	if got := left(t, s.dir); len(got) != 1 || got[0] != damaged {
		t.Errorf("in the spool there are %q", got)
	}
}
