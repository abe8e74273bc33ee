package markup_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nastavnik-bot/nastavnik/bot/markup"
)

var update = flag.Bool("update", false, "rewrite the golden files from what is made now")

// partLimit is the limit, in code units, of the parts that golden files show.
const partLimit = 1500

// Every file of testdata, as blocks and as parts. The platforms render the same files.
func TestGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("no inputs: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".md"), func(t *testing.T) {
			t.Parallel()
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for i, part := range markup.Split(markup.Parse(string(source)), within(partLimit)) {
				if i > 0 {
					fmt.Fprintf(&b, "\n======== part %d\n", i+1)
				}
				for _, block := range part {
					b.WriteString(show(block))
				}
			}
			golden(t, strings.TrimSuffix(file, ".md")+".golden", b.String())
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got; if that is right: make golden\n%s", diff)
	}
}

func within(limit int) func([]markup.Block) bool {
	return func(b []markup.Block) bool { return markup.Units(markup.Text(b)) <= limit }
}

// show writes a block: its kind and place, then its text with {style:text→link}.
func show(b markup.Block) string {
	head := [...]string{"paragraph", "heading", "code", "rule"}[b.Kind]
	if b.Kind == markup.Heading {
		head += fmt.Sprint(" ", b.Level)
	}
	if b.Language != "" {
		head += " " + b.Language
	}
	if b.Quote > 0 {
		head += fmt.Sprint(", quote ", b.Quote)
	}
	if b.Item.Depth > 0 {
		head += fmt.Sprintf(", item %d %q", b.Item.Depth, b.Marker())
	}
	if b.Gap {
		head = "\n" + head
	}
	var text strings.Builder
	for _, s := range b.Text {
		text.WriteString(showSpan(s))
	}
	return head + "\n    " + strings.ReplaceAll(text.String(), "\n", "\n    ") + "\n"
}

func showSpan(s markup.Span) string {
	style := ""
	for i, name := range []string{"b", "i", "s", "code"} {
		if s.Style&(1<<i) != 0 {
			style += name + " "
		}
	}
	switch style = strings.TrimSpace(style); {
	case style == "" && s.Link == "":
		return s.Text
	case s.Link == "":
		return "{" + style + ": " + s.Text + "}"
	}
	return "{" + style + ": " + s.Text + " → " + s.Link + "}"
}
