package kbfile

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Place is where something stands in a file.
type Place struct {
	// Format says how to count: rows of a table, lines, elements of an array.
	Format Format
	// Row counts from 1. In CSV it is the row a spreadsheet shows (the header
	// counts, and so do blank rows), in JSON Lines the line, in an array the
	// element. 0 stands for the file as a whole.
	Row int
	// Line is the line of the text file, from 1. It differs from Row where
	// cells contain line breaks.
	Line int
}

// String names the place in Russian, in the nominative: «строка 12».
func (p Place) String() string { return p.name("строка", "запись") }

// prepositional is the place after «в»: «строке 12».
func (p Place) prepositional() string { return p.name("строке", "записи") }

func (p Place) name(row, element string) string {
	if p.Row == 0 {
		return "файл"
	}
	noun := row
	if p.Format == FormatJSON {
		noun = element
	}
	s := fmt.Sprintf("%s %d", noun, p.Row)
	if p.Line != 0 && (p.Line != p.Row || p.Format == FormatJSON) {
		s += fmt.Sprintf(" (%d-я строка файла)", p.Line)
	}
	return s
}

// Problem is what is wrong with one place of a file.
type Problem struct {
	Place
	// Column is the column's header or the JSON key, as the file has it; empty
	// when the problem is of the whole row.
	Column string
	// Message says in Russian what is wrong and what to do, without the place.
	Message string
	// Warning marks what does not prevent the import.
	Warning bool
}

// String is the problem in one Russian sentence with its place. It does not
// say whether it is a warning.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.Place.String())
	if p.Column != "" {
		noun := "поле"
		if p.Format == FormatCSV {
			noun = "столбец"
		}
		fmt.Fprintf(&b, ", %s «%s»", noun, quote(p.Column))
	}
	b.WriteString(": ")
	b.WriteString(p.Message)
	return b.String()
}

// HasErrors tells whether a problem forbids the import.
func HasErrors(problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return !p.Warning })
}

// Error says why a file as a whole cannot be read. Its text is meant for the
// person who chose the file: Russian, with the remedy.
type Error struct {
	File    string // the name given to Read
	Message string
}

func (e *Error) Error() string {
	if e.File == "" {
		return e.Message
	}
	return e.File + ": " + e.Message
}

// inFile adds the file's name to an error.
func inFile(name string, err error) error {
	var e *Error
	if errors.As(err, &e) {
		return &Error{File: name, Message: e.Message}
	}
	return fmt.Errorf("read knowledge base %q: %w", name, err)
}

// problemList keeps the first MaxProblems errors and as many warnings, and
// counts the others. The two are kept apart so that a flood of warnings cannot
// hide an error.
type problemList struct {
	errs, warnings           []Problem
	hiddenErrs, hiddenWarned int
}

func (l *problemList) add(p Problem) {
	kept, hidden := &l.errs, &l.hiddenErrs
	if p.Warning {
		kept, hidden = &l.warnings, &l.hiddenWarned
	}
	if len(*kept) == MaxProblems {
		*hidden++
		return
	}
	*kept = append(*kept, p)
}

// list returns the problems in the order of the file, errors first to be kept
// when there are too many, and then one that counts those left out.
func (l *problemList) list() []Problem {
	shown := min(len(l.warnings), MaxProblems-len(l.errs))
	hiddenWarned := l.hiddenWarned + len(l.warnings) - shown
	all := slices.Concat(l.errs, l.warnings[:shown])
	slices.SortStableFunc(all, func(a, b Problem) int { return cmp.Compare(a.Row, b.Row) })
	if l.hiddenErrs+hiddenWarned > 0 {
		all = append(all, Problem{
			Message: fmt.Sprintf("показаны не все проблемы, ещё ошибок: %d, предупреждений: %d. Исправьте показанные и проверьте файл снова",
				l.hiddenErrs, hiddenWarned),
			Warning: l.hiddenErrs == 0,
		})
	}
	return all
}

// quote prepares a value of the file for a message: one line, at most 60
// characters, nothing that could drive a terminal.
func quote(s string) string {
	const most = 60
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n == most {
			b.WriteRune('…')
			break
		}
		if unicode.IsSpace(r) {
			r = ' '
		}
		if !unicode.IsPrint(r) {
			r = '�'
		}
		b.WriteRune(r)
		n++
	}
	return strings.TrimSpace(b.String())
}
