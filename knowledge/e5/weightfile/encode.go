package weightfile

import (
	"encoding/binary"
	"math"
)

// Encode returns the bytes of an E5S1 file. Equal files give equal bytes: nothing depends on time, map order or the machine.
// Parse(f.Encode()) is equal to f for every f that Parse has accepted.
func (f *File) Encode() []byte {
	b := f.appendHead(nil)
	directory := len(b) + 4
	for _, t := range f.Tensors {
		directory += 2 + len(t.Name) + 1 + 4 + 8 + 8
	}
	offsets := make([]int, len(f.Tensors))
	end := directory
	for i, t := range f.Tensors {
		offsets[i] = (end + alignment - 1) / alignment * alignment
		end = offsets[i] + len(t.Data)
	}

	le := binary.LittleEndian
	out := make([]byte, len(b), end)
	copy(out, b)
	out = le.AppendUint32(out, uint32(len(f.Tensors)))
	for i, t := range f.Tensors {
		out = le.AppendUint16(out, uint16(len(t.Name)))
		out = append(out, t.Name...)
		out = append(out, byte(t.Kind))
		out = le.AppendUint32(out, uint32(t.Count))
		out = le.AppendUint64(out, uint64(offsets[i]))
		out = le.AppendUint64(out, uint64(len(t.Data)))
	}
	for i, t := range f.Tensors {
		out = append(out, make([]byte, offsets[i]-len(out))...)
		out = append(out, t.Data...)
	}
	return out
}

// appendHead appends all that stands before the directory.
func (f *File) appendHead(b []byte) []byte {
	le := binary.LittleEndian
	h, v := f.Header, f.Vocabulary
	b = append(b, magic...)
	b = le.AppendUint32(b, version)
	for _, d := range []int{h.Hidden, h.Layers, h.Heads, h.FeedForward, h.VocabRows, h.Positions, h.TokenTypes} {
		b = le.AppendUint32(b, uint32(d))
	}
	b = le.AppendUint32(b, math.Float32bits(h.Epsilon))
	for _, d := range []int{BlockWeights, v.Len(), v.BOS, v.EOS, v.Pad, v.Unknown} {
		b = le.AppendUint32(b, uint32(d))
	}
	b = le.AppendUint64(b, uint64(len(v.text)))
	for _, s := range v.starts {
		b = le.AppendUint32(b, s)
	}
	for _, s := range v.Scores {
		b = le.AppendUint32(b, math.Float32bits(s))
	}
	b = append(b, v.text...)

	var body []byte
	for _, r := range f.Replacements {
		body = le.AppendUint32(body, uint32(r.From))
		body = append(body, byte(len(r.To)))
		for _, to := range r.To {
			body = le.AppendUint32(body, uint32(to))
		}
	}
	b = le.AppendUint32(b, uint32(len(f.Replacements)))
	b = le.AppendUint32(b, uint32(len(body)))
	return append(b, body...)
}
