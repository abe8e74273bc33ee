package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/nastavnik-bot/nastavnik/bot/files"
	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// linkKeyFile holds the key that links to files are signed with, where the
// configuration gives none. Replicas on several machines need one from there.
const linkKeyFile = "links.key"

// linkKeyBytes is the length of a key.
const linkKeyBytes = 32

// fileServer gives files over HTTP, and makes the links to them.
func (a *app) fileServer() (*files.Server, error) {
	kept, err := a.files()
	if err != nil {
		return nil, err
	}
	key, err := a.linkKey()
	if err != nil {
		return nil, err
	}
	base := a.cfg.HTTP.URL
	if base == "" {
		base = "http://" + a.cfg.HTTP.Listen
	}
	return files.New(files.Options{Store: a.store, Files: kept, Say: a.say, Key: key, Base: base, Now: time.Now, Log: a.log})
}

// linkKey returns the key of the configuration, else that of the data folder, which is
// made when there is none.
func (a *app) linkKey() ([]byte, error) {
	if key := a.cfg.HTTP.Key.Reveal(); key != "" {
		return []byte(key), nil
	}
	path := filepath.Join(a.cfg.Data, linkKeyFile)
	for {
		text, err := os.ReadFile(path)
		if err == nil {
			key, err := hex.DecodeString(strings.TrimSpace(string(text)))
			if err != nil || len(key) != linkKeyBytes {
				return nil, fmt.Errorf("файл %s повреждён: удалите его, бот создаст новый", path)
			}
			return key, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("файл %s: %s", path, reason(err))
		}
		if err := writeKey(path); err != nil && !errors.Is(err, fs.ErrExist) { // another process was first
			return nil, fmt.Errorf("файл %s: %s", path, reason(err))
		}
	}
}

// writeKey makes a file with a new key: whole, or not at all.
func writeKey(path string) error {
	key := make([]byte, linkKeyBytes)
	_, _ = rand.Read(key) // it never fails
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), linkKeyFile+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.WriteString(hex.EncodeToString(key) + "\n")
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Link(f.Name(), path)
}

// printLinks prints a link to each file, for one person and some minutes.
func (a *app) printLinks(ctx context.Context, list []knowledge.Attachment, as string) error {
	if a.cfg.HTTP.Listen == "" && a.cfg.S3.Endpoint == "" {
		return errors.New("ссылок нет: бот ничего не отдаёт по сети, задайте http.listen; сохранить файлы можно с --out")
	}
	server, err := a.fileServer()
	if err != nil {
		return err
	}
	p, err := a.author(ctx, firstOf(as, systemUser()))
	if err != nil {
		return err
	}
	rows := make([]table.Row, len(list))
	for i, f := range list {
		link, err := server.Link(ctx, f.ID, p.ID)
		if err != nil {
			return err
		}
		rows[i] = table.Row{cell(f.Name, 60), link}
	}
	a.printTable(table.Row{"Файл", "Ссылка на несколько минут"}, rows)
	return nil
}
