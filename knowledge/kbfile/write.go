package kbfile

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// jsonEntry is an entry as a line of JSON Lines.
type jsonEntry struct {
	ID         string   `json:"id,omitempty"`
	Question   string   `json:"question"`
	Answer     string   `json:"answer,omitempty"`
	Topic      string   `json:"topic,omitempty"`
	Aliases    []string `json:"aliases,omitempty"`
	AltAnswers []string `json:"alt_answers,omitempty"`
}

// normal is an entry with its texts as Read returns them.
func normal(e Entry) jsonEntry {
	all := func(list []string, clean func(string) string) []string {
		var out []string
		for _, t := range list {
			out = appendNew(out, clean(t))
		}
		return out
	}
	text := func(s string) string { return cleanText(s).text }
	j := jsonEntry{
		ID: cleanLine(e.ID), Question: text(e.Question), Answer: text(e.Answer), Topic: cleanLine(e.Topic),
		Aliases: all(e.Aliases, cleanLine), AltAnswers: all(e.AltAnswers, text),
	}
	j.Aliases = slices.DeleteFunc(j.Aliases, func(a string) bool { return a == j.Question })
	return j
}

// WriteJSONL writes entries one JSON object a line, in UTF-8. Texts are
// normalised as Read does it, so Read returns the same entries.
func WriteJSONL(w io.Writer, entries []Entry) error {
	buf := bufio.NewWriter(w)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	for i, e := range entries {
		if err := enc.Encode(normal(e)); err != nil {
			return fmt.Errorf("write entry %d as JSON: %w", i+1, err)
		}
	}
	if err := buf.Flush(); err != nil {
		return fmt.Errorf("write JSON Lines: %w", err)
	}
	return nil
}

// WriteCSV writes entries as a table that a Russian Excel opens with a double
// click: UTF-8 with a byte-order mark, semicolons, CRLF, Russian headers.
// Phrasings share a cell, one a line; each further answer has a column.
//
// A cell that begins with = + - or @ (or their full-width forms) would run as a
// formula in a spreadsheet, so an apostrophe is put before it; Read takes it
// away again. Texts are normalised as Read does it, so Read returns the same
// entries.
//
// See https://owasp.org/www-community/attacks/CSV_Injection.
func WriteCSV(w io.Writer, entries []Entry) error {
	more := 0
	for _, e := range entries {
		more = max(more, len(e.AltAnswers))
	}
	header := []string{"id", "вопрос", "ответ", "тема", "варианты"}
	for i := range more {
		header = append(header, fmt.Sprintf("другой ответ %d", i+1))
	}
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	table := csv.NewWriter(w)
	table.Comma = ';'
	table.UseCRLF = true
	if err := table.Write(header); err != nil {
		return fmt.Errorf("write CSV header: %w", err)
	}
	for i, e := range entries {
		n := normal(e)
		cells := slices.Concat([]string{n.ID, n.Question, n.Answer, n.Topic, joinAliases(n.Aliases)}, n.AltAnswers)
		for len(cells) < len(header) {
			cells = append(cells, "")
		}
		for k, cell := range cells {
			cells[k] = guard(cell)
		}
		if err := table.Write(cells); err != nil {
			return fmt.Errorf("write entry %d as CSV: %w", i+1, err)
		}
	}
	table.Flush()
	if err := table.Error(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

// joinAliases is the inverse of splitAliases.
func joinAliases(aliases []string) string {
	cell := strings.Join(aliases, "\n")
	if len(aliases) == 1 && strings.Contains(cell, " | ") {
		cell += "\n"
	}
	return cell
}

// guarded reports whether a cell begins like a formula, apostrophes before it
// aside. Counting those in makes guard reversible.
func guarded(cell string) bool {
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(cell, "'"))
	return strings.ContainsRune("=+-@＝＋－＠", first)
}

// guard puts an apostrophe before what a spreadsheet would run as a formula.
func guard(cell string) string {
	if guarded(cell) {
		return "'" + cell
	}
	return cell
}

// unguard takes away the apostrophe that guard put.
func unguard(cell string) string {
	if strings.HasPrefix(cell, "'") && guarded(cell) {
		return cell[1:]
	}
	return cell
}
