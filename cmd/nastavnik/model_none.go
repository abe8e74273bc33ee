//go:build !embedmodel

package main

// builtInModel returns the embedder's weights when they are part of the binary.
func builtInModel() []byte { return nil }
