package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// The commands that the documents name exist, and so do their flags.
func TestDocumentsNameCommandsThatExist(t *testing.T) {
	t.Parallel()
	root := newRoot(&app{})
	seen := 0
	for _, pattern := range []string{"../../*.md", "../../docs/*.md", "../../docs/*/*.md"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if filepath.Base(path) == "CHANGELOG.md" {
				continue // tells what there was
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range commandLines(string(text)) {
				seen++
				if wrong := unknownPart(root, line); wrong != "" {
					t.Errorf("%s: %q: there is no %s", path, line, wrong)
				}
			}
		}
	}
	if seen < 50 {
		t.Errorf("only %d commands found: the test does not read the documents", seen)
	}
	for line, want := range map[string]string{"person invent X": "invent", "person add X --seniour": "--seniour", "person add X --senior": "", "serve": ""} {
		if got := unknownPart(root, line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

var (
	commandSpan = regexp.MustCompile("`nastavnik ([^`]+)`")
	commandLine = regexp.MustCompile(`(?m)^\s*(?:\$ )?nastavnik ([^\n]+)$`)
	quotedWords = regexp.MustCompile(`"[^"]*"`)
)

// commandLines are what follows the program's name in a document's code. In prose the
// name is no command: «nastavnik tells …».
func commandLines(text string) []string {
	var out []string
	for _, m := range append(commandSpan.FindAllStringSubmatch(text, -1), commandLine.FindAllStringSubmatch(inCode(text), -1)...) {
		out = append(out, m[1])
	}
	return out
}

// inCode returns the lines of a document that stand in fenced or indented code.
func inCode(text string) string {
	var b strings.Builder
	fenced := false
	for l := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(l), "```") {
			fenced = !fenced
			continue
		}
		if fenced || strings.HasPrefix(l, "    ") {
			b.WriteString(l)
		}
	}
	return b.String()
}

// unknownPart returns the first word of a command line that the program does not know,
// "" when it knows all.
func unknownPart(root *cobra.Command, line string) string {
	line = quotedWords.ReplaceAllString(line, "X")
	for _, end := range []string{" #", " |", " &", " >", "  "} {
		line, _, _ = strings.Cut(line, end)
	}
	words := strings.Fields(line)
	at := root
	for i := 0; i < len(words) && !strings.HasPrefix(words[i], "-"); i++ {
		next, _, err := at.Find(words[i : i+1])
		if err != nil || next == at {
			if at.HasSubCommands() {
				return words[i]
			}
			break
		}
		at = next
	}
	for _, w := range words {
		name, isFlag := strings.CutPrefix(w, "--")
		name, _, _ = strings.Cut(name, "=")
		name = strings.TrimRight(name, ".,;:)")
		if isFlag && name != "help" && at.Flags().Lookup(name) == nil && at.InheritedFlags().Lookup(name) == nil {
			return "--" + name
		}
	}
	return ""
}
