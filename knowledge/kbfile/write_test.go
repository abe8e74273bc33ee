package kbfile

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

var noPlace = cmpopts.IgnoreFields(Entry{}, "Place")

func TestWriteGolden(t *testing.T) {
	t.Parallel()
	entries := []Entry{
		{ID: "7", Question: "=СУММ(A1)?", Answer: "раз\r\n- два; <b>\"три\"</b>", Topic: "Отчёты", Aliases: []string{"а | б"}, AltAnswers: []string{"-1"}},
		{Question: "Чеи\u0306?\x00", Answer: "Мой\xff", Aliases: []string{"чья\nвещь", "'@я", "Чей?"}},
	}
	var jsonl, table bytes.Buffer
	if err := errors.Join(WriteJSONL(&jsonl, entries), WriteCSV(&table, entries)); err != nil {
		t.Fatal(err)
	}
	wantJSONL := "{\"id\":\"7\",\"question\":\"=СУММ(A1)?\",\"answer\":\"раз\\n- два; <b>\\\"три\\\"</b>\",\"topic\":\"Отчёты\",\"aliases\":[\"а | б\"],\"alt_answers\":[\"-1\"]}\n" +
		"{\"question\":\"Чей?\",\"answer\":\"Мой�\",\"aliases\":[\"чья вещь\",\"'@я\"]}\n"
	if diff := cmp.Diff(wantJSONL, jsonl.String()); diff != "" {
		t.Errorf("JSON Lines (-want +got):\n%s", diff)
	}
	wantCSV := "\ufeffid;вопрос;ответ;тема;варианты;другой ответ 1\r\n" +
		"7;'=СУММ(A1)?;\"раз\r\n- два; <b>\"\"три\"\"</b>\";Отчёты;\"а | б\r\n\";'-1\r\n" +
		";Чей?;Мой�;;\"чья вещь\r\n'@я\";\r\n"
	if diff := cmp.Diff(wantCSV, table.String()); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}
}

func TestWriteReportsWriterError(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	entries := slices.Repeat([]Entry{{Question: "Как?", Answer: strings.Repeat("Так", 1000)}}, 10)
	for _, room := range []int{0, 10, 5000} {
		for name, write := range writers() {
			if err := write(&smallWriter{room, full}, entries); !errors.Is(err, full) {
				t.Errorf("%s with room for %d bytes: error %v", name, room, err)
			}
		}
	}
}

type smallWriter struct {
	room int
	err  error
}

func (w *smallWriter) Write(p []byte) (int, error) {
	if len(p) > w.room {
		return w.room, w.err
	}
	w.room -= len(p)
	return len(p), nil
}

func writers() map[string]func(io.Writer, []Entry) error {
	return map[string]func(io.Writer, []Entry) error{"a.csv": WriteCSV, "a.jsonl": WriteJSONL}
}

// text is what people type, with all that CSV and JSON treat specially. It is
// in normal form (no loose combining marks, no space around) by construction,
// not by the code under test.
func text(most int) *rapid.Generator[string] {
	piece := rapid.OneOf(
		rapid.SampledFrom([]string{
			"\"", "\"\"", ",", ";", "\t", "\n", "\n\n", "'", "''", "=", "+", "-", "@", "＝", "|", " | ", "\\", "\\.", " ", "  ",
			"ё", "Й", "→", "№", "😀", "👩‍👩‍👧", "<b>", "{", "[", "null", "sep=;", "\u00a0", "�", "вопрос",
		}),
		rapid.StringMatching(`[а-яА-Яa-z0-9?!]{1,8}`),
	)
	return rapid.Custom(func(t *rapid.T) string {
		return strings.TrimSpace(strings.Join(rapid.SliceOfN(piece, 0, most).Draw(t, "pieces"), ""))
	})
}

func someText(most int) *rapid.Generator[string] {
	return text(most).Filter(func(s string) bool { return s != "" })
}

func line(most int) *rapid.Generator[string] {
	return rapid.Map(text(most), func(s string) string { return strings.Join(strings.Fields(s), " ") })
}

func drawEntry(t *rapid.T) Entry {
	some := func(s string) bool { return s != "" }
	e := Entry{
		ID:         line(4).Draw(t, "id"),
		Question:   someText(8).Draw(t, "question"),
		Answer:     someText(20).Draw(t, "answer"),
		Topic:      line(4).Draw(t, "topic"),
		Aliases:    rapid.SliceOfNDistinct(line(6).Filter(some), 0, 4, rapid.ID[string]).Draw(t, "aliases"),
		AltAnswers: rapid.SliceOfNDistinct(text(12).Filter(some), 0, 3, rapid.ID[string]).Draw(t, "alt_answers"),
	}
	e.Aliases = slices.DeleteFunc(e.Aliases, func(a string) bool { return a == e.Question })
	return e
}

// What is written is read again, whatever the texts, in both notations.
func TestWriteThenRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		entries := rapid.SliceOfNDistinct(rapid.Custom(drawEntry), 1, 6, func(e Entry) string { return e.ID }).Draw(t, "entries")
		for name, write := range writers() {
			var buf bytes.Buffer
			if err := write(&buf, entries); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got, problems, err := Read(&buf, name, Options{})
			if err != nil || HasErrors(problems) {
				t.Fatalf("%s: %v, %v", name, problems, err)
			}
			if diff := cmp.Diff(entries, got, noPlace, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("%s (-written +read):\n%s", name, diff)
			}
		}
	})
}

// No cell of a written table begins like a formula.
func TestWriteCSVGuardsFormulas(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cell := text(6).Draw(t, "cell")
		guarded := guard(cell)
		if strings.HasPrefix(guarded, "=") || strings.HasPrefix(guarded, "+") || strings.HasPrefix(guarded, "-") || strings.HasPrefix(guarded, "@") {
			t.Fatalf("%q is written as %q", cell, guarded)
		}
		if got := unguard(guarded); got != cell {
			t.Fatalf("%q is written as %q and read as %q", cell, guarded, got)
		}
	})
}
