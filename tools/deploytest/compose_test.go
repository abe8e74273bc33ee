package deploytest

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"
)

// compose loads the file as the engine's client does: against the schema, with
// its variables at their defaults, and with every reference followed.
func compose(t *testing.T) *types.Project {
	t.Helper()
	folder, err := filepath.Abs(inRoot("deploy"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "docker-compose.yaml")
	p, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir:  folder,
		ConfigFiles: []types.ConfigFile{{Filename: file}},
		Environment: types.Mapping{},
	}, func(o *loader.Options) { o.ResolvePaths = true })
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestComposeHasEveryPart(t *testing.T) {
	p := compose(t)
	if got, want := p.ServiceNames(), []string{"migrate", "milvus", "nastavnik", "postgres", "s3"}; !slices.Equal(slices.Sorted(slices.Values(got)), want) {
		t.Errorf("services are %v, want %v", got, want)
	}
	for name, s := range p.Services {
		checkImage(t, name, s.Image)
	}
	if image := p.Services["milvus"].Image; !regexp.MustCompile(`^milvusdb/milvus:v2\.3\.\d+$`).MatchString(image) {
		t.Errorf("Milvus is %s: the tests have passed on the 2.3 line only", image)
	}
}

func TestComposeGivesNoRights(t *testing.T) {
	for name, s := range compose(t).Services {
		if s.Privileged || len(s.CapAdd) > 0 || !slices.Contains(s.CapDrop, "ALL") {
			t.Errorf("%s: privileged %v, adds %v, drops %v", name, s.Privileged, s.CapAdd, s.CapDrop)
		}
		if !slices.Equal(s.SecurityOpt, []string{"no-new-privileges:true"}) {
			t.Errorf("%s: security options %v", name, s.SecurityOpt)
		}
		if s.NetworkMode != "" || s.Pid != "" || s.Ipc != "" || s.UserNSMode != "" || len(s.Devices) > 0 {
			t.Errorf("%s: shares the host's network, processes, memory, users or devices", name)
		}
		for _, v := range s.Volumes {
			if v.Type == types.VolumeTypeBind && !v.ReadOnly {
				t.Errorf("%s: may write to %s of the host", name, v.Source)
			}
		}
		if strings.Contains(s.Image, "nastavnik") && (!s.ReadOnly || s.User != "") {
			t.Errorf("%s: writable root (%v) or a user other than the image's (%q)", name, !s.ReadOnly, s.User)
		}
	}
}

func TestComposeListensToThisMachineOnly(t *testing.T) {
	p := compose(t)
	for name, s := range p.Services {
		for _, port := range s.Ports {
			if ip := net.ParseIP(port.HostIP); ip == nil || !ip.IsLoopback() {
				t.Errorf("%s: the port %s is published on %q", name, port.Published, port.HostIP)
			}
			if name != "nastavnik" {
				t.Errorf("%s publishes a port", name)
			}
		}
		if _, out := s.Networks["outside"]; out && name != "nastavnik" {
			t.Errorf("%s reaches the internet", name)
		}
	}
	if !p.Networks["inside"].Internal {
		t.Error("the network of the servers is not internal")
	}
}

func TestComposeLimitsAndRestarts(t *testing.T) {
	for name, s := range compose(t).Services {
		if s.Deploy == nil || s.Deploy.Resources.Limits == nil || s.Deploy.Resources.Limits.MemoryBytes <= 0 || s.Deploy.Resources.Limits.Pids <= 0 {
			t.Errorf("%s has no limits of memory and processes", name)
		}
		if s.Logging == nil || s.Logging.Options["max-size"] == "" {
			t.Errorf("%s may fill the disk with its log", name)
		}
		want := types.RestartPolicyUnlessStopped
		if name == "migrate" {
			want = types.RestartPolicyNo
		}
		if s.Restart != want {
			t.Errorf("%s restarts %q, want %q", name, s.Restart, want)
		}
		// The bot's stands in its image; a migration ends.
		if name != "nastavnik" && name != "migrate" && s.HealthCheck == nil {
			t.Errorf("%s has no health check", name)
		}
		if s.ContainerName != "" {
			t.Errorf("%s has a name that a second replica cannot have", name)
		}
	}
}

func TestComposeStartsInOrder(t *testing.T) {
	p := compose(t)
	for _, c := range []struct{ service, on, condition string }{
		{"migrate", "postgres", types.ServiceConditionHealthy},
		{"nastavnik", "migrate", types.ServiceConditionCompletedSuccessfully},
		{"nastavnik", "postgres", types.ServiceConditionHealthy},
		// The bot goes on without these, so it starts without them too.
		{"nastavnik", "milvus", types.ServiceConditionStarted},
		{"nastavnik", "s3", types.ServiceConditionStarted},
	} {
		if got := p.Services[c.service].DependsOn[c.on].Condition; got != c.condition {
			t.Errorf("%s waits for %s to be %q, want %q", c.service, c.on, got, c.condition)
		}
	}
}

