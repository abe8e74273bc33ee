package deploytest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/coreos/go-systemd/v22/unit"
)

// options are the settings of a unit file, "Service.User" with its values.
func options(t *testing.T, name string) map[string][]string {
	t.Helper()
	parsed, err := unit.DeserializeOptions(strings.NewReader(read(t, name)))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	out := map[string][]string{}
	for _, o := range parsed {
		key := o.Section + "." + o.Name
		out[key] = append(out[key], o.Value)
	}
	return out
}

func TestUnitIsHardened(t *testing.T) {
	got := options(t, "deploy/nastavnik.service")
	for key, want := range map[string]string{
		"Service.User":                    "nastavnik",
		"Service.StateDirectory":          "nastavnik",
		"Service.Restart":                 "on-failure",
		"Service.KillSignal":              "SIGTERM",
		"Service.TimeoutStopSec":          "30s",
		"Service.ProtectSystem":           "strict",
		"Service.ProtectHome":             "yes",
		"Service.PrivateTmp":              "yes",
		"Service.NoNewPrivileges":         "yes",
		"Service.CapabilityBoundingSet":   "",
		"Service.AmbientCapabilities":     "",
		"Service.UMask":                   "0077",
		"Service.MemoryDenyWriteExecute":  "yes",
		"Service.RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
		"Install.WantedBy":                "multi-user.target",
	} {
		if !slices.Equal(got[key], []string{want}) {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}
	if start := got["Service.ExecStart"]; len(start) != 1 || !strings.HasPrefix(start[0], "/usr/local/bin/nastavnik serve ") {
		t.Errorf("it starts %q", start)
	}
}

// A drop-in hands the secrets of the production stores to the unit, and to it
// alone: each variable names a credential that is loaded, from a file.
func TestUnitSecretsAreCredentials(t *testing.T) {
	loaded := map[string]bool{}
	production := options(t, "deploy/production.conf")
	for _, c := range production["Service.LoadCredential"] {
		name, path, _ := strings.Cut(c, ":")
		if path != "/etc/nastavnik/secrets/"+name {
			t.Errorf("the credential %s is read from %q", name, path)
		}
		loaded[name] = true
	}
	for _, e := range production["Service.Environment"] {
		variable, value, _ := strings.Cut(e, "=")
		if !strings.HasSuffix(variable, "_FILE") || !loaded[strings.TrimPrefix(value, "%d/")] {
			t.Errorf("%s names no credential that is loaded", e)
		}
	}
	for _, want := range []string{"postgres_dsn", "s3_secret"} {
		if !loaded[want] {
			t.Errorf("%s is not loaded", want)
		}
	}
}

func TestUnitSettingsAreKnown(t *testing.T) {
	for _, name := range []string{"deploy/nastavnik.service", "deploy/production.conf"} {
		for _, e := range options(t, name)["Service.Environment"] {
			variable, _, _ := strings.Cut(e, "=")
			checkSetting(t, name, variable)
			if secretName.MatchString(variable) && !strings.HasSuffix(variable, "_FILE") {
				t.Errorf("%s: %s would be shown to everybody by systemctl show", name, variable)
			}
		}
		// What is commented out there is meant to be used, too.
		for _, variable := range regexp.MustCompile(`(?m)^#Environment=(\w+)=`).FindAllStringSubmatch(read(t, name), -1) {
			checkSetting(t, name, variable[1])
		}
	}
}

// Where systemd is installed, it reads the unit itself, with its drop-in, and
// judges how much of the system is open to it: 10 is everything, 0 nothing.
func TestUnitInTheEyesOfSystemd(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("systemd-analyze is not here: the unit was only parsed")
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	path := filepath.Join(folder, "nastavnik.service")
	// It wants the program to exist.
	text := strings.Replace(read(t, "deploy/nastavnik.service"), "/usr/local/bin/nastavnik", self, 1)
	write(t, path, text)
	if err := os.Mkdir(path+".d", 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(path+".d", "production.conf"), read(t, "deploy/production.conf"))
	checks := [][]string{{"verify", "--man=no", path}}
	out, err := exec.Command(analyze, "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	// "systemd 252 (252.38-1)"; before 250 it judges only what runs.
	if version := regexp.MustCompile(`^systemd (\d+)`).FindSubmatch(out); version != nil && string(version[1]) >= "250" {
		checks = append(checks, []string{"security", "--offline=yes", "--threshold=20", path})
	}
	for _, args := range checks {
		c := exec.Command(analyze, args...)
		c.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+folder+":")
		out, err := c.CombinedOutput()
		if err != nil {
			t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, out)
		}
		// It warns of a key that it does not know, and goes on.
		if args[0] == "verify" && strings.Contains(string(out), "nastavnik.service") {
			t.Errorf("systemd-analyze verify:\n%s", out)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
