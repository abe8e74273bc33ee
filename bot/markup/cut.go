package markup

import (
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
	"github.com/clipperhouse/uax29/v2/sentences"
)

// Split cuts blocks into parts for each of which fits is true, see Cut.
func Split(blocks []Block, fits func([]Block) bool) [][]Block {
	var parts [][]Block
	for len(blocks) > 0 {
		var part []Block
		part, blocks = Cut(blocks, fits)
		parts = append(parts, part)
	}
	return parts
}

// Cut takes from the beginning of blocks as much as fits, so that both what it takes
// and what is left read well: it ends at a paragraph rather than at an item of a
// list, at an item rather than within it, and there at a line or a sentence rather
// than at a word, if that leaves the part no less than half full. A character that
// is made of several (an emoji with its parts, a letter with its accents) is cut only
// if it does not fit by itself, and so is the text of a link. Code goes on as code,
// an item without its marker.
//
// fits must hold for whatever is a part of what it holds for, and for a block of any
// single rune. head is empty only if blocks are.
func Cut(blocks []Block, fits func([]Block) bool) (head, tail []Block) {
	n := atMost(len(blocks), func(n int) bool { return fits(blocks[:n]) })
	if n == len(blocks) {
		return blocks, nil
	}
	whole, next := blocks[:n:n], blocks[n]
	text := textOf(next.Text)
	size := atMost(len(text), func(size int) bool {
		left := next.before(runeStart(text, size))
		return len(left.Text) == 0 || fits(append(whole, left))
	})
	size = runeStart(text, size)

	room := bytesOf(whole) + size
	if at := bestGap(blocks, n, room); at > 0 {
		return blocks[:at:at], begin(blocks[at:])
	}
	size = next.bestCut(text, size, room-size, n == 0)
	if size == 0 && n > 0 {
		return whole, begin(blocks[n:])
	}
	tail = blocks[n+1:]
	if rest := next.after(size); len(rest.Text) > 0 {
		tail = append([]Block{rest}, tail...)
	}
	return append(whole, next.before(size)), begin(tail)
}

// atMost returns the greatest n of 0 to limit for which ok holds, given that it holds
// for all below. It looks near 0 first: ok takes longer the greater n is.
func atMost(limit int, ok func(int) bool) int {
	low, high := 0, 1
	for high <= limit && ok(high) {
		low, high = high, high*2
	}
	high = min(high, limit+1)
	return low + sort.Search(high-low-1, func(i int) bool { return !ok(low + i + 1) })
}

// begin makes blocks the beginning of a part.
func begin(blocks []Block) []Block {
	if len(blocks) > 0 && blocks[0].Gap {
		blocks = slices.Clone(blocks)
		blocks[0].Gap = false
	}
	return blocks
}

func bytesOf(blocks []Block) int {
	n := 0
	for _, b := range blocks {
		for _, s := range b.Text {
			n += len(s.Text)
		}
	}
	return n
}

// bestGap is the number of blocks after which to cut, of at most n, of which at
// least half of room is before; 0 is none.
func bestGap(blocks []Block, n, room int) int {
	best, rank := 0, 0
	for at, size := n, bytesOf(blocks[:n]); at > 0 && 2*size >= room; at-- {
		if r := gapRank(blocks[at-1], blocks[at]); r > rank {
			best, rank = at, r
		}
		size -= bytesOf(blocks[at-1 : at])
	}
	return best
}

// gapRank says how good it is to cut between two blocks; 0 is bad.
func gapRank(before, after Block) int {
	switch {
	case before.Kind == Heading:
		return 0
	case after.Kind == Heading || after.Kind == Rule:
		return 5
	case after.Item.Depth == 0 && after.Quote == 0 && after.Gap:
		return 4
	case after.Item.Depth == 0 && after.Quote == 0:
		return 3
	case !after.Item.Continued && after.Item.Depth <= 1:
		return 2
	default:
		return 1
	}
}

