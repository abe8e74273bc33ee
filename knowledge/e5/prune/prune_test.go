package prune_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/nastavnik-bot/nastavnik/knowledge/e5"
	"github.com/nastavnik-bot/nastavnik/knowledge/e5/e5test"
	"github.com/nastavnik-bot/nastavnik/knowledge/e5/prune"
	"github.com/nastavnik-bot/nastavnik/knowledge/e5/weightfile"
)

// pruned returns the tiny model without what Kept leaves out.
func pruned(t *testing.T) *weightfile.File {
	t.Helper()
	f, err := prune.Vocabulary(e5test.File(), prune.Kept)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// pieces returns the vocabulary.
func pieces(f *weightfile.File) []string {
	var out []string
	for id := range f.Vocabulary.Len() {
		out = append(out, string(f.Vocabulary.Piece(id)))
	}
	return out
}

func TestVocabularyKeepsItsOrderAndRows(t *testing.T) {
	t.Parallel()
	full, small := e5test.File(), pruned(t)
	all, kept := pieces(full), pieces(small)
	for _, want := range []string{"<s>", "<pad>", "</s>", "<unk>", "▁", "▁сделк", "▁deal", "q", "ё", "7", "😀"} {
		if !slices.Contains(kept, want) {
			t.Errorf("%q is gone", want)
		}
	}
	for _, gone := range []string{"▁λόγος", "α", "ω"} {
		if slices.Contains(kept, gone) {
			t.Errorf("%q is still there", gone)
		}
	}
	if len(kept) != small.Header.VocabRows {
		t.Errorf("%d pieces, %d rows", len(kept), small.Header.VocabRows)
	}

	before, _ := full.Tensor("emb.word")
	after, _ := small.Tensor("emb.word")
	const rowBytes = e5test.Dim / weightfile.BlockWeights * weightfile.BlockBytes
	last := -1
	for id, piece := range kept {
		old := slices.Index(all, piece)
		if old <= last {
			t.Errorf("%q is not in its old order", piece)
		}
		last = old
		if !bytes.Equal(after.Data[id*rowBytes:][:rowBytes], before.Data[old*rowBytes:][:rowBytes]) {
			t.Errorf("%q has another row", piece)
		}
		if small.Vocabulary.Scores[id] != full.Vocabulary.Scores[old] {
			t.Errorf("%q has another score", piece)
		}
	}
	if len(after.Data) != len(kept)*rowBytes {
		t.Errorf("%d bytes of rows for %d pieces", len(after.Data), len(kept))
	}
}

func TestVocabularyKeepsWhatKeptCharactersAreReplacedBy(t *testing.T) {
	t.Parallel()
	if !slices.Contains(pieces(pruned(t)), "μ") {
		t.Error("the Greek letter that takes the place of the micro sign is gone")
	}
}

func TestVocabularyKeepsTheLowestScore(t *testing.T) {
	t.Parallel()
	full, small := e5test.File(), pruned(t)
	if got, want := slices.Min(small.Vocabulary.Scores), slices.Min(full.Vocabulary.Scores); got != want {
		t.Errorf("the lowest score is %g, was %g", got, want)
	}
}

func TestVocabularyMovesTheSpecialPieces(t *testing.T) {
	t.Parallel()
	full := e5test.File()
	full.Vocabulary.Unknown = full.Vocabulary.Len() - 1 // the last piece, which would go otherwise
	small, err := prune.Vocabulary(full, prune.Kept)
	if err != nil {
		t.Fatal(err)
	}
	v := &small.Vocabulary
	if v.BOS != 0 || v.Pad != 1 || v.EOS != 2 || v.Unknown != v.Len()-1 || string(v.Piece(v.Unknown)) != "語" {
		t.Errorf("ids of the special pieces: %d %d %d %d of %d", v.BOS, v.Pad, v.EOS, v.Unknown, v.Len())
	}
}

func TestVocabularyLeavesTheOriginalAlone(t *testing.T) {
	t.Parallel()
	full := e5test.File()
	before := full.Encode()
	small, err := prune.Vocabulary(full, prune.Kept)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(full.Encode(), before) {
		t.Error("the original has changed")
	}
	again, err := prune.Vocabulary(small, prune.Kept)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again.Encode(), small.Encode()) {
		t.Error("pruning twice is not pruning once")
	}
}

func TestVocabularyRefusesOtherShapes(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(f *weightfile.File){
		"no word embeddings":       func(f *weightfile.File) { f.Tensors[0].Name = "x" },
		"too few rows":             func(f *weightfile.File) { f.Tensors[0].Count -= e5test.Dim },
		"rows that are cut blocks": func(f *weightfile.File) { f.Header.Hidden /= 4; f.Header.VocabRows *= 4 },
	} {
		f := e5test.File()
		damage(f)
		if _, err := prune.Vocabulary(f, prune.Kept); err == nil || !strings.HasPrefix(err.Error(), "prune: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Texts of kept characters must have the same vectors, bit for bit, also where a character is in no vocabulary.
func TestVectorsStayTheSame(t *testing.T) {
	t.Parallel()
	models := make([]*e5.Model, 0, 2)
	for _, f := range []*weightfile.File{e5test.File(), pruned(t)} {
		m, err := e5.Parse(f.Encode())
		if err != nil {
			t.Fatal(err)
		}
		models = append(models, m)
	}
	letters := rapid.RuneFrom([]rune("abcxyz абвсделкуёЖЩ0123456789.,!?…µ😀🦄é\t\u00ad\u0306"))
	rapid.Check(t, func(t *rapid.T) {
		texts := []string{rapid.StringOfN(letters, 0, 40, -1).Draw(t, "text")}
		full, err := models[0].EmbedQueries(context.Background(), texts)
		if err != nil {
			t.Fatal(err)
		}
		small, err := models[1].EmbedQueries(context.Background(), texts)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(full[0], small[0]) {
			t.Fatalf("the vectors of %q differ", texts[0])
		}
	})
}

func TestKept(t *testing.T) {
	t.Parallel()
	for _, r := range "aZéßłőёЩґїқӨҰ▁ \u0306’—«»„…№₽€$°→✅❤️👍🏽🇷🇺\u200d" {
		if !prune.Kept(r) {
			t.Errorf("%q (%U) is not kept", r, r)
		}
	}
	for _, r := range "αשعनไ한かカ中" {
		if prune.Kept(r) {
			t.Errorf("%q (%U) is kept", r, r)
		}
	}
}
