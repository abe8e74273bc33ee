package weightfile

import (
	"encoding/binary"
	"fmt"
	"math"
)

// cursor reads a byte slice from its start. The first read beyond the end sets err, names what was being read, and every
// later read returns zero values: callers check err where it matters.
type cursor struct {
	data []byte
	pos  int
	err  error
}

// take returns the next n bytes, or nil after an error.
func (c *cursor) take(n int, what string) []byte {
	if c.err != nil {
		return nil
	}
	if n < 0 || n > len(c.data)-c.pos {
		c.err = fmt.Errorf("%w: %s needs %d bytes at offset %d, the file ends at %d (cut short?)",
			ErrCorrupt, what, n, c.pos, len(c.data))
		return nil
	}
	b := c.data[c.pos : c.pos+n : c.pos+n]
	c.pos += n
	return b
}

// count reads a non-negative i32 of which each takes at least size of the bytes that follow. So no count can ask for more
// memory than the file has bytes.
func (c *cursor) count(size int, what string) int {
	n := c.i32(what)
	if c.err == nil && (n < 0 || n > (len(c.data)-c.pos)/size) {
		c.fail("%s is %d, which the %d bytes that follow cannot hold", what, n, len(c.data)-c.pos)
	}
	if c.err != nil {
		return 0
	}
	return n
}

// array returns the next n items of size bytes. n is at most len(data), so the product cannot overflow.
func (c *cursor) array(n, size int, what string) []byte { return c.take(n*size, what) }

// fail records an error unless there is one already.
func (c *cursor) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
	}
}

func (c *cursor) u8(what string) int {
	if b := c.take(1, what); b != nil {
		return int(b[0])
	}
	return 0
}

func (c *cursor) u16(what string) int {
	if b := c.take(2, what); b != nil {
		return int(binary.LittleEndian.Uint16(b))
	}
	return 0
}

func (c *cursor) u32(what string) uint32 {
	if b := c.take(4, what); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) i32(what string) int { return int(int32(c.u32(what))) }

func (c *cursor) f32(what string) float32 { return math.Float32frombits(c.u32(what)) }

// size reads a u64 that is an offset or a length within the file.
func (c *cursor) size(what string) int {
	b := c.take(8, what)
	if b == nil {
		return 0
	}
	n := binary.LittleEndian.Uint64(b)
	if n > uint64(len(c.data)) {
		c.fail("%s is %d, the file has %d bytes (cut short?)", what, n, len(c.data))
		return 0
	}
	return int(n)
}
