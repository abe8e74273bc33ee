package markup

import (
	"bytes"
	"strings"

	"github.com/mattn/go-runewidth"
	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// gridWidth is how wide an aligned table may be, in columns of a monospaced font:
// what a phone shows without breaking lines.
const gridWidth = 34

// tables keeps goldmark from reading as a table what would lose text as one: cells
// beyond the last column are dropped there.
type tables struct{ parser.ParagraphTransformer }

func (t tables) Transform(n *ast.Paragraph, reader text.Reader, pc parser.Context) {
	columns := 0 // of the last line that rules off a head
	for i := range n.Lines().Len() {
		line := n.Lines().At(i)
		value := bytes.TrimSpace(line.Value(reader.Source()))
		if cells := countCells(value); len(bytes.Trim(value, "-:| \t")) == 0 {
			columns = cells
		} else if columns > 0 && cells > columns {
			return
		}
	}
	t.ParagraphTransformer.Transform(n, reader, pc)
}

// countCells counts as goldmark does: a pipe after a backslash is none.
func countCells(line []byte) int {
	line = bytes.TrimPrefix(line, []byte("|"))
	n := 1
	for i, c := range line {
		if c == '|' && i+1 < len(line) && (i == 0 || line[i-1] != '\\') {
			n++
		}
	}
	return n
}

// row is the cells of a table's row.
type row []spans

func (r *reader) table(n *extast.Table, at place) {
	var rows []row
	for line := n.FirstChild(); line != nil; line = line.NextSibling() {
		var cells row
		for cell := line.FirstChild(); cell != nil; cell = cell.NextSibling() {
			var t spans
			r.inline(&t, cell, Span{}, &Item{})
			cells = append(cells, t.trimmed())
		}
		rows = append(rows, cells)
	}
	if len(rows) == 0 {
		return
	}
	if widths, ok := columns(rows); ok {
		r.add(Block{Kind: Code, Text: code(grid(rows, widths, n.Alignments))}, at)
		return
	}
	r.records(rows, at)
}

// columns are the widths of the columns, when the table is narrow enough and all
// plain: code shows no links.
func columns(rows []row) (widths []int, ok bool) {
	widths = make([]int, len(rows[0]))
	for _, cells := range rows {
		for i, cell := range cells {
			for _, s := range cell {
				if s.Link != "" || strings.Contains(s.Text, "\n") {
					return nil, false
				}
			}
			widths[i] = max(widths[i], width(textOf(cell)))
		}
	}
	total := 0
	for _, w := range widths {
		total += w + len(between)
	}
	return widths, total-len(between) <= gridWidth
}

// between stands between columns.
const between = "  "

func width(s string) int { return runewidth.StringWidth(s) }

// grid lays out an aligned table, with a line under its head.
func grid(rows []row, widths []int, align []extast.Alignment) string {
	var b strings.Builder
	for i, cells := range rows {
		var line strings.Builder
		for c, w := range widths {
			if c > 0 {
				line.WriteString(between)
			}
			line.WriteString(pad(textOf(cells[c]), w, align[c]))
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
		if i == 0 {
			for c, w := range widths {
				b.WriteString(strings.Repeat("─", w))
				if c < len(widths)-1 {
					b.WriteString(between)
				}
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

func pad(s string, w int, a extast.Alignment) string {
	space := max(0, w-width(s))
	left := 0
	switch a {
	case extast.AlignRight:
		left = space
	case extast.AlignCenter:
		left = space / 2
	case extast.AlignLeft, extast.AlignNone:
	}
	return strings.Repeat(" ", left) + s + strings.Repeat(" ", space-left)
}

// records lays out a wide table: a paragraph for each row.
func (r *reader) records(rows []row, at place) {
	head := rows[0]
	if len(rows) == 1 {
		var t spans
		for _, cell := range head {
			if len(t) > 0 && len(cell) > 0 {
				t.add(Span{Text: " | "})
			}
			t = append(t, embolden(cell)...)
		}
		r.addRecord(t, at)
		return
	}
	for _, cells := range rows[1:] {
		r.addRecord(record(head, cells), at)
	}
}

// record is a row with a line for each of its values.
func record(head, cells row) spans {
	var t spans
	for i, value := range cells {
		if blank(value) {
			continue
		}
		if len(t) > 0 {
			t.add(Span{Text: "\n"})
		}
		if name := embolden(head[i]); !blank(name) {
			if !strings.HasSuffix(textOf(name), ":") {
				name.add(Span{Text: ":", Style: Bold})
			}
			name.add(Span{Text: " "})
			t = append(t, name...)
		}
		t = append(t, value...)
	}
	return t
}

func (r *reader) addRecord(t spans, at place) {
	if text := t.trimmed(); len(text) > 0 {
		r.gap = true
		r.add(Block{Text: text}, at)
	}
}

func embolden(t spans) spans {
	out := make(spans, len(t))
	for i, s := range t {
		s.Style |= Bold
		out[i] = s
	}
	return out
}
