package disk_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/store/disk"
	"github.com/nastavnik-bot/nastavnik/store/storetest"
)

func open(t *testing.T, dir string) *disk.Store {
	t.Helper()
	s, err := disk.Open(disk.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// left names every file in a folder.
func left(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestContract(t *testing.T) {
	storetest.TestFiles(t, func(t *testing.T) storetest.FilesUnderTest {
		t.Helper()
		dir := t.TempDir()
		return storetest.FilesUnderTest{
			Files: open(t, dir),
			Replace: func(t *testing.T, key string, with []byte) {
				t.Helper()
				if err := os.WriteFile(filepath.Join(dir, key), with, 0o600); err != nil {
					t.Fatal(err)
				}
			},
			// Half-written ones count: a refused or broken upload leaves none.
			Count: func(t *testing.T) int { t.Helper(); return len(left(t, dir)) },
		}
	})
}

func put(t *testing.T, s *disk.Store, text string) knowledge.Content {
	t.Helper()
	c, err := s.Put(t.Context(), strings.NewReader(text), knowledge.FileLimits{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestOnlyTheOwnerReads(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "files")
	c := put(t, open(t, dir), "тайна")
	for path, want := range map[string]fs.FileMode{dir: 0o700, filepath.Join(dir, c.Key): 0o600, filepath.Dir(filepath.Join(dir, c.Key)): 0o700} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %v", path, info.Mode().Perm(), err, want)
		}
	}
}

// A writer that was killed leaves a half; one that still writes does not lose it.
func TestHalvesAreSwept(t *testing.T) {
	dir := t.TempDir()
	c := put(t, open(t, dir), "целый файл")
	dead, alive := filepath.Join(dir, "tmp", "dead"), filepath.Join(dir, "tmp", "alive")
	for _, path := range []string{dead, alive} {
		if err := os.WriteFile(path, []byte("полови"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-2 * time.Hour)
	if err := errors.Join(os.Chtimes(dead, long, long), os.Chtimes(filepath.Join(dir, c.Key), long, long)); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
	if got := left(t, dir); len(got) != 2 || got[0] != filepath.Join(dir, c.Key) || got[1] != alive {
		t.Errorf("there are %q", got)
	}
}

// A link that somebody put into the folder leads nowhere.
func TestLinksAreNotFollowed(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	s := open(t, dir)
	c := put(t, s, "внутри")
	if err := errors.Join(os.RemoveAll(filepath.Join(dir, "sha256")), os.Symlink(outside, filepath.Join(dir, "sha256"))); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), strings.NewReader("внутри"), knowledge.FileLimits{}); err == nil {
		t.Error("it was written through a link")
	}
	if _, _, err := s.Open(t.Context(), c.Key); err == nil {
		t.Error("it was read through a link")
	}
	if got := left(t, outside); len(got) > 0 {
		t.Errorf("outside there are %q", got)
	}
}

func TestKeys(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	want := map[string]int64{}
	for _, text := range []string{"раз", "два", "три"} {
		c := put(t, s, text)
		want[c.Key] = c.Size
	}
	for _, foreign := range []string{"README", "sha256/aa/short", "tmp/half"} {
		path := filepath.Join(dir, foreign)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("x"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]int64{}
	err := s.Keys(t.Context(), func(key string, size int64) error { got[key] = size; return nil })
	if err != nil || len(got) != len(want) {
		t.Errorf("keys %v, %v; want %v", got, err, want)
	}
	for key, size := range want {
		if got[key] != size {
			t.Errorf("%s: %d bytes, want %d", key, got[key], size)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Keys(ctx, func(string, int64) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that ended: %v", err)
	}
}

func TestWhatAnAdministratorIsTold(t *testing.T) {
	t.Run("no space", func(t *testing.T) {
		dir := smallDisk(t)
		if dir == "" { // nobody may mount here: a device that is always full gives the error
			err := disk.Explain("папка", os.WriteFile("/dev/full", []byte("x"), 0))
			if !errors.Is(err, disk.ErrFull) {
				t.Errorf("the error is %v", err)
			}
			return
		}
		s := open(t, dir)
		kept := put(t, s, "маленький")
		_, err := s.Put(t.Context(), strings.NewReader(strings.Repeat("большой ", 200_000)), knowledge.FileLimits{})
		if !errors.Is(err, disk.ErrFull) || !strings.Contains(err.Error(), "кончилось место") || !strings.Contains(err.Error(), dir) {
			t.Errorf("the error is %v", err)
		}
		if got := left(t, dir); len(got) != 1 {
			t.Errorf("there are %q", got)
		}
		r, _, err := s.Open(t.Context(), kept.Key)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(r); err != nil || string(b) != "маленький" {
			t.Errorf("what was there is %q, %v", b, err)
		}
		_ = r.Close()
	})
	t.Run("no folder", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := disk.Open(disk.Options{Dir: path})
		if !errors.Is(err, disk.ErrUnwritable) || !strings.Contains(err.Error(), path) {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("check", func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, dir)
		if name, err := s.Check(t.Context()); err != nil || name != dir {
			t.Errorf("check: %q, %v", name, err)
		}
		if err := os.RemoveAll(filepath.Join(dir, "tmp")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Check(t.Context()); err == nil {
			t.Error("a folder that is gone passes the check")
		}
		if got := left(t, dir); len(got) != 0 {
			t.Errorf("checking leaves %q", got)
		}
	})
}
