package knowledge

// Inquiry is what is looked for in the base.
type Inquiry struct {
	Text    string
	Without string // the id of a question to leave out; "" for none
	// After is the text that this one follows in a dialogue («а если уволился?»),
	// and Shown the id of the entry that was given for it. Both may be empty.
	After string
	Shown string
}
