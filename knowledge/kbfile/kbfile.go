// Package kbfile reads and writes knowledge-base files: JSON Lines, a JSON
// array, and CSV as spreadsheets save it.
//
// Reading forgives what people's spreadsheets do (a byte-order mark,
// Windows-1251, UTF-16, semicolons, Russian or English headers, blank rows)
// and refuses what would lose or damage data (an unclosed quote, cells beyond
// the header, two rows with one id, bytes that are no text). All problems of a
// file are collected, each with its place and its remedy, so that one pass over
// the spreadsheet is enough to mend it. Texts for people are in Russian.
//
// Text is normalised on the way in: Unicode NFC, line breaks of any kind to
// "\n", no space around a value, no control characters but tab and "\n".
package kbfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// Limits of one file. Lengths of texts are in characters (Unicode code points).
const (
	MaxFileSize    = 512 << 20 // bytes of a file, before decoding
	MaxRecordSize  = 8 << 20   // bytes of one row, line or array element, in UTF-8
	MaxQuestionLen = 1_000     // characters of a question or of another phrasing
	MaxAnswerLen   = 50_000    // characters of an answer
	MaxLabelLen    = 200       // characters of an id or of a topic
	MaxPhrasings   = 1_000     // other phrasings of one question, and further answers
	MaxProblems    = 1_000     // problems Read returns before it only counts
)

// Entry is one row of a knowledge-base file.
type Entry struct {
	ID         string   // as in the file; empty when the file gives none
	Question   string   // never empty after Read
	Answer     string   // empty only with Options.AnswerOptional
	Topic      string   // empty when the file gives none
	Aliases    []string // other phrasings of the question, one line each, no repeats
	AltAnswers []string // further answers to the same question
	Place      Place    // where the entry stands; the writers ignore it
}

// Format is the notation of a knowledge-base file.
type Format string

// The notations. A file with a JSON array is recognised by itself wherever
// FormatJSONL is expected.
const (
	FormatAuto  Format = ""      // by the name's ending, then by the content
	FormatJSONL Format = "jsonl" // one JSON object a line
	FormatJSON  Format = "json"  // one JSON array of objects
	FormatCSV   Format = "csv"   // comma, semicolon or tab, found by the header
)

// Options say how to read a file. The zero value suits most files.
type Options struct {
	// Map gives the field of a column or JSON key whose name Read does not
	// know, or knows otherwise: {"Название": "question"}. Fields are id,
	// question, answer, topic, aliases, alt_answers (or a known synonym, such
	// as «вопрос»), and "-" for a column to leave out without a warning. Case,
	// spaces and punctuation of names do not matter.
	Map map[string]string
	// Format is FormatAuto unless the notation is known better.
	Format Format
	// AnswerOptional accepts entries without an answer, as evaluation sets
	// have them. Without it such a row is an error.
	AnswerOptional bool
}

// Read reads a knowledge-base file. The name serves to tell the format and to
// name the file in errors; it may be empty.
//
// Problems are those of single rows, in the order of the file, at most
// MaxProblems of them and then one that counts the rest; errors are never
// pushed out by warnings. If one of them is an error (see HasErrors), entries
// is nil: a file is taken as a whole or not at all. Warnings say what was
// mended or left out.
//
// The error is an *Error, with a text for people, when the file as a whole
// cannot be read (empty, a workbook, no known header, too large), and a wrapped
// error of r when reading itself failed. Problems found until then are
// returned as well.
func Read(r io.Reader, name string, o Options) ([]Entry, []Problem, error) {
	return read(r, name, o, MaxFileSize)
}

// read is Read with another limit of the file's size in bytes.
func read(r io.Reader, name string, o Options, limit int64) ([]Entry, []Problem, error) {
	m, err := newMapping(o.Map)
	if err != nil {
		return nil, nil, inFile(name, err)
	}
	text, err := openText(&cappedReader{r: r, left: limit, limit: limit}, name)
	if err != nil {
		return nil, nil, inFile(name, err)
	}
	format, err := formatOf(text, name, o.Format)
	if err != nil {
		return nil, nil, inFile(name, err)
	}
	c := newCollector(o.AnswerOptional)
	switch format {
	case FormatCSV:
		err = readCSV(text, m, c)
	case FormatJSON:
		err = readJSONArray(text, m, c)
	default:
		err = readJSONL(text, m, c)
	}
	if err == nil && c.rows == 0 && !c.failed {
		err = &Error{Message: "в файле нет ни одной записи. Добавьте хотя бы один вопрос с ответом"}
	}
	problems := c.problems.list()
	if err != nil {
		return nil, problems, inFile(name, err)
	}
	return c.entries, problems, nil
}

// formatOf tells the notation: as asked for, else by the name, else by the
// first character that is not blank. Whether JSON is an array or lines is
// always told by the content.
func formatOf(text *bufio.Reader, name string, asked Format) (Format, error) {
	first, err := firstByte(text)
	if err != nil {
		return "", err
	}
	format := asked
	if format == FormatAuto {
		format = formatByName(name)
	}
	if format == FormatAuto && first != '[' && first != '{' {
		format = FormatCSV
	}
	switch {
	case format == FormatCSV:
		return FormatCSV, nil
	case format != FormatAuto && format != FormatJSON && format != FormatJSONL:
		return "", &Error{Message: fmt.Sprintf("неизвестный формат «%s». Бывают: csv, jsonl, json", quote(string(format)))}
	case first == '[':
		return FormatJSON, nil
	}
	return FormatJSONL, nil
}

// firstByte is the first byte of the text that is not blank, 0 when there is
// none within sniffSize, or an *Error when there is no text at all.
func firstByte(text *bufio.Reader) (byte, error) {
	head, err := text.Peek(sniffSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	start := bytes.TrimLeftFunc(head, blank)
	switch {
	case len(start) > 0:
		return start[0], nil
	case len(head) < sniffSize:
		return 0, &Error{Message: "файл пуст. Проверьте, тот ли это файл и сохранён ли он"}
	}
	return 0, nil
}

// formatByName tells the format by the ending of a file's name, or FormatAuto.
func formatByName(name string) Format {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".csv", ".tsv":
		return FormatCSV
	case ".jsonl", ".ndjson", ".json":
		return FormatJSONL
	}
	return FormatAuto
}
