package devenv

import (
	"context"
	"embed"
	"fmt"
	"os"
	"path"
	"path/filepath"
)

// npmLocks has a folder for each peer from npm: its lock file names every package
// under it with its checksum.
//
//go:embed slackpeer/package.json slackpeer/package-lock.json
//go:embed telegrampeer/package.json telegrampeer/package-lock.json
var npmLocks embed.FS

// installLocked installs what the lock file in a folder of npmLocks names, and checks
// the sums. No script of a package is run.
func installLocked(folder string) func(ctx context.Context, dir string) error {
	return func(ctx context.Context, dir string) error {
		for _, name := range []string{"package.json", "package-lock.json"} {
			text, err := npmLocks.ReadFile(path.Join(folder, name))
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
				return fmt.Errorf("write %s: %w", name, err)
			}
		}
		return runTool(ctx, dir, nil, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	}
}
