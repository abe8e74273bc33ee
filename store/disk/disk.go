// Package disk keeps the contents of attachments in a folder.
//
// A content lies under its key, sha256/ab/cdef…, and is written beside first:
// what has a key is whole and on the disk, whenever the process or the machine
// dies. Any number of processes may share a folder.
package disk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/google/uuid"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/content"
)

// halves is the folder of what is being written.
const halves = "tmp"

// halfLife is after how long without a write a half-written file is taken for
// one whose writer has died.
const halfLife = time.Hour

// Options say where a folder of files is.
type Options struct {
	Dir string // made when it does not exist
}

// Store is a folder of files. It is safe for concurrent use.
type Store struct {
	dir  string
	root *os.Root // no name leads out of it
}

var _ knowledge.Files = (*Store)(nil)

// Open opens a folder, makes it if need be, and removes what writers that died
// left half written. The error wraps ErrUnwritable when the folder cannot be used.
func Open(o Options) (*Store, error) {
	if o.Dir == "" {
		return nil, errors.New("open folder of files: no folder given")
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, explain(o.Dir, err)
	}
	root, err := os.OpenRoot(o.Dir)
	if err != nil {
		return nil, explain(o.Dir, err)
	}
	s := &Store{dir: o.Dir, root: root}
	if err := root.MkdirAll(halves, 0o700); err != nil {
		return nil, errors.Join(explain(o.Dir, err), root.Close())
	}
	if err := s.sweep(time.Now().Add(-halfLife)); err != nil {
		return nil, errors.Join(explain(o.Dir, err), root.Close())
	}
	return s, nil
}

// sweep removes half-written files that nobody has written to since.
func (s *Store) sweep(since time.Time) error {
	left, err := fs.ReadDir(s.root.FS(), halves)
	if err != nil {
		return err
	}
	for _, f := range left {
		info, err := f.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.ModTime().After(since) {
			continue
		}
		if err == nil {
			err = s.root.Remove(path.Join(halves, f.Name()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Close gives the folder back. What is open stays readable.
func (s *Store) Close() error { return s.root.Close() }

// Put implements knowledge.Files. The error wraps ErrFull when there is no space
// left, ErrUnwritable when the folder does not let itself be written to.
func (s *Store) Put(ctx context.Context, r io.Reader, limits knowledge.FileLimits) (knowledge.Content, error) {
	half := path.Join(halves, uuid.NewString())
	f, err := s.root.OpenFile(half, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return knowledge.Content{}, explain(s.dir, err)
	}
	c, err := content.Receive(ctx, f, r, limits)
	if err == nil {
		err = f.Sync() // before it gets its name
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = s.name(half, c.Key)
	}
	if err != nil {
		_ = s.root.Remove(half) // it may have its name already; sweep takes what stays
		return knowledge.Content{}, explain(s.dir, err)
	}
	return c, nil
}

// name gives a whole file its key. A file that is there is replaced by what is the
// same, or should have been.
func (s *Store) name(half, key string) error {
	folder := path.Dir(key)
	if err := s.root.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	if err := s.root.Rename(half, key); err != nil {
		return err
	}
	// A name is on the disk when its folder is, and so on up.
	for ; ; folder = path.Dir(folder) {
		if err := s.syncFolder(folder); err != nil || folder == "." {
			return err
		}
	}
}

func (s *Store) syncFolder(name string) error {
	d, err := s.root.Open(name)
	if err != nil {
		return err
	}
	err = d.Sync()
	if syncless(err) {
		err = nil
	}
	return errors.Join(err, d.Close())
}

// Open implements knowledge.Files.
func (s *Store) Open(_ context.Context, key string) (io.ReadCloser, int64, error) {
	if err := content.CheckKey(key); err != nil {
		return nil, 0, err
	}
	f, err := s.root.Open(key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, fmt.Errorf("файла %s нет в %s: его удалил не бот; верните его из резервной копии или приложите заново: %w", key, s.dir, knowledge.ErrNotFound)
	}
	if err != nil {
		return nil, 0, explain(s.dir, err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(explain(s.dir, err), f.Close())
	}
	return content.Verified(f, key), info.Size(), nil
}

// Link implements knowledge.Files: a folder has no links.
func (s *Store) Link(context.Context, string, knowledge.FileLink) (string, error) {
	return "", knowledge.ErrNoLinks
}

// Delete implements knowledge.Files.
func (s *Store) Delete(_ context.Context, key string) error {
	if err := content.CheckKey(key); err != nil {
		return err
	}
	if err := s.root.Remove(key); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return explain(s.dir, err)
	}
	return nil
}

// Keys calls fn for the key of every content, in order, until it returns an error.
// What is not one of ours is passed over.
func (s *Store) Keys(ctx context.Context, fn func(key string, size int64) error) error {
	err := fs.WalkDir(s.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // gone meanwhile
		case err != nil:
			return err
		case d.IsDir() && name == halves:
			return fs.SkipDir
		case d.IsDir() || content.CheckKey(name) != nil:
			return ctx.Err()
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return errors.Join(ctx.Err(), fn(name, info.Size()))
	})
	return explain(s.dir, err)
}

// Check tries whether a file can be written and read, and returns how the folder
// is called. Its error says what to do.
func (s *Store) Check(ctx context.Context) (string, error) {
	half := path.Join(halves, uuid.NewString())
	f, err := s.root.OpenFile(half, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return s.dir, explain(s.dir, err)
	}
	_, err = f.WriteString("проверка")
	err = errors.Join(err, f.Sync(), f.Close(), s.root.Remove(half), ctx.Err())
	return s.dir, explain(s.dir, err)
}
