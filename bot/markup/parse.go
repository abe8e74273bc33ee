package markup

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// maxDepth bounds lists and quotes within each other: deeper ones stand at this
// depth. No platform shows more, and what is put before a line stays short.
const maxDepth = 8

// Parse reads standard Markdown (CommonMark with GitHub's tables, strikethrough,
// task lists and autolinks). HTML is text like any other, and so are references
// ([text][1] with [1]: address elsewhere), which would take their lines away. A line
// break in a paragraph stays one, as people who write in chats expect. A picture
// becomes a link with its description. A table of few narrow columns becomes Code
// with columns aligned, any other one a paragraph for each row: "**head:** value".
//
// Nothing of the text is lost but what Clean drops and addresses of links that are
// too long to be shown.
func Parse(source string) []Block {
	raw := []byte(Clean(source))
	r := &reader{source: raw}
	r.children(newParser().Parse(text.NewReader(raw)), place{item: &Item{}})
	if Visible(string(raw)) && !Visible(Text(r.out)) {
		// Nothing but Markdown's signs, such as ">": it is what somebody wrote.
		return []Block{{Text: []Span{{Text: strings.TrimSpace(string(raw))}}}}
	}
	return r.out
}

// Addresses that stand in a text by themselves. GitHub's own pattern knows neither
// Cyrillic paths nor hosts without a dot, which companies have; goldmark takes off
// the punctuation that ends a sentence.
var (
	bareURL = regexp.MustCompile("^(?:https?|ftp)://" + urlCharacters + "+")
	bareWWW = regexp.MustCompile(`^www\.` + urlCharacters + `+\.` + urlCharacters + "+")
)

const urlCharacters = "[^\\s\\p{Z}<>\"«»“”„|`]"

// newParser is goldmark's parser without HTML and references.
func newParser() parser.Parser {
	md := goldmark.New(
		goldmark.WithParser(parser.NewParser(
			parser.WithBlockParsers(
				util.Prioritized(parser.NewSetextHeadingParser(), 100),
				util.Prioritized(parser.NewThematicBreakParser(), 200),
				util.Prioritized(parser.NewListParser(), 300),
				util.Prioritized(parser.NewListItemParser(), 400),
				util.Prioritized(parser.NewCodeBlockParser(), 500),
				util.Prioritized(parser.NewATXHeadingParser(), 600),
				util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
				util.Prioritized(parser.NewBlockquoteParser(), 800),
				util.Prioritized(parser.NewParagraphParser(), 1000),
			),
			parser.WithInlineParsers(
				util.Prioritized(parser.NewCodeSpanParser(), 100),
				util.Prioritized(parser.NewLinkParser(), 200),
				util.Prioritized(parser.NewAutoLinkParser(), 300),
				util.Prioritized(parser.NewEmphasisParser(), 500),
			),
			parser.WithParagraphTransformers(util.Prioritized(tables{extension.NewTableParagraphTransformer()}, 200)),
			parser.WithASTTransformers(util.Prioritized(extension.NewTableASTTransformer(), 0)),
		)),
		goldmark.WithExtensions(extension.Strikethrough, extension.TaskList,
			extension.NewLinkify(extension.WithLinkifyURLRegexp(bareURL), extension.WithLinkifyWWWRegexp(bareWWW))),
	)
	return md.Parser()
}

// reader turns goldmark's tree into blocks.
type reader struct {
	source []byte
	out    []Block
	gap    bool // an empty line goes before the next block
}

// place is where a node stands. item has its marker until a block takes it.
type place struct {
	quote int
	item  *Item
}

func (r *reader) children(parent ast.Node, at place) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		if n.Type() == ast.TypeBlock {
			r.gap = r.gap || n.HasBlankPreviousLines()
		}
		r.block(n, at)
	}
}

func (r *reader) block(n ast.Node, at place) {
	switch n := n.(type) {
	case *ast.Paragraph, *ast.TextBlock:
		r.addText(Block{Kind: Paragraph}, n, at)
	case *ast.Heading:
		r.addText(Block{Kind: Heading, Level: n.Level}, n, at)
	case *ast.FencedCodeBlock:
		r.addCode(r.fenced(n), at)
	case *ast.CodeBlock:
		r.addCode(Block{Kind: Code, Text: code(lines(n, r.source))}, at)
	case *ast.ThematicBreak:
		r.add(Block{Kind: Rule}, at)
	case *ast.Blockquote:
		r.children(n, place{quote: min(at.quote+1, maxDepth), item: at.item})
	case *ast.List:
		r.list(n, at)
	case *extast.Table:
		r.gap = true // goldmark does not say
		r.table(n, at)
	default:
		r.children(n, at)
	}
}

// add puts a block where it stands; the first one of an item takes its marker.
func (r *reader) add(b Block, at place) {
	b.Quote, b.Item, b.Gap = at.quote, *at.item, r.gap
	if last := len(r.out) - 1; last < 0 || r.out[last].Kind == Paragraph && len(r.out[last].Text) == 0 {
		b.Gap = false // nothing is before it, or a marker alone
	}
	at.item.Continued = at.item.Depth > 0
	r.gap = false
	r.out = append(r.out, b)
}

func (r *reader) addText(b Block, n ast.Node, at place) {
	var t spans
	r.inline(&t, n, Span{}, at.item)
	b.Text = t.trimmed()
	if len(b.Text) > 0 || at.item.Task != NoTask && !at.item.Continued {
		r.add(b, at)
	}
}

func (r *reader) list(l *ast.List, at place) {
	// A list that begins an item: "1. - a". The outer marker needs a line of its own.
	if outer := at.item; outer.Depth > 0 && !outer.Continued {
		r.add(Block{}, at)
	}
	number := l.Start // 0 of bullets
	for n := l.FirstChild(); n != nil; n = n.NextSibling() {
		r.gap = r.gap || n.HasBlankPreviousLines()
		item := &Item{Depth: min(at.item.Depth+1, maxDepth), Ordered: l.IsOrdered(), Number: number}
		r.children(n, place{quote: at.quote, item: item})
		if !item.Continued {
			r.add(Block{}, place{quote: at.quote, item: item}) // an item without text
		}
		if l.IsOrdered() {
			number++
		}
	}
}

// fenced reads a piece of code. What follows the fence is the language if it can be
// one; people also begin their code right there, and then it is the first line.
func (r *reader) fenced(n *ast.FencedCodeBlock) Block {
	b := Block{Kind: Code}
	body := lines(n, r.source)
	if n.Info != nil {
		info := strings.TrimSpace(string(n.Info.Value(r.source)))
		if isLanguage(info) && strings.TrimSpace(body) != "" {
			b.Language = info
		} else {
			body = info + "\n" + body
		}
	}
	b.Text = code(body)
	return b
}

// isLanguage tells whether the text after a fence names a language: "go", "c++",
// "objective-c".
func isLanguage(info string) bool {
	for _, c := range info {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("+-#._", c) {
			return false
		}
	}
	return info != "" && len(info) <= 20
}

// addCode adds code that has anything in it.
func (r *reader) addCode(b Block, at place) {
	if Visible(b.Text[0].Text) {
		r.add(b, at)
	}
}

// code is the text of a Code block.
func code(body string) []Span {
	return []Span{{Text: strings.TrimRight(body, "\n")}}
}

func lines(n ast.Node, source []byte) string {
	var b bytes.Buffer
	for _, s := range n.Lines().Sliced(0, n.Lines().Len()) {
		b.Write(s.Value(source))
	}
	return b.String()
}
