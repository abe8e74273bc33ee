package kbfile

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// row is a row of a file as it was found, before its texts are checked.
type row struct {
	place  Place
	values []value
}

// value is one text of a row. A field of several values has several of them.
type value struct {
	column
	text string
}

func (r *row) add(col column, text string) {
	if col.field != fieldIgnored {
		r.values = append(r.values, value{col, text})
	}
}

func (r *row) addAll(col column, texts []string) {
	for _, t := range texts {
		r.add(col, t)
	}
}

// collector checks rows and gathers the entries and the problems of a file.
type collector struct {
	answerOptional bool
	rows           int // rows that could be read, whatever their texts
	failed         bool
	entries        []Entry // nil once failed
	problems       problemList
	byID           map[string]Place
	byQuestion     map[string]Place // by sameQuestion
}

func newCollector(answerOptional bool) *collector {
	return &collector{answerOptional: answerOptional, byID: map[string]Place{}, byQuestion: map[string]Place{}}
}

// fail records an error; the file will not be imported.
func (c *collector) fail(at Place, column, message string) {
	c.failed = true
	c.entries = nil
	c.problems.add(Problem{Place: at, Column: column, Message: message})
}

// warn records what does not prevent the import.
func (c *collector) warn(at Place, column, message string) {
	c.problems.add(Problem{Place: at, Column: column, Message: message, Warning: true})
}

// addRow checks a row and keeps it as an entry.
func (c *collector) addRow(r row) {
	c.rows++
	e := Entry{Place: r.place}
	names := map[field]string{fieldQuestion: fieldQuestion.String(), fieldAnswer: fieldAnswer.String(), fieldID: fieldID.String()}
	for _, v := range r.values {
		names[v.field] = v.name
		c.set(&e, v)
	}
	if e.Question == "" {
		c.fail(e.Place, names[fieldQuestion], "нет вопроса. Впишите вопрос или удалите строку целиком")
	}
	if e.Answer == "" && !c.answerOptional {
		c.fail(e.Place, names[fieldAnswer], "нет ответа: такая запись обещала бы ответ, которого в базе нет. Впишите ответ или удалите строку")
	}
	c.checkRepeats(e, names)
	e.Aliases = slices.DeleteFunc(e.Aliases, func(a string) bool { return a == e.Question })
	if len(e.Aliases) == 0 {
		e.Aliases = nil
	}
	if !c.failed {
		c.entries = append(c.entries, e)
	}
}

// set puts a value into its field of the entry, cleaned and checked.
func (c *collector) set(e *Entry, v value) {
	text := c.clean(e.Place, v)
	limit, remedy := MaxLabelLen, "Сократите текст"
	switch v.field {
	case fieldQuestion, fieldAliases:
		limit, remedy = MaxQuestionLen, "Оставьте суть вопроса, а подробности перенесите в ответ"
	case fieldAnswer, fieldAltAnswers:
		limit, remedy = MaxAnswerLen, "Разделите его на несколько записей"
	default: // a label
	}
	if n := utf8.RuneCountInString(text); n > limit {
		c.fail(e.Place, v.name, fmt.Sprintf("слишком длинный текст (символов: %d, можно не больше %d). %s", n, limit, remedy))
	}
	switch v.field {
	case fieldID:
		e.ID = oneLine(text)
	case fieldQuestion:
		e.Question = text
	case fieldAnswer:
		e.Answer = text
	case fieldTopic:
		e.Topic = oneLine(text)
	case fieldAliases:
		e.Aliases = c.append(e, v, e.Aliases, oneLine(text))
	case fieldAltAnswers:
		e.AltAnswers = c.append(e, v, e.AltAnswers, text)
	default: // nothing of the entry
	}
}

// append is appendNew up to MaxPhrasings; the first text beyond is an error.
func (c *collector) append(e *Entry, v value, list []string, text string) []string {
	if len(list) > MaxPhrasings {
		return list // reported
	}
	list = appendNew(list, text)
	if len(list) > MaxPhrasings {
		c.fail(e.Place, v.name, fmt.Sprintf("больше %d текстов в одной записи. Вероятно, они попали сюда по ошибке; оставьте нужные", MaxPhrasings))
	}
	return list
}

// appendNew appends a text that is not empty and not there yet.
func appendNew(list []string, text string) []string {
	if text == "" || slices.Contains(list, text) {
		return list
	}
	return append(list, text)
}

// clean normalises a value and reports what that took.
func (c *collector) clean(at Place, v value) string {
	t := cleanText(v.text)
	if t.invalid {
		c.fail(at, v.name, "текст повреждён: часть его не в UTF-8. Сохраните файл заново в UTF-8 целиком")
	}
	if t.nul {
		c.fail(at, v.name, "в тексте нулевой символ (U+0000): файл, вероятно, повреждён. Сохраните его заново")
	}
	if t.damaged {
		c.warn(at, v.name, "в тексте символ «�»: он остаётся там, где текст был испорчен до загрузки. Проверьте текст")
	}
	if len(t.removed) > 0 {
		c.warn(at, v.name, fmt.Sprintf("удалены управляющие символы: %s", t.removedList()))
	}
	return t.text
}

// checkRepeats reports an id or a question that an earlier row has.
func (c *collector) checkRepeats(e Entry, names map[field]string) {
	if e.ID != "" {
		if first, ok := c.byID[e.ID]; ok {
			c.fail(e.Place, names[fieldID], fmt.Sprintf("номер «%s» уже есть в %s. Дайте одной из записей другой номер или удалите лишнюю",
				quote(e.ID), first.prepositional()))
		} else {
			c.byID[e.ID] = e.Place
		}
	}
	if e.Question == "" {
		return
	}
	key := sameQuestion(e.Question)
	if first, ok := c.byQuestion[key]; ok {
		c.warn(e.Place, names[fieldQuestion], fmt.Sprintf("такой же вопрос уже есть в %s. Если ответы говорят об одном, оставьте одну запись",
			first.prepositional()))
		return
	}
	c.byQuestion[key] = e.Place
}
