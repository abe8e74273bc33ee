package s3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/rs/zerolog"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/s3"
	"github.com/nastavnik-bot/nastavnik/store/storetest"
)

func options(b devenv.Bucket) s3.Options {
	return s3.Options{Endpoint: b.Endpoint, Region: b.Region, Bucket: b.Bucket, AccessKey: b.AccessKey, SecretKey: b.SecretKey, Timeout: 5 * time.Second}
}

func open(t *testing.T, o s3.Options) *s3.Store {
	t.Helper()
	s, err := s3.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// client is another program that uses the bucket.
func client(t *testing.T, b devenv.Bucket) *minio.Client {
	t.Helper()
	c, err := minio.New(b.Endpoint, &minio.Options{Creds: credentials.NewStaticV4(b.AccessKey, b.SecretKey, ""), Region: b.Region})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func write(t *testing.T, b devenv.Bucket, name, text string) {
	t.Helper()
	if _, err := client(t, b).PutObject(t.Context(), b.Bucket, name, strings.NewReader(text), int64(len(text)), minio.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
}

// names are those of everything in a bucket.
func names(t *testing.T, b devenv.Bucket) (out []string) {
	t.Helper()
	for o := range client(t, b).ListObjects(t.Context(), b.Bucket, minio.ListObjectsOptions{Recursive: true}) {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		out = append(out, o.Key)
	}
	return out
}

func TestContract(t *testing.T) {
	for name, prefix := range map[string]string{"the whole bucket": "", "a prefix": "компания/бот"} {
		t.Run(name, func(t *testing.T) {
			storetest.TestFiles(t, func(t *testing.T) storetest.FilesUnderTest {
				t.Helper()
				b := devenv.S3(t)
				o := options(b)
				if o.Prefix = prefix; prefix != "" {
					write(t, b, "чужое/файл", "не наше")
					prefix = strings.TrimSuffix(prefix, "/") + "/"
				}
				return storetest.FilesUnderTest{
					Files: open(t, o), Links: true,
					Replace: func(t *testing.T, key string, with []byte) { t.Helper(); write(t, b, prefix+key, string(with)) },
					Count: func(t *testing.T) (n int) {
						t.Helper()
						for _, name := range names(t, b) {
							if strings.HasPrefix(name, prefix+"sha256/") {
								n++
							}
						}
						return n
					},
				}
			})
		})
	}
}

func put(ctx context.Context, s *s3.Store, text string) (knowledge.Content, error) {
	return s.Put(ctx, strings.NewReader(text), knowledge.FileLimits{})
}

func TestWhoseBucket(t *testing.T) {
	t.Run("an empty one is ours from the first file on", func(t *testing.T) {
		b := devenv.S3(t)
		s := open(t, options(b))
		if _, err := s.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := names(t, b); len(got) != 0 {
			t.Errorf("checking has written %q", got)
		}
		for i := range 2 { // the second time it is no longer empty
			if _, err := put(t.Context(), open(t, options(b)), fmt.Sprint("файл ", i)); err != nil {
				t.Fatal(err)
			}
		}
		if got := names(t, b); len(got) != 3 || got[0] != "nastavnik.json" {
			t.Errorf("there are %q", got)
		}
	})
	t.Run("one with somebody's files is refused", func(t *testing.T) {
		b := devenv.S3(t)
		write(t, b, "отчёты/2026.xlsx", "чужое")
		refused(t, open(t, options(b)), s3.ErrForeignBucket, "чужие файлы", b.Bucket, "s3.prefix")
		if got := names(t, b); len(got) != 1 {
			t.Errorf("there are %q", got)
		}
	})
	t.Run("one with another's mark is refused", func(t *testing.T) {
		b := devenv.S3(t)
		write(t, b, "nastavnik.json", `{"keeps":"notes"}`)
		refused(t, open(t, options(b)), s3.ErrForeignBucket, "чужие файлы")
	})
	t.Run("many that begin at once are all at home", func(t *testing.T) {
		b := devenv.S3(t)
		errs := make(chan error, 8)
		for i := range cap(errs) {
			go func() {
				_, err := put(t.Context(), open(t, options(b)), fmt.Sprint("файл ", i))
				errs <- err
			}()
		}
		for range cap(errs) {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	})
}

// refused tries everything that reaches the server.
func refused(t *testing.T, s *s3.Store, want error, words ...string) {
	t.Helper()
	_, checked := s.Check(t.Context())
	_, stored := put(t.Context(), s, "текст")
	deleted := s.Delete(t.Context(), "sha256/2c/f24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
	for what, err := range map[string]error{"check": checked, "put": stored, "delete": deleted} {
		if !errors.Is(err, want) {
			t.Errorf("%s: the error is %v, want %v", what, err, want)
			continue
		}
		for _, w := range words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %q says nothing of %q", what, err, w)
			}
		}
	}
}

const canary = "canary-7f3a9-secret"

func TestWhatAnAdministratorIsTold(t *testing.T) {
	b := devenv.S3(t)
	t.Run("wrong secret", func(t *testing.T) {
		o := options(b)
		o.SecretKey = canary
		refused(t, open(t, o), s3.ErrDenied, "ключи", b.Endpoint)
	})
	t.Run("wrong key", func(t *testing.T) {
		o := options(b)
		o.AccessKey = canary
		refused(t, open(t, o), s3.ErrDenied, "ключи")
	})
	t.Run("no such bucket", func(t *testing.T) {
		o := options(b)
		o.Bucket = "nastavnik-no-such-bucket"
		refused(t, open(t, o), s3.ErrNoBucket, "nastavnik-no-such-bucket", "создайте")
	})
	t.Run("no server", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		o := options(b)
		o.Endpoint = l.Addr().String()
		_ = l.Close()
		refused(t, open(t, o), knowledge.ErrAway, o.Endpoint, "не отвечает")
	})
	t.Run("a server of another kind", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = io.WriteString(c, "220 smtp.example.com ESMTP\r\n")
				_ = c.Close()
			}
		}()
		o := options(b)
		o.Endpoint = l.Addr().String()
		if _, err := open(t, o).Check(t.Context()); err == nil {
			t.Error("a mail server passes the check")
		}
	})
	t.Run("all is well", func(t *testing.T) {
		version, err := open(t, options(b)).Check(t.Context())
		if err != nil || version == "" {
			t.Errorf("check: %q, %v", version, err)
		}
	})
}

