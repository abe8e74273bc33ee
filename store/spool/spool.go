// Package spool keeps files on this machine while the server that has them is
// away, and moves them there when it is back.
//
// A file is first written to the local folder, then uploaded, then removed here:
// whenever the process dies, it is in one of the two places. Processes that share
// the folder may move the same file; each replica of the bot has a folder of its
// own, and what lies there is read by that replica alone until it is moved.
package spool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Local is a folder on this machine; package disk has one.
type Local interface {
	knowledge.Files
	// Keys calls fn for every content, until it returns an error.
	Keys(ctx context.Context, fn func(key string, size int64) error) error
}

// Options join the two places.
type Options struct {
	Local  Local
	Remote knowledge.Files
	Log    *slog.Logger // nil for none
	// Pause is for how long a server that was away is not asked again by Put and
	// Link; 0 means 15 s. Flush always asks.
	Pause time.Duration
}

// Store is the remote store with a spool before it. It is safe for concurrent use.
type Store struct {
	o Options

	mu    sync.Mutex
	fault error     // what the remote said last, nil when all was well
	until time.Time // before that it is not asked again
}

var _ knowledge.Files = (*Store)(nil)

// New joins a local folder and a remote store.
func New(o Options) *Store {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Pause == 0 {
		o.Pause = 15 * time.Second
	}
	return &Store{o: o}
}

// Put implements knowledge.Files. A file that the remote store does not take now,
// for whatever reason, is kept here and moved by Flush: Fault tells the reason.
func (s *Store) Put(ctx context.Context, r io.Reader, limits knowledge.FileLimits) (knowledge.Content, error) {
	c, err := s.o.Local.Put(ctx, r, limits)
	if err != nil || s.paused() {
		return c, err
	}
	// Its error has been noted; one of the caller's context leaves the file here too.
	_ = s.move(ctx, c.Key, c.Size)
	return c, nil
}

// move brings one file to the remote store.
func (s *Store) move(ctx context.Context, key string, size int64) error {
	r, _, err := s.o.Local.Open(ctx, key)
	if errors.Is(err, knowledge.ErrNotFound) {
		return nil // another process has moved it
	}
	if err != nil {
		return err
	}
	moved, err := s.o.Remote.Put(ctx, r, knowledge.FileLimits{Size: max(size, 1)})
	if err = errors.Join(err, r.Close()); err == nil && moved.Key != key {
		err = fmt.Errorf("move file %s: it became %s: %w", key, moved.Key, knowledge.ErrFileChanged)
	}
	if errors.Is(err, knowledge.ErrFileChanged) || errors.Is(err, knowledge.ErrInvalid) {
		return err // it says nothing about the remote store
	}
	s.note(ctx, err)
	if err != nil {
		return err
	}
	return s.o.Local.Delete(ctx, key)
}

// note remembers how the remote store is, and says in the log when that changes.
func (s *Store) note(ctx context.Context, err error) {
	if err != nil && ctx.Err() != nil {
		return // the caller's own end
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.fault
	s.fault = err
	if err != nil {
		s.until = time.Now().Add(s.o.Pause)
	}
	switch {
	case err != nil && was == nil:
		s.o.Log.WarnContext(ctx, "files are kept on this machine until the file server takes them", "err", err)
	case err == nil && was != nil:
		s.o.Log.InfoContext(ctx, "the file server takes files again")
	}
}

// paused says that the remote store need not be asked now.
func (s *Store) paused() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault != nil && time.Now().Before(s.until)
}

// Fault returns why the remote store did not take the last file that it was
// given, nil when it did.
func (s *Store) Fault() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault
}

// Flush moves what waits here to the remote store, and returns how many files it
// has moved. A file that has been damaged here stays and is told of at the end;
// anything else that fails ends it, and the next Flush goes on.
func (s *Store) Flush(ctx context.Context) (moved int, err error) {
	var damaged []error
	err = s.o.Local.Keys(ctx, func(key string, size int64) error {
		err := s.move(ctx, key, size)
		if errors.Is(err, knowledge.ErrFileChanged) || errors.Is(err, knowledge.ErrInvalid) {
			damaged = append(damaged, err)
			return nil
		}
		if err == nil {
			moved++
		}
		return err
	})
	return moved, errors.Join(append(damaged, err)...)
}

// Waiting returns how many files wait here to be moved, and their bytes.
func (s *Store) Waiting(ctx context.Context) (files int, bytes int64, err error) {
	err = s.o.Local.Keys(ctx, func(_ string, size int64) error {
		files++
		bytes += size
		return nil
	})
	return files, bytes, err
}

// Open implements knowledge.Files: what waits here is read here.
func (s *Store) Open(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	r, size, err := s.o.Local.Open(ctx, key)
	if !errors.Is(err, knowledge.ErrNotFound) {
		return r, size, err
	}
	return s.o.Remote.Open(ctx, key)
}

// Link implements knowledge.Files: what waits here, and everything while the
// remote store is away, has no link.
func (s *Store) Link(ctx context.Context, key string, l knowledge.FileLink) (string, error) {
	if s.paused() {
		return "", knowledge.ErrNoLinks
	}
	r, _, err := s.o.Local.Open(ctx, key)
	if errors.Is(err, knowledge.ErrNotFound) {
		return s.o.Remote.Link(ctx, key, l)
	}
	if err != nil {
		return "", err
	}
	return "", errors.Join(knowledge.ErrNoLinks, r.Close())
}

// Delete implements knowledge.Files: in both places, first there, so that what
// is being moved does not come back.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := s.o.Local.Delete(ctx, key); err != nil {
		return err
	}
	return s.o.Remote.Delete(ctx, key)
}
