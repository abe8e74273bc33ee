package blocks_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nastavnik-bot/nastavnik/internal/devenv"
)

// Slack's own Python client finds nothing wrong in what the golden files send.
func TestSlackAcceptsGoldens(t *testing.T) {
	t.Parallel()
	var names, viewNames []string
	var lists, views []json.RawMessage
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(filepath.Base(file), "view_") {
			viewNames, views = append(viewNames, file), append(views, raw)
			continue
		}
		var parts []struct{ Blocks json.RawMessage }
		if err := json.Unmarshal(raw, &parts); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, p := range parts {
			names, lists = append(names, file), append(lists, p.Blocks)
		}
	}
	for i, err := range devenv.ValidateBlocks(t, lists...) {
		if err != nil {
			t.Errorf("%s: %v", names[i], err)
		}
	}
	for i, err := range devenv.ValidateViews(t, views...) {
		if err != nil {
			t.Errorf("%s: %v", viewNames[i], err)
		}
	}
}
