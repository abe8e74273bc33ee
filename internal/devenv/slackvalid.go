package devenv

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The Python client of Slack's own people knows the limits of Block Kit.
const (
	slackSDKVersion  = "3.47.0"
	slackSDKWheelSum = "8cfab3224d149962ef4313c1430d9ff65b8c3baf09f25988a920858ffa90aaa9"
)

// validateSlack is what the client is asked with.
//
//go:embed slackvalid/validate.py
var validateSlack string

// ValidateBlocks returns for each list of blocks, in JSON, what Slack's own Python client
// finds wrong in it, in all its blocks and their parts; nil where it finds nothing. All
// are checked in one go of about 0.3 s, hundreds too. What it does not know stands in
// docs/testing.md: how many blocks a message may have is among it.
func ValidateBlocks(tb testing.TB, lists ...json.RawMessage) []error {
	tb.Helper()
	return validate(tb, "blocks", lists)
}

// ValidateViews is ValidateBlocks for modals and Home tabs.
func ValidateViews(tb testing.TB, views ...json.RawMessage) []error {
	tb.Helper()
	return validate(tb, "views", views)
}

func validate(tb testing.TB, kind string, items []json.RawMessage) []error {
	tb.Helper()
	found, err := runValidator(tb.Context(), kind, items)
	if err != nil {
		unavailable(tb, err)
	}
	wrong := make([]error, len(items))
	for i, complaints := range found {
		if len(complaints) > 0 {
			wrong[i] = errors.New(strings.Join(complaints, "\n"))
		}
	}
	return wrong
}

func runValidator(ctx context.Context, kind string, items []json.RawMessage) ([][]string, error) {
	home, err := findSlackSDK()
	if err != nil {
		return nil, err
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		return nil, missingError{what: "the validators of Slack's blocks need Python", remedy: "install python3"}
	}
	asked, err := json.Marshal(map[string]any{"kind": kind, "items": append([]json.RawMessage{}, items...)})
	if err != nil {
		return nil, fmt.Errorf("ask the validators: %w", err)
	}
	cmd := exec.CommandContext(ctx, python, "-c", validateSlack)
	cmd.Env = append(os.Environ(), "PYTHONPATH="+home, "PYTHONDONTWRITEBYTECODE=1")
	var said, complained bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(asked), &said, &complained
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("run the validators: %w\n%s", err, lastOf(strings.TrimSpace(complained.String()), 10))
	}
	var found [][]string
	if err := json.Unmarshal(said.Bytes(), &found); err != nil || len(found) != len(items) {
		return nil, fmt.Errorf("the validators answer %d of %d items: %w", len(found), len(items), errors.Join(err, errPeer))
	}
	return found, nil
}

// findSlackSDK returns the folder that Python finds the client in.
func findSlackSDK() (string, error) {
	tools, err := ToolsDir()
	if err != nil {
		return "", err
	}
	home := slackSDKHome(tools)
	if !isFile(filepath.Join(home, "slack_sdk", "__init__.py")) {
		return "", missingError{what: "the validators of Slack's blocks are not installed", remedy: remedy}
	}
	return home, nil
}

func slackSDKHome(tools string) string { return filepath.Join(tools, "slack-sdk-"+slackSDKVersion) }
