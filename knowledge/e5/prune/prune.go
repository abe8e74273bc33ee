// Package prune takes the scripts that Nastavnik's users do not write out of an embedding model's vocabulary. Word embeddings
// are three quarters of multilingual-e5-small, and most of their 250,000 rows are for Chinese, Arabic, Hindi and a hundred
// other languages.
//
// A text of kept characters is cut into the same pieces as before: all pieces that it could match are kept, with their scores,
// and so is the score of the worst piece, from which the penalty for an unknown character is derived. So its vector is the
// same, bit for bit. Other characters become unknown ones.
package prune

import (
	"fmt"
	"unicode/utf8"

	"github.com/nastavnik-bot/nastavnik/knowledge/e5/weightfile"
)

// wordTensor is the tensor that has one row for each piece.
const wordTensor = "emb.word"

// Vocabulary returns f with the pieces that consist of characters for which keep is true, the special pieces and the one with
// the lowest score, in their old order, and with the rows of the word embeddings that belong to them. Everything else is
// shared with f, which is not changed.
func Vocabulary(f *weightfile.File, keep func(rune) bool) (*weightfile.File, error) {
	words, ok := f.Tensor(wordTensor)
	old := &f.Vocabulary
	if !ok || words.Count != f.Header.VocabRows*f.Header.Hidden || f.Header.VocabRows < old.Len() {
		return nil, fmt.Errorf("prune: the tensor %s does not have %d rows of %d weights", wordTensor, f.Header.VocabRows, f.Header.Hidden)
	}
	rowBytes, ok := words.Kind.Bytes(f.Header.Hidden)
	if !ok {
		return nil, fmt.Errorf("prune: rows of %d weights cannot be cut out of a tensor of %s", f.Header.Hidden, words.Kind)
	}

	keep = withReplacements(keep, f.Replacements)
	var pieces []string
	var scores []float32
	var rows []byte
	ids := make(map[int]int) // old to new
	worst := lowest(old.Scores)
	for id := range old.Len() {
		piece := old.Piece(id)
		if id != worst && !isSpecial(old, id) && !consists(piece, keep) {
			continue
		}
		ids[id] = len(pieces)
		pieces = append(pieces, string(piece))
		scores = append(scores, old.Scores[id])
		rows = append(rows, words.Data[id*rowBytes:(id+1)*rowBytes]...)
	}

	out := *f
	out.Vocabulary = weightfile.NewVocabulary(pieces, scores)
	out.Vocabulary.BOS, out.Vocabulary.EOS = ids[old.BOS], ids[old.EOS]
	out.Vocabulary.Pad, out.Vocabulary.Unknown = ids[old.Pad], ids[old.Unknown]
	out.Header.VocabRows = len(pieces)
	out.Tensors = nil
	for _, t := range f.Tensors {
		if t.Name == wordTensor {
			t.Count, t.Data = len(pieces)*f.Header.Hidden, rows
		}
		out.Tensors = append(out.Tensors, t)
	}
	return &out, nil
}

// withReplacements keeps, beside what keep does, the characters that take the place of a kept one: µ, the micro sign, is Latin,
// but the model reads it as the Greek letter.
func withReplacements(keep func(rune) bool, list []weightfile.Replacement) func(rune) bool {
	targets := make(map[rune]bool)
	for _, r := range list {
		for _, to := range r.To {
			if keep(r.From) {
				targets[to] = true
			}
		}
	}
	return func(r rune) bool { return keep(r) || targets[r] }
}

func isSpecial(v *weightfile.Vocabulary, id int) bool {
	return id == v.BOS || id == v.EOS || id == v.Pad || id == v.Unknown
}

// lowest returns the index of the first of the lowest scores.
func lowest(scores []float32) int {
	at := 0
	for i, s := range scores {
		if s < scores[at] {
			at = i
		}
	}
	return at
}

// consists reports whether every character of a piece is kept.
func consists(piece []byte, keep func(rune) bool) bool {
	for len(piece) > 0 {
		r, size := utf8.DecodeRune(piece)
		if r == utf8.RuneError && size == 1 || !keep(r) {
			return false
		}
		piece = piece[size:]
	}
	return true
}
