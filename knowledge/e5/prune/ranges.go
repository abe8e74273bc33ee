package prune

// span is a range of code points, both ends included.
type span struct{ first, last rune }

// keptBlocks returns the blocks of Unicode that are kept. Compatibility characters (full-width letters, superscripts, №) need
// no place here: the model's replacement table turns them into the plain ones.
func keptBlocks() [13]span {
	return [...]span{
		{0x0000, 0x024F},   // Latin: Basic, Latin-1 Supplement, Extended-A, Extended-B
		{0x02B0, 0x036F},   // spacing modifiers (the Ukrainian apostrophe), combining marks (й and ё in two code points)
		{0x0400, 0x052F},   // Cyrillic with its supplement: Russian, Ukrainian, Belarusian, Kazakh, Tatar, …
		{0x2000, 0x206F},   // General Punctuation: dashes, quotation marks
		{0x20A0, 0x20FF},   // Currency Symbols, combining marks for symbols (the box of 1️⃣)
		{0x2100, 0x23FF},   // Letterlike, Number Forms, Arrows, Mathematical Operators, Miscellaneous Technical
		{0x2500, 0x27BF},   // Box Drawing to Dingbats: bullets, check marks, the older emoji
		{0x2900, 0x297F},   // Supplemental Arrows-B
		{0x2B00, 0x2BFF},   // Miscellaneous Symbols and Arrows
		{0xFE00, 0xFE0F},   // Variation Selectors, which emoji carry
		{0xFFFD, 0xFFFD},   // Replacement Character
		{0x1F000, 0x1F1FF}, // emoji; not the enclosed ideographs that follow
		{0x1F300, 0x1FAFF}, // emoji
	}
}

// Kept reports whether the characters of a script, or of the punctuation and emoji used with it, stay in the vocabulary: Latin
// and Cyrillic. U+2581, the mark of a space in pieces, is among them.
func Kept(r rune) bool {
	for _, s := range keptBlocks() {
		if r >= s.first && r <= s.last {
			return true
		}
	}
	return false
}