func TestOptionsThatCannotBeRight(t *testing.T) {
	right := s3.Options{Endpoint: "127.0.0.1:9000", Bucket: "files", AccessKey: "key", SecretKey: canary}
	for name, change := range map[string]func(o *s3.Options){
		"a URL":             func(o *s3.Options) { o.Endpoint = "http://127.0.0.1:9000" },
		"keys in the URL":   func(o *s3.Options) { o.Endpoint = "key:" + canary + "@127.0.0.1:9000" },
		"no endpoint":       func(o *s3.Options) { o.Endpoint = "" },
		"an odd endpoint":   func(o *s3.Options) { o.Endpoint = "-" + canary + "-:x" },
		"no bucket":         func(o *s3.Options) { o.Bucket = "" },
		"no keys":           func(o *s3.Options) { o.AccessKey = "" },
		"a way up":          func(o *s3.Options) { o.Prefix = "../other" },
		"a way up, hidden":  func(o *s3.Options) { o.Prefix = "a/../../other" },
		"an unclean prefix": func(o *s3.Options) { o.Prefix = "a//b" },
	} {
		t.Run(name, func(t *testing.T) {
			o := right
			change(&o)
			_, err := s3.Open(o)
			if !errors.Is(err, knowledge.ErrInvalid) || strings.Contains(err.Error(), canary) {
				t.Errorf("the error is %v", err)
			}
		})
	}
	if _, err := s3.Open(right); err != nil {
		t.Error(err)
	}
}

