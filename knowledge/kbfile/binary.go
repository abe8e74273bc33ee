package kbfile

import (
	"bytes"
	"path/filepath"
	"strings"
)

// What to do with a file that is no text, by what it is.
const (
	remedyTable = "Откройте файл в программе для таблиц и сохраните лист как «CSV UTF-8» (или JSONL), затем загрузите полученный файл"
	remedyOther = "Нужен CSV или JSONL: перенесите вопросы и ответы в таблицу и сохраните её как «CSV UTF-8»"
)

// binaryKind recognises by its first bytes a file that is neither CSV nor JSON
// and returns what to tell its owner, or "".
func binaryKind(head []byte, name string) string {
	if bytes.HasPrefix(head, []byte("PK\x03\x04")) {
		return zipKind(head, name)
	}
	ext := strings.ToLower(filepath.Ext(name))
	text := bytes.ToLower(bytes.TrimLeft(head[:min(len(head), 512)], " \t\r\n\ufeff"))
	for _, k := range []struct {
		bytes []byte
		magic string
		is    string
	}{
		{head, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", oldOffice(ext)},
		{head, "%PDF-", "это PDF. " + remedyOther},
		{head, "\x1f\x8b", "это архив gzip. Распакуйте его и загрузите файл из архива"},
		{head, "7z\xbc\xaf\x27\x1c", "это архив 7z. Распакуйте его и загрузите файл из архива"},
		{head, "Rar!\x1a\x07", "это архив RAR. Распакуйте его и загрузите файл из архива"},
		{head, "\x89PNG", "это картинка. " + remedyOther},
		{head, "\xff\xd8\xff", "это картинка. " + remedyOther},
		{head, "SQLite format 3\x00", "это база данных SQLite. " + remedyOther},
		{head, "{\\rtf", "это документ RTF. " + remedyOther},
		{head, "\xff\xfe\x00\x00", "кодировка UTF-32 не поддерживается. Сохраните файл в UTF-8"},
		{head, "\x00\x00\xfe\xff", "кодировка UTF-32 не поддерживается. Сохраните файл в UTF-8"},
		{text, "<!doctype html", "это страница HTML (так сохраняют некоторые программы под именем xls). " + remedyTable},
		{text, "<html", "это страница HTML (так сохраняют некоторые программы под именем xls). " + remedyTable},
		{text, "<?xml", "это XML. " + remedyTable},
	} {
		if bytes.HasPrefix(k.bytes, []byte(k.magic)) {
			return k.is
		}
	}
	return nulKind(head)
}

// zipKind tells what a ZIP container holds; office documents are ones too.
func zipKind(head []byte, name string) string {
	ext := strings.ToLower(filepath.Ext(name))
	has := func(s string) bool { return bytes.Contains(head, []byte(s)) }
	switch {
	case has("xl/") || strings.HasPrefix(ext, ".xls"):
		return "это книга Excel (xlsx). " + remedyTable
	case has("oasis.opendocument.spreadsheet") || ext == ".ods":
		return "это таблица OpenDocument (ods). " + remedyTable
	case has("word/") || ext == ".docx" || has("oasis.opendocument.text") || ext == ".odt":
		return "это текстовый документ (docx, odt). " + remedyOther
	case has("Index/Document.iwa") || ext == ".numbers":
		return "это таблица Numbers. " + remedyTable
	}
	return "это архив ZIP. Распакуйте его и загрузите файл из архива"
}

// oldOffice tells what a file of Office 97–2003 is, by the ending of its name.
func oldOffice(ext string) string {
	if ext == ".doc" {
		return "это документ Word. " + remedyOther
	}
	return "это книга Excel старого формата (xls). " + remedyTable
}

// nulKind recognises UTF-16 without a byte-order mark, and binary files of
// unknown kind, by zero bytes in more than 5 % of the places. A few zeros in a text are left to be
// reported with their row.
func nulKind(head []byte) string {
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return ""
	}
	// In UTF-16 spaces, digits, delimiters and Latin letters have a zero byte;
	// of Russian text they make more than a tenth.
	const few = 8
	zeros := bytes.Count(head, []byte{0})
	if zeros <= few || zeros*20 <= len(head) {
		return ""
	}
	return "это двоичный файл или UTF-16 без метки порядка байтов (BOM). Нужен текст: сохраните таблицу как «CSV UTF-8» или JSONL"
}
