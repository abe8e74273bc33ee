package kbfile

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// readCase is a file and what people get from it: the entries, or the text of
// the error, and the problems, each with E for an error and W for a warning.
type readCase struct {
	name     string
	file     string // its name; a.csv when empty
	data     string
	options  Options
	want     []Entry
	err      string
	problems []string
}

func (tc readCase) run(t *testing.T) {
	t.Helper()
	t.Parallel()
	file := tc.file
	if file == "" {
		file = "a.csv"
	}
	entries, problems, err := Read(strings.NewReader(tc.data), file, tc.options)
	message := ""
	if err != nil {
		var e *Error
		if !errors.As(err, &e) || e.File != file {
			t.Errorf("error %v (%T) is not an *Error of %s", err, err, file)
		}
		message = strings.TrimPrefix(err.Error(), file+": ")
	}
	if message != tc.err {
		t.Errorf("error:\n got %s\nwant %s", message, tc.err)
	}
	if diff := cmp.Diff(tc.problems, sentences(problems)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(tc.want, entries); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}

	if len(tc.data) > 1<<20 {
		return // too slow byte by byte
	}
	// However the bytes come in, the result is the same.
	slow, slowProblems, slowErr := Read(iotest.OneByteReader(strings.NewReader(tc.data)), file, tc.options)
	if !cmp.Equal(entries, slow) || !cmp.Equal(problems, slowProblems) || fmt.Sprint(err) != fmt.Sprint(slowErr) {
		t.Errorf("byte by byte: %v, %v, %v", slow, slowProblems, slowErr)
	}
}

func sentences(problems []Problem) []string {
	var out []string
	for _, p := range problems {
		severity := "E "
		if p.Warning {
			severity = "W "
		}
		out = append(out, severity+p.String())
	}
	return out
}

// at is a place in a CSV file without line breaks in cells.
func at(row int) Place { return Place{FormatCSV, row, row} }

const (
	noAnswer   = "нет ответа: такая запись обещала бы ответ, которого в базе нет. Впишите ответ или удалите строку"
	noQuestion = "нет вопроса. Впишите вопрос или удалите строку целиком"
	mapHint    = "(id, question, answer, topic, aliases, alt_answers, «-» (пропустить))"
)

func TestReadWholeFile(t *testing.T) {
	t.Parallel()
	empty := "файл пуст. Проверьте, тот ли это файл и сохранён ли он"
	noEntries := "в файле нет ни одной записи. Добавьте хотя бы один вопрос с ответом"
	book := "это книга Excel (xlsx). " + remedyTable
	for _, tc := range []readCase{
		{name: "empty", data: "", err: empty},
		{name: "empty jsonl", file: "a.jsonl", data: "", err: empty},
		{name: "only a BOM", data: "\xef\xbb\xbf", err: empty},
		{name: "only blank lines", file: "a.jsonl", data: "\r\n \n\t", err: empty},
		{name: "only a header", data: "вопрос,ответ\n\n", err: noEntries},
		{name: "only blank rows", data: ";;;\n;;;\n", err: noEntries},
		{name: "empty array", file: "a.json", data: "[ ]", err: noEntries},
		{name: "workbook", file: "база.xlsx", data: "PK\x03\x04\x14\x00[Content_Types].xml", err: book},
		{name: "workbook named csv", data: "PK\x03\x04\x14\x00_rels/.rels xl/workbook.xml", err: book},
		{name: "zip", file: "a.zip", data: "PK\x03\x04\x14\x00kb.csv", err: "это архив ZIP. Распакуйте его и загрузите файл из архива"},
		{name: "old workbook", file: "a.xls", data: "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", err: "это книга Excel старого формата (xls). " + remedyTable},
		{name: "word", file: "a.docx", data: "PK\x03\x04\x14\x00word/document.xml", err: "это текстовый документ (docx, odt). " + remedyOther},
		{name: "old word", file: "a.doc", data: "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", err: "это документ Word. " + remedyOther},
		{name: "ods", data: "PK\x03\x04\x14\x00mimetypeapplication/vnd.oasis.opendocument.spreadsheet", err: "это таблица OpenDocument (ods). " + remedyTable},
		{name: "numbers", file: "a.numbers", data: "PK\x03\x04\x14\x00", err: "это таблица Numbers. " + remedyTable},
		{name: "pdf", file: "a.pdf", data: "%PDF-1.7\n", err: "это PDF. " + remedyOther},
		{name: "gzip", file: "a.csv.gz", data: "\x1f\x8b\x08", err: "это архив gzip. Распакуйте его и загрузите файл из архива"},
		{name: "html named xls", file: "a.xls", data: "\r\n<HTML><table>", err: "это страница HTML (так сохраняют некоторые программы под именем xls). " + remedyTable},
		{
			name: "zeros", data: strings.Repeat("\x01\x00", 50),
			err: "это двоичный файл или UTF-16 без метки порядка байтов (BOM). Нужен текст: сохраните таблицу как «CSV UTF-8» или JSONL",
		},
		{name: "unknown format", data: "x", options: Options{Format: "xml"}, err: "неизвестный формат «xml». Бывают: csv, jsonl, json"},
	} {
		t.Run(tc.name, tc.run)
	}
}