// The keys are in no error, in no log and in nothing that prints the options.
func TestSecretsStayInside(t *testing.T) {
	b := devenv.S3(t)
	o := options(b)
	o.AccessKey, o.SecretKey = canary+"-id", canary
	s := open(t, o)
	gone := o
	gone.Endpoint = "127.0.0.1:1"
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("options", "options", o)
	_, _ = fmt.Fprintf(&out, "%v %+v %#v %s\n", o, o, o, o)
	for _, s := range []*s3.Store{s, open(t, gone)} {
		_, err1 := s.Check(t.Context())
		_, err2 := put(t.Context(), s, "текст")
		_, _, err3 := s.Open(t.Context(), "sha256/2c/f24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
		_, err4 := s.Link(t.Context(), "sha256/2c", knowledge.FileLink{})
		for _, err := range []error{err1, err2, err3, err4} {
			if err == nil {
				t.Error("there is no error")
			}
			for ; err != nil; err = errors.Unwrap(err) {
				_, _ = fmt.Fprintf(&out, "%v %+v\n", err, err)
			}
		}
	}
	if strings.Contains(out.String(), canary) || strings.Contains(out.String(), "X-Amz") {
		t.Errorf("somebody reads the keys:\n%s", out.String())
	}
}

// proxy stands before a server and does to its connections what networks do.
func proxy(t *testing.T, upstream string) *toxiproxy.Proxy {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p := toxiproxy.NewProxy(server, "s3", "127.0.0.1:0", upstream)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return p
}

func add(t *testing.T, p *toxiproxy.Proxy, toxic string) {
	t.Helper()
	if _, err := p.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		t.Fatal(err)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		toxic string
		lost  bool
	}{
		"slow":                        {`{"type":"latency","stream":"downstream","attributes":{"latency":300}}`, false},
		"narrow":                      {`{"type":"bandwidth","stream":"upstream","attributes":{"rate":2000}}`, false},
		"silent":                      {`{"type":"timeout","stream":"upstream","attributes":{"timeout":0}}`, true},
		"silent when it answers":      {`{"type":"timeout","stream":"downstream","attributes":{"timeout":0}}`, true},
		"cut in the middle of a file": {`{"type":"limit_data","stream":"upstream","attributes":{"bytes":100000}}`, true},
		"reset":                       {`{"type":"reset_peer","stream":"downstream","attributes":{"timeout":0}}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := devenv.S3(t)
			p := proxy(t, b.Endpoint)
			o := options(b)
			o.Endpoint, o.Timeout = p.Listen, time.Second
			s := open(t, o)
			if _, err := put(t.Context(), s, "до"); err != nil {
				t.Fatal(err)
			}
			add(t, p, c.toxic)
			size := 7_000_000
			if c.lost {
				size = 500_000
			}
			got, err := put(t.Context(), s, strings.Repeat("a", size))
			if c.lost != (err != nil) || c.lost && !errors.Is(err, knowledge.ErrAway) {
				t.Fatalf("stored %+v, %v", got, err)
			}
			if !c.lost {
				return
			}
			// What was cut is not there, not even a part of it.
			for _, name := range names(t, b) {
				if !strings.HasPrefix(name, "sha256/") {
					continue
				}
				r, _, err := open(t, options(b)).Open(t.Context(), name)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, r); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				_ = r.Close()
			}
			for _, err := range []error{readThrough(t, s, "до"), s.Delete(t.Context(), keyOf(t, "до"))} {
				if !errors.Is(err, knowledge.ErrAway) && c.toxic != "" && name != "cut in the middle of a file" {
					t.Errorf("the error is %v", err)
				}
			}
		})
	}
}

func keyOf(t *testing.T, text string) string {
	t.Helper()
	c, err := put(t.Context(), open(t, options(devenv.S3(t))), text)
	if err != nil {
		t.Fatal(err)
	}
	return c.Key
}

func readThrough(t *testing.T, s *s3.Store, text string) error {
	t.Helper()
	r, _, err := s.Open(t.Context(), keyOf(t, text))
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	_, err = io.Copy(io.Discard, r)
	return err
}

// A file that stops coming in the middle is an error, and one whose reader is slow is none.
func TestReadingStops(t *testing.T) {
	b := devenv.S3(t)
	p := proxy(t, b.Endpoint)
	o := options(b)
	o.Endpoint, o.Timeout = p.Listen, time.Second
	s := open(t, o)
	big := strings.Repeat("большой файл ", 300_000)
	c, err := put(t.Context(), s, big)
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := s.Open(t.Context(), c.Key)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(1500 * time.Millisecond) // longer than the server may be silent
	if got, err := io.ReadAll(r); err != nil || string(got) != big {
		t.Errorf("a slow reader got %d bytes, %v", len(got), err)
	}
	_ = r.Close()
	if r, _, err = s.Open(t.Context(), c.Key); err != nil {
		t.Fatal(err)
	}
	add(t, p, `{"type":"timeout","stream":"downstream","attributes":{"timeout":0}}`)
	if got, err := io.ReadAll(r); !errors.Is(err, knowledge.ErrAway) {
		t.Errorf("of a silent server came %d bytes, %v", len(got), err)
	}
	_ = r.Close()
}

func TestOwnContext(t *testing.T) {
	b := devenv.S3(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := put(ctx, open(t, options(b)), "текст")
	if !errors.Is(err, context.Canceled) || errors.Is(err, knowledge.ErrAway) {
		t.Errorf("the error is %v", err)
	}
}
