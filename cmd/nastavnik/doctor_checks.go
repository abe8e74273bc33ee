package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/nastavnik-bot/nastavnik/health"
	"github.com/nastavnik-bot/nastavnik/store/lock"
	"github.com/nastavnik-bot/nastavnik/store/postgres"
)

func (a *app) checkSchema(ctx context.Context) (string, error) {
	s, err := a.schema(ctx)
	if err != nil {
		return "", err
	}
	v := strconv.FormatInt(s.Version(), 10)
	switch n := s.Pending(); {
	case n == 0:
		return v, nil
	case a.production():
		return v, fmt.Errorf("схема базы PostgreSQL старее программы, шагов не хватает: %d; выполните nastavnik migrate up: %w", n, postgres.ErrOlder)
	case s.Version() == 0:
		return "ещё нет", nil
	default:
		return v, health.Warn("схема старее программы, шагов не хватает: %d; обновится сама при следующем запуске", n)
	}
}

func (a *app) checkQueue(ctx context.Context) (string, error) {
	s, err := a.schema(ctx)
	if err != nil {
		return "", err
	}
	if s.Queue == 0 && !a.production() {
		return "ещё нет", nil
	}
	v := fmt.Sprintf("River, таблицы версии %d", s.Queue)
	if s.Queue != s.QueueExpected && a.production() {
		return v, fmt.Errorf("таблицы очереди старее программы, выполните nastavnik migrate up: %w", postgres.ErrOlder)
	}
	return v, nil
}

func (a *app) checkRights(ctx context.Context) (_ string, err error) {
	o, err := a.postgresOptions()
	if err != nil {
		return "", err
	}
	s, err := postgres.Open(ctx, o)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	who := "одна роль и для схемы, и для работы"
	if o.Owner != "" {
		who = "две роли: схема и работа"
	}
	return who, s.Rights(ctx)
}

// checkBot tells who is the bot. On a data folder that is said by the file that its
// bot keeps: taking the lock to find out could keep a bot from starting.
func (a *app) checkBot(ctx context.Context) (_ string, err error) {
	if a.production() {
		o, err := a.postgresOptions()
		if err != nil {
			return "", err
		}
		s, err := postgres.Open(ctx, o)
		if err != nil {
			return "", err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		n, err := s.Replicas(ctx)
		return fmt.Sprintf("реплик работает: %d", n), err
	}
	h, err := lock.Read(a.cfg.Data)
	switch {
	case err != nil:
		return "", err
	case h.PID == 0:
		return "никто", nil
	case !alive(h):
		return "никто", health.Warn("прежний бот завершился не сам (%s); следующий запуск доделает за него", a.describe(h))
	}
	return a.describe(h), nil
}

// alive reports whether the process may still run; that of another machine may.
func alive(h lock.Holder) bool {
	if host, _ := os.Hostname(); host != h.Host {
		return true
	}
	p, err := os.FindProcess(h.PID)
	if err != nil {
		return false
	}
	err = p.Signal(syscall.Signal(0))
	return err == nil || errors.Is(err, os.ErrPermission)
}

// checkPort tells whether the port is free, or our own bot's.
func (a *app) checkPort(ctx context.Context) (string, error) {
	address := a.cfg.HTTP.Listen
	if address == "" {
		return "не настроен", nil
	}
	if serves(ctx, address) {
		return address + ", отвечает бот", nil
	}
	l, err := listen(ctx, address)
	if err != nil {
		return address, err
	}
	return address + ", свободен", l.Close()
}

// serves reports whether a bot answers at an address.
func serves(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, doctorWithin/3)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/healthz", nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	defer func() { _ = answer.Body.Close() }()
	var said struct {
		Service string `json:"service"`
	}
	const enough = 1 << 12
	return json.NewDecoder(io.LimitReader(answer.Body, enough)).Decode(&said) == nil && said.Service == health.Service
}

func (a *app) checkZone(context.Context) (string, error) {
	if _, err := time.LoadLocation(a.cfg.Zone); err != nil {
		return a.cfg.Zone, fmt.Errorf("часового пояса %q нет: поправьте zone, пример: Europe/Moscow", a.cfg.Zone)
	}
	return fmt.Sprintf("%s, сейчас %s", firstOf(a.cfg.Zone, "как у машины"), a.day(time.Now())), nil
}

// Below these the disk is soon full, and a full disk stops the bot.
const (
	littleSpace  = 1 << 30
	noSpaceAtAll = 100 << 20
)

func (a *app) checkDisk(context.Context) (string, error) {
	dir := a.dataPath()
	for {
		_, err := os.Stat(dir)
		if err == nil || dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir) // the data folder is made later
	}
	free, err := freeSpace(dir)
	if errors.Is(err, errors.ErrUnsupported) {
		return "не узнать", nil
	}
	if err != nil {
		return "", fmt.Errorf("место в %s не узнать: %w", dir, err)
	}
	v := "свободно " + humanize.IBytes(free)
	switch {
	case free < noSpaceAtAll:
		return v, fmt.Errorf("в %s почти не осталось места: освободите его, иначе бот остановится", dir)
	case free < littleSpace:
		return v, health.Warn("в %s мало места: освободите его", dir)
	}
	return v, nil
}