// before is a block with the first bytes of its text, of which there are size. White
// space at the end goes away; of code only a line end does.
func (b Block) before(size int) Block {
	text := b.Text
	b.Text = nil
	for _, s := range text {
		if size <= 0 {
			break
		}
		s.Text = s.Text[:min(size, len(s.Text))]
		size -= len(s.Text)
		b.Text = append(b.Text, s)
	}
	if b.Kind != Code {
		b.Text = trimRight(b.Text)
	} else if len(b.Text) > 0 {
		b.Text[0].Text = strings.TrimSuffix(b.Text[0].Text, "\n")
	}
	return b
}

// after is a block without the first bytes of its text, going on.
func (b Block) after(size int) Block {
	text := b.Text
	b.Text = nil
	for _, s := range text {
		n := min(size, len(s.Text))
		size -= n
		if s.Text = s.Text[n:]; s.Text != "" {
			b.Text = append(b.Text, s)
		}
	}
	b.Gap, b.Item.Continued = false, b.Item.Depth > 0
	if b.Kind != Code {
		b.Text = trimLeft(b.Text)
	}
	return b
}

// bestCut is where to cut the text of a block, of at most size bytes; before is how
// much of other blocks the part has. 0 is nowhere, unless must is set.
func (b Block) bestCut(text string, size, before int, must bool) int {
	half := (before+size)/2 - before // a cut after it leaves the part half full
	if best := b.bestBetween(text, max(1, half), size); best > 0 || !must {
		return best
	}
	if at := prefixBefore(text, size); at > 0 {
		return at
	}
	return max(size, firstRune(text))
}

// bestBetween is the last of the best places to cut, 0 for none.
func (b Block) bestBetween(text string, from, to int) int {
	inside := b.insideLinks(to)
	best, rank := 0, 0
	ahead := text[:runeStart(text, to+maxCluster)]
	sentence, sentenceEnd := sentences.FromString(ahead), 0
	for at, g := 0, graphemes.FromString(ahead); g.Next(); {
		at += len(g.Value())
		for sentenceEnd < at && sentence.Next() {
			sentenceEnd += len(sentence.Value())
		}
		if at > to {
			break
		}
		r := cutRank(g.Value())
		if b.Kind != Code && sentenceEnd == at {
			r = max(r, sentenceRank)
		}
		if at >= from && r >= rank && !inside(at) {
			best, rank = at, r
		}
	}
	return best
}

// maxCluster is how far behind a cut its character is looked at.
const maxCluster = 256

// How good a place within a block is to cut, the better the greater.
const (
	characterRank = iota + 1
	wordRank
	sentenceRank
	lineRank
)

// cutRank says how good it is to cut after a character.
func cutRank(character string) int {
	switch {
	case strings.HasSuffix(character, "\n"):
		return lineRank
	case strings.TrimSpace(character) == "":
		return wordRank
	default:
		return characterRank
	}
}

// insideLinks tells of a byte of the text whether it is within a link.
func (b Block) insideLinks(size int) func(at int) bool {
	type stretch struct{ from, to int }
	var links []stretch
	at := 0
	for _, s := range b.Text {
		if at > size {
			break
		}
		if s.Link != "" {
			links = append(links, stretch{at, at + len(s.Text)})
		}
		at += len(s.Text)
	}
	return func(at int) bool {
		i, _ := slices.BinarySearchFunc(links, at, func(l stretch, at int) int { return l.to - at })
		return i < len(links) && links[i].from < at && at < links[i].to
	}
}

// prefixBefore is the end of the last whole character within size bytes.
func prefixBefore(text string, size int) int {
	end := 0
	for g := graphemes.FromString(text[:runeStart(text, size+maxCluster)]); g.Next(); {
		if end+len(g.Value()) > size {
			break
		}
		end += len(g.Value())
	}
	return end
}

// runeStart moves a position in s back to the beginning of a rune.
func runeStart(s string, at int) int {
	if at >= len(s) {
		return len(s)
	}
	for at > 0 && !utf8.RuneStart(s[at]) {
		at--
	}
	return at
}

func firstRune(s string) int {
	_, n := utf8.DecodeRuneInString(s)
	return n
}
