//go:build !linux

package main

import "errors"

// pin keeps the calling thread on a core, where the system can.
func pin(int) error { return errors.New("this system cannot keep a thread on a core") }

// memory says how much memory the process uses, where the system tells.
func memory() string { return "" }
