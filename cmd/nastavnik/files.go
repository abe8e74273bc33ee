package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/health"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/disk"
	"github.com/nastavnik-bot/nastavnik/store/s3"
	"github.com/nastavnik-bot/nastavnik/store/spool"
)

// contents keep the contents of attachments.
type contents interface {
	knowledge.Files
	Check(ctx context.Context) (version string, err error)
	Close() error
}

// files opens what keeps the contents of attachments; closeFiles closes it.
func (a *app) files() (contents, error) {
	if a.contents != nil {
		return a.contents, nil
	}
	c, err := a.openFiles()
	if err == nil {
		a.contents = c
	}
	return c, err
}

// closeFiles closes what files has opened.
func (a *app) closeFiles() error {
	if a.contents == nil {
		return nil
	}
	err := a.contents.Close()
	a.contents = nil
	return err
}

// openFiles opens a folder, or a bucket with a folder before it for when it is away.
func (a *app) openFiles() (contents, error) {
	if a.cfg.S3.Endpoint == "" {
		return disk.Open(disk.Options{Dir: filepath.Join(a.cfg.Data, filesFolder)})
	}
	o := a.cfg.S3
	bucket, err := s3.Open(s3.Options{
		Endpoint: o.Endpoint, Region: o.Region, Bucket: o.Bucket, AccessKey: o.Key.Reveal(), SecretKey: o.Secret.Reveal(), TLS: o.TLS, Prefix: o.Prefix,
	})
	if err != nil {
		return nil, err
	}
	local, err := disk.Open(disk.Options{Dir: filepath.Join(a.cfg.Data, spoolFolder)})
	if err != nil {
		return nil, err
	}
	return spooled{Store: spool.New(spool.Options{Local: local, Remote: bucket, Log: a.log}), bucket: bucket, local: local}, nil
}

// spoolFolder holds files of this machine that wait for their bucket.
const spoolFolder = "files-waiting"

// spooled is a bucket with a folder before it.
type spooled struct {
	*spool.Store
	bucket *s3.Store
	local  *disk.Store
}

func (s spooled) Check(ctx context.Context) (string, error) {
	version, err := s.bucket.Check(ctx)
	if err != nil {
		return version, err
	}
	if n, _, err := s.Waiting(ctx); err == nil && n > 0 {
		return version, health.Warn("файлов ждут отправки в S3: %d; бот отправит их сам", n)
	}
	return version, nil
}

func (s spooled) Close() error { return s.local.Close() }

// flushEvery is how often waiting files are moved to their bucket.
const flushEvery = 10 * time.Second

// flushFiles moves what waits for the bucket, again and again, until ctx ends.
func (a *app) flushFiles(ctx context.Context) error {
	files, err := a.files()
	if err != nil {
		return err
	}
	s, ok := files.(spooled)
	if !ok {
		return nil
	}
	for {
		moved, err := s.Flush(ctx)
		switch {
		case moved > 0:
			a.log.InfoContext(ctx, "files that waited are in their bucket", "files", moved)
		case err != nil && ctx.Err() == nil && !errors.Is(err, knowledge.ErrAway):
			a.log.WarnContext(ctx, "files wait on this machine", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(flushEvery):
		}
	}
}

// fileJSON is a file of an answer.
type fileJSON struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Size  int64  `json:"size"` // bytes
	Media string `json:"type"`
}

func filesOut(files []knowledge.Attachment) (out []fileJSON) {
	for _, f := range files {
		out = append(out, fileJSON{ID: f.ID, Name: f.Name, Size: f.Size, Media: f.Media})
	}
	return out
}

// readFiles returns the files of an answer.
func readFiles(ctx context.Context, tx bot.Tx, answer int64) ([]knowledge.Attachment, error) {
	if answer == 0 {
		return nil, nil
	}
	return tx.Attachments(ctx, knowledge.AttachmentFilter{Answers: []int64{answer}})
}

// store takes the content of a file of this machine.
func (a *app) storeFile(ctx context.Context, path string) (knowledge.Content, error) {
	f, err := os.Open(path)
	if err != nil {
		return knowledge.Content{}, usageError{fmt.Errorf("файл %s: %s", path, reason(err))}
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return knowledge.Content{}, usageError{fmt.Errorf("файл %s: это папка", path)}
	}
	files, err := a.files()
	if err != nil {
		return knowledge.Content{}, err
	}
	c, err := files.Put(ctx, f, knowledge.FileLimits{Size: a.cfg.Files.Bytes()})
	if errors.Is(err, knowledge.ErrInvalid) {
		err = fmt.Errorf("файл %s: %w", path, err)
	}
	return c, err
}

// saveFile writes a file into a folder, never over another one, and returns its path.
func (a *app) saveFile(ctx context.Context, f knowledge.Attachment, dir string) (path string, err error) {
	files, err := a.files()
	if err != nil {
		return "", err
	}
	in, _, err := files.Open(ctx, f.Key)
	if err != nil {
		return "", err
	}
	defer func() { _ = in.Close() }()
	out, err := create(dir, f.Name)
	if err != nil {
		return "", fmt.Errorf("файл %s в папке %s: %s", f.Name, dir, reason(err))
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Close()); err != nil {
		return "", errors.Join(err, os.Remove(out.Name())) // half of it looks like the whole
	}
	return out.Name(), nil
}

// create makes a file with a name, or with a number behind it when the name is taken.
func create(dir, name string) (*os.File, error) {
	ext := filepath.Ext(name)
	for n := 1; ; n++ {
		numbered := name
		if n > 1 {
			numbered = strings.TrimSuffix(name, ext) + " (" + strconv.Itoa(n) + ")" + ext
		}
		f, err := os.OpenFile(filepath.Join(dir, numbered), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if !errors.Is(err, os.ErrExist) {
			return f, err
		}
	}
}
