package knowledge

// Inquiry is what is looked for in the base.
type Inquiry struct {
	Text    string
	Without string // the id of a question to leave out; "" for none
	// After is the text that this one follows in a dialogue («а если уволился?»),
	// and Shown the id of the entry that was given for it. Both may be empty.
	After string
	Shown string
	Seen  []string // questions shown in this dialogue: not to be offered as related
	// Refused says that what people have refused for these very words counts like
	// anything else: a senior knows better.
	Refused bool
	// Fresh wants everything that has been indexed to be seen, whatever it costs: for
	// the proof after a reply.
	Fresh bool
}
