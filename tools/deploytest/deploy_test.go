// Package deploytest reads what deploy/ and the hosted CI are made of as the
// programs that run them would, since no container engine and no service manager
// is at hand where the tests run, and holds them to what an administrator relies
// on: versions are pinned, secrets are files, nothing is privileged, nothing
// listens to strangers, and every setting is one that the program knows.
//
// It lives in the module of the tools, because the parsers are large and the
// product has no use for them. It reads files outside of its module, which the
// go command's test cache does not watch: run it with -count=1.
package deploytest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// inRoot names a file of the project, given below its root.
func inRoot(name string) string { return filepath.Join("..", "..", filepath.FromSlash(name)) }

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(inRoot(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// keysOf flattens a configuration file: "a: {b: 1}" has the key "a.b".
func keysOf(t *testing.T, name string) map[string]bool {
	t.Helper()
	var tree map[string]any
	if err := yaml.Unmarshal([]byte(read(t, name)), &tree); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	keys := map[string]bool{}
	var walk func(prefix string, v any)
	walk = func(prefix string, v any) {
		if m, ok := v.(map[string]any); ok {
			for k, v := range m {
				walk(strings.TrimPrefix(prefix+"."+k, "."), v)
			}
			return
		}
		keys[prefix] = true
	}
	walk("", tree)
	return keys
}

// checkSetting fails unless an environment variable of ours sets a key that
// configs/example.yaml has.
func checkSetting(t *testing.T, where, name string) {
	t.Helper()
	setting, ours := strings.CutPrefix(name, "NASTAVNIK_")
	if !ours || setting == "CONFIG" {
		return
	}
	key := strings.ToLower(strings.ReplaceAll(strings.TrimSuffix(setting, "_FILE"), "_", "."))
	if !keysOf(t, "configs/example.yaml")[key] {
		t.Errorf("%s sets %s, and configs/example.yaml has no %s", where, name, key)
	}
}

// secretName matches the names of variables that hold what nobody may see.
var secretName = regexp.MustCompile(`PASSWORD|SECRET|TOKEN|DSN|OPENAI_KEY|POSTGRES_OWNER`)

// imageName is what the project writes: no host, a tag that does not move on by
// itself to the next version of everything.
var imageName = regexp.MustCompile(`^([a-z0-9-]+/)?[a-z0-9-]+:([a-zA-Z0-9][\w.-]*)$`)

func checkImage(t *testing.T, where, image string) {
	t.Helper()
	m := imageName.FindStringSubmatch(image)
	switch {
	case m == nil:
		t.Errorf("%s: the image %q is not written as name:tag without a host", where, image)
	case m[2] == "latest" || m[2] == "edge" || m[2] == "main" || m[2] == "stable":
		t.Errorf("%s: the tag of %s moves on by itself", where, image)
	}
}

func TestProductionExampleSetsOnlyKnownKeys(t *testing.T) {
	known := keysOf(t, "configs/example.yaml")
	set := keysOf(t, "configs/production.example.yaml")
	for key := range set {
		if !known[key] {
			t.Errorf("configs/production.example.yaml sets %s, which configs/example.yaml does not have", key)
		}
	}
	for _, key := range []string{"postgres.dsn", "postgres.owner", "milvus.address", "s3.endpoint", "s3.bucket"} {
		if !set[key] {
			t.Errorf("configs/production.example.yaml does not set %s", key)
		}
	}
}
