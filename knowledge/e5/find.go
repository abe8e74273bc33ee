package e5

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// FileName is the usual name of the model file.
const FileName = "e5-small.bin"

// ErrNoModel is wrapped by the error of Find when no place has a model. The program then works from words alone.
var ErrNoModel = errors.New("no embedding model")

// Find returns the path of the model file. Where explicit is not empty it is that, and it is an error, not ErrNoModel, if there
// is no such file. Otherwise it is the first that exists of
//
//   - e5-small.bin in dataDir, if dataDir is not empty
//   - e5-small.bin beside the executable
//   - model/e5-small.bin in the working directory or above, up to the root of the Go module that it is in
//   - nastavnik/e5-small.bin in $XDG_DATA_HOME, by default ~/.local/share
//
// The error that wraps ErrNoModel lists these places and says how to get the file. Find does not look into the file.
func Find(explicit, dataDir string) (string, error) {
	if explicit != "" {
		if err := checkFile(explicit); err != nil {
			return "", fmt.Errorf("embedding model: %w", err)
		}
		return explicit, nil
	}
	places := searchPlaces(dataDir)
	for _, path := range places {
		if checkFile(path) == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w in any of\n  %s\nrun `make model` in the source tree, or copy the file to one of these places",
		ErrNoModel, strings.Join(places, "\n  "))
}

// checkFile returns an error unless path is a regular file.
func checkFile(path string) error {
	info, err := os.Stat(path) //nolint:gosec // only whether the file exists is asked, in folders of the user's own
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file", path)
	}
	return nil
}

// searchPlaces returns where Find looks, in order. Places that the system does not tell are left out.
func searchPlaces(dataDir string) []string {
	var places []string
	if dataDir != "" {
		places = append(places, filepath.Join(dataDir, FileName))
	}
	if exe, err := os.Executable(); err == nil {
		places = append(places, filepath.Join(filepath.Dir(exe), FileName))
	}
	if dir, err := os.Getwd(); err == nil {
		for _, d := range upToModule(dir) {
			places = append(places, filepath.Join(d, "model", FileName))
		}
	}
	if dir := userDataDir(); dir != "" {
		places = append(places, filepath.Join(dir, "nastavnik", FileName))
	}
	return places
}

// upToModule returns dir and its parents up to the one with a go.mod; dir alone if none has one.
func upToModule(dir string) []string {
	var dirs []string
	for d := dir; ; d = filepath.Dir(d) {
		dirs = append(dirs, d)
		if checkFile(filepath.Join(d, "go.mod")) == nil {
			return dirs
		}
		if d == filepath.Dir(d) {
			return []string{dir}
		}
	}
}

// userDataDir returns the user's folder for data of programs (XDG Base Directory Specification), or "".
func userDataDir() string {
	//nolint:forbidigo // where the system keeps a user's data is no configuration of the program
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return dir
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".local", "share")
}
