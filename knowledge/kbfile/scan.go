package kbfile

import (
	"bufio"
	"errors"
	"io"
)

// record is one row of a CSV file.
type record struct {
	row   int // as a spreadsheet counts: from 1, blank rows included
	line  int // line of the file where the row begins
	cells []string
	fault faultKind
	// Where the fault is: the line, and the cell's index.
	faultLine, faultCell int
}

// faultKind is what makes a row unreadable.
type faultKind int

const (
	faultNone     faultKind = iota
	faultStray              // text after a closing quote: quotes inside not doubled, or an earlier one not closed
	faultUnclosed           // no closing quote up to the end of the file
	faultEndless            // no closing quote within MaxRecordSize
	faultTooLong            // a row longer than MaxRecordSize
)

// eof is what scanner.read returns at the end of the file and on errors.
const eof = -1

// scanner splits CSV into records. Unlike encoding/csv it counts rows as
// spreadsheets do, goes on after a faulty row, says where the quote was opened,
// and takes a quote inside an unquoted cell literally, as spreadsheets do.
// A line ends with LF, CRLF or CR; inside cells all three become LF.
type scanner struct {
	r     *bufio.Reader
	delim byte
	row   int // rows scanned
	line  int // line of the next byte, from 1
	size  int // bytes of the current record
	buf   []byte
	err   error // of r, other than io.EOF
	ended bool  // the rest of the file cannot be told apart
}

func newScanner(r *bufio.Reader, delim byte) *scanner {
	return &scanner{r: r, delim: delim, line: 1}
}

// next returns the next record, blank ones included, or io.EOF.
func (s *scanner) next() (record, error) {
	rec := record{row: s.row + 1, line: s.line}
	s.size = 0
	c := eof
	if !s.ended {
		c = s.read()
	}
	if c == eof {
		return record{}, s.end()
	}
	s.row++
	for {
		if c = s.cell(&rec, c); c != int(s.delim) {
			break
		}
		c = s.read()
	}
	if s.err != nil {
		return record{}, s.err
	}
	return rec, nil
}

func (s *scanner) end() error {
	if s.err != nil {
		return s.err
	}
	return io.EOF
}

// read returns the next byte, every line break as '\n', or eof.
func (s *scanner) read() int {
	b, err := s.r.ReadByte()
	if err != nil {
		if !errors.Is(err, io.EOF) {
			s.err = err
		}
		return eof
	}
	s.size++
	if b == '\r' {
		if next, err := s.r.Peek(1); err == nil && next[0] == '\n' {
			_, _ = s.r.Discard(1) // cannot fail: the byte is buffered
		}
		b = '\n'
	}
	if b == '\n' {
		s.line++
	}
	return int(b)
}

// cell adds to the record the cell that begins with byte c and returns what
// ended it: the delimiter, '\n' or eof.
func (s *scanner) cell(rec *record, c int) int {
	s.buf = s.buf[:0]
	if c == '"' {
		c = s.quoted(rec)
	} else {
		c = s.bare(rec, c)
	}
	rec.cells = append(rec.cells, string(s.buf))
	return c
}

func (s *scanner) ends(c int) bool { return c == int(s.delim) || c == '\n' || c == eof }

// bare reads a cell without quotes.
func (s *scanner) bare(rec *record, c int) int {
	for ; !s.ends(c); c = s.read() {
		if s.size > MaxRecordSize {
			return s.fail(rec, faultTooLong, rec.line, c)
		}
		s.buf = append(s.buf, byte(c))
	}
	return c
}

// quoted reads a cell whose opening quote was just read.
func (s *scanner) quoted(rec *record) int {
	opened := s.line
	for {
		c := s.read()
		switch {
		case c == eof:
			return s.fail(rec, faultUnclosed, opened, c)
		case s.size > MaxRecordSize:
			s.ended = true
			return s.fail(rec, faultEndless, opened, eof)
		case c != '"':
			s.buf = append(s.buf, byte(c))
			continue
		}
		if c = s.read(); c == '"' {
			s.buf = append(s.buf, '"')
			continue
		}
		for c == ' ' {
			c = s.read()
		}
		if !s.ends(c) {
			return s.fail(rec, faultStray, opened, c)
		}
		return c
	}
}

// fail marks the record and goes to the end of the line, where the next row
// most likely begins.
func (s *scanner) fail(rec *record, kind faultKind, line, c int) int {
	rec.fault, rec.faultLine, rec.faultCell = kind, line, len(rec.cells)
	s.buf = s.buf[:0]
	for c != '\n' && c != eof {
		c = s.read()
	}
	return c
}
