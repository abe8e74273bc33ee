package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/table"
)

// printJSON prints a value as indented JSON.
func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.std.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// printTable prints rows under a header.
func (a *app) printTable(header table.Row, rows []table.Row) {
	t := table.NewWriter()
	t.SetOutputMirror(a.std.out)
	t.AppendHeader(header)
	t.AppendRows(rows)
	t.SetStyle(table.StyleLight)
	t.Style().Options.DrawBorder = false
	t.Style().Options.SeparateColumns = false
	t.Style().Format.Header = 0
	t.Render()
}

func (a *app) printf(format string, args ...any) error {
	_, err := fmt.Fprintf(a.std.out, format, args...)
	return err
}

// cell folds a text into one line of a table.
func cell(s string, limit int) string {
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit-1]) + "…"
}

// day shows a time in the configured zone; "" for none.
func (a *app) day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(a.cfg.Location()).Format("2006-01-02 15:04")
}
