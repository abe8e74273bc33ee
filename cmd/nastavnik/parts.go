package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/nastavnik-bot/nastavnik/health"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/milvus"
	"github.com/nastavnik-bot/nastavnik/store/sqlite"
)

// checkParts is how often the running bot asks its parts how they are.
const checkParts = 5 * time.Second

// parts are what the configuration makes the bot work with. What is open is asked;
// what is not is opened for the check alone.
func (a *app) parts() []health.Part {
	return []health.Part{
		{Name: "record", Title: "Хранилище данных", Vital: true, Check: a.recordCheck()},
		{Name: "index", Title: "Индекс векторов", Check: a.indexCheck()},
		{Name: "embedder", Title: "Модель смысла", Check: a.embedderCheck()},
		{Name: "files", Title: "Вложения", Check: a.filesCheck()},
	}
}

// report is told by running code what it has seen of a part.
func (a *app) report(part string, err error) {
	if a.monitor != nil {
		a.monitor.Report(part, err)
	}
}

type check = func(ctx context.Context) (version string, err error)

func (a *app) recordCheck() check {
	if a.store != nil {
		return a.store.Check
	}
	return func(ctx context.Context) (version string, err error) {
		if err := a.openable(ctx); err != nil {
			return "", err
		}
		s, err := a.openTruth(ctx)
		if err != nil {
			return "", err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		return s.Check(ctx)
	}
}

// openable says why a database must not be opened only to be looked at: opening
// makes a data folder, and migrates what is in it.
func (a *app) openable(ctx context.Context) error {
	if a.production() {
		return nil
	}
	if _, err := os.Stat(filepath.Join(a.cfg.Data, sqlite.FileName)); errors.Is(err, os.ErrNotExist) {
		return health.Warn("в папке %s базы ещё нет: её создаст первая же команда, например nastavnik import", a.dataPath())
	}
	s, err := a.schema(ctx)
	if err != nil {
		return err
	}
	if n := s.Pending(); n > 0 {
		return health.Warn("схема старее программы, шагов не хватает: %d; обновится сама при следующем запуске, прежняя база останется рядом", n)
	}
	return nil
}

func (a *app) indexCheck() check {
	if a.cfg.Milvus.Address == "" {
		return func(context.Context) (string, error) { return "в памяти", nil }
	}
	if a.shared != nil {
		return a.shared.Check
	}
	return func(ctx context.Context) (version string, err error) {
		own := *a // parts are checked at once, and opening notes what is open
		e, err := own.embedder(ctx)
		if err != nil || e == nil {
			return "", health.Warn("индекс не спросить без модели смысла")
		}
		x, err := own.openShared(ctx, e)
		if err != nil {
			return "", err
		}
		defer func() { err = errors.Join(err, x.Close()) }()
		version, err = x.Check(ctx)
		if errors.Is(err, milvus.ErrMissing) {
			err = health.Warn("коллекции в Milvus ещё нет: её создаст и заполнит бот, когда будет запущен")
		}
		return version, err
	}
}

// checked is an embedder that is on a server.
type checked interface {
	Check(ctx context.Context) (version string, err error)
}

func (a *app) embedderCheck() check {
	if a.cfg.Model.Off || a.words {
		return func(context.Context) (string, error) { return "выключена: поиск по словам", nil }
	}
	opened, own := a.find != nil, *a
	var e knowledge.Embedder
	if opened {
		e = a.vectors
	}
	return func(ctx context.Context) (_ string, err error) {
		if !opened {
			if e, err = own.embedder(ctx); err != nil {
				return "", err
			}
		}
		if e == nil {
			return "", health.Warn("модель не найдена, поиск только по словам: получите её (make model) или выключите (model.off)")
		}
		if c, ok := e.(checked); ok {
			return c.Check(ctx)
		}
		return e.Name(), nil
	}
}

// filesCheck looks at where attachments are kept.
func (a *app) filesCheck() check {
	if a.contents != nil {
		return a.contents.Check
	}
	return func(ctx context.Context) (version string, err error) {
		if a.cfg.S3.Endpoint == "" {
			if _, err := os.Stat(filepath.Join(a.cfg.Data, filesFolder)); errors.Is(err, os.ErrNotExist) {
				return "папка данных, пока без вложений", nil
			}
		}
		own := *a // parts are checked at once, and opening notes what is open
		files, err := own.openFiles()
		if err != nil {
			return "", err
		}
		defer func() { err = errors.Join(err, files.Close()) }()
		return files.Check(ctx)
	}
}
