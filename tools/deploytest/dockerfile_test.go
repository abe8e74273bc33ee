package deploytest

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// dockerfile parses deploy/Dockerfile with the builder's own parser.
func dockerfile(t *testing.T) []instructions.Stage {
	t.Helper()
	parsed, err := parser.Parse(strings.NewReader(read(t, "deploy/Dockerfile")))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range parsed.Warnings {
		t.Errorf("warning: %s", w.Short)
	}
	stages, _, err := instructions.Parse(parsed.AST, nil)
	if err != nil {
		t.Fatal(err)
	}
	return stages
}

// commands are those of a stage after those of the stages that it is made from,
// and the image at the bottom.
func commands(stages []instructions.Stage, s instructions.Stage) ([]instructions.Command, string) {
	i := slices.IndexFunc(stages, func(b instructions.Stage) bool { return b.Name == s.BaseName && b.Name != "" })
	if i < 0 {
		return s.Commands, s.BaseName
	}
	below, image := commands(stages, stages[i])
	return append(slices.Clip(below), s.Commands...), image
}

func TestDockerfileImagesArePinned(t *testing.T) {
	stages := dockerfile(t)
	names := map[string]bool{"scratch": true}
	for _, s := range stages {
		if !names[s.BaseName] {
			checkImage(t, "Dockerfile", s.BaseName)
		}
		names[s.Name] = true
		for _, c := range s.Commands {
			switch c := c.(type) {
			case *instructions.AddCommand:
				t.Errorf("ADD %v: it fetches and unpacks; COPY does what it says", c.SourcePaths)
			case *instructions.CopyCommand:
				if c.From != "" && !names[c.From] {
					t.Errorf("COPY --from=%s: no such stage", c.From)
				}
			}
		}
	}
}

// Both images that the file makes, the one built from source and the one made
// of ready binaries, are nothing but our files on nothing.
func TestDockerfileImageIsMinimalAndNotRoot(t *testing.T) {
	stages := dockerfile(t)
	final := stages[len(stages)-1]
	i := slices.IndexFunc(stages, func(s instructions.Stage) bool { return s.Name == "prebuilt" })
	if i < 0 {
		t.Fatal("there is no stage prebuilt, which goreleaser.yaml builds")
	}
	for what, s := range map[string]instructions.Stage{"final": final, "prebuilt": stages[i]} {
		all, image := commands(stages, s)
		if image != "scratch" {
			t.Errorf("%s: made from %s", what, image)
		}
		user, entry, health, labels := "", []string(nil), []string(nil), map[string]string{}
		for _, c := range all {
			switch c := c.(type) {
			case *instructions.RunCommand:
				t.Errorf("%s: RUN %v, and there is nothing in it to run", what, c.CmdLine)
			case *instructions.UserCommand:
				user = c.User
			case *instructions.EntrypointCommand:
				entry = c.CmdLine
				if c.PrependShell {
					t.Errorf("%s: the entry point %v needs a shell, and there is none", what, c.CmdLine)
				}
			case *instructions.HealthCheckCommand:
				health = c.Health.Test
			case *instructions.LabelCommand:
				for _, l := range c.Labels {
					labels[l.Key] = l.Value
				}
			}
		}
		if !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(user) {
			t.Errorf("%s: the user is %q, want numbers that are not root's", what, user)
		}
		if !slices.Equal(entry, []string{"/nastavnik"}) || !slices.Equal(health, []string{"CMD", "/nastavnik", "doctor"}) {
			t.Errorf("%s: starts %v, is examined by %v", what, entry, health)
		}
		for _, l := range []string{"title", "licenses", "source", "version"} {
			if labels["org.opencontainers.image."+l] == "" {
				t.Errorf("%s: no label %s", what, l)
			}
		}
	}
}

func TestDockerfileHoldsNoSecretAndKnownSettings(t *testing.T) {
	check := func(name string) {
		if secretName.MatchString(name) {
			t.Errorf("%s would stay in a layer", name)
		}
		checkSetting(t, "Dockerfile", name)
	}
	for _, s := range dockerfile(t) {
		for _, c := range s.Commands {
			switch c := c.(type) {
			case *instructions.EnvCommand:
				for _, kv := range c.Env {
					check(kv.Key)
				}
			case *instructions.ArgCommand:
				for _, kv := range c.Args {
					check(kv.Key)
				}
			}
		}
	}
}

// The context of the build is a list of what it needs. A package in a new folder
// would be missing from it, and the build would fail where nobody sees it.
func TestDockerignoreLetsThroughWhatTheBuildNeeds(t *testing.T) {
	var allowed []string
	lines := strings.Split(read(t, ".dockerignore"), "\n")
	for _, line := range lines {
		if name, ok := strings.CutPrefix(line, "!"); ok {
			allowed = append(allowed, strings.TrimSuffix(name, "/"))
		}
	}
	if !slices.Contains(lines, "*") {
		t.Error("everything is let through but what is named: secrets and data folders would be in the image's layers")
	}
	root, err := filepath.Abs(inRoot("."))
	if err != nil {
		t.Fatal(err)
	}
	list := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.Dir}}{{range .EmbedFiles}} {{.}}{{end}}{{end}}",
		"./cmd/nastavnik", "./knowledge/e5/e5model")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	ours := 0
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		if len(words) == 0 || !strings.HasPrefix(words[0], root+"/") {
			continue
		}
		ours++
		top, _, _ := strings.Cut(strings.TrimPrefix(words[0], root+"/"), "/")
		if !slices.Contains(allowed, top) {
			t.Errorf("the build needs %s, and .dockerignore keeps %s out", words[0], top)
		}
		for _, embedded := range words[1:] {
			if strings.Contains(embedded, "testdata/") {
				t.Errorf("%s embeds %s, which .dockerignore keeps out", words[0], embedded)
			}
		}
	}
	if ours < 10 {
		t.Errorf("only %d packages found", ours)
	}
	for _, name := range []string{"Makefile", "go.mod", "go.sum", "LICENSE", "NOTICE"} {
		if !slices.Contains(allowed, name) {
			t.Errorf(".dockerignore keeps %s out", name)
		}
	}
}
