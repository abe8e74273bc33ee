package kbfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// readCSV reads a table: finds the delimiter and the header, then hands row by
// row to the collector.
func readCSV(text *bufio.Reader, m *mapping, c *collector) error {
	delim, err := sepLine(text)
	if err != nil {
		return err
	}
	first := 1
	if delim != 0 {
		first = 2
	} else if delim, err = detectDelimiter(text, m); err != nil {
		return err
	}
	t := &table{s: newScanner(text, delim), c: c}
	t.s.line = first
	if err := t.readHeader(m); err != nil {
		return err
	}
	for {
		rec, err := t.s.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		t.add(rec)
	}
}

// sepLine consumes a first line «sep=;», by which Excel is told the delimiter,
// and returns the delimiter, or 0 without such a line. Excel does not count it
// as a row.
func sepLine(text *bufio.Reader) (byte, error) {
	head, err := text.Peek(len("sep=;\r\n"))
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if len(head) < 6 || !bytes.EqualFold(head[:4], []byte("sep=")) {
		return 0, nil
	}
	n := 6
	switch {
	case head[5] == '\n':
	case head[5] == '\r' && len(head) > 6 && head[6] == '\n':
		n = 7
	default:
		return 0, nil
	}
	delim := head[4]
	if strings.IndexByte(delimiters, delim) < 0 {
		return 0, &Error{Message: fmt.Sprintf("разделитель «%s» из первой строки (sep=) не поддерживается. Сохраните файл с запятой, точкой с запятой или табуляцией",
			quote(string(rune(delim))))}
	}
	_, err = text.Discard(n)
	return delim, err
}

// delimiters in the order of preference when the header does not tell.
const delimiters = ",;\t"

