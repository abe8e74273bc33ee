package s3

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// transport gives connections that a server cannot hold for ever.
func transport(timeout time.Duration) http.RoundTripper {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: timeout, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout:   timeout,
		ExpectContinueTimeout: timeout,
		MaxIdleConnsPerHost:   16,
		IdleConnTimeout:       time.Minute,
		DisableCompression:    true, // what is stored is what comes back
	}
}

// serverName notes what the server calls itself.
type serverName struct {
	next http.RoundTripper
	name atomic.Value // string
}

func (s *serverName) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := s.next.RoundTrip(r)
	if err == nil {
		s.name.Store(answer.Header.Get("Server"))
	}
	return answer, err
}

func (s *serverName) get() string {
	name, _ := s.name.Load().(string)
	return name
}

// A guard ends a request whose server is silent for too long, however long the
// whole of it takes.
type guard struct {
	cancel  context.CancelCauseFunc
	timer   *time.Timer
	timeout time.Duration
}

// watch returns the context of a request and what ends it.
func watch(ctx context.Context, timeout time.Duration) (context.Context, *guard) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(timeout, func() { cancel(errSilent) })
	return ctx, &guard{cancel: cancel, timer: timer, timeout: timeout}
}

// moved says that something has come or gone.
func (g *guard) moved() { g.timer.Reset(g.timeout) }

func (g *guard) end() {
	g.timer.Stop()
	g.cancel(nil)
}

// sending is what is uploaded: whole from begin on.
type sending struct {
	guard *guard
	whole io.ReadSeeker
	begin int64
}

func (s sending) Read(p []byte) (int, error) {
	s.guard.moved()
	return s.whole.Read(p)
}

// Seek implements io.Seeker: what is tried again begins where it began.
func (s sending) Seek(offset int64, whence int) (int64, error) {
	if whence == io.SeekStart {
		offset += s.begin
	}
	at, err := s.whole.Seek(offset, whence)
	return at - s.begin, err
}

// What has been read to be sent may still wait on this machine: as much as its
// buffers hold, on a line as slow as it may be.
const (
	buffered = 4 << 20
	slowest  = 256 << 10 // bytes a second
)

// patience is how long the server may be silent about an upload.
func patience(timeout time.Duration, size int64) time.Duration {
	return timeout + time.Duration(min(size, buffered))*time.Second/slowest
}

// guardedBody is what is downloaded.
type guardedBody struct {
	guard   *guard
	body    io.ReadCloser
	explain func(error) error
}

func (b *guardedBody) Read(p []byte) (int, error) {
	b.guard.moved()
	n, err := b.body.Read(p)
	b.guard.timer.Stop() // a slow reader is no silent server
	if errors.Is(err, io.EOF) {
		return n, io.EOF
	}
	return n, b.explain(err)
}

func (b *guardedBody) Close() error {
	b.guard.end()
	return b.body.Close()
}
