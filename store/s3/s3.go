// Package s3 keeps the contents of attachments in a bucket of any server that
// speaks S3, through minio-go.
//
// A bucket, or a prefix in one, that is used for the first time must be empty and
// gets a mark: files are never put among, or deleted from, those of somebody else.
package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/content"
)

// Options say where files are and who may have them. Printed they show no key.
type Options struct {
	Endpoint  string // host:port
	Region    string // "" asks the server
	Bucket    string
	AccessKey string
	SecretKey string
	TLS       bool
	Prefix    string        // of every name, as a folder; "" for none
	Timeout   time.Duration // how long the server may be silent; 0 means 10 s
}

// String, GoString and LogValue keep the keys out of whatever prints options.
func (o Options) String() string { return "s3:" + o.Endpoint + "/" + o.Bucket + "/" + o.Prefix }

// GoString implements fmt.GoStringer.
func (o Options) GoString() string { return o.String() }

// LogValue implements slog.LogValuer.
func (o Options) LogValue() slog.Value { return slog.StringValue(o.String()) }

// retries is how often a request is tried, within a second: a connection that the
// server has closed meanwhile is no reason to give up.
const retries = 3

// Store is a bucket. It is safe for concurrent use.
type Store struct {
	o      Options
	core   minio.Core
	server *serverName

	marking sync.Mutex
	marked  bool // the bucket is known to be ours
}

var _ knowledge.Files = (*Store)(nil)

// Open prepares a store without asking the server: it may be away. The error
// wraps knowledge.ErrInvalid when the options cannot be right.
func Open(o Options) (*Store, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	server := &serverName{next: transport(o.Timeout)}
	client, err := minio.New(o.Endpoint, &minio.Options{
		Creds:      credentials.NewStaticV4(o.AccessKey, o.SecretKey, ""),
		Secure:     o.TLS,
		Region:     o.Region,
		Transport:  server,
		MaxRetries: retries,
	})
	if err != nil {
		// The library's error repeats the address: it may hold a key by mistake.
		return nil, fmt.Errorf("адрес S3 не подходит, нужно узел:порт без http:// и пути: %w", knowledge.ErrInvalid)
	}
	return &Store{o: o, core: minio.Core{Client: client}, server: server}, nil
}

// complete fills in defaults and checks what can be checked without the server.
func (o *Options) complete() error {
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if prefix := strings.Trim(o.Prefix, "/"); prefix == "" {
		o.Prefix = ""
	} else if clean := path.Clean(prefix); clean != prefix || strings.HasPrefix(clean, "..") {
		return fmt.Errorf("префикс S3 %q: имена через / без точек: %w", o.Prefix, knowledge.ErrInvalid)
	} else {
		o.Prefix = prefix + "/"
	}
	switch {
	case o.Endpoint == "" || strings.ContainsAny(o.Endpoint, "/@?# "):
		return fmt.Errorf("адрес S3 не подходит, нужно узел:порт без http:// и пути: %w", knowledge.ErrInvalid)
	case o.Bucket == "":
		return fmt.Errorf("не назван бакет S3: %w", knowledge.ErrInvalid)
	case o.AccessKey == "" || o.SecretKey == "":
		return fmt.Errorf("не заданы ключи доступа к S3: %w", knowledge.ErrInvalid)
	}
	return nil
}

// name is the object of a content.
func (s *Store) name(key string) string { return s.o.Prefix + key }

// Put implements knowledge.Files. The error wraps knowledge.ErrAway when the server does
// not answer, ErrDenied, ErrNoBucket or ErrForeignBucket when it is the wrong one.
// A reader that can seek is read twice; another is kept in a temporary file.
func (s *Store) Put(ctx context.Context, r io.Reader, limits knowledge.FileLimits) (knowledge.Content, error) {
	whole, ok := r.(io.ReadSeeker)
	if !ok {
		f, err := os.CreateTemp("", "nastavnik-file-*")
		if err != nil {
			return knowledge.Content{}, fmt.Errorf("временный файл для загрузки: %w", err)
		}
		defer func() { _, _ = f.Close(), os.Remove(f.Name()) }()
		c, err := content.Receive(ctx, f, r, limits)
		if err != nil {
			return c, err
		}
		return c, s.upload(ctx, c, f, 0)
	}
	begin, err := whole.Seek(0, io.SeekCurrent)
	if err != nil {
		return knowledge.Content{}, fmt.Errorf("put file: %w", err)
	}
	c, err := content.Receive(ctx, io.Discard, whole, limits)
	if err != nil {
		return c, err
	}
	return c, s.upload(ctx, c, whole, begin)
}

// upload stores what whole has from begin on. What is there is replaced by the
// same, or by what should have been there.
func (s *Store) upload(ctx context.Context, c knowledge.Content, whole io.ReadSeeker, begin int64) error {
	if _, err := whole.Seek(begin, io.SeekStart); err != nil {
		return fmt.Errorf("put file: %w", err)
	}
	if err := s.ours(ctx, true); err != nil {
		return err
	}
	asking, guard := watch(ctx, patience(s.o.Timeout, c.Size))
	defer guard.end()
	_, err := s.core.Client.PutObject(asking, s.o.Bucket, s.name(c.Key), sending{guard, whole, begin}, c.Size, minio.PutObjectOptions{
		ContentType: c.Media, DisableMultipart: true,
	})
	return s.explain(ctx, "put "+c.Key, err)
}

