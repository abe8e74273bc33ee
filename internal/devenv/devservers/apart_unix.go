//go:build unix

package main

import "syscall"

// apart makes a process that neither the terminal nor its interrupt reaches.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
