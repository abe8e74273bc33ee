package kbfile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// jsonReader turns JSON objects into rows.
type jsonReader struct {
	m    *mapping
	c    *collector
	seen map[string]bool // folded keys met so far
	keys []column        // the same as first met, for messages
	// asked tells that one of them stands for the question.
	asked bool
}

// readJSONL reads one object a line; blank lines are allowed.
func readJSONL(text *bufio.Reader, m *mapping, c *collector) error {
	j := &jsonReader{m: m, c: c, seen: map[string]bool{}}
	var buf []byte
	for n := 1; ; n++ {
		line, long, err := readLine(text, buf[:0])
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		buf = line
		at := Place{FormatJSONL, n, n}
		line = bytes.TrimFunc(line, blank)
		switch {
		case long:
			c.fail(at, "", fmt.Sprintf("строка длиннее %d МБ. Проверьте, не повреждён ли файл", MaxRecordSize>>20))
		case len(line) == 1 && line[0] == '{' && c.rows == 0 && !c.failed:
			return &Error{Message: fmt.Sprintf("%s: запись занимает несколько строк. Запишите каждую запись в одну строку или все вместе массивом: [ {…}, {…} ]", at)}
		case len(line) > 0:
			j.object(at, line)
		}
		if err != nil {
			return j.end()
		}
	}
}

// readLine appends the next line to buf, without its end. A line longer than
// MaxRecordSize is skipped, and long is set. The last line comes with io.EOF.
func readLine(text *bufio.Reader, buf []byte) (line []byte, long bool, err error) {
	for {
		part, err := text.ReadSlice('\n')
		if long = long || len(buf)+len(part) > MaxRecordSize; !long {
			buf = append(buf, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimSuffix(buf, []byte("\n")), long, err
		}
	}
}

// readJSONArray reads a file that is one array of objects, element by element.
func readJSONArray(text *bufio.Reader, m *mapping, c *collector) error {
	j := &jsonReader{m: m, c: c, seen: map[string]bool{}}
	above, err := skipBlank(text)
	if err != nil {
		return err
	}
	lines := &lineCounter{line: 1 + above}
	dec := json.NewDecoder(io.TeeReader(text, lines))
	if _, err := dec.Token(); err != nil {
		return readError(err)
	}
	at := Place{FormatJSON, 1, lines.line}
	for n := 1; dec.More(); n++ {
		var raw json.RawMessage
		err := dec.Decode(&raw)
		if err == nil {
			at = Place{FormatJSON, n, lines.at(dec.InputOffset() - int64(len(raw)))}
			lines.taken = dec.InputOffset()
			j.object(at, raw)
			continue
		}
		at = Place{FormatJSON, n, lines.at(dec.InputOffset() + space(dec.Buffered()))}
		if errors.Is(err, errElementTooLong) {
			c.fail(at, "", fmt.Sprintf("запись длиннее %d МБ. Проверьте, не повреждён ли файл; всё после неё не проверено", MaxRecordSize>>20))
			return nil
		}
		if err = readError(err); err != nil {
			return err
		}
		c.fail(at, "", "запись или запятая перед ней нарушает правила JSON; всё после неё не проверено. Проверьте кавычки, запятые и скобки")
		return nil
	}
	return j.endArray(dec, at)
}

// endArray checks that the array is closed and that nothing follows it.
func (j *jsonReader) endArray(dec *json.Decoder, last Place) error {
	_, err := dec.Token()
	if err == nil {
		if _, err = dec.Token(); errors.Is(err, io.EOF) {
			return j.end()
		}
	}
	if rerr := readError(err); err != nil && rerr != nil {
		return rerr
	}
	j.c.fail(last, "", "после этой записи массив JSON не закрыт или за ним следует что-то ещё. Файл должен кончаться скобкой «]»")
	return nil
}

// end checks, once all keys are known, that those of --map were among them and
// that one was the question.
func (j *jsonReader) end() error {
	if len(j.keys) == 0 {
		return nil // no object could be read; that is reported
	}
	if h := j.m.unused(j.seen); h != "" {
		return &Error{Message: fmt.Sprintf("--map: ни в одной записи нет поля «%s». Найдены поля: %s", quote(h), nameList(j.keys))}
	}
	if j.asked {
		return nil
	}
	return &Error{Message: fmt.Sprintf("ни в одной записи нет поля с вопросом (question). Найдены поля: %s. Укажите своё: --map \"%s=question\"",
		nameList(j.keys), quote(j.keys[0].name))}
}

// readError is nil when err is about the JSON, and err when it is about reading.
func readError(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// space counts the bytes of white space that r begins with: the decoder stops
// before them when the value that follows is broken.
func space(r io.Reader) int64 {
	b := bufio.NewReader(r)
	for n := int64(0); ; n++ {
		if c, err := b.ReadByte(); err != nil || c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return n
		}
	}
}

// skipBlank goes to the first character that is not blank and counts the line
// breaks on the way.
func skipBlank(text *bufio.Reader) (lines int, err error) {
	for {
		r, _, err := text.ReadRune()
		switch {
		case errors.Is(err, io.EOF):
			return lines, nil
		case err != nil:
			return lines, err
		case !blank(r):
			return lines, text.UnreadRune()
		case r == '\n':
			lines++
		}
	}
}

// object takes one JSON value for a row.
func (j *jsonReader) object(at Place, raw []byte) {
	if !utf8.Valid(raw) {
		j.c.fail(at, "", "текст повреждён: часть его не в UTF-8. Сохраните файл заново в UTF-8 целиком")
		return
	}
	if message := jsonFault(raw); message != "" {
		j.c.fail(at, "", message)
		return
	}
	r := row{place: at}
	dec := json.NewDecoder(bytes.NewReader(raw))
	_, err := dec.Token() // the brace
	first := map[field]string{}
	for err == nil && dec.More() {
		var key json.Token
		var val json.RawMessage
		if key, err = dec.Token(); err == nil {
			err = dec.Decode(&val)
		}
		if err == nil && !j.value(&r, first, fmt.Sprint(key), val) {
			return
		}
	}
	if err != nil { // cannot be: jsonFault found the value well formed
		j.c.fail(at, "", notJSON)
		return
	}
	j.c.addRow(r)
}

const notJSON = "строка нарушает правила JSON. Проверьте кавычки и запятые; каждая запись — отдельный объект {…}"

// jsonFault says what is wrong with a value that should be an object, or "".
func jsonFault(raw []byte) string {
	var v json.RawMessage
	err := json.Unmarshal(raw, &v)
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax) && trailing(raw):
		return "после объекта в строке есть что-то ещё. Оставьте в строке один объект {…}, без запятой после него"
	case errors.As(err, &syntax) && syntax.Offset >= int64(len(raw)):
		return "запись обрывается, JSON не закончен. Проверьте кавычки и закрывающую скобку; каждая запись — в одной строке"
	case errors.As(err, &syntax):
		return fmt.Sprintf("символ %d нарушает правила JSON. Проверьте кавычки и запятые; каждая запись — отдельный объект {…}",
			utf8.RuneCount(raw[:max(syntax.Offset, 1)-1])+1)
	case err != nil:
		return notJSON
	case bytes.TrimLeft(raw, " \t\r\n")[0] != '{':
		return "здесь нужен объект {\"question\": …, \"answer\": …}"
	}
	return ""
}

