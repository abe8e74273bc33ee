package bottest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/nastavnik-bot/nastavnik/bot"
	"github.com/nastavnik-bot/nastavnik/knowledge"
	"github.com/nastavnik-bot/nastavnik/knowledge/content"
)

// The files of a script are known by their names: what they begin with says what is
// wrong with them, what they end in their kind.
const (
	tooLarge = "большой"
	empty    = "пустой"
	gone     = "пропавший"
)

// sent makes a file as an adapter would.
func sent(name string) bot.File {
	f := bot.File{Ref: name, Name: name}
	if strings.HasPrefix(name, tooLarge) {
		f.Size = knowledge.MaxFileBytes + 1
	}
	return f
}

// fetcher is where the platform of a script has its files.
type fetcher struct{}

// Fetch implements bot.Fetcher.
func (fetcher) Fetch(_ context.Context, f bot.File) (io.ReadCloser, error) {
	name := f.Ref
	var raw string
	switch {
	case strings.HasPrefix(name, gone):
		return nil, fmt.Errorf("file %s: %w", name, knowledge.ErrNotFound)
	case strings.HasPrefix(name, empty):
	case strings.HasSuffix(name, ".png"):
		raw = "\x89PNG\r\n\x1a\n" + name
	case strings.HasSuffix(name, ".pdf"):
		raw = "%PDF-1.7\n" + name
	case strings.HasSuffix(name, ".ogg"):
		raw = "OggS\x00\x02" + strings.Repeat("\x00", 22) + "OpusHead" + name
	case strings.HasSuffix(name, ".exe"):
		raw = "MZ" + name
	default:
		raw = name
	}
	return io.NopCloser(strings.NewReader(raw)), nil
}

// keeper forgets the contents of files as soon as it has told what they are.
type keeper struct{}

// Put implements what the runner needs of knowledge.Files.
func (*keeper) Put(ctx context.Context, r io.Reader, limits knowledge.FileLimits) (knowledge.Content, error) {
	return content.Receive(ctx, &bytes.Buffer{}, r, limits)
}