func TestReadTellsFormat(t *testing.T) {
	t.Parallel()
	line := "{\"question\":\"В?\",\"answer\":\"О\"}"
	for _, tc := range []struct {
		file, data string
		asked, is  Format
	}{
		{"", line, FormatAuto, FormatJSONL},
		{"a.txt", "\xef\xbb\xbf\n " + line, FormatAuto, FormatJSONL},
		{"-", "[" + line + "]", FormatAuto, FormatJSON},
		{"a.jsonl", "[" + line + "]", FormatAuto, FormatJSON},
		{"A.NDJSON", line, FormatAuto, FormatJSONL},
		{"", "вопрос;ответ\nВ?;О", FormatAuto, FormatCSV},
		{"a.tsv", "вопрос\tответ\nВ?\tО", FormatAuto, FormatCSV},
		{"a.json", "вопрос;ответ\nВ?;О", FormatCSV, FormatCSV},
		{"a.csv", line, FormatJSON, FormatJSONL},
	} {
		entries, problems, err := Read(strings.NewReader(tc.data), tc.file, Options{Format: tc.asked})
		if err != nil || problems != nil || len(entries) != 1 || entries[0].Place.Format != tc.is || entries[0].Question != "В?" {
			t.Errorf("%s %q: %v, %v, %v; want one entry of %s", tc.file, tc.data, entries, problems, err, tc.is)
		}
	}
}

func TestReadFileSizeLimit(t *testing.T) {
	t.Parallel()
	data := "вопрос;ответ\nВ?;О\n"
	size := int64(len(data))
	if entries, _, err := read(strings.NewReader(data), "a.csv", Options{}, size); err != nil || len(entries) != 1 {
		t.Errorf("a file of the limit's size: %v, %v", entries, err)
	}
	entries, _, err := read(strings.NewReader(data+strings.Repeat("\n", 1<<20)), "a.csv", Options{}, 1<<20)
	var e *Error
	if entries != nil || !errors.As(err, &e) || e.Message != "файл больше 1 МБ. Разделите его на части и загрузите их по очереди" {
		t.Errorf("a file beyond the limit: %v, %v", entries, err)
	}
}

func TestReadPassesReaderErrorOn(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk on fire")
	for _, data := range []string{
		"", "вопрос;ответ\nВ?;О\n", "\xff\xfe\x32\x04", "{\"question\":\"В?\"}\n", "[{\"question\":", "вопрос;\"от",
		"q" + strings.Repeat("a", 3*sniffSize), "[" + strings.Repeat(" ", 3*sniffSize), strings.Repeat("\n", 3*sniffSize) + "ф",
	} {
		entries, _, err := Read(io.MultiReader(strings.NewReader(data), iotest.ErrReader(broken)), "", Options{})
		var e *Error
		if !errors.Is(err, broken) || errors.As(err, &e) || entries != nil {
			t.Errorf("%.20q: %v, %v; want the reader's error", data, entries, err)
		}
	}
}

func TestReadCapsProblems(t *testing.T) {
	t.Parallel()
	// 1,500 rows of the same question (a warning each but the first), then 3
	// rows without an answer: the errors must not drown.
	data := "вопрос;ответ\n" + strings.Repeat("В?;О\n", 1500) + "Г?;\nД?;\nЕ?;\n"
	entries, problems, err := Read(strings.NewReader(data), "a.csv", Options{})
	if entries != nil || err != nil || !HasErrors(problems) || len(problems) != MaxProblems+1 {
		t.Fatalf("%d entries, %d problems, %v", len(entries), len(problems), err)
	}
	want := []string{
		"E строка 1502, столбец «ответ»: " + noAnswer,
		"E строка 1503, столбец «ответ»: " + noAnswer,
		"E строка 1504, столбец «ответ»: " + noAnswer,
		"W файл: показаны не все проблемы, ещё ошибок: 0, предупреждений: 502. Исправьте показанные и проверьте файл снова",
	}
	if diff := cmp.Diff(want, sentences(problems[len(problems)-4:])); diff != "" {
		t.Error(diff)
	}

	_, problems, _ = Read(strings.NewReader("вопрос;ответ\n"+strings.Repeat(";О\n", 1700)), "a.csv", Options{})
	last := problems[len(problems)-1]
	if len(problems) != MaxProblems+1 || last.Warning || last.Row != 0 || !strings.Contains(last.Message, "ошибок: 700, предупреждений: 0") {
		t.Errorf("%d problems, last %s", len(problems), last)
	}
}
