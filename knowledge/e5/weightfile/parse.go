package weightfile

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"
)

// Parse reads an E5S1 file. The result aliases data, which must not be changed afterwards. Every error wraps ErrCorrupt and
// names the part of the file that is wrong.
func Parse(data []byte) (*File, error) {
	c := &cursor{data: data}
	f := &File{}
	f.Header = parseHeader(c)
	f.Vocabulary = parseVocabulary(c)
	f.Replacements = parseReplacements(c)
	f.Tensors = parseTensors(c)
	if c.err != nil {
		return nil, c.err
	}
	if n, rows := f.Vocabulary.Len(), f.Header.VocabRows; n > rows {
		return nil, fmt.Errorf("%w: %d pieces but only %d rows of word embeddings", ErrCorrupt, n, rows)
	}
	return f, nil
}

func parseHeader(c *cursor) Header {
	if m := c.take(len(magic), "magic"); c.err == nil && string(m) != magic {
		c.fail("begins with %q, not with %q", m, magic)
	}
	if v := c.u32("version"); c.err == nil && v != version {
		c.fail("version %d, this program reads version %d", v, version)
	}
	h := Header{
		Hidden:      c.i32("hidden size"),
		Layers:      c.i32("layers"),
		Heads:       c.i32("heads"),
		FeedForward: c.i32("feed-forward size"),
		VocabRows:   c.i32("vocabulary rows"),
		Positions:   c.i32("positions"),
		TokenTypes:  c.i32("token types"),
		Epsilon:     c.f32("epsilon"),
	}
	if q := c.i32("block size"); c.err == nil && q != BlockWeights {
		c.fail("blocks of %d weights, this program reads blocks of %d", q, BlockWeights)
	}
	for _, d := range []struct {
		name  string
		value int
	}{
		{"hidden size", h.Hidden}, {"layers", h.Layers}, {"heads", h.Heads}, {"feed-forward size", h.FeedForward},
		{"vocabulary rows", h.VocabRows}, {"positions", h.Positions}, {"token types", h.TokenTypes},
	} {
		if d.value <= 0 {
			c.fail("%s is %d", d.name, d.value)
		}
	}
	if !(h.Epsilon > 0 && h.Epsilon < 1) {
		c.fail("epsilon is %g", h.Epsilon)
	}
	return h
}

func parseVocabulary(c *cursor) Vocabulary {
	n := c.count(8, "number of pieces") // an offset and a score each
	v := Vocabulary{BOS: c.i32("id of <s>"), EOS: c.i32("id of </s>"), Pad: c.i32("id of <pad>"), Unknown: c.i32("id of <unk>")}
	for _, id := range []int{v.BOS, v.EOS, v.Pad, v.Unknown} {
		if id < 0 || id >= n {
			c.fail("special id %d of a vocabulary of %d pieces", id, n)
		}
	}
	textBytes := c.size("size of the pieces")
	starts := c.array(n+1, 4, "offsets of the pieces")
	scores := c.array(n, 4, "scores of the pieces")
	v.text = c.take(textBytes, "text of the pieces")
	if c.err != nil {
		return v
	}
	v.starts = make([]uint32, n+1)
	for i := range v.starts {
		v.starts[i] = binary.LittleEndian.Uint32(starts[4*i:])
		if s := v.starts[i]; s > uint32(textBytes) || i > 0 && s < v.starts[i-1] {
			c.fail("piece %d begins at %d, out of order or beyond the text's %d bytes", i, s, textBytes)
			return v
		}
	}
	v.Scores = make([]float32, n)
	for i := range v.Scores {
		v.Scores[i] = math.Float32frombits(binary.LittleEndian.Uint32(scores[4*i:]))
		if !finite(v.Scores[i]) {
			c.fail("the score of piece %d is %g", i, v.Scores[i])
			return v
		}
	}
	return v
}

func parseReplacements(c *cursor) []Replacement {
	n := c.count(5, "number of replacements")
	size := c.u32("size of the replacements")
	body := c.take(int(size), "replacements")
	if c.err != nil {
		return nil
	}
	sub := &cursor{data: body}
	list := make([]Replacement, 0, n)
	for i := range n {
		r := Replacement{From: sub.rune(i)}
		if k := sub.u8("replacement"); k > 0 {
			r.To = make([]rune, 0, min(k, len(body)/4))
			for range k {
				r.To = append(r.To, sub.rune(i))
			}
		}
		if sub.err != nil {
			c.err = sub.err
			return nil
		}
		list = append(list, r)
	}
	if sub.pos != len(body) {
		c.fail("%d replacements take %d bytes, the file says %d", n, sub.pos, len(body))
	}
	return list
}

// rune reads a code point of replacement i.
func (c *cursor) rune(i int) rune {
	r := rune(c.i32("replacement"))
	if c.err == nil && !utf8.ValidRune(r) {
		c.fail("replacement %d has the code point %#x", i, r)
	}
	return r
}

func parseTensors(c *cursor) []Tensor {
	n := c.i32("number of tensors")
	if n < 0 || n > maxTensors {
		c.fail("number of tensors is %d", n)
	}
	if c.err != nil {
		return nil
	}
	seen := make(map[string]bool, n)
	list := make([]Tensor, 0, n)
	for range n {
		t := parseTensor(c)
		if c.err == nil && seen[t.Name] {
			c.fail("two tensors %q", t.Name)
		}
		if c.err != nil {
			return nil
		}
		seen[t.Name] = true
		list = append(list, t)
	}
	return list
}

func parseTensor(c *cursor) Tensor {
	t := Tensor{Name: string(c.take(c.u16("length of a tensor's name"), "name of a tensor"))}
	what := fmt.Sprintf("tensor %q", t.Name)
	t.Kind = Kind(c.u8(what))
	t.Count = int(c.u32(what))
	offset, size := c.size(what+": offset"), c.size(what+": size")
	if c.err != nil {
		return t
	}
	if want, ok := t.Kind.Bytes(t.Count); !ok || want != size {
		c.fail("%s: %d weights of %s do not take %d bytes", what, t.Count, t.Kind, size)
		return t
	}
	if size > len(c.data)-offset {
		c.fail("%s: %d bytes at offset %d, the file ends at %d (cut short?)", what, size, offset, len(c.data))
		return t
	}
	t.Data = c.data[offset : offset+size : offset+size]
	return t
}

// finite reports whether x is a number.
func finite(x float32) bool { return x-x == 0 }
