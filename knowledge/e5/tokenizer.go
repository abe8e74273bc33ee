package e5

import (
	"math"
	"slices"
	"unicode/utf8"

	"github.com/nastavnik-bot/nastavnik/knowledge/e5/weightfile"
)

// tokenizer cuts texts into the pieces of a unigram vocabulary as SentencePiece does (Kudo, "Subword Regularization", 2018,
// section 3.2): of all ways to write the text as pieces, the one with the greatest sum of scores.
type tokenizer struct {
	ids      map[string]int32 // of pieces; without <unk>, which no text matches
	scores   []float32
	replace  map[rune][]rune
	unknown  int32
	bos, eos int32

	unknownScore float32 // of a character that is no piece
	longest      int     // bytes of the longest piece
}

// space is what a space is in pieces. Every text begins with one.
const space = '▁'

// newTokenizer returns the tokenizer of a file's vocabulary.
func newTokenizer(f *weightfile.File) *tokenizer {
	v := &f.Vocabulary
	t := &tokenizer{
		ids:     make(map[string]int32, v.Len()),
		scores:  v.Scores,
		replace: make(map[rune][]rune, len(f.Replacements)+1),
		unknown: int32(v.Unknown),
		bos:     int32(v.BOS),
		eos:     int32(v.EOS),
		longest: utf8.UTFMax,
	}
	for id := v.Len() - 1; id >= 0; id-- { // of equal pieces the first counts
		piece := string(v.Piece(id))
		t.longest = max(t.longest, len(piece))
		t.ids[piece] = int32(id)
	}
	delete(t.ids, "")
	delete(t.ids, string(v.Piece(v.Unknown)))
	t.unknownScore = slices.Min(v.Scores) - 10 // SentencePiece's kUnkPenalty
	for _, r := range f.Replacements {
		t.replace[r.From] = r.To
	}
	t.replace[0] = nil // like the other control characters; the table cannot hold it, being made for C strings
	return t
}

// tokens returns the ids of the first limit pieces of text, without <s> and </s>. Its time is bounded by limit however long
// the text is.
func (t *tokenizer) tokens(text string, limit int) []int32 {
	return t.best(t.normalise(text, limit*t.longest), limit)
}

// normalise replaces characters, makes one space of several, marks spaces, and puts one at the start. It stops after limit
// bytes, more or less a character's replacement: no more than the wanted pieces can cover.
func (t *tokenizer) normalise(text string, limit int) []byte {
	buf := make([]byte, 0, min(2*len(text), limit)+4*utf8.UTFMax)
	previous := rune(-1)
	put := func(r rune) {
		if r == ' ' {
			if previous == ' ' {
				return
			}
			buf = utf8.AppendRune(buf, space)
		} else {
			if previous < 0 {
				buf = utf8.AppendRune(buf, space)
			}
			buf = utf8.AppendRune(buf, r)
		}
		previous = r
	}
	for _, r := range text {
		if to, ok := t.replace[r]; ok {
			for _, r := range to {
				put(r)
			}
		} else {
			put(r)
		}
		if len(buf) >= limit {
			break
		}
	}
	if previous < 0 {
		buf = utf8.AppendRune(buf, space)
	}
	return buf
}

// step is the best way to reach a place in a text: with what score, by which last piece, and where that piece begins.
type step struct {
	score float32
	piece int32
	from  int32
}

// best returns the first limit pieces of the best way to write buf.
func (t *tokenizer) best(buf []byte, limit int) []int32 {
	// steps[i] is for the byte offset i; only offsets between characters are ever reached.
	steps := make([]step, len(buf)+1)
	for i := range steps {
		steps[i].score = float32(math.Inf(-1))
	}
	steps[0].score = 0
	for from := 0; from < len(buf); {
		_, first := utf8.DecodeRune(buf[from:])
		end := min(from+t.longest, len(buf))
		for to := from + first; to <= end; {
			if id, ok := t.ids[string(buf[from:to])]; ok {
				steps[to].offer(steps[from].score+t.scores[id], id, from)
			}
			if to == len(buf) {
				break
			}
			_, size := utf8.DecodeRune(buf[to:])
			to += size
		}
		steps[from+first].offer(steps[from].score+t.unknownScore, t.unknown, from)
		from += first
	}

	count := 0
	for at := len(buf); at > 0; at = int(steps[at].from) {
		count++
	}
	ids := make([]int32, count)
	for at := len(buf); at > 0; at = int(steps[at].from) {
		count--
		ids[count] = steps[at].piece
	}
	return ids[:min(len(ids), limit)]
}

// offer takes another way to the place if it is better.
func (s *step) offer(score float32, piece int32, from int) {
	if score > s.score {
		*s = step{score, piece, int32(from)}
	}
}
