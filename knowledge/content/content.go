// Package content tells what the content of a file is and guards it on its way
// in and out: its key, its kind, its size. Every store of files rests on it, so
// that all of them accept and refuse the same.
package content

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"path"
	"strings"

	"github.com/nastavnik-bot/nastavnik/knowledge"
)

// Receive copies r to w and tells what it was. At most one byte more than the
// limit is read, and nothing of a kind that is not accepted is written. An error
// of r or w is returned as it is; one about the content wraps
// knowledge.ErrInvalid. What has been written before an error is to be discarded.
func Receive(ctx context.Context, w io.Writer, r io.Reader, l knowledge.FileLimits) (knowledge.Content, error) {
	head := make([]byte, headBytes)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return knowledge.Content{}, err
	}
	head = head[:n]
	if n == 0 {
		return knowledge.Content{}, knowledge.ErrFileEmpty
	}
	media, err := kind(head)
	if err != nil {
		return knowledge.Content{}, err
	}
	hash := sha256.New()
	whole := io.LimitReader(io.MultiReader(bytes.NewReader(head), r), l.Bytes()+1)
	size, err := io.Copy(io.MultiWriter(hash, w), &patient{ctx: ctx, r: whole})
	if err != nil {
		return knowledge.Content{}, err
	}
	if size > l.Bytes() {
		return knowledge.Content{}, fmt.Errorf("файл больше %s: сожмите его или разделите: %w", knowledge.FileSize(l.Bytes()), knowledge.ErrFileTooLarge)
	}
	return knowledge.Content{Key: key(hash.Sum(nil)), Media: media, Size: size}, nil
}

// patient reads until its context ends.
type patient struct {
	ctx context.Context //nolint:containedctx // it lives as long as one copy
	r   io.Reader
}

func (p *patient) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	return p.r.Read(b)
}

const keyPrefix = "sha256/"

// key names a content by its SHA-256. Two digits are a folder of their own: no
// folder gets more than a 256th of the files.
func key(sum []byte) string {
	digits := hex.EncodeToString(sum)
	return path.Join(keyPrefix, digits[:2], digits[2:])
}

// CheckKey returns an error that wraps knowledge.ErrInvalid unless a key is
// exactly of the form that Receive makes: nothing else becomes part of a path.
func CheckKey(k string) error {
	digits, ok := strings.CutPrefix(k, keyPrefix)
	ok = ok && len(digits) == 2*sha256.Size+1 && digits[2] == '/'
	for i := 0; ok && i < len(digits); i++ {
		c := digits[i]
		ok = i == 2 || '0' <= c && c <= '9' || 'a' <= c && c <= 'f'
	}
	if !ok {
		return fmt.Errorf("%q is no key of a content: %w", k, knowledge.ErrInvalid)
	}
	return nil
}

// Verified reads a content of which the key is known. Its last bytes come only
// when all of it is what the key says; otherwise the error wraps
// knowledge.ErrFileChanged, so that nobody takes what was read for the whole.
func Verified(rc io.ReadCloser, k string) io.ReadCloser {
	return &verified{rc: rc, key: k, sum: sha256.New(), next: make([]byte, verifiedBlock), ready: make([]byte, 0, verifiedBlock)}
}

// verifiedBlock is how much is held back until it is known whether more follows.
const verifiedBlock = 32 << 10

type verified struct {
	rc    io.ReadCloser
	key   string
	sum   hash.Hash
	ready []byte // may be given out
	next  []byte // a block that was read and is held back
	held  int    // how much of next there is
	err   error  // what comes after ready
}

func (v *verified) Read(p []byte) (int, error) {
	for len(v.ready) == 0 {
		if v.err != nil {
			return 0, v.err
		}
		v.advance()
	}
	n := copy(p, v.ready)
	v.ready = v.ready[n:]
	return n, nil
}

// advance reads one more block, and gives the one before out.
func (v *verified) advance() {
	before := append([]byte(nil), v.next[:v.held]...)
	n, err := io.ReadFull(v.rc, v.next)
	_, _ = v.sum.Write(v.next[:n]) // a hash takes everything
	v.held = n
	switch {
	case err == nil:
		v.ready = before
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		if v.err = v.verdict(); v.err == nil {
			v.ready, v.err = append(before, v.next[:n]...), io.EOF
		}
	default:
		v.err = fmt.Errorf("read %s: %w", v.key, err)
	}
}

func (v *verified) verdict() error {
	if got := key(v.sum.Sum(nil)); got != v.key {
		return fmt.Errorf("файл %s в хранилище изменён не ботом: верните его из резервной копии или приложите заново: %w", v.key, knowledge.ErrFileChanged)
	}
	return nil
}

func (v *verified) Close() error { return v.rc.Close() }