func TestComposeSettingsAreKnown(t *testing.T) {
	p := compose(t)
	for name, s := range p.Services {
		for variable := range s.Environment {
			checkSetting(t, name, variable)
		}
	}
	bot := p.Services["nastavnik"].Environment
	for variable, service := range map[string]string{"NASTAVNIK_MILVUS_ADDRESS": "milvus", "NASTAVNIK_S3_ENDPOINT": "s3"} {
		if host, _, err := net.SplitHostPort(*bot[variable]); err != nil || host != service {
			t.Errorf("%s is %s, want a port of the service %s", variable, *bot[variable], service)
		}
	}
}

func TestComposeSecretsAreFiles(t *testing.T) {
	p := compose(t)
	used := map[string]bool{}
	for name, s := range p.Services {
		var granted []string
		for _, secret := range s.Secrets {
			granted = append(granted, "/run/secrets/"+secret.Source)
			used[secret.Source] = true
		}
		for variable, value := range s.Environment {
			isFile := strings.HasSuffix(variable, "_FILE")
			if secretName.MatchString(variable) && !isFile {
				t.Errorf("%s has %s in its environment: name a file", name, variable)
			}
			if isFile && (value == nil || !slices.Contains(granted, *value)) {
				t.Errorf("%s: %s names no secret of the service (%v)", name, variable, granted)
			}
		}
	}
	secrets, err := filepath.Abs(inRoot("deploy/secrets"))
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range p.Secrets {
		if secret.File != filepath.Join(secrets, name) || !used[name] {
			t.Errorf("the secret %s is the file %s, used: %v", name, secret.File, used[name])
		}
	}
	for _, secret := range p.Services["nastavnik"].Secrets {
		if strings.Contains(secret.Source, "owner") || strings.Contains(secret.Source, "superuser") {
			t.Errorf("the bot is given %s", secret.Source)
		}
	}
}

// Milvus reads its own etcd's settings from a file that compose makes.
func TestComposeMilvusHasWhatItNeeds(t *testing.T) {
	p := compose(t)
	s := p.Services["milvus"]
	env := func(name string) string {
		if v := s.Environment[name]; v != nil {
			return *v
		}
		return ""
	}
	if env("ETCD_USE_EMBED") != "true" || env("COMMON_STORAGETYPE") != "local" {
		t.Error("Milvus looks for an etcd or a storage outside, and there is none")
	}
	i := slices.IndexFunc(s.Configs, func(c types.ServiceConfigObjConfig) bool { return c.Target == env("ETCD_CONFIG_PATH") })
	if i < 0 {
		t.Fatalf("nothing is mounted at %q", env("ETCD_CONFIG_PATH"))
	}
	var etcd map[string]any
	if err := yaml.Unmarshal([]byte(p.Configs[s.Configs[i].Source].Content), &etcd); err != nil {
		t.Fatal(err)
	}
	if etcd["data-dir"] != env("ETCD_DATA_DIR") || !strings.HasPrefix(env("ETCD_DATA_DIR"), "/var/lib/milvus/") {
		t.Errorf("etcd keeps its data in %v, Milvus looks in %s", etcd["data-dir"], env("ETCD_DATA_DIR"))
	}
}

func TestComposeMountsTheInitScript(t *testing.T) {
	p := compose(t)
	pg := p.Services["postgres"]
	script := ""
	for _, v := range pg.Volumes {
		if strings.HasPrefix(v.Target, "/docker-entrypoint-initdb.d/") {
			script = v.Source
		}
	}
	if info, err := os.Stat(script); err != nil || info.Mode()&0o111 == 0 {
		t.Fatalf("the script %q is no program: %v", script, err)
	}
	if args := pg.Environment["POSTGRES_INITDB_ARGS"]; args == nil || !strings.Contains(*args, "--locale=C.UTF-8") {
		t.Error("the server is not made with the locale C.UTF-8: Russian letters would have no case")
	}
	text := read(t, "deploy/postgres-init.sh")
	for _, secret := range []string{"postgres_owner_password", "postgres_password"} {
		granted := slices.ContainsFunc(pg.Secrets, func(s types.ServiceSecretConfig) bool { return s.Source == secret })
		if !granted || !strings.Contains(text, secret) {
			t.Errorf("the password %s: granted %v", secret, granted)
		}
	}
}