// trailing tells whether text begins with a whole object and goes on after it.
func trailing(raw []byte) bool {
	var first map[string]json.RawMessage
	return json.NewDecoder(bytes.NewReader(raw)).Decode(&first) == nil
}

// value adds the value of one key to the row. It returns false when the row
// cannot be understood; that is reported.
func (j *jsonReader) value(r *row, first map[field]string, key string, raw json.RawMessage) bool {
	f := j.m.field(key)
	folded := fold(key)
	if !j.seen[folded] {
		j.seen[folded] = true
		j.asked = j.asked || f == fieldQuestion
		j.keys = append(j.keys, column{name: key, field: f})
		j.noteUnknown(r.place, key, f)
	}
	if f == fieldNone || f == fieldIgnored || string(raw) == "null" {
		return true
	}
	if other, ok := first[f]; ok && !f.many() {
		j.c.fail(r.place, key, fmt.Sprintf("поле %s указано дважды («%s» и «%s»). Оставьте одно", f, quote(other), quote(key)))
		return false
	}
	first[f] = key
	all, ok := texts(f, raw)
	if !ok {
		want := "строка в кавычках"
		if f.many() {
			want = "список строк: [\"…\", \"…\"]"
		}
		j.c.fail(r.place, key, "неверное значение: ожидается "+want)
		return false
	}
	r.addAll(column{name: key, field: f}, all)
	return true
}

// noteUnknown warns of a key without a meaning; it is called once a key.
func (j *jsonReader) noteUnknown(at Place, key string, f field) {
	if f == fieldNone {
		j.c.warn(at, key, fmt.Sprintf("неизвестное поле не загружается. Если оно нужно, укажите, что в нём: --map \"%s=…\" (%s)",
			quote(key), mapFields))
	}
}

// texts are the texts of a JSON value: a string, for an id also a number, for
// a field of several values an array of strings.
func texts(f field, raw json.RawMessage) ([]string, bool) {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return []string{s}, true
	}
	var n json.Number
	if f == fieldID && json.Unmarshal(raw, &n) == nil {
		return []string{n.String()}, true
	}
	var list []*string // a pointer tells null, which is no text
	if !f.many() || json.Unmarshal(raw, &list) != nil {
		return nil, false
	}
	var all []string
	for _, t := range list {
		if t == nil {
			return nil, false
		}
		all = append(all, *t)
	}
	return all, true
}

// errElementTooLong stops the decoder before it buffers more than
// MaxRecordSize bytes of one element.
var errElementTooLong = errors.New("array element too long")

// lineCounter tells the line of an offset that the decoder has come to. It is
// written what the decoder reads ahead of it.
type lineCounter struct {
	line   int     // of the offset last asked for
	read   int64   // bytes written
	taken  int64   // offset up to which the decoder has returned values
	breaks []int64 // offsets of line breaks after the offset last asked for
}

func (l *lineCounter) Write(p []byte) (int, error) {
	if l.read-l.taken > MaxRecordSize {
		return 0, errElementTooLong
	}
	for i, b := range p {
		if b == '\n' {
			l.breaks = append(l.breaks, l.read+int64(i))
		}
	}
	l.read += int64(len(p))
	return len(p), nil
}

// at is the line of an offset, from 1; offsets must not go back.
func (l *lineCounter) at(offset int64) int {
	for len(l.breaks) > 0 && l.breaks[0] < offset {
		l.breaks = l.breaks[1:]
		l.line++
	}
	return l.line
}