// Open implements knowledge.Files; errors as of Put.
func (s *Store) Open(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	if err := content.CheckKey(key); err != nil {
		return nil, 0, err
	}
	asking, guard := watch(ctx, s.o.Timeout)
	body, info, _, err := s.core.GetObject(asking, s.o.Bucket, s.name(key), minio.GetObjectOptions{})
	if err != nil {
		guard.end()
		return nil, 0, s.explain(ctx, "open "+key, err)
	}
	guard.timer.Stop()
	explain := func(err error) error { return s.explain(ctx, "read "+key, err) }
	return content.Verified(&guardedBody{guard, body, explain}, key), info.Size, nil
}

// Link implements knowledge.Files. The link is signed here: the server is not
// asked whether the content is there.
func (s *Store) Link(ctx context.Context, key string, l knowledge.FileLink) (string, error) {
	if err := content.CheckKey(key); err != nil {
		return "", err
	}
	if l.TTL < time.Second || l.TTL > knowledge.MaxLinkTTL {
		return "", fmt.Errorf("link for %v: %w: from a second to %v", l.TTL, knowledge.ErrInvalid, knowledge.MaxLinkTTL)
	}
	asking, guard := watch(ctx, s.o.Timeout)
	defer guard.end()
	address, err := s.core.PresignedGetObject(asking, s.o.Bucket, s.name(key), l.TTL, url.Values{
		"response-content-disposition": {knowledge.Disposition(l.Name)},
		"response-content-type":        {l.Media},
		"response-cache-control":       {"private, no-store"},
	})
	if err != nil {
		return "", s.explain(ctx, "link to "+key, err)
	}
	return address.String(), nil
}

// Delete implements knowledge.Files; errors as of Put.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := content.CheckKey(key); err != nil {
		return err
	}
	if err := s.ours(ctx, true); err != nil {
		return err
	}
	asking, guard := watch(ctx, s.o.Timeout)
	defer guard.end()
	err := s.core.RemoveObject(asking, s.o.Bucket, s.name(key), minio.RemoveObjectOptions{})
	return s.explain(ctx, "delete "+key, err)
}

// Check asks whether the bucket can be used and is ours or still empty, without
// writing to it, and returns what the server calls itself, as far as it says.
func (s *Store) Check(ctx context.Context) (version string, err error) {
	err = s.ours(ctx, false)
	return s.server.get(), err
}

// mark is the object that says whose a bucket is.
const (
	mark     = "nastavnik.json"
	markText = `{"keeps":"nastavnik files","format":1}` + "\n"
)

// ours makes sure that the bucket is ours, and marks an empty one when it may
// write. What has been found out once is not asked again, except by Check.
func (s *Store) ours(ctx context.Context, write bool) error {
	s.marking.Lock()
	defer s.marking.Unlock()
	if s.marked && write {
		return nil
	}
	asking, guard := watch(ctx, s.o.Timeout)
	defer guard.end()
	found, err := s.look(asking)
	if err == nil && !found && write {
		_, err = s.core.Client.PutObject(asking, s.o.Bucket, s.o.Prefix+mark, strings.NewReader(markText), int64(len(markText)),
			minio.PutObjectOptions{ContentType: "application/json", DisableMultipart: true})
		found = err == nil
	}
	s.marked = found
	return s.explain(ctx, "look at the bucket", err)
}

// look reports whether the bucket has our mark; false means that it is empty.
func (s *Store) look(ctx context.Context) (found bool, err error) {
	if found, err = s.readMark(ctx); found || err != nil {
		return found, err
	}
	empty, err := s.empty(ctx)
	if err != nil || empty {
		return false, err
	}
	// Another process may have been here first, between the two looks.
	if found, err = s.readMark(ctx); found || err != nil {
		return found, err
	}
	return false, ErrForeignBucket
}

func (s *Store) empty(ctx context.Context) (bool, error) {
	for o := range s.core.ListObjectsIter(ctx, s.o.Bucket, minio.ListObjectsOptions{Prefix: s.o.Prefix, Recursive: true, MaxKeys: 1}) {
		return false, o.Err
	}
	return true, ctx.Err()
}

func (s *Store) readMark(ctx context.Context) (bool, error) {
	body, _, _, err := s.core.GetObject(ctx, s.o.Bucket, s.o.Prefix+mark, minio.GetObjectOptions{})
	var e minio.ErrorResponse
	if errors.As(err, &e) && e.Code == minio.NoSuchKey {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = body.Close() }()
	text, err := io.ReadAll(io.LimitReader(body, int64(len(markText))+1))
	if err != nil {
		return false, err
	}
	if !bytes.Equal(text, []byte(markText)) {
		return false, ErrForeignBucket
	}
	return true, nil
}
