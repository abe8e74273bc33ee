package devenv

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// remedy is how to get whatever is missing.
const remedy = "run make servers"

// ToolsDir returns the folder of the project that servers are installed into: .tools
// beside the go.mod at or above the working directory.
func ToolsDir() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, "go.mod")); err == nil {
			return filepath.Join(d, ".tools"), nil
		}
		if d == filepath.Dir(d) {
			return "", errors.New("no go.mod in " + dir + " or above")
		}
	}
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// findPostgres returns the folder of initdb and postgres.
func findPostgres() (string, error) {
	if bin := os.Getenv("PG_BIN"); bin != "" {
		if !hasPostgres(bin) {
			return "", fmt.Errorf("PG_BIN names %s, which has no initdb and postgres", bin)
		}
		return bin, nil
	}
	var places []string
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			places = append(places, filepath.Dir(path))
		}
	}
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin"} {
		found, _ := filepath.Glob(pattern)
		places = append(places, found...)
	}
	tools, err := ToolsDir()
	if err != nil {
		return "", err
	}
	places = append(places, filepath.Join(postgresHome(tools), "native", "bin"))
	for _, place := range places {
		if hasPostgres(place) {
			return place, nil
		}
	}
	return "", missingError{
		what: "PostgreSQL is not installed", forever: postgresPackage() == "",
		remedy: remedy + ", or install your system's package postgresql, or name the folder of initdb in PG_BIN",
	}
}

func hasPostgres(bin string) bool {
	return isFile(filepath.Join(bin, "initdb")) && isFile(filepath.Join(bin, "postgres"))
}

// postgresPackage names the npm package for this system, "" where there is none.
func postgresPackage() string {
	arch := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	if arch == "" || (runtime.GOOS != "linux" && runtime.GOOS != "darwin") {
		return ""
	}
	return "@embedded-postgres/" + runtime.GOOS + "-" + arch
}

func postgresHome(tools string) string {
	return filepath.Join(postgresRoot(tools), "node_modules", filepath.FromSlash(postgresPackage()))
}

func postgresRoot(tools string) string { return filepath.Join(tools, "postgres-"+postgresVersion) }

// findMilvus returns the folder with bin and the template of the configuration.
func findMilvus() (string, error) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return "", missingError{
			what: "Milvus " + milvusVersion + " does not run on this machine", forever: true,
			remedy: "its only server without containers is for Linux on x86-64; name one that runs elsewhere in " + EnvMilvus,
		}
	}
	tools, err := ToolsDir()
	if err != nil {
		return "", err
	}
	home := milvusHome(tools)
	if !isFile(filepath.Join(home, "bin", "milvus")) {
		return "", missingError{what: "Milvus is not installed", remedy: remedy}
	}
	return home, nil
}

func milvusHome(tools string) string { return filepath.Join(tools, "milvus-"+milvusVersion) }

// findVersitygw returns the path of the S3 server.
func findVersitygw() (string, error) {
	tools, err := ToolsDir()
	if err != nil {
		return "", err
	}
	path := versitygwPath(tools)
	if !isFile(path) {
		return "", missingError{what: "the S3 server versitygw is not installed", remedy: remedy}
	}
	return path, nil
}

func versitygwPath(tools string) string {
	return filepath.Join(tools, "versitygw-"+versitygwVersion, "versitygw")
}
