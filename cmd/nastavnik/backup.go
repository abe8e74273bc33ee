package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/nastavnik-bot/nastavnik/store/sqlite"
)

// filesFolder is where the embedded store keeps the contents of attachments.
const filesFolder = "files"

func newBackup(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "backup [КУДА]",
		Short: "Сделать резервную копию папки данных, не останавливая бота",
		Long: `Копирует базу и вложения в новую папку, проверяет копию и только потом даёт ей имя: половины копии не бывает.
КУДА — имя новой папки; если такая папка уже есть, копия ляжет в неё под именем с датой. Имя на .db — только база, одним файлом.
Базу PostgreSQL копируют её средствами: pg_dump.`,
		Example: `  nastavnik backup
  nastavnik backup /backups
  nastavnik backup перед-обновлением.db`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if a.production() {
				return errors.New("данные лежат в PostgreSQL: их копирует pg_dump (например, pg_dump --format=custom --file=nastavnik.dump БАЗА), " +
					"а вложения в S3 хранит версионирование бакета: включите его")
			}
			target := "."
			if len(args) == 1 {
				target = args[0]
			}
			return a.backup(cmd.Context(), target)
		},
	}
}

func (a *app) backup(ctx context.Context, target string) (err error) {
	if _, err := os.Stat(filepath.Join(a.cfg.Data, sqlite.FileName)); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("в папке %s базы нет, копировать нечего: проверьте --data", a.dataPath())
	}
	single := filepath.Ext(target) == ".db"
	if info, err := os.Stat(target); err == nil && info.IsDir() && !single {
		target = filepath.Join(target, "nastavnik-"+time.Now().In(a.cfg.Location()).Format("20060102-150405"))
	}
	if target, err = filepath.Abs(target); err != nil {
		return err
	}
	if _, err := os.Lstat(target); err == nil {
		return fmt.Errorf("%s уже есть, а прежние копии не затираются: назовите другое место", target)
	}
	partial, err := os.MkdirTemp(filepath.Dir(target), ".nastavnik-backup-*")
	if err != nil {
		return fmt.Errorf("рядом с %s нельзя создать папку (%s): назовите другое место: %w", target, reason(err), err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(partial)) }()
	c, err := a.copyData(ctx, partial, !single)
	if err != nil {
		return fmt.Errorf("копия не сделана: %w", err)
	}
	from := partial
	if single {
		from = filepath.Join(partial, sqlite.FileName)
	}
	if err := rename(from, target); err != nil {
		return fmt.Errorf("копия не сделана: %w", err)
	}
	return a.printBackup(target, single, c)
}

// copied is what a backup holds.
type copied struct {
	files   int
	bytes   int64
	damaged []string // files that were not what their names say, before they were copied
}

// copyData copies the database and then the files, which only ever become more: what
// the copied database names is there.
func (a *app) copyData(ctx context.Context, dir string, files bool) (c copied, err error) {
	if err := a.open(ctx); err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	s, ok := a.store.(embedded)
	if !ok {
		return c, errors.New("not the embedded store")
	}
	path := filepath.Join(dir, sqlite.FileName)
	if err := s.Backup(ctx, path); err != nil {
		return c, err
	}
	if err := sqlite.Verify(ctx, path); err != nil {
		return c, err
	}
	if err := syncPath(path); err != nil {
		return c, err
	}
	if files && a.cfg.S3.Endpoint == "" {
		c, err = copyContents(ctx, filepath.Join(a.cfg.Data, filesFolder), filepath.Join(dir, filesFolder))
	}
	return c, err
}

// copyContents copies the contents of attachments, none of them half.
func copyContents(ctx context.Context, from, to string) (c copied, err error) {
	err = filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // no attachments yet, or deleted meanwhile
		}
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		name, err := filepath.Rel(from, path)
		switch {
		case err != nil:
			return err
		case d.IsDir() && name == "tmp":
			return fs.SkipDir // half written
		case !d.Type().IsRegular():
			return nil
		}
		n, sum, err := copyFile(path, filepath.Join(to, name))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		c.files++
		c.bytes += n
		if key, ok := strings.CutPrefix(filepath.ToSlash(name), "sha256/"); ok && strings.ReplaceAll(key, "/", "") != sum {
			c.damaged = append(c.damaged, path)
		}
		return nil
	})
	return c, err
}

// copyFile returns the size and the digest of what it has copied and written to the
// disk.
func copyFile(from, to string) (size int64, sum string, err error) {
	in, err := os.Open(from)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = in.Close() }()
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return 0, "", err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, "", err
	}
	digest := sha256.New()
	size, err = io.Copy(io.MultiWriter(out, digest), in)
	if err == nil {
		err = out.Sync()
	}
	return size, hex.EncodeToString(digest.Sum(nil)), errors.Join(err, out.Close())
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// rename gives a copy its name, for good: the folder that holds the name is written,
// too.
func rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	_ = syncPath(filepath.Dir(to)) // some file systems cannot
	return nil
}

func (a *app) printBackup(target string, single bool, c copied) error {
	for _, path := range c.damaged {
		_, _ = fmt.Fprintf(a.std.err, "Внимание: вложение %s повреждено, скопировано как есть.\n", path)
	}
	if single {
		return a.printf("Копия базы: %s (вложений в ней нет).\nВосстановить: остановите бота, положите её в папку данных под именем %s и удалите там %[2]s-wal и %[2]s-shm.\n", target, sqlite.FileName)
	}
	files := fmt.Sprintf("база и вложения, файлов: %d", c.files)
	if a.cfg.S3.Endpoint != "" {
		files = "только база: вложения лежат в S3, их хранит версионирование бакета"
	}
	return a.printf("Копия: %s (%s).\nВосстановить: остановите бота и замените этой папкой папку %s, или проверьте копию отдельно: nastavnik question list --data %s\n", target, files, a.dataPath(), target)
}
