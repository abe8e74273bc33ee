package deploytest

import (
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	"go.yaml.in/yaml/v3"
)

// goreleaserConfig is as much of goreleaser's configuration as ours uses. The
// program itself would be a thousand modules more, so a key is known here if it
// stands here; "goreleaser check" knows the rest.
type goreleaserConfig struct {
	Version     int    `yaml:"version"`
	ProjectName string `yaml:"project_name"`
	Before      struct {
		Hooks []string `yaml:"hooks"`
	} `yaml:"before"`
	Builds []struct {
		ID           string   `yaml:"id"`
		Main         string   `yaml:"main"`
		Binary       string   `yaml:"binary"`
		Env          []string `yaml:"env"`
		Flags        []string `yaml:"flags"`
		Tags         []string `yaml:"tags"`
		LDFlags      []string `yaml:"ldflags"`
		GOOS         []string `yaml:"goos"`
		GOARCH       []string `yaml:"goarch"`
		ModTimestamp string   `yaml:"mod_timestamp"`
	} `yaml:"builds"`
	Archives []struct {
		ID           string   `yaml:"id"`
		IDs          []string `yaml:"ids"`
		Formats      []string `yaml:"formats"`
		NameTemplate string   `yaml:"name_template"`
		Files        []string `yaml:"files"`
	} `yaml:"archives"`
	Checksum struct {
		NameTemplate string `yaml:"name_template"`
		Algorithm    string `yaml:"algorithm"`
	} `yaml:"checksum"`
	SBOMs []struct {
		Artifacts string   `yaml:"artifacts"`
		Cmd       string   `yaml:"cmd"`
		Args      []string `yaml:"args"`
		Documents []string `yaml:"documents"`
	} `yaml:"sboms"`
	Dockers []struct {
		ID         string            `yaml:"id"`
		IDs        []string          `yaml:"ids"`
		Dockerfile string            `yaml:"dockerfile"`
		Images     []string          `yaml:"images"`
		Tags       []string          `yaml:"tags"`
		Platforms  []string          `yaml:"platforms"`
		Flags      []string          `yaml:"flags"`
		ExtraFiles []string          `yaml:"extra_files"`
		BuildArgs  map[string]string `yaml:"build_args"`
		SBOM       string            `yaml:"sbom"`
		Disable    string            `yaml:"disable"`
	} `yaml:"dockers_v2"`
	Snapshot struct {
		VersionTemplate string `yaml:"version_template"`
	} `yaml:"snapshot"`
	Changelog struct {
		Disable bool `yaml:"disable"`
	} `yaml:"changelog"`
	Release struct {
		Draft      bool   `yaml:"draft"`
		Prerelease string `yaml:"prerelease"`
	} `yaml:"release"`
}

func TestGoreleaserReleasesTheBotWithItsModel(t *testing.T) {
	var c goreleaserConfig
	d := yaml.NewDecoder(strings.NewReader(read(t, "deploy/goreleaser.yaml")))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil {
		t.Fatal(err)
	}
	if c.Version != 2 || len(c.Builds) != 1 || len(c.Archives) != 1 || len(c.Dockers) != 1 {
		t.Fatalf("version %d, %d builds, %d archives, %d images", c.Version, len(c.Builds), len(c.Archives), len(c.Dockers))
	}
	b := c.Builds[0]
	same := func(what string, got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	same("systems", b.GOOS, "linux", "darwin")
	same("processors", b.GOARCH, "amd64", "arm64")
	same("build tags", b.Tags, "embedmodel")
	same("environment of the build", b.Env, "CGO_ENABLED=0")
	// The variable and the folder are named in the source too.
	if !slices.Equal(b.LDFlags, []string{"-X main.version={{ .Version }}"}) || !strings.Contains(read(t, "cmd/nastavnik/main.go"), `var version = `) {
		t.Errorf("the version is not stamped: %v", b.LDFlags)
	}
	weights := regexp.MustCompile(`(?m)^//go:embed (\S+)`).FindStringSubmatch(read(t, "cmd/nastavnik/model_embed.go"))
	if weights == nil || !slices.Contains(c.Before.Hooks, "cp model/e5-small.bin cmd/nastavnik/"+weights[1]) {
		t.Errorf("the hooks %q do not put the weights to where the build embeds them from (%q)", c.Before.Hooks, weights)
	}
	for _, name := range c.Archives[0].Files {
		if _, err := os.Stat(inRoot(name)); err != nil {
			t.Errorf("an archive should hold %s: %v", name, err)
		}
	}
	if c.Checksum.Algorithm != "sha256" {
		t.Errorf("checksums by %q", c.Checksum.Algorithm)
	}
	image := c.Dockers[0]
	same("flags of the image's build", image.Flags, "--target=prebuilt")
	same("files beside the binaries", image.ExtraFiles, "LICENSE", "NOTICE")
	if image.Dockerfile != "deploy/Dockerfile" {
		t.Errorf("the image is built from %s", image.Dockerfile)
	}
}

func TestWorkflowIsWellFormed(t *testing.T) {
	l, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{WorkingDir: inRoot(".")})
	if err != nil {
		t.Fatal(err)
	}
	problems, err := l.Lint("ci.yaml", []byte(read(t, ".github/workflows/ci.yaml")), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Error(p)
	}
}

func TestWorkflowRunsWhatPeopleRun(t *testing.T) {
	w, problems := actionlint.Parse([]byte(read(t, ".github/workflows/ci.yaml")))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	runs := map[string]string{} // by job
	for id, job := range w.Jobs {
		if job.TimeoutMinutes == nil {
			t.Errorf("%s may run for ever", id)
		}
		for _, s := range job.Steps {
			switch e := s.Exec.(type) {
			case *actionlint.ExecRun:
				runs[id] += e.Run.Value + "\n"
			case *actionlint.ExecAction:
				if !regexp.MustCompile(`@[0-9a-f]{40}$`).MatchString(e.Uses.Value) {
					t.Errorf("%s uses %s: a tag can be moved, name the commit", id, e.Uses.Value)
				}
			}
		}
	}
	for job, command := range map[string]string{
		"test":    ".ci/run",
		"vuln":    "make vuln",
		"release": "release --config deploy/goreleaser.yaml",
	} {
		if !strings.Contains(runs[job], command) {
			t.Errorf("the job %s does not run %s:\n%s", job, command, runs[job])
		}
	}
	release := w.Jobs["release"]
	if release.If == nil || !strings.Contains(release.If.Value, "refs/tags/v") || len(release.Needs) != 2 {
		t.Error("a release needs a tag and the other jobs")
	}
	if w.Permissions == nil || len(w.Permissions.Scopes) != 1 || w.Permissions.Scopes["contents"].Value.Value != "read" {
		t.Error("the jobs may do more than read")
	}
	if !regexp.MustCompile(`goreleaser/v2@v2\.\d+\.\d+ `).MatchString(runs["release"]) {
		t.Error("goreleaser has no pinned version")
	}
}
