package knowledge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Errors of Files that callers tell apart, besides ErrNotFound for a content that
// is gone, ErrInvalid for one that is not accepted, and ErrAway.
var (
	// ErrNoLinks says that a store of files has no links of its own: a file is
	// served through the bot.
	ErrNoLinks = errors.New("no links")
	// ErrFileEmpty and ErrFileTooLarge say why a content is not accepted.
	ErrFileEmpty    = fmt.Errorf("файл пуст: %w", ErrInvalid)
	ErrFileTooLarge = fmt.Errorf("файл слишком велик: %w", ErrInvalid)
	// ErrFileChanged says that a content is another one than its key names:
	// somebody has changed it behind our back.
	ErrFileChanged = errors.New("content has changed")
)

// MaxLinkTTL is how long a link to a file may work.
const MaxLinkTTL = 5 * time.Minute

// Content is what the content of a file is.
type Content struct {
	Key   string // "sha256/ab/cdef…": equal contents have equal keys
	Media string // the media type by the content itself, "image/png"; no parameters
	Size  int64  // bytes
}

// FileLimits bounds what is accepted as the content of a file.
type FileLimits struct {
	Size int64 // bytes at most; 0 means MaxFileBytes
}

// Bytes returns the bound in bytes.
func (l FileLimits) Bytes() int64 {
	if l.Size > 0 {
		return l.Size
	}
	return MaxFileBytes
}

// FileLink says what a link to a content gives.
type FileLink struct {
	Name  string        // under which it is saved
	Media string        // its media type
	TTL   time.Duration // how long the link works; longer than MaxLinkTTL is refused
}

// Files keeps the contents of attachments under what they are: equal contents
// once. Implementations are safe for concurrent use, by several processes too.
type Files interface {
	// Put stores what r gives. Until it returns nothing is stored; what it has
	// returned stays. The error wraps ErrInvalid, with a sentence for people, when
	// the content is larger than the limits, empty, or of a kind that is not
	// accepted.
	Put(ctx context.Context, r io.Reader, limits FileLimits) (Content, error)
	// Open returns a content, which is to be closed, and its size in bytes.
	// Reading ends with an error that wraps ErrFileChanged before the last bytes of
	// a content that is not what its key says. The error wraps ErrNotFound when it
	// is gone, ErrInvalid for what is no key at all.
	Open(ctx context.Context, key string) (io.ReadCloser, int64, error)
	// Link returns an address that gives the content to anybody who has it, for a
	// short time; the error wraps ErrNoLinks where there is no such thing.
	Link(ctx context.Context, key string, l FileLink) (string, error)
	// Delete removes a content; one that is not there is no error.
	Delete(ctx context.Context, key string) error
}

// SizeUnit is in what a number of bytes is shown.
type SizeUnit int

// The units: powers of 1024, as people's computers show them.
const (
	Bytes SizeUnit = iota
	Kilobytes
	Megabytes
)

// RoundSize returns a number of bytes as it is shown: in the largest unit of which
// there is one, rounded.
func RoundSize(n int64) (size int64, unit SizeUnit) {
	const kilo, mega = 1 << 10, 1 << 20
	switch {
	case n < kilo:
		return n, Bytes
	case n < mega-kilo/2: // what rounds to 1024 of one is 1 of the next
		return (n + kilo/2) / kilo, Kilobytes
	}
	return (n + mega/2) / mega, Megabytes
}

// FileSize shows a number of bytes in Russian: in errors and in tables of the
// command line.
func FileSize(n int64) string {
	size, unit := RoundSize(n)
	return fmt.Sprintf("%d %s", size, [...]string{"Б", "КБ", "МБ"}[unit])
}

// Disposition is the value of the header Content-Disposition that makes a browser
// save a file under a name and never show it: RFC 6266, with a plain name for
// what does not know the other.
func Disposition(name string) string {
	var coded strings.Builder
	for i := range len(name) {
		if c := name[i]; attrChar(c) {
			coded.WriteByte(c)
		} else {
			fmt.Fprintf(&coded, "%%%02X", c)
		}
	}
	plain := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' || r == '%' {
			return '_'
		}
		return r
	}, name)
	return `attachment; filename="` + plain + `"; filename*=UTF-8''` + coded.String()
}

// attrChar reports what a coded name has as it is; RFC 5987 would allow some more.
func attrChar(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(".-_", c) >= 0
}
