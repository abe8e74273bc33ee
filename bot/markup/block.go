// Package markup turns standard Markdown into what chat platforms can show, before
// any platform's own syntax: a list of blocks, each with its place among lists and
// quotes, and cuts it where a message must end. It is pure: the same source always
// gives the same blocks.
package markup

// Kind says what a block is.
type Kind int

// The kinds of blocks. A table has become code or paragraphs, see Parse.
const (
	Paragraph Kind = iota
	Heading
	Code
	Rule // a line across; it has no text
)

// Block is one paragraph, heading, piece of code or rule, with where it stands. A
// list is the blocks of its items one after another: nesting is a depth, so that a
// text can be cut between any two blocks.
type Block struct {
	Kind     Kind
	Level    int    // of a Heading, 1 to 6
	Language string // of Code, as its fence names it; "" if it does not
	Text     []Span // of Code one span without style; of a Rule none
	Quote    int    // how many quotes it stands in
	Item     Item   // where in a list it stands
	Gap      bool   // an empty line goes before it
}

// Item is the place of a block in a list.
type Item struct {
	Depth     int  // 0 is no list, 1 the outermost one
	Ordered   bool // numbered, by Number
	Number    int
	Task      Task
	Continued bool // a further block of its item: it has no marker of its own
}

// Task is the box of an item of a task list.
type Task int

// What an item's box shows.
const (
	NoTask Task = iota
	OpenTask
	DoneTask
)

// Style is how a span is set: any of its bits together.
type Style uint8

// The bits of Style. Mono is code within a line.
const (
	Bold Style = 1 << iota
	Italic
	Strike
	Mono
)

// Span is text set in one way. A line break is "\n".
type Span struct {
	Text  string
	Style Style
	// Link is where the text leads, "" for no link: an address of http, https or
	// mailto, with every other character escaped. Neighbours with the same Link
	// are one link.
	Link string
}
