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

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/disk"
)

// files opens what keeps the contents of attachments; close closes it.
func (a *app) files() (knowledge.Files, error) {
	if a.contents != nil {
		return a.contents, nil
	}
	s, err := disk.Open(disk.Options{Dir: filepath.Join(a.cfg.Data, filesFolder)})
	if err != nil {
		return nil, err
	}
	a.contents = s
	return s, nil
}

// closeFiles closes what files has opened.
func (a *app) closeFiles() error {
	c, ok := a.contents.(io.Closer)
	a.contents = nil
	if !ok {
		return nil
	}
	return c.Close()
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
