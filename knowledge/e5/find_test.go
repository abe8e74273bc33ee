package e5

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// write makes an empty file with its folders.
func write(t *testing.T, path string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFindTakesTheFirstPlaceThatHasTheFile(t *testing.T) {
	root := t.TempDir()
	dataDir, userDir := filepath.Join(root, "data"), filepath.Join(root, "xdg")
	module := filepath.Join(root, "src")
	write(t, filepath.Join(module, "go.mod"))
	deep := filepath.Join(module, "a", "b")
	write(t, filepath.Join(deep, "file.go"))
	t.Setenv("XDG_DATA_HOME", userDir)
	t.Chdir(deep)

	_, err := Find("", dataDir)
	if !errors.Is(err, ErrNoModel) {
		t.Fatalf("with no file anywhere: %v", err)
	}
	for _, want := range []string{dataDir, deep, module, userDir, "make model"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s:\n%v", want, err)
		}
	}

	// Each file that is added takes precedence over those before it.
	for _, path := range []string{
		filepath.Join(userDir, "nastavnik", "e5-small.bin"),
		filepath.Join(module, "model", "e5-small.bin"),
		filepath.Join(deep, "model", "e5-small.bin"),
		filepath.Join(dataDir, "e5-small.bin"),
	} {
		write(t, path)
		if got, err := Find("", dataDir); err != nil || got != path {
			t.Errorf("Find returned %q, %v; want %s", got, err, path)
		}
	}
}

func TestFindDoesNotLookAboveTheModule(t *testing.T) {
	root := t.TempDir()
	t.Setenv("XDG_DATA_HOME", filepath.Join(root, "xdg"))
	module := filepath.Join(root, "src")
	write(t, filepath.Join(module, "go.mod"))
	write(t, filepath.Join(root, "model", FileName))
	t.Chdir(module)
	if got, err := Find("", ""); !errors.Is(err, ErrNoModel) {
		t.Errorf("Find returned %q, %v", got, err)
	}
}

func TestFindOutsideOfAModule(t *testing.T) {
	root := t.TempDir()
	t.Setenv("XDG_DATA_HOME", filepath.Join(root, "xdg"))
	path := write(t, filepath.Join(root, "model", FileName))
	t.Chdir(root)
	if got, err := Find("", ""); err != nil || got != path {
		t.Errorf("in the folder itself Find returned %q, %v", got, err)
	}
	sub := filepath.Join(root, "sub")
	write(t, filepath.Join(sub, "file"))
	t.Chdir(sub)
	if got, err := Find("", ""); !errors.Is(err, ErrNoModel) {
		t.Errorf("below it Find returned %q, %v", got, err)
	}
}

func TestFindExplicit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := write(t, filepath.Join(dir, "my.bin"))
	if got, err := Find(path, dir); err != nil || got != path {
		t.Errorf("Find returned %q, %v", got, err)
	}
	_, err := Find(filepath.Join(dir, "none.bin"), dir)
	if !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrNoModel) {
		t.Errorf("a file that does not exist: %v", err)
	}
	if _, err := Find(dir, dir); err == nil || !strings.Contains(err.Error(), "is not a file") {
		t.Errorf("a folder: %v", err)
	}
}
