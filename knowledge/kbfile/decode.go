package kbfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	utf "golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// sniffSize is how many bytes are looked at to tell what a file is, which
// encoding it has and where its header ends.
const sniffSize = 64 << 10

// cappedReader fails with an *Error once more than limit bytes were read.
type cappedReader struct {
	r           io.Reader
	left, limit int64
}

func (c *cappedReader) Read(p []byte) (int, error) {
	if c.left < 0 {
		return 0, &Error{Message: fmt.Sprintf("файл больше %d МБ. Разделите его на части и загрузите их по очереди", c.limit>>20)}
	}
	// One byte beyond the limit tells a file of that very size from a larger one.
	if int64(len(p)) > c.left+1 {
		p = p[:c.left+1]
	}
	n, err := c.r.Read(p)
	c.left -= int64(n)
	if c.left < 0 {
		return c.Read(nil)
	}
	return n, err
}

// openText returns the file as UTF-8 without a byte-order mark; bytes that are
// invalid in a file of UTF-8 are passed on, to be reported with their row.
func openText(r io.Reader, name string) (*bufio.Reader, error) {
	src := bufio.NewReaderSize(r, sniffSize)
	head, err := src.Peek(sniffSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if kind := binaryKind(head, name); kind != "" {
		return nil, &Error{Message: kind}
	}
	var dec *encoding.Decoder
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, err = src.Discard(3)
		return src, err
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		dec = utf.UTF16(utf.LittleEndian, utf.ExpectBOM).NewDecoder()
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		dec = utf.UTF16(utf.BigEndian, utf.ExpectBOM).NewDecoder()
	default:
		return bufio.NewReaderSize(&guessReader{src: src}, sniffSize), nil
	}
	return bufio.NewReaderSize(transform.NewReader(src, dec), sniffSize), nil
}

// guessReader turns a file without a byte-order mark into UTF-8. ASCII means
// the same in every encoding in question, so the decision is taken at the first
// other byte, from the bytes that follow it; the file is never held in memory.
type guessReader struct {
	src     *bufio.Reader // of sniffSize
	decoded io.Reader     // nil while all was ASCII
	last    byte          // the last ASCII byte passed on
}

func (g *guessReader) Read(p []byte) (int, error) {
	if g.decoded != nil || len(p) == 0 {
		return g.readDecoded(p)
	}
	if _, err := g.src.Peek(1); err != nil {
		return 0, err
	}
	buf, err := g.src.Peek(min(g.src.Buffered(), len(p)))
	if err != nil {
		return 0, err
	}
	n := bytes.IndexFunc(buf, func(r rune) bool { return r >= utf8.RuneSelf })
	if n < 0 {
		n = len(buf)
	}
	if n > 0 {
		copy(p, buf[:n])
		g.last = buf[n-1]
		return g.src.Discard(n)
	}
	if err := g.decide(); err != nil {
		return 0, err
	}
	return g.readDecoded(p)
}

func (g *guessReader) readDecoded(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return g.decoded.Read(p)
}

// decide chooses the encoding by the bytes ahead, the first of which is not ASCII.
func (g *guessReader) decide() error {
	window, err := g.src.Peek(sniffSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	valid, invalid := countUTF8(window, err != nil)
	switch {
	case valid >= invalid:
		// More good characters than bad bytes: UTF-8 with some damage at most.
		// Russian text in Windows-1251 hardly ever forms a valid sequence.
		g.decoded = g.src
	case plausible1251(window, g.last):
		g.decoded = transform.NewReader(g.src, charmap.Windows1251.NewDecoder())
	default:
		return &Error{Message: "кодировка текста не распознана: это не UTF-8, не UTF-16 и не Windows-1251. " +
			"Сохраните файл заново как «CSV UTF-8» или JSONL в UTF-8"}
	}
	return nil
}

// countUTF8 counts the characters of two bytes and more, and the bytes that
// belong to no character. A character cut by the end of the window is neither,
// unless the file ends there.
func countUTF8(window []byte, last bool) (valid, invalid int) {
	for len(window) > 0 {
		if !last && !utf8.FullRune(window) {
			break
		}
		r, size := utf8.DecodeRune(window)
		switch {
		case r == utf8.RuneError && size == 1:
			invalid++
		case size > 1:
			valid++
		}
		window = window[size:]
	}
	return valid, invalid
}

// plausible1251 tells whether bytes make sense as Cyrillic text in
// Windows-1251: nearly all of them letters or usual signs, letters not glued to
// Latin ones (as in «café» of Windows-1252), and, where there are enough of
// them, the letters о е а и н т с р in at least 45 % of the places. They make
// about 60 % of Russian text; KOI8-R or CP866 read as Windows-1251 gives less
// than 35 %.
func plausible1251(window []byte, before byte) bool {
	var total, letters, frequent, glued, odd int
	for i, b := range window {
		if b < utf8.RuneSelf {
			before = b
			continue
		}
		total++
		r := charmap.Windows1251.DecodeByte(b)
		switch {
		case r == utf8.RuneError:
			return false
		case unicode.Is(unicode.Cyrillic, r):
			letters++
			if strings.ContainsRune("оеаинтср", unicode.ToLower(r)) {
				frequent++
			}
			if latin(before) || latin(window[min(i+1, len(window)-1)]) {
				glued++
			}
		case !strings.ContainsRune("«»„“”‘’‚–—…№•·§°±©®™€\u00a0\u00ad", r):
			odd++
		}
		before = b
	}
	if odd*10 > total || glued*5 > letters {
		return false
	}
	const enough = 20 // letters
	return letters < enough || frequent*100 >= letters*45
}

func latin(b byte) bool { return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' }
