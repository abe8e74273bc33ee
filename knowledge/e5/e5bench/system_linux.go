package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// pin keeps the calling thread on a core.
func pin(core int) error {
	var set unix.CPUSet
	set.Set(core)
	return unix.SchedSetaffinity(0, &set)
}

// memory says how much memory the process uses, and used at most.
func memory() string {
	file, err := os.Open("/proc/self/status")
	if err != nil {
		return ""
	}
	defer file.Close()
	var out strings.Builder
	for lines := bufio.NewScanner(file); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ":")
		switch name {
		case "VmRSS":
			fmt.Fprintf(&out, ", memory in use %s", strings.TrimSpace(value))
		case "VmHWM":
			fmt.Fprintf(&out, ", at most %s", strings.TrimSpace(value))
		}
	}
	return out.String()
}
