package kbfile

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// field is what a column or a JSON key means.
type field int

const (
	fieldNone    field = iota // unknown: left out with a warning
	fieldIgnored              // left out on request
	fieldID
	fieldQuestion
	fieldAnswer
	fieldTopic
	fieldAliases
	fieldAltAnswers
)

// many tells whether a row may have several values of the field.
func (f field) many() bool { return f == fieldAliases || f == fieldAltAnswers }

// String is the name of the field in --map and in JSON.
func (f field) String() string {
	switch f {
	case fieldID:
		return "id"
	case fieldQuestion:
		return "question"
	case fieldAnswer:
		return "answer"
	case fieldTopic:
		return "topic"
	case fieldAliases:
		return "aliases"
	case fieldAltAnswers:
		return "alt_answers"
	default:
		return "-"
	}
}

// mapFields lists what may stand on the right of --map.
const mapFields = "id, question, answer, topic, aliases, alt_answers, «-» (пропустить)"

// knownField is the field of a header that people commonly use, given folded.
func knownField(folded string) field {
	switch folded {
	case "id", "ид", "идентификатор", "номер", "код", "№", "№пп", "пп", "номерпп", "n", "number", "code":
		return fieldID
	case "вопрос", "вопросы", "текствопроса", "question", "questions", "questiontext":
		return fieldQuestion
	case "ответ", "ответы", "текстответа", "answer", "answers", "answertext":
		return fieldAnswer
	case "тема", "темы", "категория", "раздел", "рубрика", "topic", "category", "section":
		return fieldTopic
	case "вариант", "варианты", "вариантвопроса", "вариантывопроса", "синоним", "синонимы",
		"формулировка", "формулировки", "другиеформулировки",
		"alias", "aliases", "variant", "variants", "synonym", "synonyms", "phrasing", "phrasings":
		return fieldAliases
	case "другойответ", "другиеответы", "вариантответа", "вариантыответа",
		"altanswer", "altanswers", "alternativeanswer", "alternativeanswers":
		return fieldAltAnswers
	}
	return fieldNone
}

// fold reduces a header to what tells headers apart: letters, digits and №,
// in lower case, ё as е.
func fold(header string) string {
	return strings.Map(func(r rune) rune {
		switch r = unicode.ToLower(r); {
		case r == 'ё':
			return 'е'
		case r == '№', unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r):
			return r
		}
		return -1
	}, cleanText(header).text)
}

// mapping tells the field of a header: as the caller asked, else as commonly
// understood.
type mapping struct {
	asked  map[string]field  // by folded header
	header map[string]string // folded header -> as the caller wrote it
	taken  map[field]bool    // single-valued fields the caller gave a header
}

func newMapping(asked map[string]string) (*mapping, error) {
	m := &mapping{asked: map[string]field{}, header: map[string]string{}, taken: map[field]bool{}}
	for _, header := range slices.Sorted(maps.Keys(asked)) {
		name := asked[header]
		f := knownField(fold(name))
		if strings.TrimSpace(name) == "-" {
			f = fieldIgnored
		}
		key := fold(header)
		if f == fieldNone || key == "" {
			return nil, &Error{Message: fmt.Sprintf("--map %s=%s: слева должен стоять заголовок столбца, справа поле: %s",
				quote(header), quote(name), mapFields)}
		}
		if other, ok := m.asked[key]; ok && other != f {
			return nil, &Error{Message: fmt.Sprintf("--map: заголовок «%s» указан дважды, с разными полями", quote(header))}
		}
		m.asked[key], m.header[key] = f, header
		m.taken[f] = !f.many()
	}
	return m, nil
}

// field of a header. A header of common meaning is left out when the caller
// gave its field to another one.
func (m *mapping) field(header string) field {
	key := fold(header)
	if f, ok := m.asked[key]; ok {
		return f
	}
	f := knownField(key)
	if f == fieldNone {
		// «Вариант 1», «Вариант 2»: several columns of one kind.
		if f = knownField(strings.TrimRight(key, "0123456789")); !f.many() {
			f = fieldNone
		}
	}
	if m.taken[f] {
		return fieldNone
	}
	return f
}

// unused is a header of the caller's that is not among the folded headers
// seen, or "". Headers are taken in alphabetical order.
func (m *mapping) unused(seen map[string]bool) string {
	var missing []string
	for key := range m.asked {
		if !seen[key] {
			missing = append(missing, m.header[key])
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return slices.Min(missing)
}

// column is one column of a table.
type column struct {
	name    string // as the header has it, or the letter of a column without one
	field   field
	unnamed bool
}

// columnsOf gives the columns of a header row, or an *Error when the row is no
// header that entries can be read by.
func columnsOf(headers []string, m *mapping, answerOptional bool) ([]column, error) {
	columns := make([]column, len(headers))
	first := map[field]string{}
	seen := map[string]bool{}
	for i, h := range headers {
		name := cleanLine(h)
		if name == "" {
			columns[i] = column{name: letters(i), unnamed: true}
			continue
		}
		f := m.field(name)
		seen[fold(name)] = true
		columns[i] = column{name: name, field: f}
		if f == fieldNone || f == fieldIgnored || f.many() {
			continue
		}
		if other, ok := first[f]; ok {
			return nil, &Error{Message: fmt.Sprintf("столбцы «%s» и «%s» оба подходят для поля %s. Укажите нужный: --map \"%s=%s\", а лишний переименуйте или удалите",
				quote(other), quote(name), f, quote(other), f)}
		}
		first[f] = name
	}
	if h := m.unused(seen); h != "" {
		return nil, &Error{Message: fmt.Sprintf("--map: в файле нет столбца «%s». Найдены столбцы: %s", quote(h), nameList(columns))}
	}
	for _, need := range []field{fieldQuestion, fieldAnswer} {
		if _, ok := first[need]; !ok && (need == fieldQuestion || !answerOptional) {
			return nil, missingColumn(need, columns, first)
		}
	}
	return columns, nil
}

// missingColumn says that no header means the field, which ones there are, and
// how to name it, with a header of this very file as the example.
func missingColumn(need field, columns []column, found map[field]string) *Error {
	what := "вопросом"
	if need == fieldAnswer {
		what = "ответом"
	}
	var examples []string
	for _, f := range []field{fieldQuestion, fieldAnswer} {
		if _, ok := found[f]; ok {
			continue
		}
		for i, c := range columns {
			if c.field == fieldNone && !c.unnamed {
				columns[i].field = f // so that the next example takes another one
				examples = append(examples, quote(c.name)+"="+f.String())
				break
			}
		}
	}
	if len(examples) == 0 {
		examples = []string{"Заголовок=" + need.String()}
	}
	return &Error{Message: fmt.Sprintf("не найден столбец с %s. Первая строка должна содержать заголовки; найдены: %s. "+
		"Назовите столбцы «Вопрос» и «Ответ» или укажите свои: --map \"%s\"", what, nameList(columns), strings.Join(examples, ","))}
}

// nameList is the headers in quotes, the first 20 of them.
func nameList(columns []column) string {
	const most = 20
	names := make([]string, 0, most+1)
	for i, c := range columns {
		if i == most {
			names = append(names, fmt.Sprintf("и ещё %d", len(columns)-most))
			break
		}
		names = append(names, "«"+quote(c.name)+"»")
	}
	return strings.Join(names, ", ")
}

// letters names a column without a header as spreadsheets do: A, B, …, Z, AA.
func letters(i int) string {
	s := ""
	for i++; i > 0; i = (i - 1) / 26 {
		s = string(rune('A'+(i-1)%26)) + s
	}
	return s
}
