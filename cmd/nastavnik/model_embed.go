//go:build embedmodel

package main

import _ "embed"

//go:embed model/e5-small.bin
var modelFile []byte //nolint:gochecknoglobals // embedded file

// builtInModel returns the embedder's weights when they are part of the binary.
func builtInModel() []byte { return modelFile }
