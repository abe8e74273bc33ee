package weightfile_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/nastavnik-bot/nastavnik/knowledge/e5/e5test"
	"github.com/nastavnik-bot/nastavnik/knowledge/e5/weightfile"
)

// Offsets in an encoded file, from the description of the format.
const (
	versionAt   = 4
	hiddenAt    = 8
	epsilonAt   = 36
	blockSizeAt = 40
	piecesAt    = 44
	unknownAt   = 60
	textAt      = 64
	startsAt    = 72
)

func TestParseReadsWhatEncodeWrites(t *testing.T) {
	t.Parallel()
	want := e5test.File()
	encoded := want.Encode()
	got, err := weightfile.Parse(encoded)
	if err != nil {
		t.Fatal(err)
	}
	opts := cmp.Options{cmp.AllowUnexported(weightfile.Vocabulary{}), cmpopts.EquateEmpty()}
	if diff := cmp.Diff(want, got, opts); diff != "" {
		t.Errorf("the file came back different (-written +read):\n%s", diff)
	}
	if !bytes.Equal(got.Encode(), encoded) {
		t.Error("the bytes changed when the file was read and written again")
	}
	for _, tensor := range got.Tensors {
		if at := bytes.Index(encoded, tensor.Data[:16]); at%64 != 0 {
			t.Errorf("tensor %s begins at offset %d, which is not a multiple of 64", tensor.Name, at)
		}
	}
}

func TestPieceAndTensor(t *testing.T) {
	t.Parallel()
	f := e5test.File()
	if got := string(f.Vocabulary.Piece(5)); got != "▁query" {
		t.Errorf("piece 5 is %q", got)
	}
	if tensor, ok := f.Tensor("emb.pos"); !ok || tensor.Count != f.Header.Positions*f.Header.Hidden {
		t.Errorf("emb.pos: found %t with %d weights", ok, tensor.Count)
	}
	if _, ok := f.Tensor("emb"); ok {
		t.Error("found a tensor that does not exist")
	}
}

func TestParseOfFileCutShort(t *testing.T) {
	t.Parallel()
	encoded := e5test.File().Encode()
	for n := 0; n < len(encoded); n += 1 + n/50 {
		_, err := weightfile.Parse(encoded[:n])
		if !errors.Is(err, weightfile.ErrCorrupt) {
			t.Fatalf("the first %d bytes of %d: %v", n, len(encoded), err)
		}
	}
	if _, err := weightfile.Parse(encoded[:len(encoded)-1]); err == nil || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("without its last byte: %v", err)
	}
}

func TestParseNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	whole := e5test.File().Encode()
	f := e5test.File()
	pieces := f.Vocabulary.Len()
	scoresAt := startsAt + 4*(pieces+1)
	text := 0
	for id := range pieces {
		text += len(f.Vocabulary.Piece(id))
	}
	replacementsAt := scoresAt + 4*pieces + text
	directoryAt := replacementsAt + 8 + int(binary.LittleEndian.Uint32(whole[replacementsAt+4:]))
	firstTensorAt := directoryAt + 4
	kindAt := firstTensorAt + 2 + len("emb.word")

	for _, test := range []struct {
		name string
		at   int
		with []byte
		want string
	}{
		{"magic", 0, []byte("GGUF"), `begins with "GGUF"`},
		{"version", versionAt, u32(2), "version 2"},
		{"no hidden size", hiddenAt, u32(0), "hidden size is 0"},
		{"negative hidden size", hiddenAt, u32(1 << 31), "hidden size is -"},
		{"epsilon", epsilonAt, u32(0x7fc00000), "epsilon is NaN"},
		{"block size", blockSizeAt, u32(64), "blocks of 64"},
		{"too many pieces", piecesAt, u32(1 << 30), "number of pieces is 1073741824"},
		{"negative pieces", piecesAt, u32(1<<32 - 1), "number of pieces is -1"},
		{"special id", unknownAt, u32(uint32(pieces)), "special id"},
		{"text too long", textAt, u64(1 << 62), "size of the pieces is 4611686018427387904"},
		{"piece out of order", startsAt + 8, u32(0), "piece 2 begins at 0"},
		{"piece beyond the text", startsAt + 4*pieces, u32(1 << 20), "begins at 1048576"},
		{"score", scoresAt, u32(0x7f800000), "the score of piece 0 is +Inf"},
		{"too many replacements", replacementsAt, u32(1 << 28), "number of replacements"},
		{"replacements too long", replacementsAt + 4, u32(1<<32 - 1), "replacements needs"},
		{"surrogate", replacementsAt + 8, u32(0xD800), "replacement 0 has the code point 0xd800"},
		{"too many tensors", directoryAt, u32(1 << 24), "number of tensors is 16777216"},
		{"kind of tensor", kindAt, []byte{7}, "kind 7"},
		{"count of tensor", kindAt + 1, u32(33), `tensor "emb.word": 33 weights of Q4_0`},
		{"offset of tensor", kindAt + 5, u64(1 << 63), `tensor "emb.word": offset`},
		{"size of tensor", kindAt + 13, u64(18), "do not take 18 bytes"},
		{"more pieces than rows", hiddenAt + 16, u32(3), "only 3 rows"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			data := bytes.Clone(whole)
			copy(data[test.at:], test.with)
			_, err := weightfile.Parse(data)
			if !errors.Is(err, weightfile.ErrCorrupt) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q in it", err, test.want)
			}
		})
	}
}

func TestParseRefusesTwoTensorsOfOneName(t *testing.T) {
	t.Parallel()
	f := e5test.File()
	f.Tensors = append(f.Tensors, f.Tensors[0])
	if _, err := weightfile.Parse(f.Encode()); err == nil || !strings.Contains(err.Error(), `two tensors "emb.word"`) {
		t.Errorf("got %v", err)
	}
}

// FuzzParse checks that no input makes Parse panic, and that what it accepts survives being written and read again.
func FuzzParse(f *testing.F) {
	small := e5test.File() // as little as possible, or the fuzzer spends its time on weights
	small.Vocabulary = weightfile.NewVocabulary([]string{"<s>", "▁a"}, []float32{0, -1})
	small.Header.VocabRows = 2
	small.Tensors = []weightfile.Tensor{
		{Name: "q", Kind: weightfile.Q40, Count: 32, Data: make([]byte, 18)},
		{Name: "f", Kind: weightfile.F32, Count: 1, Data: make([]byte, 4)},
	}
	whole := small.Encode()
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte("E5S1\x01\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := weightfile.Parse(data)
		if err != nil {
			if !errors.Is(err, weightfile.ErrCorrupt) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		total := 0
		for _, tensor := range file.Tensors {
			total += len(tensor.Data)
		}
		if total > 1<<24 { // many tensors that share their bytes
			return
		}
		if _, err := weightfile.Parse(file.Encode()); err != nil {
			t.Fatalf("what was accepted once is refused when written again: %v", err)
		}
	})
}

func u32(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }

func u64(v uint64) []byte { return binary.LittleEndian.AppendUint64(nil, v) }