// detectDelimiter takes the delimiter that makes most sense of the header row:
// the most columns with a known name, then the most columns. So a semicolon or
// a comma inside a header's text does not mislead it.
func detectDelimiter(text *bufio.Reader, m *mapping) (byte, error) {
	head, err := text.Peek(sniffSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	best, bestKnown, bestCells := delimiters[0], -1, -1
	for i := range len(delimiters) {
		rec, err := firstRow(newScanner(bufio.NewReader(bytes.NewReader(head)), delimiters[i]))
		if errors.Is(err, io.EOF) && len(head) < sniffSize {
			return delimiters[i], nil // the whole table is blank by this one
		}
		known := knownHeaders(rec.cells, m)
		if known > bestKnown || known == bestKnown && len(rec.cells) > bestCells {
			best, bestKnown, bestCells = delimiters[i], known, len(rec.cells)
		}
	}
	return best, nil
}

// knownHeaders counts the headers that mean something.
func knownHeaders(headers []string, m *mapping) int {
	n := 0
	for _, h := range headers {
		if m.field(h) != fieldNone {
			n++
		}
	}
	return n
}

// firstRow is the first row that is not blank.
func firstRow(s *scanner) (record, error) {
	for {
		rec, err := s.next()
		if err != nil || !rec.blank() {
			return rec, err
		}
	}
}

// blank tells a row without text. Spreadsheets export them by the thousand.
func (r record) blank() bool {
	return r.fault == faultNone && blankCells(r.cells)
}

func blankCells(cells []string) bool {
	for _, cell := range cells {
		if strings.TrimFunc(cell, blank) != "" {
			return false
		}
	}
	return true
}

// table is a CSV file being read.
type table struct {
	s       *scanner
	columns []column
	noted   map[int]bool // columns without a header whose text was reported
	c       *collector
}

// readHeader takes the first row that is not blank as the header.
func (t *table) readHeader(m *mapping) error {
	rec, err := firstRow(t.s)
	if errors.Is(err, io.EOF) {
		return nil // nothing but blank rows; the caller says that there are no entries
	}
	if err != nil {
		return err
	}
	at := Place{FormatCSV, rec.row, rec.line}
	if rec.fault != faultNone {
		return &Error{Message: fmt.Sprintf("заголовок (%s) не читается: %s", at, faultMessage(rec))}
	}
	if t.columns, err = columnsOf(rec.cells, m, t.c.answerOptional); err != nil {
		return err
	}
	t.noted = map[int]bool{}
	for _, col := range t.columns {
		if col.field == fieldNone && !col.unnamed {
			t.c.warn(at, col.name, fmt.Sprintf("столбец не загружается: непонятно, что в нём. Если он нужен, укажите поле: --map \"%s=…\" (%s)",
				quote(col.name), mapFields))
		}
	}
	return nil
}

// add hands a row to the collector, or reports why it cannot be read.
func (t *table) add(rec record) {
	if rec.blank() {
		return
	}
	at := Place{FormatCSV, rec.row, rec.line}
	if rec.fault != faultNone {
		name := ""
		if rec.faultCell < len(t.columns) {
			name = t.columns[rec.faultCell].name
		}
		t.c.fail(at, name, faultMessage(rec))
		return
	}
	if !t.fits(at, rec) {
		return
	}
	r := row{place: at}
	for i, col := range t.columns {
		text := ""
		if i < len(rec.cells) {
			text = rec.cells[i]
		}
		switch col.field {
		case fieldNone:
			t.noteUnnamed(at, i, text)
		case fieldAliases:
			r.addAll(col, splitAliases(unguard(text)))
		default:
			r.add(col, unguard(text))
		}
	}
	t.c.addRow(r)
}

// fits checks the number of cells. Missing ones at the end of a row are empty
// cells that some programs leave out; text beyond the header would be lost.
func (t *table) fits(at Place, rec record) bool {
	have, want := len(rec.cells), len(t.columns)
	if have > want && !blankCells(rec.cells[want:]) {
		t.c.fail(at, "", fmt.Sprintf("ячеек в строке %d, а столбцов в заголовке %d: вероятно, в тексте есть разделитель (%s), а кавычек вокруг текста нет. "+
			"Заключите текст в кавычки или сохраните файл из таблицы заново", have, want, delimName(t.s.delim)))
		return false
	}
	if have >= want {
		return true
	}
	for _, col := range t.columns[have:] {
		if col.field == fieldQuestion || col.field == fieldAnswer && !t.c.answerOptional {
			t.c.fail(at, col.name, fmt.Sprintf("ячеек в строке %d, а столбцов в заголовке %d: вероятно, строка разорвана переносом. "+
				"Заключите текст с переносами в кавычки или сохраните файл из таблицы заново", have, want))
			return false
		}
	}
	t.c.warn(at, "", fmt.Sprintf("ячеек в строке %d, а столбцов в заголовке %d: недостающие ячейки считаются пустыми", have, want))
	return true
}

// noteUnnamed warns, once a column, of text under an empty header.
func (t *table) noteUnnamed(at Place, i int, text string) {
	if !t.columns[i].unnamed || t.noted[i] || strings.TrimFunc(text, blank) == "" {
		return
	}
	t.noted[i] = true
	t.c.warn(at, t.columns[i].name, "у столбца нет заголовка, его текст не загружается. Если он нужен, впишите заголовок")
}

func delimName(delim byte) string {
	switch delim {
	case ';':
		return "точка с запятой"
	case '\t':
		return "табуляция"
	}
	return "запятая"
}

// faultMessage says what makes a row unreadable and where to look.
func faultMessage(rec record) string {
	opened := "кавычка в начале ячейки"
	if rec.faultLine != rec.line {
		opened += fmt.Sprintf(" (%d-я строка файла)", rec.faultLine)
	}
	switch rec.fault {
	case faultUnclosed:
		return opened + " не закрыта до конца файла; всё после неё не проверено. Закройте её или сохраните файл из таблицы заново"
	case faultEndless:
		return fmt.Sprintf("%s не закрыта на протяжении %d МБ; всё после неё не проверено. Закройте её или сохраните файл из таблицы заново",
			opened, MaxRecordSize>>20)
	case faultStray:
		return opened + " закрыта посреди текста. Проверьте, закрыта ли она там, где нужно; кавычки внутри ячейки удвойте (\"\" вместо \") или сохраните файл из таблицы заново"
	default:
		return fmt.Sprintf("строка длиннее %d МБ. Проверьте, не повреждён ли файл", MaxRecordSize>>20)
	}
}

// splitAliases takes apart a cell with several phrasings: one a line, or, in a
// cell of one line, separated by " | ". A line break at the end of a cell thus
// tells that a bar in it is text.
func splitAliases(cell string) []string {
	if strings.ContainsAny(cell, "\r\n") {
		return strings.FieldsFunc(cell, func(r rune) bool { return r == '\r' || r == '\n' })
	}
	return strings.Split(cell, " | ")
}
